# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Making, repairing and removing VMs, with a stateful STUB of limactl (tests/support/stub_limactl.py)."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.warren.load.plugins.plugin_utils import lima_hosts
from ansible_collections.warren.load.plugins.plugin_utils.lima_hosts import Machine, Maker, Notes, Wanted, shortages
from ansible_collections.warren.load.plugins.plugin_utils.limactl import Limactl, LimactlError

STUB = Path(__file__).resolve().parents[3] / "support/stub_limactl.py"
DEFINITION = {"images": [{"location": "/srv/x.img"}], "cpus": 1, "memory": "1GiB", "disk": "8GiB", "plain": True}
WRITES = ("create", "start", "stop", "delete", "clone")


class Lima:
    """A LIMA_HOME with a stub of limactl, and what the tests see of it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "lima"
        self.notes = folder / "stub"
        self.notes.mkdir()
        self.state = folder / "state"
        self.program = folder / "limactl"
        self.program.write_text(f'#!/bin/sh\nSTUB_LIMACTL="{self.notes}" exec "{sys.executable}" "{STUB}" "$@"\n')
        self.program.chmod(0o755)
        self.said: list[str] = []

    def maker(self, mark: str = "here", **options: Any) -> Maker:
        limactl = Limactl(str(self.program), str(self.home))
        notes = Notes(str(self.state), str(self.home))
        return Maker(limactl, notes, mark, self.said.append, golden="warren-golden", **options)

    def up(self, *names: str, mark: str = "here", **options: Any) -> lima_hosts.Change:
        wanted = [Wanted(name, name.split("-")[1], DEFINITION) for name in names]
        return self.maker(mark, **options).up(wanted, lambda new, starting: [])

    def behave(self, **behaviour: Any) -> None:
        (self.notes / "behaviour.json").write_text(
            json.dumps({k.replace("_", " ", 1): v for k, v in behaviour.items()})
        )

    @property
    def writes(self) -> list[str]:
        """What it was told to change, in order: `start warren-manager-1`."""
        calls = self.calls
        return [
            f"{argv[0]} {argv[-1] if not argv[-1].endswith('.yaml') else argv[2].removeprefix('--name=')}"
            for argv in (call["argv"] for call in calls)
            if argv[0] in WRITES
        ]

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.notes / "calls").read_text().splitlines()]

    def statuses(self) -> dict[str, str]:
        return {each["name"]: each["status"] for each in self.maker().all()}

    def left(self) -> list[str]:
        """What notes are left."""
        return sorted(path.name for path in self.state.rglob("*") if path.is_file() and path.name != "lock")


@pytest.fixture
def lima(tmp_path: Path) -> Lima:
    return Lima(tmp_path)


def test_all_are_made_and_then_started_one_after_another(lima: Lima) -> None:
    change = lima.up("warren-manager-1", "warren-worker-1")
    assert lima.writes == [
        "create warren-manager-1",
        "create warren-worker-1",
        "start warren-manager-1",
        "start warren-worker-1",
    ]
    assert len(change.done) == 4
    assert not change.failed + change.warnings + lima.left()
    times = [(call["begun"], call["ended"]) for call in lima.calls]
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(times))
    (vm,) = (each for each in lima.maker().all() if each["name"] == "warren-worker-1")
    assert vm["env"] == {"WARREN_LOAD_INVENTORY": "here", "WARREN_LOAD_ROLE": "worker"}


def test_what_is_up_is_left_as_it_is(lima: Lima) -> None:
    lima.up("warren-manager-1")
    before = lima.writes
    change = lima.up("warren-manager-1")
    assert (change.done, lima.writes) == ([], before)
    lima.up("warren-manager-1", "warren-worker-1")
    assert lima.writes[len(before) :] == ["create warren-worker-1", "start warren-worker-1"]


def test_a_stopped_one_is_started_and_a_broken_one_repaired(lima: Lima) -> None:
    lima.up("warren-manager-1", "warren-worker-1")
    lima.maker().limactl.run("stop", "warren-manager-1")
    (lima.home / "warren-worker-1/stub.json").write_text('{"status": "Broken", "port": 40001}')
    before = len(lima.writes)
    change = lima.up("warren-manager-1", "warren-worker-1")
    assert lima.writes[before:] == ["start warren-manager-1", "stop warren-worker-1", "start warren-worker-1"]
    assert "warren-worker-1 was Broken and is repaired" in change.done
    assert set(lima.statuses().values()) == {"Running"}


def test_one_whose_creation_was_cut_off_is_made_anew(lima: Lima) -> None:
    """With and without a lima.yaml: `delete -f` fails on a folder that has none."""
    for has_yaml in (True, False):
        lima.behave(**{"create_warren-manager-1": {"code": 1, "stderr": 'level=fatal msg="no such host"', "times": 1}})
        with pytest.raises(LimactlError, match="no such host Which images there are is up to lima_hosts_image"):
            lima.up("warren-manager-1")
        assert lima.left() == ["warren-manager-1.json"]
        if not has_yaml:
            (lima.home / "warren-manager-1/lima.yaml").unlink()
        change = lima.up("warren-manager-1")
        assert change.done[0] == "warren-manager-1 was half-made and removed"
        assert (lima.statuses(), lima.left()) == ({"warren-manager-1": "Running"}, [])
        lima.maker().down()


def test_what_is_half_made_goes_with_hosts_down(lima: Lima) -> None:
    lima.behave(**{"create_warren-manager-1": {"code": 1, "times": 1}})
    with pytest.raises(LimactlError):
        lima.up("warren-manager-1")
    (lima.home / "warren-manager-1/lima.yaml").unlink()
    assert lima.maker().down().done == ["warren-manager-1 was removed"]
    assert (lima.statuses(), lima.left()) == ({}, [])


def test_a_folder_that_nobody_noted_is_not_touched(lima: Lima) -> None:
    (lima.home / "warren-manager-1").mkdir(parents=True)
    with pytest.raises(LimactlError, match=r"warren-manager-1 is there and has no lima\.yaml .* set lima_hosts_prefix"):
        lima.up("warren-manager-1")
    assert lima.maker().down().done == []
    assert (lima.home / "warren-manager-1").is_dir()


def test_the_vm_of_somebody_else_is_not_touched(lima: Lima) -> None:
    lima.up("warren-manager-1", mark="there")
    before = lima.writes
    with pytest.raises(LimactlError, match=r"VM warren-manager-1 in .* was made by inventory there, and is left alone"):
        lima.up("warren-manager-1", "warren-worker-1")
    assert lima.maker().down().done == []
    assert lima.writes == before

    path = lima.home / "warren-manager-1/lima.yaml"
    path.write_text(path.read_text().replace("WARREN_LOAD_INVENTORY", "X"))
    with pytest.raises(LimactlError, match="was made by somebody else, and is left alone"):
        lima.up("warren-manager-1")
    assert [each["name"] for each in lima.maker().mine()] == []


def test_a_start_that_fails_once_is_repaired(lima: Lima) -> None:
    lima.behave(
        **{"start_warren-manager-1": {"code": 1, "do": False, "stderr": 'level=fatal msg="qemu died"', "times": 1}}
    )
    change = lima.up("warren-manager-1")
    assert lima.writes == [
        "create warren-manager-1",
        "start warren-manager-1",
        "delete warren-manager-1",
        "create warren-manager-1",
        "start warren-manager-1",
    ]
    assert (change.failed, lima.statuses()) == ([], {"warren-manager-1": "Running"})
    assert any("did not start, and is repaired" in line and "qemu died" in line for line in lima.said)


def test_one_that_ran_before_is_never_made_anew(lima: Lima) -> None:
    """What is in it would be gone."""
    lima.up("warren-manager-1")
    lima.maker().limactl.run("stop", "warren-manager-1")
    lima.behave(**{"start_warren-manager-1": {"code": 1, "do": False, "times": 5}})
    change = lima.up("warren-manager-1")
    assert "delete warren-manager-1" not in lima.writes
    (sentence,) = change.failed
    assert sentence.startswith("VM warren-manager-1 does not start, see ")


def test_one_that_does_not_start_costs_no_other(lima: Lima) -> None:
    lima.behave(**{"start_warren-manager-1": {"code": 1, "do": False, "stderr": "boom"}})
    change = lima.up("warren-manager-1", "warren-worker-1")
    assert [each.partition(",")[0] for each in change.failed] == ["VM warren-manager-1 does not start"]
    assert lima.statuses()["warren-worker-1"] == "Running"


def test_a_degraded_one_goes_on(lima: Lima) -> None:
    """limactl start ends with 1 and leaves the VM running when a probe or --timeout fails: SSH decides."""
    lima.behave(**{"start_warren-manager-1": {"code": 1, "stderr": 'level=fatal msg="did not receive an event"'}})
    change = lima.up("warren-manager-1")
    (warning,) = change.warnings
    assert warning.startswith("warren-manager-1 runs, but Lima is not content with it")
    assert "did not receive an event" in warning
    assert change.failed == []


def test_a_start_that_hangs_is_ended_and_repaired(lima: Lima, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lima_hosts, "GRACE", 0.5)
    lima.behave(**{"start_warren-manager-1": {"sleep": 60, "times": 1}})
    lima.up("warren-manager-1", start_timeout=0.5)
    assert any("had not ended after 1 s and was ended" in line for line in lima.said)
    assert lima.statuses() == {"warren-manager-1": "Running"}


def test_from_some_number_on_one_is_booted_and_cloned(lima: Lima) -> None:
    names = ["warren-manager-1", "warren-worker-1", "warren-worker-2"]
    lima.up(*names, clone_from=3)
    assert lima.writes[:3] == ["create warren-golden", "start warren-golden", "stop warren-golden"]
    assert [each.split()[0] for each in lima.writes[3:]] == ["clone"] * 3 + ["start"] * 3
    there = {each["name"]: each for each in lima.maker().all()}
    assert there.pop("warren-golden")["status"] == "Stopped"
    assert {name: each["env"]["WARREN_LOAD_ROLE"] for name, each in there.items()} == {
        "warren-manager-1": "manager",
        "warren-worker-1": "worker",
        "warren-worker-2": "worker",
    }
    before = len(lima.writes)
    assert lima.up(*names, clone_from=3).done == []
    more = [f"warren-worker-{number}" for number in range(3, 6)]
    lima.up(*names, *more, clone_from=3)
    assert "create warren-golden" not in lima.writes[before:]
    assert lima.maker().down().done[-1] == "warren-worker-5 was removed"
    assert lima.statuses() == {}


def test_a_golden_vm_that_never_booted_is_not_cloned(lima: Lima) -> None:
    lima.behave(**{"start_warren-golden": {"code": 1, "do": False, "times": 2}})
    with pytest.raises(LimactlError, match="VM warren-golden does not start"):
        lima.up("warren-manager-1", clone_from=1)
    assert not any(each.startswith("clone") for each in lima.writes)
    lima.up("warren-manager-1", clone_from=1)
    assert lima.statuses() == {"warren-golden": "Stopped", "warren-manager-1": "Running"}


def test_an_older_lima_makes_each(lima: Lima, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUB_LIMACTL_VERSION", "1.1.0")
    lima.up("warren-manager-1", clone_from=1)
    assert lima.writes == ["create warren-manager-1", "start warren-manager-1"]


def test_in_check_mode_nothing_is_changed(lima: Lima) -> None:
    change = lima.up("warren-manager-1", check=True)
    assert change.done == lima.said == ["warren-manager-1 would be made and started"]
    lima.up("warren-manager-1")
    assert lima.maker(check=True).down().done == ["warren-manager-1 would be removed"]
    assert lima.statuses() == {"warren-manager-1": "Running"}


def test_a_protected_one_stays_and_the_others_go(lima: Lima) -> None:
    lima.up("warren-manager-1", "warren-worker-1")
    (lima.home / "warren-manager-1/stub.json").write_text('{"status": "Running", "port": 4, "protected": true}')
    change = lima.maker().down()
    (sentence,) = change.failed
    assert "is protected to prohibit accidental removal" in sentence
    assert "(`limactl unprotect warren-manager-1` first)" in sentence
    assert list(lima.statuses()) == ["warren-manager-1"]


def test_somebody_elses_limactl_is_waited_for(lima: Lima) -> None:
    seen = iter([["limactl start web"], ["limactl start web"]])
    lima.up("warren-manager-1", others=lambda: next(seen, []))
    waits = "waits for `limactl start web`, since Lima allows one change at a time"
    assert (lima.said[0], lima.said.count(waits)) == (waits, 1)


def test_which_limactl_write() -> None:
    for line, writes in {
        "limactl start web": True,
        "/opt/bin/limactl --debug create --tty=false x.yaml": True,
        "limactl delete -f web": True,
        "limactl hostagent --pidfile /x web": False,
        "limactl usernet -p /x": False,
        "limactl list --format json": False,
        "limactl shell web limactl-start": False,
        "vi limactl-notes start": False,
    }.items():
        assert bool(lima_hosts._WRITES.search(line)) == writes, line


def test_one_playbook_at_a_time(lima: Lima) -> None:
    with lima.maker().notes.locked(), pytest.raises(LimactlError, match="Another hosts-up or hosts-down changes"):
        lima.up("warren-manager-1")


def test_other_sizes_are_told(lima: Lima) -> None:
    lima.up("warren-manager-1")
    bigger = [Wanted("warren-manager-1", "manager", DEFINITION | {"memory": "2GiB"})]
    change = lima.maker().up(bigger, lambda new, starting: [])
    assert change.done == []
    assert change.warnings[0].startswith("warren-manager-1: made with other sizes than lima_hosts_cpus")


# --- what this machine lacks ------------------------------------------------------------------------------------------

GOOD = Machine("Linux", "x86_64", True, frozenset({"qemu-system-x86_64", "qemu-img"}), 64 << 30, 500 << 30)
TWO = [Wanted(f"warren-worker-{number}", "worker", DEFINITION) for number in (1, 2)]


def short(machine: Machine, *, new: list[Wanted] = TWO, vm_type: str = "", emulate: bool = False) -> list[str]:
    return shortages(new, TWO, machine, vm_type, emulate, 3 << 30)


def test_a_machine_that_has_all_of_it() -> None:
    assert short(GOOD) == []
    assert short(Machine("Darwin", "aarch64", False, frozenset(), None, None)) == []
    assert shortages([], [], GOOD._replace(memory=1, disk=1, kvm=False), "", False, 3 << 30) == []


@pytest.mark.parametrize(
    ("machine", "sentence"),
    [
        (GOOD._replace(kvm=False), "This user may not use /dev/kvm, so VMs would be emulated"),
        (GOOD._replace(programs=frozenset({"qemu-img"})), "There is no qemu-system-x86_64 on PATH"),
        (GOOD._replace(programs=frozenset({"qemu-system-x86_64"})), "There is no qemu-img on PATH"),
        (GOOD._replace(memory=1 << 30), "The 2 VMs to start take 2 GiB of memory, and 1 GiB are free here"),
        (GOOD._replace(disk=5 << 30), "The 2 VMs to make take about 6 GiB of disk, and 5 GiB are free"),
    ],
)
def test_what_is_short_is_a_sentence(machine: Machine, sentence: str) -> None:
    (told,) = short(machine)
    assert told.startswith(sentence)


def test_another_architecture_is_emulated() -> None:
    arm = [Wanted("warren-worker-1", "worker", DEFINITION | {"arch": "aarch64"})]
    machine = GOOD._replace(programs=frozenset({"qemu-system-aarch64", "qemu-img"}))
    (told,) = shortages(arm, arm, machine, "", False, 0)
    assert told.startswith("This machine is x86_64, not aarch64, so VMs would be emulated")
    assert shortages(arm, arm, machine, "", True, 0) == []


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"memory": "2 gigs"}, "The size '2 gigs'"),
        ({"disk": "8"}, "The size '8'"),
        ({"cpus": "two"}, "lima_hosts_cpus is 'two': it must be a whole number"),
        ({"cpus": 0}, "lima_hosts_cpus is '0'"),
    ],
)
def test_sizes_that_are_none(lima: Lima, values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(LimactlError) as caught:
        lima.maker().up([Wanted("x", "worker", DEFINITION | values)], lambda new, starting: [str(new[0].sizes)])
    assert str(caught.value).startswith(sentence)
