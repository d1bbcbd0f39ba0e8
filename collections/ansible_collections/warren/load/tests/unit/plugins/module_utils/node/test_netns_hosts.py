# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the hosts in network namespaces can be looked at without root; tests/integration makes some."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import netns_hosts, process_table
from ansible_collections.warren.load.plugins.module_utils.node.netns_hosts import Host, NetnsError, Network, Wanted


def network(*names: str) -> Network:
    made = Network(owner="/inventory", range="10.9.0.0/29", gateway="10.9.0.6")
    for number, name in enumerate(names, 1):
        made.hosts[name] = Host(name, "workers", f"10.9.0.{number}")
    return made


def wanted(**values: Any) -> Wanted:
    return Wanted(**{"owner": "/inventory", "range": "10.9.0.0/16", "hosts": {"worker-1": "workers"}} | values)


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")


def test_new_hosts_get_the_lowest_free_addresses() -> None:
    there = network("worker-1", "worker-2")
    del there.hosts["worker-1"]
    assert netns_hosts.addresses(there, ["a", "b"]) == {"a": "10.9.0.1", "b": "10.9.0.3"}


def test_a_range_that_is_too_small_is_said() -> None:
    with pytest.raises(NetnsError, match=r"warren_load_netns_range is 10\.9\.0\.0/29, which is too small"):
        netns_hosts.addresses(network(), [f"worker-{number}" for number in range(6)])


@pytest.mark.parametrize(
    ("interfaces", "routes", "said"),
    [
        ([], [], ""),
        ([("eth0", "10.9.3.4", 24)], [], "interface eth0 (10.9.3.4/24)"),
        ([("vpn", "10.0.0.1", 8)], [], "interface vpn (10.0.0.1/8)"),
        ([("wl-us", "10.9.255.254", 16)], [{"dst": "10.9.0.0/16", "dev": "wl-us"}], ""),
        ([("eth0", "10.8.0.1", 16)], [{"dst": "default", "dev": "eth0"}], ""),
        ([], [{"dst": "10.9.7.1", "dev": "tun0"}], "the route to 10.9.7.1 over tun0"),
        ([], [{"dst": "10.0.0.0/8", "gateway": "192.0.2.1"}], "the route to 10.0.0.0/8 over another machine"),
    ],
)
def test_a_range_is_in_use(interfaces: list[tuple[str, str, int]], routes: list[dict[str, Any]], said: str) -> None:
    shown = [
        {"ifname": name, "addr_info": [{"local": local, "prefixlen": length}]} for name, local, length in interfaces
    ]
    assert netns_hosts.overlap("10.9.0.0/16", shown, routes, "wl-us") == said


def test_every_host_knows_every_name() -> None:
    lines = netns_hosts.hosts_file(network("worker-1", "worker-2")).splitlines()
    assert lines[0] == "127.0.0.1 localhost"
    assert lines[-3:] == ["10.9.0.6 controller", "10.9.0.1 worker-1", "10.9.0.2 worker-2"]


def test_latency_and_loss_as_tc_wants_them() -> None:
    assert wanted().shaping == ""
    assert wanted(latency=2.5).shaping == "netem delay 2.5ms"
    assert wanted(latency=20, loss=0.1).shaping == "netem delay 20ms loss 0.1%"


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("Blue", {}, "warren_load_netns_name is 'Blue': give at most 12"),
        ("thirteen-long", {}, "warren_load_netns_name is 'thirteen-long'"),
        ("../../etc", {}, r"warren_load_netns_name is '\.\./\.\./etc'"),
        ("blue", {"range": "ten"}, "warren_load_netns_range is 'ten': give a private IPv4 network"),
        ("blue", {"range": "fd00::/64"}, "warren_load_netns_range is 'fd00::/64'"),
        ("blue", {"range": "1.1.0.0/16"}, "warren_load_netns_range is '1.1.0.0/16'"),
        ("blue", {"range": "10.0.0.0/30"}, "warren_load_netns_range is '10.0.0.0/30'"),
        ("blue", {"latency": -1}, "warren_load_netns_latency is -1: give milliseconds from 0 to 10000"),
        ("blue", {"loss": 101}, "warren_load_netns_loss is 101: give percent from 0 to 100"),
    ],
)
def test_wrong_settings_are_a_sentence(tmp_path: Path, name: str, values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(NetnsError, match=sentence):
        netns_hosts.up(str(tmp_path / "there"), name, wanted(**values))
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize(("do", "what"), [(netns_hosts.up, wanted()), (netns_hosts.down, "/inventory")])
def test_without_root_nothing_is_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, do: Any, what: Any) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NetnsError, match="need root: run the playbook as root"):
        do(str(tmp_path / "there"), "blue", what)
    assert not (tmp_path / "there").exists()


@pytest.mark.usefixtures("as_root")
def test_real_workers_where_control_groups_are_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # What `ip netns exec` leaves of /sys.
    mounts = "61 50 0:21 / /sys rw,nosuid - sysfs sysfs rw\n62 50 0:30 / /tmp/cgroup rw - cgroup2 cgroup2 rw\n"
    monkeypatch.setattr(process_table, "read_text", lambda path: mounts)
    monkeypatch.setattr(netns_hosts, "_locked", lambda directory: pytest.fail("something was touched"))
    hollow = wanted(hosts={"manager-1": "managers", "worker-1": "workers"})
    with pytest.raises(NetnsError, match=r"ip netns exec hides them.* set warren_load_worker_kind to hollow"):
        netns_hosts.up(str(tmp_path / "d"), "w", dataclasses.replace(hollow, containers=True))
    for other in (hollow, dataclasses.replace(hollow, containers=True, hosts={"manager-1": "managers"})):
        with pytest.raises(pytest.fail.Exception, match="touched"):
            netns_hosts.up(str(tmp_path / "d"), "w", other)


def test_where_there_is_no_linux(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Darwin", "mac", "25", "", "arm64")))
    with pytest.raises(NetnsError, match="need Linux"):
        netns_hosts.up(str(tmp_path), "blue", wanted())


def test_what_is_recorded_is_read_again(tmp_path: Path) -> None:
    assert netns_hosts.read(str(tmp_path), "blue") is None
    place = netns_hosts._Place(str(tmp_path), "blue")
    place._write(network("worker-1"))
    assert netns_hosts.read(str(tmp_path), "blue") == network("worker-1")
    (tmp_path / "stray").write_text("no network")
    assert list(netns_hosts.listed(str(tmp_path))) == ["blue"]


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"owner": "x", "hosts": [{"color": "blue"}]})])
def test_a_broken_record_is_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "blue").mkdir()
    (tmp_path / "blue/network.json").write_text(content)
    with pytest.raises(NetnsError, match=r"network\.json, which records the hosts, is broken: take the hosts down"):
        netns_hosts.read(str(tmp_path), "blue")
    assert netns_hosts.listed(str(tmp_path)) == {}


def test_a_pid_that_another_process_has_got_is_no_host() -> None:
    assert not Host("worker-1", "workers", "10.9.0.1").running
    assert not Host("worker-1", "workers", "10.9.0.1", pid=os.getpid(), start_time="1").running
