# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that are namespaces of this machine, on a bridge that has no way out of it.

The bridge stands in namespaces of its own, the switch, so that no firewall or network manager of the machine meddles;
the machine itself sees one interface, over which the generator reaches the hosts. A network of hosts is recorded in
``<directory>/<name>/network.json`` before anything of it is made, and what is there is found by the holders' marks, so
a crash at any moment leaves what the next `up` repairs and the next `down` removes.

PRIVATE to the collection. Standard library only, Python 3.9 and newer. Linux, root.
"""

from __future__ import annotations

import errno
import fcntl
import ipaddress
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.warren.load.plugins.module_utils.node import namespaces, process_table

# What each host has for itself; all other folders are the machine's own. Not /tmp: programs and Pythons lie there, too.
# The last is where the roles keep what a node writes.
PRIVATE = ("/run", "/var/lib/containerd", "/var/lib/warren", "/var/tmp/warren-load")
SWITCH = "switch"
BRIDGE = "br0"
CONTROLLER = "controller"  # what the hosts call this machine
GROUPS = ("managers", "workers")


class NetnsError(Exception):
    """One sentence for the user."""


@dataclass
class Host:
    """One host. ``pid`` and ``start_time`` name its holder, ``shaping`` is what tc was last told; empty: not yet."""

    name: str
    group: str
    address: str
    pid: int = 0
    start_time: str = ""
    shaping: str = ""

    @property
    def running(self) -> bool:
        """True while its namespaces are there."""
        return self.pid > 0 and process_table.start_time(self.pid) == self.start_time


@dataclass
class Network:
    """What is recorded of the hosts. ``owner`` is the inventory they belong to, ``gateway`` this machine's address."""

    owner: str
    range: str
    gateway: str
    hosts: dict[str, Host] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """What is asked for: names by group, latency in ms and loss in percent of what each host sends.

    ``containers``: workers are to run some.
    """

    owner: str
    range: str
    hosts: Mapping[str, str]
    latency: float = 0.0
    loss: float = 0.0
    containers: bool = False

    @property
    def shaping(self) -> str:
        """What tc is to be told; empty for nothing."""
        delay = f" delay {self.latency:g}ms" if self.latency else ""
        loss = f" loss {self.loss:g}%" if self.loss else ""
        return f"netem{delay}{loss}" if delay or loss else ""


@dataclass
class Outcome:
    """What `up` or `down` did, or would do, to which hosts."""

    made: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    shaped: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    network: bool = False  # the switch, too

    @property
    def changed(self) -> bool:
        return bool(self.made or self.repaired or self.shaped or self.removed or self.network)


def read(directory: str, name: str) -> Network | None:
    """What is recorded, None where nothing is. NetnsError where that cannot be read."""
    path = os.path.join(directory, name, "network.json")
    try:
        with open(path, encoding="utf-8") as stream:
            raw = json.load(stream)
        hosts = {each["name"]: Host(**each) for each in raw.pop("hosts")}
        return Network(**raw, hosts=hosts)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise NetnsError(f"{path}, which records the hosts, cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NetnsError(
            f"{path}, which records the hosts, is broken: take the hosts down (hosts-down), and make them anew."
        ) from error


def listed(directory: str) -> dict[str, Network]:
    """{name: network} of all that are recorded, whoever owns them; broken records are left out."""
    found = {}
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
        try:
            network = read(directory, name)
        except NetnsError:
            continue
        if network:
            found[name] = network
    return found


def up(directory: str, name: str, wanted: Wanted, only_look: bool = False) -> Outcome:
    """Make what is missing of the hosts and mend what is half made. NetnsError, with nothing made, if it cannot be."""
    _check(name, wanted)
    if wanted.containers and "workers" in wanted.hosts.values() and not cgroup_mounts():
        raise NetnsError(
            "Real workers (warren_load_worker_kind) run containers, which need control groups, and none can be written "
            "to in /sys/fs/cgroup here: run hosts-up where they are mounted (ip netns exec hides them, nsenter --net "
            "does not), or set warren_load_worker_kind to hollow."
        )
    with _locked(directory):
        place = _Place(directory, name)
        network = place.planned(wanted)
        todo = place.todo(network, wanted)
        if todo.shaped and wanted.shaping and not _can_shape():
            raise NetnsError(
                "warren_load_netns_latency and warren_load_netns_loss need the kernel's netem, which this one lacks "
                "(module sch_netem, CONFIG_NET_SCH_NETEM): load it, or leave both at 0."
            )
        if todo.changed and not only_look:
            place.bring_up(network, wanted, todo)
        return todo


