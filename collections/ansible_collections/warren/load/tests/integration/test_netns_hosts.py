# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts in network namespaces, made for real: what is in them, what mends them, and that nothing of them is left."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.warren.load.plugins.module_utils.node import namespaces, netns_hosts, process_table
from ansible_collections.warren.load.tests.support.plays import ROOT

FEW = {"manager-1": "managers", "worker-1": "workers"}
HOSTS = {"manager-1": "managers", "worker-1": "workers", "worker-2": "workers"}


def usable() -> bool:
    """Whether this is root of a Linux that makes namespaces, bridges and pairs of virtual links."""
    if sys.platform != "linux" or os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("ip")):
        return False
    links = "ip link add b0 type bridge && ip link add v0 type veth peer name v1"
    words = ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "sh", "-c", links]
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(
    not usable(), reason="network namespaces need root, and a Linux with unshare, ip, bridges and veth"
)

_numbers = itertools.count(os.getpid() % 200)


def namespaces_of(pid: int) -> set[str]:
    """Those of a process that hosts have for themselves; none if it has ended."""
    try:
        return {os.readlink(f"/proc/{pid}/ns/{kind}") for kind in ("net", "mnt", "pid", "uts", "ipc")}
    except OSError:
        return set()


@dataclass
class Hosts:
    """A network of hosts of a test's own: no other test or user has its name, its range or its folder."""

    folder: Path
    number: int
    seen: set[str] = field(default_factory=set)
    """The namespaces that its hosts have had."""

    @property
    def directory(self) -> str:
        return str(self.folder / "there")

    @property
    def name(self) -> str:
        return f"test-{self.number}"

    @property
    def range(self) -> str:
        return f"10.251.{self.number % 250}.0/24"

    def up(self, hosts: dict[str, str] | None = None, owner: str = "/test", **values: Any) -> netns_hosts.Outcome:
        wanted = netns_hosts.Wanted(**{"owner": owner, "range": self.range, "hosts": hosts or HOSTS} | values)
        outcome = netns_hosts.up(self.directory, self.name, wanted)
        self.seen |= {each for pid in namespaces.holders(self.directory).values() for each in namespaces_of(pid)}
        return outcome

    def down(self) -> netns_hosts.Outcome:
        return netns_hosts.down(self.directory, self.name, "/test")

    def there(self) -> netns_hosts.Network:
        network = netns_hosts.read(self.directory, self.name)
        assert network is not None
        return network

    def run(self, host: str, script: str) -> str:
        """What a shell in the host prints."""
        pid = str(self.there().hosts[host].pid)
        words = ["nsenter", "--target", pid, "--mount", "--uts", "--ipc", "--net", "--pid", "sh", "-c", script]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def connect(self, host: str, target: str) -> str:
        """What becomes of a TCP connection from one host to a port of another; the answer is its hostname."""
        code = (
            "import socket, sys; s = socket.create_connection((sys.argv[1], 7777), timeout=2); "
            "print(s.recv(99).decode(), end='')"
        )
        return self.run(host, f"{sys.executable} -c {json.dumps(code)} {target}").splitlines()[-1]

    def serve(self, host: str) -> None:
        """Leave a program in the host that tells its hostname to who connects."""
        code = (
            "import socket; s = socket.create_server(('', 7777))\n"
            "while True: c, _ = s.accept(); c.send(socket.gethostname().encode()); c.close()"
        )
        script = f"""setsid {sys.executable} -c "{code}" >/dev/null 2>&1 </dev/null & """
        wait = "for i in $(seq 100); do grep -q :1E61 /proc/net/tcp && exit; sleep 0.05; done; echo no"
        assert self.run(host, script + wait) == ""


