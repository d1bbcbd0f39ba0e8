# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load tests with a fault in them, as a person starts them: on the sandbox, and on the Warren of WARREN_BINARY."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import netns_hosts, process_table, supervision
from ansible_collections.warren.load.tests.support.plays import ROOT, Place, eventually
from ansible_collections.warren.load.tests.support.worlds import free_ports

from .conftest import SANDBOX_PORTS, Sandbox
from .test_netns_clusters import REAL, Plays
from .test_netns_hosts import Hosts, hosts, usable

__all__ = ["hosts"]  # the fixture

COUNTS = Path(__file__).with_name("counts.yml")
SHORT: dict[str, Any] = {
    "services": 24,
    "replicas": 2,
    "warren_load_create_rate": 8,
    "warren_load_fault_after": 1,
    "warren_load_clock_factor": 10,
    "warren_load_objectives_file": str(COUNTS),
}
UNDONE = 30.0  # seconds after the controller was struck


def results(sandbox: Sandbox) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((sandbox.results / "latest/results.json").read_text(encoding="utf-8"))
    return found


def red(sandbox: Sandbox) -> list[str]:
    """The ids of the cases of the JUnit report that are not green."""
    cases = ET.parse(sandbox.results / "latest/junit.xml").getroot().iter("testcase")
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    return [str(case.get("name")).partition(":")[0] for case in bad]


def test_a_leader_is_killed_and_comes_back(sandbox: Sandbox) -> None:
    """On a cluster that was there before: it is as it was afterwards, but for who leads.

    The one thing that is missed is what Warren does not do: its workers never turn to the new leader.
    """
    assert sandbox.play("cluster-up", warren_load_fault_target="leader", warren_load_clock_factor=10).rc == 0
    before = sandbox.processes()
    run = sandbox.play("leader-loss", **SHORT)
    assert run.rc == 2
    assert red(sandbox) == ["replicas-missing"]
    assert len(sandbox.processes()) == len(before) == 4

    found = results(sandbox)
    measured, failover = found["measurements"], found["measurements"]["failover"]
    assert failover["leader"] in {"manager-2", "manager-3"}
    assert failover["was"] == "manager-1"
    assert failover["recovered"] is True
    assert failover["write_outage"]["value"] > 0.1
    assert failover["election"]["low"] <= failover["first_write"]["high"]
    assert failover["reads"]["manager-1"]["value"] > failover["read_outage"]["value"]
    assert measured["audit_writes"]["acknowledged"] == 24
    assert measured["audit_writes"]["broken"] == 0
    assert measured["cleanup"]["containers_left"] == 0
    # Workers stay with the manager that is gone.
    loss = measured["loss"]
    assert (loss["down"], loss["ready_end"], loss["missing"]) == (2, 0, 48)

    kinds = {(one["kind"], one["what"]) for one in found["timeline"]["intervals"]}
    assert {("fault", "kill"), ("outage", "writes"), ("leader", "acknowledges writes")} <= kinds
    phases = {phase["name"]: phase["status"] for phase in found["run"]["phases"]}
    assert {phases[name] for name in ("create", "probe", "faults", "recovery", "audit_writes")} == {"ok"}
    said = " ".join((sandbox.results / "latest/report.txt").read_text(encoding="utf-8").split())
    assert "manager-1: kill, " in said
    assert "manager-1 runs again, joined anew with a clean directory under the old name" in said
    assert "After the loss of manager-1 all 2 workers went down" in said
    assert "New Leader: " in (sandbox.results / "latest/report.md").read_text(encoding="utf-8")

    # It can be tested as before.
    status = re.sub(r"\x1b\[[0-9;]*m", "", sandbox.play("cluster-status").stdout)
    assert len(re.findall(r"^ *manager-\d +\S+ +yes\b", status, re.MULTILINE)) == 3
    assert sandbox.play("cluster-down", confirm=True).rc == 0


def test_writes_that_are_lost_or_doubled_fail_the_run(sandbox: Sandbox) -> None:
    run = sandbox.play("leader-loss", warren_load_defects="lost-write=7,duplicate-write=9", **SHORT)
    assert run.rc == 2
    audit = results(sandbox)["measurements"]["audit_writes"]
    assert audit["lost"] > 0
    assert audit["doubled"] > 0
    assert audit["broken"] == audit["lost"] + audit["doubled"]
    assert red(sandbox) == ["lost-writes", "replicas-missing"]
    assert sandbox.processes() == {}


def test_a_worker_is_killed(sandbox: Sandbox) -> None:
    run = sandbox.play("worker-loss", **SHORT)
    assert run.rc == 0
    loss = results(sandbox)["measurements"]["loss"]
    assert len(loss["targets"]) == 1
    assert (loss["down"], loss["ready_end"], loss["missing"]) == (1, 1, 0)
    assert 1.5 < loss["detection"]["value"] < loss["restored"]["value"]  # 3 s, less a heartbeat
    assert loss["replaced"] > 0
    assert loss["replacement"]["value"] <= loss["restored"]["value"]
    assert sandbox.processes() == {}


@pytest.mark.long
def test_workers_are_killed_one_after_another(sandbox: Sandbox) -> None:
    """Each is the one that holds most when its turn comes, of those that were not hit yet."""
    load = {**SHORT, "warren_load_create_rate": 4, "warren_load_fault_seconds": 4}
    run = sandbox.play("worker-loss", **load, warren_load_workers=3, warren_load_fault_count=2)
    assert run.rc == 0
    measured = results(sandbox)["measurements"]
    first, second = measured["faults"]["faults"]
    assert (first["kind"], second["kind"]) == ("kill", "kill")
    assert first["target"] != second["target"]
    assert second["start"] - first["start"] > 3.5
    loss = measured["loss"]
    assert loss["targets"] == [first["target"], second["target"]]
    assert (loss["down"], loss["ready_end"], loss["missing"]) == (2, 1, 0)
    assert measured["recovery"]["lost"] == sorted(loss["targets"])
    assert measured["recovery"]["settled"] is True
    assert measured["audit_writes"]["broken"] == 0
    assert sandbox.processes() == {}


