# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of faults: each says beforehand whether this host can do it, does it, and undoes it, also twice.

A kind's ``prepare`` tells what its ``undo`` will need, before anything is done; that is plain JSON, so that whoever
finds it later can undo. PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on nodes.
"""

from __future__ import annotations

import mmap
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.warren.load.plugins.module_utils.node import commands, process_table, supervision

RULE = 1913  # preference of our routing rules; by it they are found again
FAMILIES = ("-4", "-6")  # of routing rules, as ip calls them
NO_FAMILY = "family not supported"  # ip, of an address or of a rule: the kernel has no IPv6, or no rules for it
LOOPBACK = re.compile(r"^(127\.|::1$|localhost$)")
CGROUPS = "/sys/fs/cgroup"
BLOCK_DEVICES = "/sys/dev/block"
ANYWAY = "set warren_load_fault_anyway to true to do it to the whole machine"
MEMORY_LEFT = 64  # MB that memory pressure leaves to the host
SLICE = 16 << 20  # bytes taken at a time, so that the undo never waits for all of them
PAGE = mmap.PAGESIZE


class FaultError(Exception):
    """One sentence for the user."""


@dataclass(frozen=True)
class Ask:
    """A fault that is asked for. ``name`` is its target's, for sentences; what a kind does not need is left empty.

    ``pid_file`` names the process, ``pid`` (0: any) the one that it must still name. ``addresses`` are ``host:port``,
    ``loss`` is in percent, ``offset`` in s, ``memory`` in MB, ``bytes_per_second`` and ``iops`` are what a disk keeps.
    ``shares_kernel``: clock and memory of the host are also those of others, which ``anyway`` are hit with it.
    """

    kind: str
    name: str
    pid_file: str = ""
    pid: int = 0
    addresses: list[str] = field(default_factory=list)
    interface: str = ""
    loss: float = 0.0
    offset: float = 0.0
    memory: int = 0
    path: str = ""
    bytes_per_second: int = 0
    iops: int = 0
    shares_kernel: bool = False
    anyway: bool = False


class Kind:
    """What every kind does. ``held``: it lasts only as long as the process that applied it."""

    held = False

    def refusal(self, ask: Ask) -> str | None:
        """Why this host cannot do it, as one sentence with the option and the remedy; None where it can."""
        raise NotImplementedError

    def prepare(self, ask: Ask) -> dict[str, Any]:
        """What undo() will need. Changes nothing. Raises FaultError."""
        raise NotImplementedError

    def apply(self, plan: dict[str, Any]) -> None:
        """Do it. Raises FaultError, or OSError."""
        raise NotImplementedError

    def undo(self, plan: dict[str, Any]) -> str:
        """Undo it, however often it is called and however much of it was done; what came of it, as a clause."""
        raise NotImplementedError


# --- processes --------------------------------------------------------------------------------------------------------


def process_of(ask: Ask) -> supervision.Record:
    """The running process that is meant. Raises FaultError where it is gone, or is another one."""
    record = supervision.read_record(ask.pid_file) if ask.pid_file else None
    if record is None:
        raise FaultError(
            f"No such process: nothing is recorded of {ask.name} in {ask.pid_file or 'a pid file'}; start the cluster "
            "with playbook cluster-up, or choose another target with warren_load_fault_target."
        )
    if ask.pid and record.pid != ask.pid:
        raise FaultError(
            f"The pid changed: {ask.name} was process {ask.pid} when it was chosen and is {record.pid} now; it was "
            "started again meanwhile, so choose anew by running the playbook again."
        )
    if record.running:
        return record
    if process_table.start_time(record.pid) is not None:
        raise FaultError(
            f"The pid changed: process {record.pid} is no longer {ask.name} but one that got its number later; start "
            "the cluster again with playbooks cluster-down and cluster-up."
        )
    raise FaultError(
        f"No such process: {ask.name} (process {record.pid}) has ended; start the cluster again with playbooks "
        "cluster-down and cluster-up, or choose another target with warren_load_fault_target."
    )


def send(pid: int, start: str, number: signal.Signals) -> bool:
    """Signal the very process, and no other that got its number; False where it is gone. OSError where we may not."""
    opened = None
    try:
        if sys.platform == "linux" and hasattr(os, "pidfd_open"):
            opened = os.pidfd_open(pid)  # from here on the number cannot go to another one
        if process_table.start_time(pid) != start:
            return False
        if opened is not None:
            signal.pidfd_send_signal(opened, number)  # type: ignore[attr-defined, unused-ignore]
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        return False
    finally:
        if opened is not None:
            os.close(opened)
    return True


class _OfProcess(Kind):
    """A signal to a supervised process."""

    number = signal.SIGKILL

    def refusal(self, ask: Ask) -> str | None:
        try:
            record = process_of(ask)
        except FaultError as error:
            return str(error)
        try:
            os.kill(record.pid, 0)
        except PermissionError:
            return (
                f"Fault {ask.kind} needs the rights of who runs {ask.name} (process {record.pid}): log in as that "
                "user, or set ansible_become to true."
            )
        except ProcessLookupError:
            return f"No such process: {ask.name} (process {record.pid}) has ended; run the playbook again."
        return None

    def prepare(self, ask: Ask) -> dict[str, Any]:
        record = process_of(ask)
        return {"name": ask.name, "pid": record.pid, "start_time": record.start_time}

    def apply(self, plan: dict[str, Any]) -> None:
        if not send(plan["pid"], plan["start_time"], self.number):
            raise FaultError(
                f"No such process: {plan['name']} (process {plan['pid']}) ended before the fault; run the playbook "
                "again."
            )


class Kill(_OfProcess):
    """SIGKILL: the process gets no chance to say goodbye. Nothing brings it back but a new start."""

    def undo(self, plan: dict[str, Any]) -> str:
        return f"nothing brings {plan['name']} back but a new start"


class Pause(_OfProcess):
    """SIGSTOP: the process keeps its connections, and says nothing."""

    number = signal.SIGSTOP

    def undo(self, plan: dict[str, Any]) -> str:
        # A process that was never stopped takes no notice.
        if send(plan["pid"], plan["start_time"], signal.SIGCONT):
            return f"{plan['name']} goes on"
        return f"{plan['name']} has ended meanwhile"


# --- network ----------------------------------------------------------------------------------------------------------


def _ip(*words: str) -> str | None:
    """Run ``ip``; None, or what it says against it."""
    return _run("ip", *words)


def _run(*words: str) -> str | None:
    """Run a program; None, or what it says against it."""
    return _answer(*words)[1]


def _answer(*words: str) -> tuple[str, str | None]:
    """What a program prints; and None, or what it says against it, so that nothing printed and failed differ."""
    try:
        # What it says against it is needed, which commands.output() drops.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            words,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            check=False,
            timeout=10,
            env=dict(os.environ, LC_ALL="C"),
        )
    except FileNotFoundError:
        return "", f"there is no program {words[0]}"
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)
    if done.returncode == 0:
        return done.stdout, None
    said = [line.rstrip(".") for line in done.stderr.strip().splitlines()]
    return "", "; ".join(said) or f"{words[0]} ended with exit code {done.returncode}"


class Cut(Kind):
    """What the host sends from or to Warren's ports goes nowhere, by rules of its routing.

    Loopback and all other ports (SSH among them) stay. Nothing is acknowledged any more, so within one retransmission
    what others send stops, too.
    """

    def refusal(self, ask: Ask) -> str | None:
        if not ask.addresses:
            return "addresses: fault cut needs the addresses of Warren's ports; list them as host:port."
        for address in ask.addresses:
            host, _colon, port = address.rpartition(":")
            if not port.isdigit():
                return f"addresses: {address!r} is not an address: write host:port, such as 10.0.0.1:8080."
            if LOOPBACK.match(host.strip("[]")):
                return (
                    f"Fault cut needs hosts of their own: {ask.name} talks over loopback ({address}), which no cut "
                    "reaches; take inventory netns, or set warren_load_fault to pause."
                )
            if port in _login_ports():
                return (
                    f"Fault cut on port {port} would cut off the login to this host: let Warren listen on another "
                    "port (warren_load_api_address, warren_load_raft_address)."
                )
        if not sys.platform.startswith("linux"):
            return "Fault cut needs Linux on the host: set warren_load_fault to pause."
        if os.geteuid() != 0:
            return "Fault cut needs root on the host: set ansible_become to true."
        if shutil.which("ip") is None:
            return "Fault cut needs the program ip: install iproute2 on the host, or set warren_load_fault to pause."
        # A rule that fits nothing, for a moment.
        trial = ("pref", str(RULE + 1), "ipproto", "tcp", "dport", "1", "blackhole")
        refused = _ip("rule", "add", *trial)
        if refused is not None:
            return (
                f"Fault cut needs routing rules by port, which this kernel or iproute2 refuses ({refused}): take Linux "
                "4.17 or newer with CONFIG_IP_MULTIPLE_TABLES, or set warren_load_fault to pause."
            )
        _ip("rule", "del", *trial)
        try:
            ruled = _ruled(RULE)
        except FaultError as error:
            return str(error)
        if ruled:
            return (
                f"Fault cut needs the preference {RULE} of routing rules, which is used already: end the fault that "
                f"made it with playbook cleanup, or remove it with ip {ruled} rule del pref {RULE}."
            )
        return None

    def prepare(self, ask: Ask) -> dict[str, Any]:
        ports = sorted({int(address.rpartition(":")[2]) for address in ask.addresses})
        return {"name": ask.name, "ports": ports, "preference": RULE}

    def apply(self, plan: dict[str, Any]) -> None:
        for family in FAMILIES:
            for port in plan["ports"]:
                for side in ("sport", "dport"):
                    words = ["pref", str(plan["preference"]), "ipproto", "tcp", side, str(port), "blackhole"]
                    refused = _ip(family, "rule", "add", *words)
                    if refused is not None and not _lacked(family, refused):
                        raise FaultError(f"{plan['name']} could not be cut off: ip: {refused}.")

    def undo(self, plan: dict[str, Any]) -> str:
        gone = 0
        for family in FAMILIES:
            # Each takes one away; there are no more than we made, and a few of who was interrupted.
            for _turn in range(8 * len(plan["ports"]) + 8):
                if _ip(family, "rule", "del", "pref", str(plan["preference"])) is not None:
                    break
                gone += 1
        left = _ruled(plan["preference"])
        if left:
            raise FaultError(
                f"{plan['name']} is still cut off: remove it by hand with ip {left} rule del pref {plan['preference']}."
            )
        return f"{plan['name']} reaches the others again" if gone else f"{plan['name']} was not cut off any more"


class PacketLoss(Kind):
    """A part of what the host sends is lost (netem)."""

    def refusal(self, ask: Ask) -> str | None:
        if not 0 < ask.loss <= 100:
            return f"loss is {ask.loss:g}: say a percentage above 0 and up to 100 (warren_load_fault_loss)."
        if not sys.platform.startswith("linux") or os.geteuid() != 0:
            return "Fault packet_loss needs Linux and root on the host: set ansible_become to true."
        if shutil.which("tc") is None or shutil.which("unshare") is None:
            return "Fault packet_loss needs the programs tc and unshare: install iproute2 and util-linux on the host."
        refused = _run("unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "loss", "1%")
        if refused is not None:
            return (
                f"Fault packet_loss needs the kernel's netem, which this one lacks ({refused}): load module sch_netem, "
                "or set warren_load_fault to cut."
            )
        interface = ask.interface or _interface()
        if not interface:
            return "Fault packet_loss found no network interface: set warren_load_fault_interface."
        shown = commands.output(["tc", "qdisc", "show", "dev", interface])
        if not shown:
            return f"interface: there is no {interface} on the host; set warren_load_fault_interface to one that is."
        if re.search(r"\b(netem|htb|tbf|hfsc|cake)\b", shown):
            return (
                f"Fault packet_loss would replace what shapes {interface} already ({shown.split()[1]}): set "
                "warren_load_fault_interface to another, or remove what shapes it."
            )
        return None

    def prepare(self, ask: Ask) -> dict[str, Any]:
        return {"name": ask.name, "interface": ask.interface or _interface(), "loss": ask.loss}

    def apply(self, plan: dict[str, Any]) -> None:
        words = ["dev", plan["interface"], "root", "netem", "loss", f"{plan['loss']:g}%"]
        refused = _run("tc", "qdisc", "add", *words)
        if refused is not None:
            raise FaultError(f"{plan['name']} could not be made to lose packets: tc: {refused}.")

    def undo(self, plan: dict[str, Any]) -> str:
        interface = plan["interface"]
        shown, refused = _answer("tc", "qdisc", "show", "dev", interface)
        # With an interface goes what was done to it.
        if refused is not None and interface in [name for _number, name in socket.if_nameindex()]:
            raise FaultError(
                f"Whether {plan['name']} still loses packets cannot be told ({refused}): see there with tc qdisc show "
                f"dev {interface}, and run playbook cleanup."
            )
        if "netem" not in shown:
            return f"{plan['name']} lost no packets any more"
        refused = _run("tc", "qdisc", "del", "dev", interface, "root")
        if refused is not None:
            raise FaultError(
                f"{plan['name']} still loses packets ({refused}): remove it by hand with tc qdisc del dev "
                f"{interface} root."
            )
        return f"{plan['name']} loses no packets any more"


def _ruled(preference: int) -> str:
    """The family that has a routing rule of that preference, else nothing. Raises FaultError where none can tell."""
    for family in FAMILIES:
        shown, refused = _answer("ip", family, "rule", "show")
        if refused is not None and not _lacked(family, refused):
            raise FaultError(
                f"The host does not show its routing rules (ip {family} rule show: {refused}), so a cut may be among "
                "them: see why it does not, and run playbook cleanup."
            )
        if f"\n{preference}:" in "\n" + shown:
            return family
    return ""


def _lacked(family: str, refused: str) -> bool:
    """Whether it was refused because the kernel lacks the family: there are no such rules then, and none are needed."""
    return family == "-6" and NO_FAMILY in refused


def _login_ports() -> set[str]:
    """The ports over which Ansible may have come."""
    words = os.environ.get("SSH_CONNECTION", "").split()
    return {"22", *words[3:4]}


def _interface() -> str:
    """The interface of the default route, else the only one beside loopback, else nothing."""
    found = re.search(r"\bdev (\S+)", commands.output(["ip", "-o", "route", "show", "default"]))
    if found:
        return found.group(1)
    names = re.findall(r"^\d+: ([^:@]+)", commands.output(["ip", "-o", "link", "show", "up"]), re.MULTILINE)
    others = [name for name in names if name != "lo"]
    return others[0] if len(others) == 1 else ""


# --- the host ---------------------------------------------------------------------------------------------------------


class SlowDisk(Kind):
    """A process may read and write only so much of the disk of its data (io.max of its control group)."""

    def refusal(self, ask: Ask) -> str | None:
        if ask.bytes_per_second <= 0 and ask.iops <= 0:
            return "Fault slow_disk needs a limit: set warren_load_fault_disk_rate or warren_load_fault_disk_iops."
        try:
            record = process_of(ask)
        except FaultError as error:
            return str(error)
        group = _control_group(record.pid)
        if group is None:
            return (
                "Fault slow_disk needs control groups of version 2 on the host, which has none: boot it with "
                "systemd.unified_cgroup_hierarchy=1, or set warren_load_fault to pause."
            )
        if not os.path.exists(os.path.join(group, "io.max")):
            return (
                f"Fault slow_disk needs {ask.name} in a control group with io.max, which {group} lacks: run it where "
                "systemd runs the host, with IOAccounting, or set warren_load_fault to pause."
            )
        if not os.access(os.path.join(group, "io.max"), os.W_OK):
            return "Fault slow_disk needs root on the host: set ansible_become to true."
        others = _others(group, record.pid)
        if others:
            return (
                f"Fault slow_disk would also slow process {others[0]}, which shares the control group of {ask.name}: "
                "run it as a unit of systemd's, or set warren_load_fault to pause."
            )
        if _disk(ask.path) is None:
            return (
                f"Fault slow_disk knows no disk behind {ask.path or 'no path'} (a file system in memory, or an "
                "overlay): put the data on a disk (warren_load_data_dir), or set warren_load_fault to pause."
            )
        return None

    def prepare(self, ask: Ask) -> dict[str, Any]:
        group, disk = _control_group(process_of(ask).pid), _disk(ask.path)
        if group is None or disk is None:
            raise FaultError(str(self.refusal(ask)))
        path = os.path.join(group, "io.max")
        before = next((line for line in process_table.read_text(path).splitlines() if line.startswith(disk + " ")), "")
        limits = {
            "rbps": ask.bytes_per_second,
            "wbps": ask.bytes_per_second,
            "riops": ask.iops,
            "wiops": ask.iops,
        }
        during = " ".join(f"{name}={limit}" for name, limit in limits.items() if limit > 0)
        unlimited = f"{disk} rbps=max wbps=max riops=max wiops=max"
        return {"name": ask.name, "file": path, "during": f"{disk} {during}", "before": before or unlimited}

    def apply(self, plan: dict[str, Any]) -> None:
        _write(plan["file"], plan["during"])

    def undo(self, plan: dict[str, Any]) -> str:
        if not os.path.exists(plan["file"]):
            return f"the control group of {plan['name']} is gone"
        _write(plan["file"], plan["before"])
        return f"the disk of {plan['name']} is as fast as before"


class ClockStep(Kind):
    """The host's clock goes wrong at once, by some seconds."""

    def refusal(self, ask: Ask) -> str | None:
        if ask.offset == 0:
            return "offset is 0: say by how many seconds the clock is to be wrong (warren_load_fault_offset)."
        if ask.shares_kernel and not ask.anyway:
            return (
                f"Fault clock_step needs a host with a clock of its own: {ask.name} shares its with this machine; take "
                f"virtual machines, such as inventory lima, or {ANYWAY}."
            )
        if not sys.platform.startswith("linux") or os.geteuid() != 0:
            return "Fault clock_step needs Linux and root on the host: set ansible_become to true."
        return None

    def prepare(self, ask: Ask) -> dict[str, Any]:
        return {"name": ask.name, "offset": ask.offset, "difference": _difference()}

    def apply(self, plan: dict[str, Any]) -> None:
        _set_clock(_now() + plan["offset"])

    def undo(self, plan: dict[str, Any]) -> str:
        wrong = _difference() - plan["difference"]
        # A time service may have put it right before us: the nearer of the two is what it is.
        if abs(wrong - plan["offset"]) >= abs(wrong):
            return f"the clock of {plan['name']} was right already"
        _set_clock(_now() - plan["offset"])
        return f"the clock of {plan['name']} is right again"