def down(directory: str, name: str, owner: str, only_look: bool = False) -> Outcome:
    """Remove all hosts of the network, with what they wrote to their own folders."""
    _check_machine(name)
    with _locked(directory):
        place = _Place(directory, name)
        try:
            network = read(directory, name)
        except NetnsError:
            network = None  # what cannot be read must still go
        if network:
            _check_owner(network, owner, name)
        there = place.holders()
        outcome = Outcome(
            removed=sorted((set(network.hosts) if network else set()) | set(there) - {SWITCH}),
            network=SWITCH in there or os.path.lexists(place.folder) or place.last(),
        )
        if outcome.changed and not only_look:
            place.take_down(there)
        return outcome


def addresses(network: Network, names: Iterable[str]) -> dict[str, str]:
    """A free address of the network's range for each name, the lowest first. NetnsError when there are not enough."""
    taken = {host.address for host in network.hosts.values()} | {network.gateway}
    free = (str(each) for each in ipaddress.ip_network(network.range).hosts() if str(each) not in taken)
    given = dict(zip(names, free))
    if len(given) < len(list(names)):
        raise NetnsError(
            f"warren_load_netns_range is {network.range}, which is too small for the hosts asked for: "
            "give a larger one, such as 10.213.0.0/16."
        )
    return given


def overlap(wanted: str, interfaces: list[dict[str, Any]], routes: list[dict[str, Any]], own: str) -> str:
    """What already uses the range, such as `interface eth0`; empty if nothing does.

    ``interfaces`` and ``routes`` are what `ip -json address` and `ip -json route` print; ``own`` is our interface.
    """
    network = ipaddress.ip_network(wanted)
    for interface in interfaces:
        for address in interface.get("addr_info", []):
            used = f"{address['local']}/{address['prefixlen']}"
            if interface.get("ifname") != own and network.overlaps(ipaddress.ip_network(used, strict=False)):
                return f"interface {interface.get('ifname')} ({used})"
    for route in routes:
        if route.get("dst", "default") != "default" and route.get("dev") != own:
            used = route["dst"]
            if network.overlaps(ipaddress.ip_network(used, strict=False)):
                return f"the route to {used} over {route.get('dev', 'another machine')}"
    return ""