@pytest.mark.long
def test_a_loss_that_nobody_notices_fails_the_run(sandbox: Sandbox) -> None:
    """All its containers count as running for Warren, for ever."""
    run = sandbox.play("worker-loss", warren_load_defects="unnoticed", warren_load_await_deadline=15, **SHORT)
    assert run.rc == 2
    loss = results(sandbox)["measurements"]["loss"]
    assert (loss["undetected"], loss["down"], loss["replaced"]) == (1, 0, 0)
    assert red(sandbox) == ["recovery", "worker-undetected", "replicas-missing"]  # it is waited for in vain
    assert sandbox.processes() == {}


def test_containers_that_nothing_replaces_fail_the_run(sandbox: Sandbox) -> None:
    run = sandbox.play("worker-loss", warren_load_defects="stranded", **SHORT)
    assert run.rc == 2
    loss = results(sandbox)["measurements"]["loss"]
    assert (loss["down"], loss["ready_end"], loss["replaced"]) == (1, 1, 0)
    assert loss["missing"] > 0
    assert red(sandbox) == ["replicas-missing"]
    assert sandbox.processes() == {}


@pytest.mark.parametrize(
    ("playbook", "settings", "sentence"),
    [
        ("leader-loss", {"warren_load_managers": 1}, "The cluster has one manager, and fault kill of it leaves nobody"),
        ("worker-loss", {"warren_load_workers": 1}, "Not enough workers are left: fault kill of 1 leaves 0 of 1"),
        ("leader-loss", {"warren_load_create_rate": 100}, "so no write would follow it: ask for less than"),
        ("leader-loss", {"warren_load_endpoint": "127.0.0.1:1"}, "A fault needs the hosts that it is done to"),
        ("leader-loss", {"warren_load_fault": "explode"}, "choose one of kill, pause, cut"),
    ],
)
def test_what_is_refused_before_anything_is_touched(
    sandbox: Sandbox, playbook: str, settings: dict[str, Any], sentence: str
) -> None:
    run = sandbox.play(playbook, **settings)
    assert run.rc == 2
    assert sentence in " ".join(run.stdout.split())
    assert "Traceback" not in run.stdout
    assert sandbox.processes() == {}
    assert not list(sandbox.results.glob("2*"))


def test_a_fault_that_cannot_be_done_here_is_one_sentence(sandbox: Sandbox) -> None:
    """The hosts are asked before the load: managers on loopback cannot be cut off."""
    run = sandbox.play("leader-loss", warren_load_fault="cut", warren_load_fault_seconds=1, **SHORT)
    assert run.rc == 2
    said = " ".join(run.stdout.split())
    assert "Fault cut needs hosts of their own: manager-1 talks over loopback" in said
    assert "services created" not in said
    assert sandbox.processes() == {}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A sandbox that is not up, to strike at."""
    variables = {**SHORT, "warren_load_port_base": free_ports(SANDBOX_PORTS)}
    made = Place(tmp_path, ROOT / "inventories/sandbox", variables)
    yield made
    made.kill_all()


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_a_fault_is_undone_though_its_controller_is_gone(place: Place, number: signal.Signals) -> None:
    slow = {"services": 400, "warren_load_fault": "pause", "warren_load_fault_seconds": 45}
    play = place.start("leader-loss", **slow)
    record = place.state / "sandbox/manager-1/pid.json"

    def paused() -> bool:
        known = supervision.read_record(str(record))
        return known is not None and stopped(known.pid)

    play.until(paused, "manager-1 stands still")
    play.strike(number)
    struck = time.monotonic()
    assert number is not signal.SIGKILL or paused()  # Ctrl-C may have it undone at once
    eventually(lambda: not paused(), UNDONE, lambda: f"manager-1 goes on {UNDONE:g} s after {number.name}")
    print(f"undone {time.monotonic() - struck:.1f} s after {number.name}")
    place.run("cleanup")
    place.wait_until_gone()
    assert place.locks() == []


def stopped(pid: int) -> bool:
    return process_table.read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1] == ["T"]


def several() -> bool:
    """Whether there is a real Warren whose managers can join: one before v1.1, which has no command init."""
    return bool(REAL) and subprocess.run([REAL, "init", "--help"], capture_output=True, check=False).returncode != 0


@pytest.mark.skipif(not usable() or not several(), reason="needs WARREN_BINARY before v1.1, and network namespaces")
def test_the_real_warren_loses_its_leader_and_then_a_worker(hosts: Hosts, tmp_path: Path) -> None:
    """Shortened: how long Warren's own timers take is what the playbooks' defaults wait for."""
    plays = Plays(hosts, tmp_path, REAL)
    try:
        plays("hosts-up", managers=3, workers=2)
        plays("cluster-up")
        load = {"services": 20, "replicas": 2, "warren_load_create_rate": 2, "warren_load_fault_after": 3}
        said = plays("leader-loss", 2, **load)
        assert "20 creates looked for, all as acknowledged" in said
        said = plays("worker-loss", **load)
        found = json.loads((tmp_path / "results/latest/results.json").read_text(encoding="utf-8"))
        assert 20 < found["measurements"]["loss"]["detection"]["value"] < 45
        assert found["measurements"]["loss"]["missing"] == 0
        assert "20 creates looked for, all as acknowledged" in said
    finally:
        netns_hosts.down(hosts.directory, hosts.name, str(ROOT / "inventories/netns"))