class MemoryPressure(Kind):
    """Somebody takes so much memory; who applies it holds it, and gives it back in any case by ending."""

    held = True

    def __init__(self) -> None:
        self._taken: list[mmap.mmap] = []

    def refusal(self, ask: Ask) -> str | None:
        if ask.memory <= 0:
            return f"memory is {ask.memory}: say how many MB are to be taken (warren_load_fault_memory)."
        if ask.shares_kernel and not ask.anyway:
            return (
                f"Fault memory_pressure needs a host with memory of its own: {ask.name} shares its with this machine; "
                f"take virtual machines, such as inventory lima, or {ANYWAY}."
            )
        free = _memory_free()
        if free is None:
            return "Fault memory_pressure needs Linux on the host: set warren_load_fault to pause."
        if ask.memory > free - MEMORY_LEFT:
            return (
                f"Fault memory_pressure of {ask.memory} MB leaves less than {MEMORY_LEFT} MB of the {free} MB that are "
                "free: set warren_load_fault_memory to less."
            )
        return None

    def prepare(self, ask: Ask) -> dict[str, Any]:
        return {"name": ask.name, "memory": ask.memory}

    def apply(self, plan: dict[str, Any]) -> None:
        try:
            with open("/proc/self/oom_score_adj", "w", encoding="ascii") as stream:
                stream.write("1000")  # if somebody must go, it is us
        except OSError:
            pass
        left = plan["memory"] << 20
        while left > 0:
            part = mmap.mmap(-1, min(SLICE, left))
            for offset in range(0, len(part), PAGE):
                part[offset] = 1  # a page that nobody wrote takes no memory
            self._taken.append(part)
            left -= len(part)

    def undo(self, plan: dict[str, Any]) -> str:
        while self._taken:
            self._taken.pop().close()
        return f"the memory of {plan['name']} is free again"


