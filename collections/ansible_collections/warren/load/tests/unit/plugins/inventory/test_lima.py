# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real ansible-inventory with a stub of limactl that prints what the real one printed, with its exit codes."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from typing import Any

import pytest
import yaml

from ansible_collections.warren.load.plugins.plugin_utils.lima_records import mac_address
from ansible_collections.warren.load.plugins.plugin_utils.limactl import machine_id

COLLECTION = Path(__file__).resolve().parents[4]
RECORDED = COLLECTION / "tests/unit/fixtures/limactl"
VERSIONS = ("v1.0.7", "v1.2.2", "v2.0.3", "v2.2.0")


def plain(value: Any) -> Any:
    """Without the marks that ansible-inventory puts on data that is no template."""
    if isinstance(value, dict):
        marked = value.get("__ansible_unsafe")
        return {name: plain(each) for name, each in value.items()} if marked is None else marked
    return [plain(each) for each in value] if isinstance(value, list) else value


@dataclass
class Listing:
    """What ansible-inventory did."""

    code: int
    stdout: str
    stderr: str

    @property
    def hosts(self) -> dict[str, dict[str, Any]]:
        assert self.code == 0, self.stderr
        return plain(json.loads(self.stdout)["_meta"]["hostvars"])

    def group(self, name: str) -> list[str]:
        return json.loads(self.stdout).get(name, {}).get("hosts", [])

    @property
    def sentence(self) -> str:
        """Its one error, unfolded."""
        assert self.code != 0, self.stdout
        assert "Traceback" not in self.stderr
        return " ".join(self.stderr.split())

    @property
    def warning(self) -> str:
        return " ".join(self.stderr.split())