def hosts_file(network: Network) -> str:
    """/etc/hosts of every host."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost", f"{network.gateway} {CONTROLLER}"]
    return "\n".join([*lines, *(f"{host.address} {host.name}" for host in network.hosts.values())]) + "\n"


def cgroup_mounts() -> list[str]:
    """Where this machine counts what programs use: one place for each hierarchy of version 1, or one for all."""
    lines = process_table.read_text("/proc/self/mountinfo").splitlines()
    found = [(line.split()[4], line.partition(" - ")[2].split()[0]) for line in lines]
    places = [place for place, kind in found if kind in ("cgroup", "cgroup2") and place.startswith("/sys/fs/cgroup")]
    return [place for place in dict.fromkeys(places) if os.access(place, os.W_OK)]


def _make_cgroup(parent: str, name: str) -> None:
    for place in (parent, f"{parent}/{name}"):
        if not os.path.isdir(place):
            os.mkdir(place)
        if os.path.exists(f"{place}/cgroup.controllers"):
            continue
        # Version 1: nothing can run in a set of no CPUs, which is what a new one is.
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if os.path.exists(f"{place}/{setting}") and not process_table.read_text(f"{place}/{setting}").strip():
                inherited = process_table.read_text(f"{os.path.dirname(place)}/{setting}")
                with open(f"{place}/{setting}", "w", encoding="ascii") as stream:
                    stream.write(inherited)


def _remove_cgroups(top: str) -> None:
    """Those of hosts that have ended, from the innermost; the kernel needs a moment to see that they are empty."""
    for folder, _folders, _files in os.walk(top, topdown=False):
        for turn in range(100):
            try:
                os.rmdir(folder)
                break
            except OSError as error:
                if error.errno != errno.EBUSY or turn == 99:
                    raise
                time.sleep(0.02)


class _Place:
    """The folder of one network, and what of it there is in the kernel. For use under the lock."""

    def __init__(self, directory: str, name: str) -> None:
        self.directory = directory
        self.name = name
        self.folder = os.path.join(directory, name)
        self.interface = f"wl-{name}"
        self.mountpoints = os.path.join(directory, "mountpoints.json")

    def holders(self) -> dict[str, int]:
        """{host or SWITCH: pid} of what runs."""
        prefix = self.folder + "/"
        return {mark[len(prefix) :]: pid for mark, pid in namespaces.holders(prefix).items()}

    def planned(self, wanted: Wanted) -> Network:
        """What is recorded, with what is asked for and the pids of what runs; NetnsError if the two do not fit."""
        network = read(self.directory, self.name)
        if network:
            _check_owner(network, wanted.owner, self.name)
        if network and network.range != wanted.range:
            raise NetnsError(
                f"warren_load_netns_range is {wanted.range}, but the hosts that are there have {network.range}: "
                "take them down first (playbook hosts-down), or leave the range as it is."
            )
        used = overlap(wanted.range, _ip_json("address"), _ip_json("route", "show", "table", "all"), self.interface)
        if used:
            raise NetnsError(
                f"warren_load_netns_range is {wanted.range}, which {used} uses on this machine: choose another range."
            )
        if network is None:
            if _ip_json("link", "show", "dev", self.interface, may_fail=True):
                raise NetnsError(
                    f"Interface {self.interface} is there already, and no hosts of this inventory are: give another "
                    "warren_load_netns_name."
                )
            gateway = str(ipaddress.ip_network(wanted.range)[-2])
            network = Network(owner=wanted.owner, range=wanted.range, gateway=gateway)
        new = {name: group for name, group in wanted.hosts.items() if name not in network.hosts}
        for name, address in addresses(network, list(new)).items():
            network.hosts[name] = Host(name, new[name], address)
        return network

    def todo(self, network: Network, wanted: Wanted) -> Outcome:
        """What is to be done, looking only. Brings the pids in ``network`` up to date."""
        there = self.holders()
        known = read(self.directory, self.name)
        switched = SWITCH in there and self._connected(there[SWITCH], network)
        wired = self._wired(there[SWITCH]) if switched else set()
        outcome = Outcome(network=not switched or bool(set(there) - set(network.hosts) - {SWITCH}))
        for name, host in network.hosts.items():
            pid = there.get(name, 0)
            start = (process_table.start_time(pid) or "") if pid else ""
            recorded = (pid, start) == (host.pid, host.start_time)
            host.pid, host.start_time = pid, start
            if not (pid and recorded and name in wired):
                host.shaping = ""
                fresh = known is None or name not in known.hosts
                (outcome.made if fresh else outcome.repaired).append(name)
            if host.shaping != wanted.shaping:
                outcome.shaped.append(name)
        return outcome

    def bring_up(self, network: Network, wanted: Wanted, todo: Outcome) -> None:
        """Do it. The record comes before anything is made, and is complete when all is."""
        self._write(network)
        self._furnish(network)
        there = self.holders()
        self._end(pid for name, pid in there.items() if name not in network.hosts and name != SWITCH)
        switch = there.get(SWITCH) or self._hold(SWITCH, [])
        if not self._connected(switch, network):
            self._connect(switch, network)
        for host in network.hosts.values():
            if not host.pid:
                host.pid = self._hold(host.name, self._binds(host))
                host.start_time = process_table.start_time(host.pid) or ""
        self._write(network)
        self._wire(switch, network, todo.repaired)
        for name in todo.shaped:
            host = network.hosts[name]
            _shape(host, wanted.shaping)
            host.shaping = wanted.shaping
        self._write(network)

    def take_down(self, there: Mapping[str, int]) -> None:
        """End all that runs, then remove all that is on disk; the record goes last."""
        _ip("link", "delete", self.interface, may_fail=True)
        self._end(there.values())
        mounted = [line.split()[4] for line in process_table.read_text("/proc/self/mountinfo").splitlines()]
        inside = [path for path in mounted if path.startswith(self.folder + "/")]
        if inside:
            raise NetnsError(f"The hosts' folder {self.folder} holds a mount: unmount {inside[0]} first.")
        for place in cgroup_mounts():
            _remove_cgroups(self._cgroup(place))
        shutil.rmtree(os.path.join(self.folder, "hosts"), ignore_errors=True)
        if os.path.lexists(self.folder):
            shutil.rmtree(self.folder)
        if self.last():
            self._remove_mountpoints()

    def last(self) -> bool:
        """Whether there is no other network, so that what all of them share may go.

        That includes networks recorded elsewhere: a folder that goes here takes along what is mounted on it there.
        """
        others = [each.path for each in os.scandir(self.directory) if each.is_dir()]
        return os.path.exists(self.mountpoints) and not others and not namespaces.holders("/")

    # ---- on disk

    def _own(self, host: Host, path: str) -> str:
        return os.path.join(self.folder, "hosts", host.name, path.lstrip("/"))

    def _binds(self, host: Host) -> list[tuple[str, str]]:
        files = [(self._own(host, path), path) for path in (*PRIVATE, "/etc/hosts", "/etc/hostname")]
        return files + [(f"{self._cgroup(place)}/{host.name}", place) for place in cgroup_mounts()]

    def _cgroup(self, place: str) -> str:
        """Where the hosts' containers are counted, which the machine then knows as its hosts'."""
        return f"{place}/warren-load-{self.name}"

    def _write(self, network: Network) -> None:
        os.makedirs(self.folder, mode=0o755, exist_ok=True)
        path = os.path.join(self.folder, "network.json")
        raw = {**vars(network), "hosts": [vars(host) for host in network.hosts.values()]}
        with open(path + ".new", "w", encoding="utf-8") as stream:
            json.dump(raw, stream, indent=1)
        os.replace(path + ".new", path)

    def _furnish(self, network: Network) -> None:
        """The hosts' own folders and files. What is mounted in a host is written in place, so that it sees it."""
        self._make_mountpoints()
        text = hosts_file(network)
        for host in network.hosts.values():
            if not host.pid:
                shutil.rmtree(self._own(host, "/run"), ignore_errors=True)  # as after any start of a machine
            for path in (*PRIVATE, "/etc"):
                os.makedirs(self._own(host, path), mode=0o755, exist_ok=True)
            os.chmod(self._own(host, "/"), 0o700)
            for path, content in (("/etc/hosts", text), ("/etc/hostname", host.name + "\n")):
                own = self._own(host, path)
                if process_table.read_text(own) != content:
                    with open(own, "w", encoding="utf-8") as stream:
                        stream.write(content)
            for place in cgroup_mounts():
                _make_cgroup(self._cgroup(place), host.name)

    def _make_mountpoints(self) -> None:
        """Folders that the machine lacks, so that there is something to mount over: recorded, then made."""
        missing = [path for path in PRIVATE if not os.path.isdir(path)]
        if missing:
            made = _read_list(self.mountpoints)
            with open(self.mountpoints, "w", encoding="utf-8") as stream:
                json.dump(sorted({*made, *missing}), stream)
            for path in missing:
                os.makedirs(path)

    def _remove_mountpoints(self) -> None:
        for path in _read_list(self.mountpoints):
            try:
                os.rmdir(path)
            except OSError:
                pass  # gone already, or somebody has put something there
        os.unlink(self.mountpoints)

    # ---- in the kernel

    def _hold(self, name: str, binds: Iterable[tuple[str, str]]) -> int:
        try:
            return namespaces.hold(name, binds, f"{self.folder}/{name}")
        except namespaces.NamespaceError as error:
            raise NetnsError(
                f"The kernel makes no namespaces for host {name} ({error}): see that this is root of the machine and "
                "not of a container, and the limits in /proc/sys/user."
            ) from error

    def _end(self, pids: Iterable[int]) -> None:
        left = namespaces.end(pids)
        if left:
            raise NetnsError(
                f"Process {left[0]} of a host goes on after SIGKILL: see what it waits for, and try again."
            )

    def _connected(self, switch: int, network: Network) -> bool:
        """Whether the machine's cable to the switch is complete: our end of it is set up last."""
        if CONTROLLER not in self._wired(switch):
            return False
        for each in _ip_json("address", "show", "dev", self.interface, may_fail=True):
            if "LOWER_UP" in each.get("flags", []):
                return any(address.get("local") == network.gateway for address in each.get("addr_info", []))
        return False

    def _connect(self, switch: int, network: Network) -> None:
        """The bridge, and the one interface of this machine: no way through it leads anywhere else."""
        _ip("link", "delete", self.interface, may_fail=True)
        there = {each["ifname"] for each in _ip_json("link", "show", inside=switch)}
        _batch(
            switch,
            "link set lo up",
            *([] if BRIDGE in there else [f"link add {BRIDGE} type bridge forward_delay 0 mcast_snooping 0"]),
            f"link set {BRIDGE} up",
            *([f"link delete {CONTROLLER}"] if CONTROLLER in there else []),
            f"link add {CONTROLLER} type veth peer name {self.interface} netns {os.getpid()}",
            f"link set {CONTROLLER} master {BRIDGE} up",
        )
        for setting, value in (("ipv6/conf/%s/disable_ipv6", "1"), ("ipv4/conf/%s/forwarding", "0")):
            path = "/proc/sys/net/" + setting % self.interface
            if os.path.exists(path):
                with open(path, "w", encoding="ascii") as stream:
                    stream.write(value)
        _ip("address", "add", f"{network.gateway}/{network.range.partition('/')[2]}", "dev", self.interface)
        _ip("link", "set", self.interface, "up")

    def _wired(self, switch: int) -> set[str]:
        """The names of the cables that are complete: the end in the host is set up last."""
        return {
            each["ifname"]
            for each in _ip_json("link", "show", "type", "veth", inside=switch)
            if each.get("master") == BRIDGE and "LOWER_UP" in each.get("flags", [])
        }

    def _wire(self, switch: int, network: Network, repaired: Iterable[str]) -> None:
        """A cable from each host to the bridge, where there is none or half a one."""
        for name in repaired:  # whose switch may have died: the kernel takes its time to remove the other ends
            _run([*_inside(network.hosts[name].pid), "ip", "link", "delete", "eth0"], may_fail=True)
        wired = self._wired(switch)
        half = {each["ifname"] for each in _ip_json("link", "show", "type", "veth", inside=switch)} - wired
        hosts = [host for host in network.hosts.values() if host.name not in wired]
        lines = [f"link delete {host.name}" for host in hosts if host.name in half]
        for host in hosts:
            lines.append(f"link add {host.name} type veth peer name eth0 netns {host.pid}")
            lines.append(f"link set {host.name} master {BRIDGE} up")
        _batch(switch, *lines)
        prefix = network.range.partition("/")[2]
        for host in hosts:
            _batch(
                host.pid,
                "link set lo up",
                f"address add {host.address}/{prefix} broadcast + dev eth0",
                "link set eth0 up",
            )