def _memory_free() -> int | None:
    found = re.search(r"^MemAvailable:\s+(\d+) kB", process_table.read_text("/proc/meminfo"), re.MULTILINE)
    return int(found.group(1)) // 1024 if found else None


def _now() -> float:
    return time.time()


def _difference() -> float:
    """The clock, seen from one that nobody sets."""
    return time.time() - time.monotonic()


def _set_clock(seconds: float) -> None:
    time.clock_settime(time.CLOCK_REALTIME, seconds)


def _control_group(pid: int) -> str | None:
    """The folder of the process's control group of version 2."""
    found = re.search(r"^0::(/.*)$", process_table.read_text(f"/proc/{pid}/cgroup"), re.MULTILINE)
    if found is None or not os.path.exists(os.path.join(CGROUPS, "cgroup.controllers")):
        return None
    return os.path.join(CGROUPS, found.group(1).strip("/"))


def _others(group: str, pid: int) -> list[int]:
    """Processes of the group that are neither the one nor come from it."""
    below = process_table.children()
    own, found = set(), [pid]
    while found:
        own.add(found[-1])
        found.extend(below.get(found.pop(), []))
    listed = process_table.read_text(os.path.join(group, "cgroup.procs")).split()
    return [int(each) for each in listed if int(each) not in own]


def _disk(path: str) -> str | None:
    """The disk, as MAJOR:MINOR, that holds the path; None where none does."""
    try:
        device = os.stat(path).st_dev
    except OSError:
        return None
    number = f"{os.major(device)}:{os.minor(device)}"
    folder = os.path.realpath(os.path.join(BLOCK_DEVICES, number))
    if os.path.exists(os.path.join(folder, "partition")):
        folder = os.path.dirname(folder)
    return process_table.read_text(os.path.join(folder, "dev")).strip() or None


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as stream:
        stream.write(text)


FATAL = ("kill",)  # kinds after which the process does not come back by itself
SILENCING = ("kill", "pause", "cut")  # kinds in which nothing is heard of the target
KINDS: dict[str, Callable[[], Kind]] = {
    "kill": Kill,
    "pause": Pause,
    "cut": Cut,
    "packet_loss": PacketLoss,
    "slow_disk": SlowDisk,
    "clock_step": ClockStep,
    "memory_pressure": MemoryPressure,
}