@dataclass(frozen=True)
class Machine:
    """What of the machine namespaces could be left in."""

    links: list[str]
    mounts: list[str]
    namespaces: set[str]
    holders: dict[str, int]
    folders: list[bool]
    cgroups: list[str]

    @classmethod
    def now(cls, hosts: Hosts) -> Machine:
        links = json.loads(subprocess.run(["ip", "-json", "link"], capture_output=True, check=True).stdout)
        return cls(
            links=[each["ifname"] for each in links],
            mounts=Path("/proc/self/mountinfo").read_text().splitlines(),
            namespaces=hosts.seen & {each for pid in process_table.pids() for each in namespaces_of(pid)},
            holders=namespaces.holders(hosts.directory),
            folders=[os.path.exists(path) for path in (*netns_hosts.PRIVATE, hosts.directory)],
            cgroups=[str(path) for path in Path("/sys/fs/cgroup").rglob(f"warren-load-{hosts.name}")],
        )


def new(hosts: Hosts, before: Machine) -> dict[str, Any]:
    """What there is of our hosts; empty if nothing. Others may come and go on this machine meanwhile."""
    now = Machine.now(hosts)
    found = {
        "links": [link for link in now.links if link not in before.links and link == f"wl-{hosts.name}"],
        "mounts": [mount for mount in now.mounts if mount not in before.mounts and hosts.directory in mount],
        "holders": now.holders,
        "namespaces": now.namespaces,
        "cgroups": now.cgroups,
        # Those that networks share go with the last of them.
        "folders": now.folders if now.folders != before.folders and not namespaces.holders("/") else [],
    }
    return {what: seen for what, seen in found.items() if seen}


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One such test at a time on this machine: the kernel gives the number of a namespace that is gone to a new one."""
    with (Path(tempfile.gettempdir()) / "warren-load-tests-netns.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)  # a fork that hangs would hold it


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    """A network that is not up, and is gone afterwards with all it had."""
    with alone():
        made = Hosts(tmp_path, next(_numbers))
        before = Machine.now(made)
        yield made
        made.down()
        assert new(made, before) == {}


def test_hosts_are_apart(hosts: Hosts) -> None:
    assert hosts.up().made == list(HOSTS)
    outside = {os.readlink(f"/proc/self/ns/{kind}") for kind in ("net", "mnt", "pid", "uts", "ipc")}
    inside = set()
    for name in HOSTS:
        assert hosts.run(name, "hostname; cat /etc/hostname").split() == [name, name]
        assert hosts.run(name, "ls /sys/class/net").split() == ["eth0", "lo"]
        assert hosts.run(name, "ls /run") == ""
        assert hosts.run(name, f"echo {name} > /run/mine; echo {name} > /var/lib/warren/mine") == ""
        inside |= set(hosts.run(name, "readlink /proc/self/ns/net /proc/self/ns/mnt /proc/self/ns/pid").split())
    assert len(inside) == 9
    assert not inside & outside
    for name in HOSTS:
        assert hosts.run(name, "cat /run/mine /var/lib/warren/mine").split() == [name, name]
        assert len(hosts.run(name, "ls -d /proc/[0-9]*").split()) <= 3  # the holder, the shell and ls
    assert not os.path.exists("/run/mine")


def test_mounts_of_the_machine_stay_there_and_are_not_kept_from_going(hosts: Hosts) -> None:
    name = f"warren-load-{hosts.name}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        hosts.up()
        assert os.path.ismount(f"/run/netns/{name}")
        assert f"/run/netns/{name}" not in hosts.run("worker-1", "cat /proc/self/mountinfo")
        hosts.run("worker-1", "mount -t tmpfs none /run")
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)
    assert hosts.run("worker-1", "ls /run") == ""


def test_nobody_waits_for_orphans_and_none_stays(hosts: Hosts) -> None:
    hosts.up()
    hosts.run("worker-1", "(sleep 0.1 &) ; (sleep 0.1 &)")
    assert "defunct" not in hosts.run("worker-1", "sleep 0.5; ps ax")


def test_hosts_reach_each_other_and_nothing_else(hosts: Hosts) -> None:
    hosts.up()
    hosts.serve("worker-1")
    assert hosts.connect("worker-2", "worker-1") == "worker-1"
    assert hosts.connect("manager-1", hosts.there().hosts["worker-1"].address) == "worker-1"
    assert "refused" in hosts.connect("worker-2", "127.0.0.1")  # its own lo, not another's
    assert "Network is unreachable" in hosts.connect("worker-2", "198.51.100.1")
    routes = hosts.run("worker-2", "ip route").splitlines()
    assert [line.split()[:3] for line in routes] == [[hosts.range, "dev", "eth0"]]
    # The machine reaches them, and forwards nothing for them.
    own = f"/proc/sys/net/ipv4/conf/wl-{hosts.name}/forwarding"
    assert Path(own).read_text().strip() == "0"
    address = hosts.there().hosts["worker-1"].address
    assert subprocess.run(["bash", "-c", f"exec 3<>/dev/tcp/{address}/7777; cat <&3"], capture_output=True, check=True)


def test_a_second_time_changes_nothing_and_more_hosts_are_added(hosts: Hosts) -> None:
    hosts.up()
    first = hosts.there()
    assert not hosts.up().changed
    assert hosts.there() == first
    more = hosts.up({**HOSTS, "worker-3": "workers"})
    assert (more.made, more.repaired) == (["worker-3"], [])
    assert hosts.there().hosts["worker-1"] == first.hosts["worker-1"]
    assert "worker-3" in hosts.run("manager-1", "cat /etc/hosts")
    assert hosts.down().removed == sorted([*HOSTS, "worker-3"])
    assert not hosts.down().changed


def test_looking_makes_and_removes_nothing(hosts: Hosts) -> None:
    before = Machine.now(hosts)
    wanted = netns_hosts.Wanted("/test", hosts.range, HOSTS)
    assert netns_hosts.up(hosts.directory, hosts.name, wanted, only_look=True).made == list(HOSTS)
    assert new(hosts, before) == {}
    hosts.up()
    assert netns_hosts.down(hosts.directory, hosts.name, "/test", only_look=True).removed == list(HOSTS)
    assert not hosts.up().changed


def test_a_dead_host_is_made_again_and_keeps_its_disk(hosts: Hosts) -> None:
    hosts.up()
    hosts.serve("worker-2")
    hosts.run("worker-1", "touch /run/mine /var/lib/warren/mine")
    os.kill(hosts.there().hosts["worker-1"].pid, signal.SIGKILL)
    done = hosts.up()
    assert (done.made, done.repaired) == ([], ["worker-1"])
    assert hosts.run("worker-1", "ls /run /var/lib/warren").split() == ["/run:", "/var/lib/warren:", "mine"]
    assert hosts.connect("worker-1", "worker-2") == "worker-2"  # which nobody has touched


@pytest.mark.parametrize("what", ["cable", "bridge", "switch", "interface"])
def test_a_torn_network_is_mended_and_programs_live_on(hosts: Hosts, what: str) -> None:
    hosts.up()
    hosts.serve("worker-2")
    switch = namespaces.holders(f"{hosts.directory}/{hosts.name}/switch")
    pid = next(iter(switch.values()))
    if what == "switch":
        os.kill(pid, signal.SIGKILL)
    elif what == "interface":
        subprocess.run(["ip", "link", "delete", f"wl-{hosts.name}"], check=True)
    else:
        name = "worker-1" if what == "cable" else "br0"
        subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "link", "delete", name], check=True)
    done = hosts.up()
    assert done.changed
    assert done.repaired == (["worker-1"] if what == "cable" else list(HOSTS))
    assert hosts.connect("worker-1", "worker-2") == "worker-2"
    assert not hosts.up().changed


def test_what_runs_in_hosts_ends_with_them(hosts: Hosts) -> None:
    hosts.up()
    hosts.serve("worker-1")
    hosts.run("worker-1", "mount -t tmpfs none /run; setsid sleep 12345 >/dev/null 2>&1 &")
    assert "12345" in subprocess.run(["ps", "ax"], capture_output=True, text=True, check=True).stdout
    hosts.down()
    assert "12345" not in subprocess.run(["ps", "ax"], capture_output=True, text=True, check=True).stdout


def killed_at(step: int, work: Callable[[], Any]) -> bool:
    """Do the work in a process that SIGKILL ends before its step-th deed; whether it came to that."""
    child = os.fork()
    if child == 0:
        deeds = itertools.count()
        me = os.getpid()

        def counted(function: Callable[..., Any]) -> Callable[..., Any]:
            def deed(*arguments: Any, **named: Any) -> Any:
                # A host in the making is a process of its own, which goes on when this one is killed.
                if next(deeds) == step:
                    os.kill(me, signal.SIGKILL)
                return function(*arguments, **named)

            return deed

        try:
            for module, name in (
                (netns_hosts, "_run"),
                (netns_hosts._Place, "_write"),
                (namespaces, "hold"),
                (namespaces, "_furnish"),
                (namespaces, "_mount"),
                (namespaces, "end"),
                (shutil, "rmtree"),
                (os, "makedirs"),
                (os, "rmdir"),
            ):
                setattr(module, name, counted(getattr(module, name)))
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("then", ["up", "down"])
def test_killed_at_every_step_of_up(hosts: Hosts, then: str) -> None:
    before = Machine.now(hosts)
    for step in itertools.count():
        if not killed_at(step, lambda: hosts.up(FEW)):
            break
        if then == "up":
            hosts.up(FEW)
            assert set(hosts.there().hosts) == set(FEW), f"step {step}"
            assert len(namespaces.holders(hosts.directory)) == len(FEW) + 1, f"step {step}"
            assert hosts.run("worker-1", "cat /sys/class/net/eth0/carrier").strip() == "1", f"step {step}"
            assert not hosts.up(FEW).changed, f"step {step}"
        hosts.down()
        assert new(hosts, before) == {}, f"step {step}"
    assert step > 25


def test_killed_at_every_step_of_down(hosts: Hosts) -> None:
    before = Machine.now(hosts)
    for step in itertools.count():
        hosts.up(FEW)
        if not killed_at(step, hosts.down):
            break
        hosts.down()
        assert new(hosts, before) == {}, f"step {step}"
    assert step > 3


def test_two_inventories_with_the_same_name(hosts: Hosts) -> None:
    hosts.up()
    with pytest.raises(netns_hosts.NetnsError, match=r"belong to /test, not to /other: give this inventory another"):
        hosts.up(owner="/other")
    with pytest.raises(netns_hosts.NetnsError, match="belong to /test, not to /other"):
        netns_hosts.down(hosts.directory, hosts.name, "/other")
    assert not hosts.up().changed


def test_two_networks_side_by_side(hosts: Hosts, tmp_path: Path) -> None:
    hosts.up()
    other = Hosts(tmp_path, next(_numbers))
    with pytest.raises(netns_hosts.NetnsError, match=f"which interface wl-{hosts.name} .* uses on this machine"):
        other.up(range=hosts.range)
    assert not (Path(other.directory) / other.name).exists()
    other.up()
    other.down()
    assert os.path.isdir("/var/lib/warren")  # which the first network still mounts over
    assert hosts.run("worker-1", "touch /var/lib/warren/x") == ""


def test_two_networks_that_are_recorded_in_different_places(hosts: Hosts, tmp_path: Path) -> None:
    """What one has made to mount over is not removed under the mounts of the other, which the kernel would detach."""
    path = next((each for each in netns_hosts.PRIVATE if not os.path.exists(each)), None)
    if path is None:
        pytest.skip("this machine has all the folders that hosts mount over, so none is made and removed")
    other = Hosts(tmp_path / "elsewhere", next(_numbers))
    other.up()
    hosts.up()
    assert hosts.run("worker-1", f"touch {path}/x") == ""
    other.down()
    assert hosts.run("worker-1", f"ls {path}") == "x\n"
    hosts.down()
    other.down()
    assert not other.down().changed


def test_another_range_for_hosts_that_are_there(hosts: Hosts) -> None:
    hosts.up()
    with pytest.raises(netns_hosts.NetnsError, match=r"is 10\.252\.0\.0/24, but the hosts that are there have"):
        hosts.up(range="10.252.0.0/24")


def test_an_interface_of_somebody_else(hosts: Hosts) -> None:
    name = f"wl-{hosts.name}"
    subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
    try:
        with pytest.raises(netns_hosts.NetnsError, match=f"Interface {name} is there already"):
            hosts.up()
        hosts.down()
        assert subprocess.run(["ip", "link", "show", name], capture_output=True, check=False).returncode == 0
    finally:
        subprocess.run(["ip", "link", "delete", name], check=True)


def test_a_kernel_without_netem_is_told_before_anything_is_made(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Machine.now(hosts)
    monkeypatch.setattr(netns_hosts, "_can_shape", lambda: False)
    with pytest.raises(netns_hosts.NetnsError, match="need the kernel's netem, which this one lacks"):
        hosts.up(latency=5.0)
    assert new(hosts, before) == {}


def test_latency_and_loss_are_told_to_tc(hosts: Hosts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With a tc that only writes down what it is told, since not every kernel has netem."""
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin/tc"
    tool.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/told\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    hosts.up(latency=5.0, loss=0.5)
    assert not hosts.up(latency=5.0, loss=0.5).changed
    told = (tmp_path / "told").read_text().splitlines()
    assert told.count("qdisc replace dev eth0 root netem delay 5ms loss 0.5%") == len(HOSTS)
    assert hosts.up().shaped == list(HOSTS)
    assert (tmp_path / "told").read_text().splitlines()[-1] == "qdisc delete dev eth0 root"