@contextmanager
def _locked(directory: str) -> Iterator[None]:
    """One at a time, and that includes children that outlive a killed module: the lock is theirs, too, to their end.

    A holder has it until it is one; from there on its mark tells.
    """
    handle = _lock(directory)
    try:
        yield
    finally:
        if os.path.isdir(directory) and not os.listdir(directory):
            os.rmdir(directory)
        os.close(handle)


def _lock(directory: str) -> int:
    while True:
        os.makedirs(directory, mode=0o755, exist_ok=True)
        handle = os.open(directory, os.O_RDONLY)
        os.set_inheritable(handle, True)
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            if os.path.samestat(os.fstat(handle), os.stat(directory)):
                return handle
        except FileNotFoundError:
            pass  # the one before removed it
        os.close(handle)


def _check(name: str, wanted: Wanted) -> None:
    """Raises NetnsError with what is wrong, before anything is looked at."""
    _check_machine(name)
    try:
        network = ipaddress.ip_network(wanted.range)
    except ValueError:
        network = None
    if network is None or network.version != 4 or not network.is_private or network.prefixlen > 29:
        raise NetnsError(
            f"warren_load_netns_range is {wanted.range!r}: give a private IPv4 network of 8 addresses or more, "
            "such as 10.213.0.0/16."
        )
    for option, value, most in (("latency", wanted.latency, 10000.0), ("loss", wanted.loss, 100.0)):
        if not 0 <= value <= most:
            unit = "milliseconds" if option == "latency" else "percent"
            raise NetnsError(f"warren_load_netns_{option} is {value:g}: give {unit} from 0 to {most:g}.")