class Stub:
    """A STUB of limactl in shell: what it prints and how it exits, by the arguments it is called with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "limactl"
        self.calls = folder / "calls"
        self._cases: list[tuple[str, str]] = []
        self._number = 0
        self.says("--version", stdout="limactl version 2.2.0\n")

    def replays(self, version: str, name: str, code: int = 0, when: str = "list --format json") -> Stub:
        """A recording."""
        path = RECORDED / version / name
        stdout, stderr = (path.parent / f"{name}.{kind}" for kind in ("stdout", "stderr"))
        return self.says(
            when,
            stdout.read_text(encoding="utf-8") if stdout.exists() else "",
            stderr.read_text(encoding="utf-8") if stderr.exists() else "",
            code,
        )

    def says(self, when: str, stdout: str = "", stderr: str = "", code: int = 0, first: str = ":") -> Stub:
        """``first``: a shell command before anything is said. The latest for the same arguments counts."""
        self._number += 1
        out, err = (self.folder / f"{self._number}.{kind}" for kind in ("out", "err"))
        out.write_text(stdout, encoding="utf-8")
        err.write_text(stderr, encoding="utf-8")
        case = f"{first}; cat {shlex.quote(str(out))}; cat {shlex.quote(str(err))} >&2; exit {code}"
        self._cases.insert(0, (when, case))
        cases = "\n".join(f"{shlex.quote(words)}) {what} ;;" for words, what in self._cases)
        script = (
            f'#!/bin/sh\necho "$LIMA_HOME: $*" >>{shlex.quote(str(self.calls))}\ncase "$*" in\n{cases}\nesac\nexit 99\n'
        )
        self.program.write_text(script, encoding="utf-8")
        self.program.chmod(0o755)
        return self

    @property
    def lists(self) -> int:
        """How often it was asked for a list."""
        return sum(": list" in line for line in self.calls.read_text().splitlines()) if self.calls.exists() else 0


@pytest.fixture
def stub(tmp_path: Path) -> Stub:
    return Stub(tmp_path)


def inventory(
    stub: Stub, _environment: dict[str, str] | None = None, *, _file: str = "test.lima.yml", **options: Any
) -> Listing:
    """ansible-inventory --list; what a plugin says is data: a template in it is an error."""
    source = stub.folder / _file
    source.write_text(yaml.safe_dump({"plugin": "warren.load.lima", **options}), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "LIMA_"))}
    environment |= {
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTION.parents[2]),
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        "ANSIBLE_NOCOLOR": "1",
        "_ANSIBLE_TEMPLAR_UNTRUSTED_TEMPLATE_BEHAVIOR": "error",
        "COLUMNS": "2000",
        "HOME": str(stub.folder),
        "PATH": f"{stub.folder}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin",
        **(_environment or {}),
    }
    done = subprocess.run(
        ["ansible-inventory", "-i", str(source), "--list"],
        env=environment,
        cwd=stub.folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return Listing(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_running_manager_of_each_version(stub: Stub, version: str) -> None:
    stub.replays(version, "list-running" if version != "v2.2.0" else "list-one-running")
    found = inventory(stub)
    assert list(found.hosts) == ["warren-manager-1"]
    host = found.hosts["warren-manager-1"]
    assert host["ansible_connection"] == "ssh"
    assert host["ansible_host"] == "127.0.0.1"
    assert host["ansible_user"] == "dev"
    assert 30000 < host["ansible_port"] < 65536
    assert host["lima_internal_name"] == "lima-warren-manager-1.internal"
    assert not {"lima_config", "lima_env", "lima_param"} & host.keys()
    assert found.group("managers") == found.group("lima") == ["warren-manager-1"]
    assert found.stderr == ""


def test_groups_variables_and_filters_may_use_what_hosts_do_not_have(stub: Stub) -> None:
    stub.replays("v2.2.0", "list-two-running")
    found = inventory(
        stub,
        strict=True,
        compose={"role_told": "lima_env.WARREN_ROLE"},
        groups={"small": "lima_memory < 2000000000"},
        keyed_groups=[{"key": "lima_config.os", "prefix": "os"}],
        filters=[{"include": "lima_env.WARREN_ROLE == 'worker'"}, {"exclude": True}],
    )
    assert list(found.hosts) == ["warren-worker-1"]
    assert found.hosts["warren-worker-1"]["role_told"] == "worker"
    assert found.group("small") == found.group("os_Linux") == found.group("workers") == ["warren-worker-1"]


def test_statuses_and_names(stub: Stub) -> None:
    stub.replays("v2.2.0", "list-running-and-stopped")
    assert list(inventory(stub).hosts) == ["warren-manager-1"]
    both = inventory(stub, statuses=["Running", "Stopped"]).hosts
    assert sorted(both) == ["warren-manager-1", "warren-worker-1"]
    assert not [name for name in both["warren-worker-1"] if name.startswith("ansible_")]
    assert list(inventory(stub, statuses=["Stopped"], names=["*-worker-?"]).hosts) == ["warren-worker-1"]


def test_a_broken_vm_is_named_and_can_be_had(stub: Stub) -> None:
    stub.replays("v2.2.0", "list-broken")
    left_out = inventory(stub)
    assert left_out.code == 0
    assert (
        "Instance warren-manager-1 is Broken, and was left out: `limactl stop -f warren-manager-1`" in left_out.warning
    )
    assert inventory(stub, statuses=["Broken"]).hosts["warren-manager-1"]["ansible_port"] == 38593


@pytest.mark.parametrize(("version", "name"), [("v1.0.7", "list-badyaml"), ("v2.2.0", "m-list-badyaml")])
def test_a_lima_yaml_that_does_not_load_is_named(stub: Stub, version: str, name: str) -> None:
    stub.replays(version, name)
    found = inventory(stub, statuses=["Stopped"])
    assert "full.one" in found.hosts
    assert "bad/lima.yaml: instance bad was left out." in found.warning


@pytest.mark.parametrize("version", VERSIONS[:3])
def test_before_2_2_a_half_made_folder_fails_the_list_and_the_others_are_there_all_the_same(
    stub: Stub, version: str
) -> None:
    stub.replays(version, "list-emptydir", code=1)
    stub.replays(version, "list-emptydir-q", when="list -q")
    for name in ("bad", "full.one", "warren-manager-1"):
        stub.replays(version, "list-emptydir-named", when=f"list --format json {name}")
    stub.replays(version, "list-emptydir", code=1, when="list --format json foo")
    found = inventory(stub, statuses=["Stopped"])
    assert "warren-manager-1" in found.hosts
    assert "Lima cannot tell of its instance foo in " in found.warning
    assert "no such file or directory): it was left out." in found.warning


def test_a_record_too_long_for_limactl_costs_only_itself(stub: Stub) -> None:
    """From 2.0 on a line above 64 KiB ends the list there, with exit code 1."""
    lines = (RECORDED / "v2.2.0/list-two-running.stdout").read_text(encoding="utf-8").splitlines(keepends=True)
    too_long = 'time="x" level=fatal msg="bufio.Scanner: token too long"\n'
    stub.says("list --format json", lines[0], too_long, 1)
    stub.says("list -q", "warren-manager-1\nwarren-web\nwarren-worker-1\n")
    stub.says("list --format json warren-web", "", too_long, 1)
    stub.says("list --format json warren-worker-1", lines[1])
    found = inventory(stub)
    assert sorted(found.hosts) == ["warren-manager-1", "warren-worker-1"]
    assert "cannot tell of its instance warren-web" in found.warning


@pytest.mark.parametrize("name", ["list-nohome", "list-empty"])
def test_no_instance_is_no_error(stub: Stub, name: str) -> None:
    stub.replays("v2.2.0", name)
    found = inventory(stub)
    assert (found.code, found.hosts) == (0, {})


def test_braces_stay_text(stub: Stub) -> None:
    stub.replays("v2.2.0", "m-list-emptydir")
    found = inventory(stub, statuses=["Stopped"], with_config=True)
    assert found.hosts["full.one"]["lima_env"]["BRACES"] == "{{ lookup('pipe','id') }}"


def test_several_homes(stub: Stub) -> None:
    lines = (RECORDED / "v2.2.0/list-two-running.stdout").read_text(encoding="utf-8").splitlines(keepends=True)
    first = f'case "$LIMA_HOME" in */blue) cat {stub.folder}/b ;; */red) cat {stub.folder}/r ;; *) exit 3 ;; esac'
    (stub.folder / "b").write_text(lines[0], encoding="utf-8")
    (stub.folder / "r").write_text(lines[1], encoding="utf-8")
    stub.says("list --format json", first=first)
    assert sorted(inventory(stub, lima_homes=["/l/blue", "~/red"]).hosts) == ["warren-manager-1", "warren-worker-1"]

    stub.says("list -q", stderr='time="x" level=fatal msg="gone"', code=1)
    partly = inventory(stub, lima_homes=["/l/blue", "/l/green"])
    assert list(partly.hosts) == ["warren-manager-1"]
    assert "(LIMA_HOME /l/green) failed with exit code 1: gone" in partly.warning
    assert "failed with exit code 1: gone" in inventory(stub, lima_homes=["/l/blue", "/l/green"], strict=True).sentence

    (stub.folder / "r").write_text(lines[0].replace("/home/dev/l", "/home/dev/r"), encoding="utf-8")
    twice = inventory(stub, lima_homes=["/l/blue", "/l/red"]).sentence
    assert "those in /home/dev/l/warren-manager-1 and /home/dev/r/warren-manager-1: give them different names" in twice
    apart = inventory(stub, lima_homes=["/l/blue", "/l/red"], hostname="lima_name ~ '.' ~ (lima_home | basename)")
    assert sorted(apart.hosts) == ["warren-manager-1.l", "warren-manager-1.r"]


def test_another_prefix(stub: Stub) -> None:
    stub.replays("v2.2.0", "list-one-running")
    host = inventory(stub, hostvars_prefix="vm_").hosts["warren-manager-1"]
    assert (host["vm_name"], host["vm_role"]) == ("warren-manager-1", "manager")
    assert not [name for name in host if name.startswith("lima_")]


def test_the_home_of_the_environment(stub: Stub) -> None:
    stub.replays("v2.2.0", "list-one-running")
    inventory(stub, {"LIMA_HOME": "/l/elsewhere"})
    inventory(stub)
    assert stub.calls.read_text() == f"/l/elsewhere: list --format json\n{stub.folder}/.lima: list --format json\n"


def test_the_cache_keeps_hosts_and_reads_their_ports_anew(stub: Stub) -> None:
    record = json.loads((RECORDED / "v2.2.0/list-one-running.stdout").read_text(encoding="utf-8").splitlines()[0])
    record["sshConfigFile"] = str(stub.folder / "ssh.config")
    stub.says("list --format json", json.dumps(record) + "\n")
    cache: dict[str, Any] = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(stub.folder / "cache")}
    assert inventory(stub, **cache).hosts["warren-manager-1"]["ansible_port"] == 38593
    (stub.folder / "ssh.config").write_text("Host lima-warren-manager-1\n  Port 40001\n")
    assert inventory(stub, **cache).hosts["warren-manager-1"]["ansible_port"] == 40001
    (stub.folder / "ssh.config").unlink()
    assert "ansible_port" not in inventory(stub, **cache).hosts["warren-manager-1"]
    assert stub.lists == 1
    assert "38593" not in "".join(path.read_text() for path in (stub.folder / "cache").iterdir())
    # Filters apply to what was kept.
    assert inventory(stub, names=["nothing"], **cache).hosts == {}


def test_addresses_on_user_v2(stub: Stub) -> None:
    home = stub.folder / "l"
    (home / "_networks/user-v2").mkdir(parents=True)
    record = json.loads((RECORDED / "v2.2.0/list-one-running.stdout").read_text(encoding="utf-8").splitlines()[0])
    record |= {"LimaHome": str(home), "dir": str(home / "warren-manager-1")}
    stub.says("list --format json", json.dumps(record) + "\n")
    compose: dict[str, Any] = {"warren_load_node_address": "lima_address"}
    silent = inventory(stub, user_v2_addresses=True, compose=compose)
    assert "lima_address" not in silent.hosts["warren-manager-1"]
    assert "user-v2 in" in silent.warning
    assert "does not tell its addresses" in silent.warning

    mac = mac_address(machine_id(), str(home / "warren-manager-1"))
    leases = {"192.168.104.2": "5a:94:ef:e4:0c:df", "192.168.104.1": mac}

    class Daemon(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/services/dhcp/leases"
            body = json.dumps(leases).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None: ...

        def address_string(self) -> str:
            return "socket"

    with UnixStreamServer(str(home / "_networks/user-v2/user-v2_ep.sock"), Daemon) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = inventory(stub, user_v2_addresses=True, compose=compose).hosts["warren-manager-1"]
        server.shutdown()
    assert host["lima_address"] == host["warren_load_node_address"] == "192.168.104.1"


# --- wrong use: one sentence each -------------------------------------------------------------------------------------


def test_no_limactl(stub: Stub) -> None:
    stub.program.unlink()
    assert "There is no limactl here: install Lima 1.0 or later" in inventory(stub).sentence
    assert "There is no /opt/limactl here" in inventory(stub, limactl="/opt/limactl").sentence
    assert "There is no other here" in inventory(stub, {"WARREN_LOAD_LIMACTL": "other"}).sentence


@pytest.mark.parametrize(
    ("version", "name", "code"),
    [(v, "root-list_--format_json", c) for v, c in (("v1.0.7", 1), ("v1.2.2", 1), ("v2.0.3", 2))]
    + [("v2.2.0", "root-list", 1)],
)
def test_root(stub: Stub, version: str, name: str, code: int) -> None:
    stub.replays(version, name, code)
    assert "limactl refuses to run as root: run Ansible as the user whose VMs they are." in inventory(stub).sentence


def test_too_old(stub: Stub) -> None:
    stub.says("list --format json", stderr="Error: unknown flag: --format", code=1)
    stub.says("--version", "limactl version 0.6.4\n")
    assert "is Lima 0.6.4, and too old: install Lima 1.0 or later" in inventory(stub).sentence
    # One that lists, but does not say who logs in.
    stub.says("list --format json", '{"name":"a","status":"Running","sshLocalPort":60022,"config":{}}\n')
    assert "is Lima 0.6.4, and too old" in inventory(stub).sentence


def test_hanging(stub: Stub) -> None:
    stub.says("list --format json", first="sleep 60")
    assert (
        "had not ended after 0.5 s and was ended: a host agent of Lima may hang"
        in inventory(stub, timeout=0.5).sentence
    )


def test_an_unreadable_line(stub: Stub) -> None:
    line = (RECORDED / "v2.2.0/list-one-running.stdout").read_text(encoding="utf-8")
    stub.says("list --format json", "Segfault {{ x }}" + "x" * 1000 + "\n" + line)
    found = inventory(stub)
    assert "warren-manager-1" in found.hosts
    assert "limactl printed a line that cannot be read: Segfault {{ x }}xxx" in found.warning
    assert len(found.warning) < 500


def test_failing(stub: Stub) -> None:
    stub.says("list --format json", stderr='time="x" level=fatal msg="LIMA_HOME is on \\"NFS\\""', code=1)
    stub.says("list -q", stderr='time="x" level=fatal msg="LIMA_HOME is on \\"NFS\\""', code=1)
    assert 'failed with exit code 1: LIMA_HOME is on "NFS"' in inventory(stub).sentence


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"statuses": ["running"]}, "statuses"),
        ({"filters": [{"includes": "true"}]}, "say either include or exclude in each."),
        ({"filters": [{"include": "lima_env.NOT_THERE == 1"}]}, "which has no value for instance warren-manager-1"),
        ({"hostname": "lima_nmae"}, "which has no value for instance warren-manager-1"),
        ({"compose": {"x": "lima_nmae"}, "strict": True}, "lima_nmae"),
    ],
)
def test_wrong_options(stub: Stub, options: dict[str, Any], sentence: str) -> None:
    stub.replays("v2.2.0", "list-one-running")
    assert sentence in inventory(stub, **options).sentence


def test_a_file_with_another_name_is_not_ours(stub: Stub) -> None:
    stub.replays("v2.2.0", "list-one-running")
    for name, ours in (("lima.yaml", True), ("dev.lima.yml", True), ("hosts.yml", False)):
        found = inventory(stub, {"ANSIBLE_INVENTORY_ENABLED": "warren.load.lima"}, _file=name)
        assert (found.code == 0) == ours, name
