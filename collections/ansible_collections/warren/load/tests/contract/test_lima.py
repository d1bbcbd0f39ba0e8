# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection takes for granted of limactl, asked of a real one, where there is one and this user is not root.

No VM is started and no image fetched: a few bytes stand in for one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.warren.load.plugins.plugin_utils import lima_records as records
from ansible_collections.warren.load.plugins.plugin_utils.lima_hosts import Change, Maker, Notes, Wanted
from ansible_collections.warren.load.plugins.plugin_utils.limactl import Limactl, LimactlError

COLLECTION = Path(__file__).resolve().parents[2]
LIMACTL = shutil.which("limactl")

pytestmark = [
    pytest.mark.skipif(LIMACTL is None, reason="there is no limactl on PATH"),
    pytest.mark.skipif(os.geteuid() == 0, reason="limactl refuses to run as root"),
]


@pytest.fixture
def limactl() -> Iterator[Limactl]:
    """On a LIMA_HOME of its own, whose path is short: Lima puts sockets into it."""
    with tempfile.TemporaryDirectory(prefix="l", dir="/tmp") as home:
        yield Limactl(str(LIMACTL), home)


@pytest.fixture
def definition(tmp_path: Path) -> dict[str, object]:
    """A lima.yaml of role lima_hosts, rendered by Ansible, with a stand-in for an image."""
    image = tmp_path / "image.raw"
    image.write_bytes(bytes(1 << 20))
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {
            "lima_hosts_role": "worker",
            "lima_hosts_image": [{"location": str(image)}],
            "lima_hosts_packages": ["containerd"],
            "lima_hosts_memory": "1GiB",
        },
        "vars_files": [str(COLLECTION / "roles/lima_hosts" / each / "main.yml") for each in ("defaults", "vars")],
        "tasks": [
            {
                "name": "Render",
                "ansible.builtin.template": {
                    "src": str(COLLECTION / "roles/lima_hosts/templates/vm.yaml.j2"),
                    "dest": str(tmp_path / "vm.yaml"),
                },
            }
        ],
    }
    # vars_files win over vars of the play, so what the test wants comes as extra variables.
    wanted = json.dumps(play.pop("vars"))
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", "-c", "local", "-e", wanted, str(tmp_path / "play.yml")],
        env=os.environ | {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTION.parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return yaml.safe_load((tmp_path / "vm.yaml").read_text(encoding="utf-8"))


def test_nothing_is_an_empty_list(limactl: Limactl) -> None:
    assert limactl.instances() == ([], [])
    assert records.version_in(limactl.check_version()) is None or "version" in limactl.check_version()


def test_our_definition_is_valid_and_comes_back_marked(limactl: Limactl, definition: dict, tmp_path: Path) -> None:
    (tmp_path / "vm.yaml").write_text(json.dumps(definition), encoding="utf-8")
    limactl.check(limactl.run("validate", str(tmp_path / "vm.yaml")))
    maker = Maker(limactl, Notes(str(tmp_path / "state"), limactl.home), "here", lambda text: None)
    with maker.notes.locked():
        maker._make([Wanted("warren-worker-1", "worker", definition)], {}, Change())
    ((vm,), warnings) = limactl.instances()
    assert warnings == []
    assert (vm["status"], vm["plain"], vm["memory"], vm["networks"]) == ("Stopped", True, 1 << 30, ["user-v2"])
    assert vm["env"] == {"WARREN_LOAD_INVENTORY": "here", "WARREN_LOAD_ROLE": "worker"}
    assert vm["user"]
    assert records.connection_variables(vm) == {}
    assert [each["name"] for each in maker.mine()] == ["warren-worker-1"]
    assert maker.down().done == ["warren-worker-1 was removed"]
    assert limactl.instances() == ([], [])


def test_a_clone_takes_sizes_and_role(limactl: Limactl, definition: dict, tmp_path: Path) -> None:
    maker = Maker(
        limactl, Notes(str(tmp_path / "state"), limactl.home), "here", lambda text: None, golden="warren-golden"
    )
    with maker.notes.locked():
        maker._make([Wanted("warren-golden", "", definition)], {}, Change())
        maker.clone_from = 1
        there = {each["name"]: each for each in maker.all()}
        clone = Wanted("warren-manager-1", "manager", definition | {"cpus": 1, "memory": "1536MiB"})
        maker._make([clone], there, Change())
    made = {each["name"]: each for each in maker.all()}["warren-manager-1"]
    assert (made["cpus"], made["memory"]) == (1, 1536 << 20)
    assert made["env"]["WARREN_LOAD_ROLE"] == "manager"
    maker.down()


def test_a_folder_without_lima_yaml_costs_no_other(limactl: Limactl, definition: dict, tmp_path: Path) -> None:
    maker = Maker(limactl, Notes(str(tmp_path / "state"), limactl.home), "here", lambda text: None)
    with maker.notes.locked():
        maker._make([Wanted("warren-worker-1", "worker", definition)], {}, Change())
    (Path(limactl.home) / "half").mkdir()
    assert "warren-worker-1" in [each["name"] for each in limactl.instances()[0]]
    maker.down()


def test_what_fails_says_why(limactl: Limactl) -> None:
    with pytest.raises(LimactlError, match=r"`limactl stop nope` \(LIMA_HOME .*\) failed with exit code 1: .*nope"):
        limactl.check(limactl.run("stop", "nope"))
