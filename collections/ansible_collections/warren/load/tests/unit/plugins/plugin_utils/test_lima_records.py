# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""On what limactl 1.0.7, 1.2.2, 2.0.3 and 2.2.0 really printed (unit/fixtures/limactl), and on records that are odd."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.plugin_utils import lima_records as records

RECORDED = Path(__file__).resolve().parents[2] / "fixtures/limactl"
VERSIONS = ("v1.0.7", "v1.2.2", "v2.0.3", "v2.2.0")
LOOPBACK_ARGS = (
    "-F none -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
)


def recorded(version: str, name: str) -> dict[str, records.Instance]:
    text = (RECORDED / version / f"{name}.stdout").read_text(encoding="utf-8")
    objects, unreadable = records.read_lines(text)
    assert unreadable == []
    return {instance["name"]: instance for instance in (records.normalise(each, "/nowhere") for each in objects)}


def instance(**values: Any) -> records.Instance:
    return records.normalise({"name": "one", **values}, "/home/me/.lima")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_recorded_list_is_read_in_full(version: str) -> None:
    seen = 0
    for path in sorted((RECORDED / version).glob("*list*.stdout")):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
        objects, unreadable = records.read_lines("\n".join(lines))
        assert (len(objects), unreadable) == (len(lines), []), path.name
        seen += len(lines)
    assert seen >= 4


@pytest.mark.parametrize(
    ("version", "name", "home"),
    [
        ("v1.0.7", "list-running", "/home/dev.linux"),
        ("v1.2.2", "list-running", "/home/dev.linux"),
        ("v2.0.3", "list-running", "/home/dev.linux"),
        ("v2.2.0", "list-one-running", "/home/dev.guest"),
    ],
)
def test_a_running_vm_has_all_that_ssh_needs(version: str, name: str, home: str) -> None:
    found = recorded(version, name)["warren-manager-1"]
    lima_home = found["home"]
    assert found["ssh_port"] == json.loads(_line(version, name, "warren-manager-1"))["sshLocalPort"]
    assert records.connection_variables(found) == {
        "ansible_connection": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_port": found["ssh_port"],
        "ansible_user": "dev",
        "ansible_ssh_private_key_file": f"{lima_home}/_config/user",
        "ansible_ssh_common_args": LOOPBACK_ARGS,
    }
    assert (found["status"], found["user_home"], found["plain"]) == ("Running", home, True)
    assert (found["cpus"], found["memory"], found["disk"]) == (1, 1 << 30, 8 << 30)
    assert found["lima_version"] == version.removeprefix("v")
    assert records.role_of(found) == "manager"
    assert records.internal_name(found) == "lima-warren-manager-1.internal"


def _line(version: str, name: str, instance_name: str) -> str:
    lines = (RECORDED / version / f"{name}.stdout").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if json.loads(line)["name"] == instance_name)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_stopped_vm_has_no_connection_not_even_by_its_old_port(version: str) -> None:
    stopped = recorded(version, "list-stopped" if version != "v2.2.0" else "list-running-and-stopped")
    found = next(each for each in stopped.values() if each["status"] == "Stopped")
    assert records.connection_variables(found) == {}
    assert (found["ssh_port"] is not None) == (version == "v2.2.0")


def test_a_broken_vm_that_runs_is_reachable_and_a_broken_folder_is_not() -> None:
    running = recorded("v2.2.0", "list-broken")["warren-manager-1"]
    assert running["status"] == "Broken"
    assert records.connection_variables(running)["ansible_port"] == 38593
    folder = recorded("v2.2.0", "m-list-emptydir")["foo"]
    assert (folder["status"], folder["config"]) == ("Broken", {})
    assert records.connection_variables(folder) == {}
    assert records.host_variables(folder, "lima_") == {
        "lima_name": "foo",
        "lima_status": "Broken",
        "lima_dir": "/home/dev/m/foo",
        "lima_home": "/home/dev/m",
        "lima_networks": [],
        "lima_plain": False,
        "lima_protected": False,
    }


@pytest.mark.parametrize(
    ("version", "name"), [*((v, "list-badyaml") for v in VERSIONS[:3]), ("v2.2.0", "m-list-badyaml")]
)
def test_a_lima_yaml_that_does_not_load_costs_nobody_else_anything(version: str, name: str) -> None:
    found = recorded(version, name)
    assert found["bad"]["status"] == records.NOT_KNOWN
    assert found["full.one"]["status"] == "Stopped"


def test_what_a_host_is_told() -> None:
    found = recorded("v2.2.0", "m-list-emptydir")["full.one"]
    assert records.host_variables(found, "vm_") == {
        "vm_name": "full.one",
        "vm_hostname": "lima-full-one",
        "vm_status": "Stopped",
        "vm_dir": "/home/dev/m/full.one",
        "vm_home": "/home/dev/m",
        "vm_vm_type": "qemu",
        "vm_arch": "x86_64",
        "vm_os": "Linux",
        "vm_cpus": 2,
        "vm_memory": 4 << 30,
        "vm_disk": 100 << 20,
        "vm_networks": ["user-v2"],
        "vm_plain": False,
        "vm_protected": False,
        "vm_user": "dev",
        "vm_user_home": "/home/dev.guest",
        "vm_version": "2.2.0",
        "vm_internal_name": "lima-full-one.internal",
        "vm_role": "worker",
    }
    assert records.expression_variables(found, "lima_")["lima_env"] == {
        "BRACES": "{{ lookup('pipe','id') }}",
        "WARREN_ROLE": "worker",
    }