def _check_machine(name: str) -> None:
    if os.uname().sysname != "Linux":
        raise NetnsError("Hosts in network namespaces need Linux: take inventories/lima on this machine.")
    if os.geteuid() != 0:
        raise NetnsError(
            "Hosts in network namespaces need root: run the playbook as root (sudo), or take another inventory, "
            "such as inventories/lima."
        )
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", name):
        raise NetnsError(
            f"warren_load_netns_name is {name!r}: give at most 12 lower-case letters, digits and dashes, since the "
            "interface is called after it."
        )
    for tool, package in (("ip", "iproute2"), ("nsenter", "util-linux")):
        if shutil.which(tool) is None:
            raise NetnsError(f"Hosts in network namespaces need the program {tool}: install {package}.")


def _check_owner(network: Network, owner: str, name: str) -> None:
    if network.owner != owner:
        raise NetnsError(
            f"The hosts of network {name} belong to {network.owner}, not to {owner}: give this inventory another "
            "warren_load_netns_name and warren_load_netns_range, or take those down first (playbook hosts-down)."
        )


def _can_shape() -> bool:
    """Whether the kernel has netem: tried on the `lo` of a network that ends with the try."""
    words = ["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]
    try:
        _run(words)
    except (NetnsError, OSError):
        return False
    return True


def _shape(host: Host, shaping: str) -> None:
    words = ["replace", "dev", "eth0", "root", *shaping.split()] if shaping else ["delete", "dev", "eth0", "root"]
    _run([*_inside(host.pid), "tc", "qdisc", *words], may_fail=not shaping)


def _inside(pid: int) -> list[str]:
    return ["nsenter", f"--net=/proc/{pid}/ns/net"]


def _batch(pid: int, *lines: str) -> None:
    """What `ip` is to do in the network of the process."""
    _run([*_inside(pid), "ip", "-batch", "-"], "\n".join(lines) + "\n")


def _ip(*words: str, may_fail: bool = False) -> None:
    _run(["ip", *words], may_fail=may_fail)


def _ip_json(*words: str, inside: int = 0, may_fail: bool = False) -> list[dict[str, Any]]:
    family = [] if words[0] == "link" else ["-4"]
    text = _run([*(_inside(inside) if inside else []), "ip", *family, "-json", *words], may_fail=may_fail)
    return [each for each in json.loads(text or "[]") if each]


def _run(words: list[str], given: str = "", may_fail: bool = False) -> str:
    # The child has the lock as well: it may outlive us, and whoever comes next must not work beside it. With
    # AnsibleModule.run_command it would not.
    done = subprocess.run(  # pylint: disable=ansible-bad-function
        words, input=given, capture_output=True, text=True, check=False, close_fds=False
    )
    if done.returncode and not may_fail:
        said = " ".join((done.stderr or done.stdout).split())[:300] or f"exit code {done.returncode}"
        tool = next(word for word in words if word in ("ip", "tc"))
        raise NetnsError(f"The network of the hosts could not be set up: {tool} said {said!r}.")
    return done.stdout if not done.returncode else ""


def _read_list(path: str) -> list[str]:
    try:
        return [str(each) for each in json.loads(process_table.read_text(path) or "[]")]
    except ValueError:
        return []