@pytest.mark.skipif(not (usable() and netns_hosts._can_shape()), reason="this kernel has no netem")
def test_latency_is_there(hosts: Hosts) -> None:
    hosts.up(latency=100.0)
    hosts.serve("worker-1")
    took = hosts.run(
        "worker-2",
        f"{sys.executable} -c 'import time, socket; t = time.time(); "
        'socket.create_connection(("worker-1", 7777)); print(time.time() - t)\'',
    )
    assert float(took) >= 0.2


class Plays:
    """Runs the repository's playbooks on the inventory of namespaces."""

    def __init__(self, hosts: Hosts) -> None:
        self.hosts = hosts
        self.settings = {"warren_load_netns_range": hosts.range, "managers": 1, "workers": 2}

    def __call__(self, playbook: str, *arguments: str) -> tuple[int, str]:
        words = ["ansible-playbook", "-i", "inventories/netns", playbook, "-e", json.dumps(self.settings), *arguments]
        environment = os.environ | {
            "WARREN_LOAD_NETNS_DIRECTORY": self.hosts.directory,
            "WARREN_LOAD_NETNS_NAME": self.hosts.name,
        }
        done = subprocess.run(
            words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        print(done.stdout, done.stderr)
        return done.returncode, done.stdout


def test_from_hosts_up_to_hosts_down(hosts: Hosts, tmp_path: Path) -> None:
    plays = Plays(hosts)
    (tmp_path / "in.yml").write_text(
        """
- hosts: managers:workers
  gather_facts: false
  tasks:
    - ansible.builtin.command: hostname
      register: name
    - ansible.builtin.copy: {dest: /run/mine, content: "{{ name.stdout }}", mode: "0600"}
    - ansible.builtin.fetch: {src: /run/mine, dest: "{{ playbook_dir }}/got"}
    - ansible.builtin.assert:
        that: name.stdout == inventory_hostname
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.command: hostname
      delegate_to: "{{ item }}"
      loop: "{{ groups['all'] | difference(['localhost']) }}"
      register: name
    - ansible.builtin.assert:
        that: name.results | map(attribute='stdout') == name.results | map(attribute='item')
"""
    )
    try:
        assert "3 of them new" in plays("playbooks/hosts-up.yml")[1]
        code, said = plays("playbooks/hosts-up.yml")
        assert (code, "changed=0" in said, "0 of them new" in said) == (0, True, True)
        assert plays(str(tmp_path / "in.yml"))[0] == 0
        assert {path.read_text() for path in tmp_path.glob("got/*/run/mine")} == set(HOSTS)
        assert "worker-2       workers    10.251." in plays("playbooks/hosts-list.yml")[1]

        os.kill(hosts.there().hosts["worker-1"].pid, signal.SIGKILL)
        code, said = plays(str(tmp_path / "in.yml"))
        assert code == 4
        assert "Host worker-1 is not there: make it with the playbook hosts-up." in said
        assert "1 mended" in plays("playbooks/hosts-up.yml")[1]

        code, said = plays("playbooks/hosts-down.yml")
        assert (code, len(hosts.there().hosts)) == (2, 3)
        assert "3 hosts of network" in said
        assert "-e confirm=yes." in said
        assert plays("playbooks/hosts-down.yml", "-e", "confirm=yes")[0] == 0
        code, said = plays("playbooks/hosts-down.yml", "-e", "confirm=yes")
        assert (code, "changed=0" in said) == (0, True)
    finally:
        if os.path.isdir(hosts.directory):
            netns_hosts.down(hosts.directory, hosts.name, str(ROOT / "inventories/netns"))


CONTAINERS = [tool for tool in ("containerd", "runc", "ctr") if shutil.which(tool) is None]


def image(path: Path) -> Path:
    """An archive, as `docker save` wrote it before version 25, of an image that sleeps: this machine's program."""
    program = shutil.which("sleep")
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    files = [program, *re.findall(r"(/\S+) \(0x", linked)]
    with tarfile.open(path.with_suffix(".layer"), "w", dereference=True) as layer:
        for file in files:
            layer.add(os.path.realpath(file), arcname=file)
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine),
        "os": "linux",
        "config": {"Entrypoint": [program, "100000"]},
        "rootfs": {
            "type": "layers",
            "diff_ids": [f"sha256:{hashlib.sha256(path.with_suffix('.layer').read_bytes()).hexdigest()}"],
        },
    }
    path.with_suffix(".config").write_text(json.dumps(config))
    told = [{"Config": "config.json", "RepoTags": ["sleep:1"], "Layers": ["layer.tar"]}]
    path.with_suffix(".manifest").write_text(json.dumps(told))
    with tarfile.open(path, "w") as archive:
        for suffix, name in ((".manifest", "manifest.json"), (".config", "config.json"), (".layer", "layer.tar")):
            archive.add(path.with_suffix(suffix), arcname=name)
    return path