def test_an_array_is_read_too_and_what_is_neither_is_told() -> None:
    objects, unreadable = records.read_lines('[{"name":"a"},{"name":"b"}]\n{"name":"c"\n"d"\n[]\n\n{"nome":"e"}\n')
    assert [each["name"] for each in objects] == ["a", "b"]
    assert unreadable == ['{"name":"c"', '"d"', '{"nome":"e"}']


@pytest.mark.parametrize(
    ("values", "role"),
    [
        ({"name": "warren-manager-1"}, "manager"),
        ({"name": "ci-7-warren-worker-12"}, "worker"),
        ({"name": "warren-generator"}, "generator"),
        ({"name": "warren-managers-wiki"}, ""),
        ({"name": "unwarren-manager-1"}, ""),
        ({"name": "x", "config": {"env": {"WARREN_ROLE": "worker"}}}, "worker"),
        ({"name": "x", "config": {"env": {"WARREN_ROLE": "worker", "WARREN_LOAD_ROLE": "manager"}}}, "manager"),
        ({"name": "x", "param": {"role": "generator"}}, "generator"),
        ({"name": "warren-manager-1", "param": {"role": "database"}}, ""),
        ({"name": "x", "param": {"role": 5}}, ""),
    ],
)
def test_the_role_is_told_or_lies_in_the_name(values: dict[str, Any], role: str) -> None:
    assert records.role_of(instance(**values)) == role


def test_wsl2_has_an_address_of_its_own_and_its_key_is_pinned() -> None:
    found = instance(
        status="Running", sshAddress="172.20.1.5", sshLocalPort=22, vmType="wsl2", config={"user": {"name": "dev"}}
    )
    variables = records.connection_variables(found)
    assert (variables["ansible_host"], variables["ansible_port"]) == ("172.20.1.5", 22)
    assert variables["ansible_ssh_private_key_file"] == "/home/me/.lima/_config/user"
    assert variables["ansible_ssh_common_args"] == "-F none -o IdentitiesOnly=yes -o StrictHostKeyChecking=accept-new"


def test_limas_own_file_is_used_without_its_master() -> None:
    found = recorded("v2.2.0", "list-one-running")["warren-manager-1"] | {"ssh_config_file": "/a b/ssh.config"}
    assert records.connection_variables(found, "ssh_config") == {
        "ansible_connection": "ssh",
        "ansible_host": "lima-warren-manager-1",
        "ansible_ssh_common_args": '-F "/a b/ssh.config" -o ControlPath=none',
    }


def test_an_address_is_that_of_the_mac_that_lima_makes_of_machine_and_folder() -> None:
    found = instance(dir="/home/dev/l/warren-manager-1")
    mac = records.mac_address("0123456789abcdef", "/home/dev/l/warren-manager-1")
    assert mac == "52:55:55:2c:c8:70"
    leases = {"192.168.104.2": "5a:94:ef:e4:0c:df", "192.168.104.3": mac.upper(), "x": mac}
    assert records.address_of(found, "0123456789abcdef", leases) == "192.168.104.3"
    assert records.address_of(found, "other", leases) == ""


def test_the_port_in_limas_ssh_config() -> None:
    assert records.port_in('# x\nHost lima-a\n  Hostname 127.0.0.1\n  Port 40123\n  User "dev"\n') == 40123
    assert records.port_in("Host lima-a\n  ReportPort 1\n") is None


@pytest.mark.parametrize("version", VERSIONS)
def test_the_recorded_versions(version: str) -> None:
    told = (RECORDED / version / "version.stdout").read_text(encoding="utf-8")
    assert records.version_in(told) == tuple(int(part) for part in version[1:].split("."))
    assert records.version_in("limactl version <unknown>") is None
    assert records.version_in("limactl version 2.1.0-34-gabcdef") == (2, 1, 0)


# --- odd records ------------------------------------------------------------------------------------------------------

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    "hostname", "status", "dir", "vmType", "arch", "cpus", "memory", "disk", "network", "sshLocalPort", "sshAddress",
    "sshConfigFile", "driverPID", "errors", "config", "protected", "limaVersion", "param", "LimaHome", "IdentityFile",
]  # fmt: skip
CONFIGS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("user", "env", "param", "networks", "plain", "os"), ANYTHING)
)
ODD = st.fixed_dictionaries(
    {"name": st.text(min_size=1)},
    optional=dict.fromkeys(KEYS, ANYTHING) | {"config": CONFIGS | ANYTHING, "status": st.sampled_from(["Running", ""])},
)


@given(ODD)
def test_whatever_a_record_holds_its_host_can_be_written_down(record: dict[str, Any]) -> None:
    found = records.normalise(record, "/home/me/.lima")
    assert found["name"] == record["name"]
    for connect_with in ("direct", "ssh_config"):
        variables = records.connection_variables(found, connect_with)
        assert not variables or (found["ssh_port"] and found["user"])
        facts = records.host_variables(found, "lima_") | records.expression_variables(found, "lima_") | variables
        assert json.loads(json.dumps(facts)) == facts
    assert records.role_of(found) in ("", *records.ROLES)
    assert records.address_of(found, "x", {"192.168.104.1": "52:55:55:00:00:00"}) in ("", "192.168.104.1")


@given(st.lists(ODD), st.lists(st.text(alphabet=st.characters(exclude_characters="\n"), max_size=20)))
def test_lines_that_cannot_be_read_cost_no_other(good: list[dict[str, Any]], bad: list[str]) -> None:
    bad = ["{" + each for each in bad if not each.startswith('"')]
    lines = [json.dumps(each) for each in good]
    objects, unreadable = records.read_lines("\n".join([*bad, *lines]))
    assert [each["name"] for each in objects] == [each["name"] for each in good]
    assert len(unreadable) == len(bad)
