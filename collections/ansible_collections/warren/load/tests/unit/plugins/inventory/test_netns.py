# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.warren.load.plugins.inventory.netns import InventoryModule
from ansible_collections.warren.load.plugins.module_utils.node import netns_hosts

ROOT = Path(__file__).resolve().parents[8]


def listed(tmp_path: Path, config: str = "plugin: warren.load.netns\n") -> tuple[dict[str, Any], str]:
    """What ansible-inventory --list prints, and what it warns of."""
    (tmp_path / "netns.yml").write_text(config)
    done = subprocess.run(
        ["ansible-inventory", "-i", str(tmp_path / "netns.yml"), "--list"],
        env=os.environ
        | {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "WARREN_LOAD_NETNS_DIRECTORY": str(tmp_path / "there"),
            "WARREN_LOAD_NETNS_NAME": "",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    # Ansible marks strings that are no templates.
    return json.loads(done.stdout, object_hook=lambda each: each.get("__ansible_unsafe", each)), done.stderr


def record(tmp_path: Path, name: str, *hosts: netns_hosts.Host) -> None:
    network = netns_hosts.Network("/me", "10.9.0.0/16", "10.9.255.254", {host.name: host for host in hosts})
    netns_hosts._Place(str(tmp_path / "there"), name)._write(network)


def test_hosts_are_listed_with_their_groups_and_addresses(tmp_path: Path) -> None:
    manager = netns_hosts.Host("manager-1", "managers", "10.9.0.1")
    record(tmp_path, "warren", manager, netns_hosts.Host("worker-1", "workers", "10.9.0.2"))
    record(tmp_path, "other", netns_hosts.Host("worker-7", "workers", "10.9.0.7"))
    found, _warnings = listed(tmp_path)
    assert found["managers"]["hosts"] == ["manager-1"]
    assert found["workers"]["hosts"] == ["worker-1"]
    assert found["generators"]["hosts"] == ["localhost"]
    variables = found["_meta"]["hostvars"]
    assert variables["worker-1"]["warren_load_node_address"] == variables["worker-1"]["ansible_host"] == "10.9.0.2"
    assert variables["worker-1"]["ansible_connection"] == "warren.load.netns"
    assert variables["localhost"]["ansible_connection"] == "local"
    assert variables["localhost"]["warren_load_netns_directory"] == str(tmp_path / "there")


def test_the_file_names_the_network_and_groups_can_be_composed(tmp_path: Path) -> None:
    record(tmp_path, "other", netns_hosts.Host("worker-7", "workers", "10.9.0.7"))
    config = "plugin: warren.load.netns\nname: other\ngroups: {high: ansible_host is search('7$')}\n"
    found, _warnings = listed(tmp_path, config)
    assert found["high"]["hosts"] == ["worker-7"]
    assert found["_meta"]["hostvars"]["worker-7"]["ansible_netns_network"] == "other"


def test_without_hosts_there_is_this_machine(tmp_path: Path) -> None:
    found, warnings = listed(tmp_path)
    assert found["generators"]["hosts"] == ["localhost"]
    assert "managers" not in found
    assert not warnings


def test_a_broken_record_is_a_warning_so_that_it_can_be_taken_down(tmp_path: Path) -> None:
    (tmp_path / "there/warren").mkdir(parents=True)
    (tmp_path / "there/warren/network.json").write_text("{")
    found, warnings = listed(tmp_path)
    assert found["generators"]["hosts"] == ["localhost"]
    assert "is broken: take the hosts down (hosts-down)" in " ".join(warnings.split())


@pytest.mark.parametrize(("name", "ours"), [("netns.yml", True), ("blue.netns.yaml", True), ("hosts.yml", False)])
def test_its_files_are_told_by_their_name(tmp_path: Path, name: str, ours: bool) -> None:
    (tmp_path / name).touch()
    assert InventoryModule().verify_file(str(tmp_path / name)) is ours