@pytest.mark.skipif(bool(CONTAINERS), reason=f"needs {', '.join(CONTAINERS)}")
@pytest.mark.skipif(not netns_hosts.cgroup_mounts(), reason="needs control groups in /sys/fs/cgroup")
def test_each_worker_has_a_containerd_and_images_of_its_own(hosts: Hosts, tmp_path: Path) -> None:
    hosts.up()
    plays = Plays(hosts)
    plays.settings |= {
        "warren_load_image_archive": str(image(tmp_path / "sleep.tar")),
        "warren_load_binary": "/bin/false",
        "warren_load_dialect": "tasks",
    }
    for name in ("main", "stopped"):
        (tmp_path / f"{name}.yml").write_text(
            f"""
- hosts: workers
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {{name: warren.load.containerd, tasks_from: {name}}}
"""
        )
    assert plays(str(tmp_path / "main.yml"))[0] == 0
    code, said = plays(str(tmp_path / "main.yml"))
    assert (code, said.count("changed=0")) == (0, 2)

    pulled = hosts.run("worker-1", "ctr --namespace warren images pull --plain-http 127.0.0.1:5000/any/name:1")
    assert "done" in pulled
    assert hosts.run("worker-1", "ctr --namespace warren run --detach 127.0.0.1:5000/any/name:1 one") == ""
    assert "RUNNING" in hosts.run("worker-1", "ctr --namespace warren tasks list")
    assert "one" not in hosts.run("worker-2", "ctr --namespace warren tasks list")
    counted = hosts.run("worker-1", "cat /proc/$(pgrep -x sleep | tail -1)/cgroup")
    assert f"/warren-load-{hosts.name}/worker-1/warren/one" in counted

    assert plays(str(tmp_path / "stopped.yml"))[0] == 0
    assert len(hosts.run("worker-1", "ls -d /proc/[0-9]*").split()) <= 3
    # With a container that runs, all goes as well: the fixture looks.
    assert plays(str(tmp_path / "main.yml"))[0] == 0
    assert hosts.run("worker-2", "ctr --namespace warren images pull --plain-http 127.0.0.1:5000/a:1 | tail -1")
    assert hosts.run("worker-2", "ctr --namespace warren run --detach 127.0.0.1:5000/a:1 two") == ""
