# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes Lima's VMs, repairs them and removes them again: those of one inventory, and no other.

Lima allows one writing limactl at a time where VMs share network user-v2: each ends by stopping the networks that it
takes for unused, also that of a VM which is still booting, whose `start` then hangs far beyond its own --timeout. So
one follows the other, each under a time limit of ours, and none while somebody else's runs.

Whose a VM is says WARREN_LOAD_INVENTORY in `env` of its lima.yaml. A note is kept for as long as one is being made: a
VM with a note is half-made, and is made anew.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import typing as t

from . import lima_records as records
from .limactl import Limactl, LimactlError

OWNER = "WARREN_LOAD_INVENTORY"
ROLE = "WARREN_LOAD_ROLE"
CLONES = (1, 2)  # the first Lima that can clone
GRACE = 60.0  # s beyond --timeout, which limactl may miss
CREATE_LIMIT = 1800.0  # s: it may download an image
OTHERS_LIMIT = 900.0  # s that somebody else's limactl is waited for
SHORT_LIMIT = 180.0  # s for stop, delete and clone
_WRITES = re.compile(r"(?:^|[\s/])limactl(?:\s+-\S+)*\s+(create|start|stop|restart|delete|rm|clone|rename|edit)\b")


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A VM that is to be: ``definition`` is its lima.yaml without env, memory and disk in bytes."""

    name: str
    role: str
    definition: dict[str, t.Any]

    @property
    def sizes(self) -> tuple[int, int, int]:
        """cpus, memory and disk, in bytes."""
        cpus = str(self.definition["cpus"])
        if not cpus.isdecimal() or cpus == "0":
            raise LimactlError(f"lima_hosts_cpus is {cpus!r}: it must be a whole number, 1 or more.")
        return int(cpus), size(self.definition["memory"]), size(self.definition["disk"])


class Machine(t.NamedTuple):
    """What making VMs asks of this machine; None where it is not known."""

    system: str
    arch: str
    kvm: bool
    programs: frozenset[str]
    memory: int | None
    disk: int | None


@dataclasses.dataclass
class Change:
    """What was done, or would be, as sentences in the past."""

    done: list[str] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)
    failed: list[str] = dataclasses.field(default_factory=list)


def size(text: t.Any) -> int:
    """Bytes of a size such as 2GiB or 512MiB; LimactlError for another text."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT])(i?)B", str(text).strip())
    if not found:
        raise LimactlError(
            f"The size {str(text)!r} (lima_hosts_memory, lima_hosts_disk) cannot be read: write it like 2GiB or 512MiB."
        )
    number, unit, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** ("KMGT".index(unit) + 1))


def gib(count: int) -> str:
    """Bytes for a person."""
    return f"{count / 2**30:.1f}".removesuffix(".0") + " GiB"


def owner_of(instance: records.Instance) -> str:
    """Which inventory made it, empty for none."""
    return instance["env"].get(OWNER, "")


def foreign(
    wanted: t.Sequence[Wanted], there: t.Mapping[str, records.Instance], mark: str, half: t.Collection[str]
) -> str:
    """A sentence if a name is taken by a VM that is not this inventory's, else empty. ``half``: names with a note."""
    for name in (each.name for each in wanted):
        instance = there.get(name)
        if instance is None:
            continue
        if not instance["config"]:
            if name in half:
                continue
            return (
                f"{instance['dir']} is there and has no lima.yaml that Lima can read, so there is no telling whose it "
                "is: remove that folder if it is nobody's, or set lima_hosts_prefix, so that the VMs have other "
                "names."
            )
        if owner_of(instance) != mark:
            whose = f"inventory {owner_of(instance)}" if owner_of(instance) else "somebody else"
            return (
                f"VM {name} in {instance['home']} was made by {whose}, and is left alone: set lima_hosts_prefix, so "
                "that the VMs have other names, or lima_hosts_home for another LIMA_HOME."
            )
    return ""


def misfits(wanted: t.Sequence[Wanted], there: t.Mapping[str, records.Instance]) -> list[str]:
    """A sentence for VMs that are there with other sizes than asked for."""
    ones = [
        each.name
        for each in wanted
        if each.name in there
        and there[each.name]["config"]
        and each.sizes != (there[each.name]["cpus"], there[each.name]["memory"], there[each.name]["disk"])
    ]
    if not ones:
        return []
    return [
        f"{', '.join(ones)}: made with other sizes than lima_hosts_cpus, lima_hosts_memory and lima_hosts_disk say "
        "now, and kept as they are: hosts-down and hosts-up make them anew."
    ]


def shortages(
    new: t.Sequence[Wanted], starting: t.Sequence[Wanted], machine: Machine, vm_type: str, emulate: bool, disk_each: int
) -> list[str]:
    """A sentence for each thing that this machine lacks. ``new`` are to be made, ``starting`` to be started."""
    found: list[str] = []
    if not starting:
        return found
    arch = str(starting[0].definition.get("arch") or machine.arch)
    if (vm_type or ("vz" if machine.system == "Darwin" else "qemu")) == "qemu":
        for program, package in ((f"qemu-system-{arch}", "QEMU"), ("qemu-img", "qemu-utils")):
            if program not in machine.programs:
                found.append(f"There is no {program} on PATH, which runs Lima's VMs: install {package}.")
        if machine.system == "Linux" and not emulate and (arch != machine.arch or not machine.kvm):
            why = (
                "This user may not use /dev/kvm"
                if arch == machine.arch
                else f"This machine is {machine.arch}, not {arch}"
            )
            found.append(
                f"{why}, so VMs would be emulated, some 20 times slower, and no measure of Warren: load the kernel's "
                "kvm module and join group kvm, or accept it with -e lima_hosts_emulation=true."
            )
    memory = sum(each.sizes[1] for each in starting)
    if machine.memory is not None and memory > machine.memory:
        found.append(
            f"The {len(starting)} VMs to start take {gib(memory)} of memory, and {gib(machine.memory)} are free here: "
            "ask for fewer (-e managers=… -e workers=…) or for smaller ones (lima_hosts_memory)."
        )
    disk = disk_each * len(new)
    if machine.disk is not None and disk > machine.disk:
        found.append(
            f"The {len(new)} VMs to make take about {gib(disk)} of disk, and {gib(machine.disk)} are free where Lima "
            "keeps them: ask for fewer (-e managers=… -e workers=…), or set lima_hosts_home to a place with more."
        )
    return found


def this_machine(home: str) -> Machine:
    """This one."""
    arch = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    memory = None
    with contextlib.suppress(OSError, ValueError):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError), open("/proc/meminfo", encoding="utf-8") as stream:
        told = re.search(r"^MemAvailable:\s+(\d+) kB", stream.read(), re.MULTILINE)
        memory = int(told[1]) * 1024 if told else memory
    place = home
    while not os.path.isdir(place):
        place = os.path.dirname(place) or "/"
    programs = (f"qemu-system-{each}" for each in ("x86_64", "aarch64", "riscv64", "armv7l", "ppc64le", "s390x"))
    return Machine(
        platform.system(),
        arch,
        os.access("/dev/kvm", os.R_OK | os.W_OK),
        frozenset(each for each in (*programs, "qemu-img") if shutil.which(each)),
        memory,
        shutil.disk_usage(place).free,
    )


class Notes:
    """Which VMs of a LIMA_HOME are being made, as files of ours; and the lock that lets one playbook write."""

    def __init__(self, state_dir: str, home: str) -> None:
        place = hashlib.sha256(os.path.realpath(home).encode()).hexdigest()[:12]
        self.folder = os.path.join(os.path.expanduser(state_dir), f"lima-{place}")
        self._home = home

    def names(self) -> set[str]:
        """Those with a note."""
        with contextlib.suppress(OSError):
            return {name.removesuffix(".json") for name in os.listdir(self.folder) if name.endswith(".json")}
        return set()

    def add(self, name: str) -> None:
        """It is being made."""
        with open(os.path.join(self.folder, f"{name}.json"), "w", encoding="utf-8") as stream:
            json.dump({"lima_home": self._home, "name": name, "since": time.time()}, stream)

    def remove(self, name: str) -> None:
        """It is whole, or gone."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.folder, f"{name}.json"))

    @contextlib.contextmanager
    def locked(self) -> t.Iterator[None]:
        """Nobody else of this collection writes meanwhile; LimactlError if somebody does."""
        import fcntl

        os.makedirs(self.folder, exist_ok=True)
        with open(os.path.join(self.folder, "lock"), "w", encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise LimactlError(
                    f"Another hosts-up or hosts-down changes the VMs in {self._home} now: wait for it to end."
                ) from None
            yield


@dataclasses.dataclass
class Maker:
    """Changes the VMs of one inventory. ``say`` shows a line, ``others`` lists other limactl that write."""

    limactl: Limactl
    notes: Notes
    mark: str
    say: t.Callable[[str], None]
    start_timeout: float = 600.0
    clone_from: int = 0
    golden: str = ""
    check: bool = False
    others: t.Callable[[], list[str]] = list

    def up(self, wanted: list[Wanted], before: t.Callable[[list[Wanted], list[Wanted]], list[str]]) -> Change:
        """All of them made and started. ``before`` says, of those to make and those to start, what is short."""
        change = Change()
        there = self._there()
        half = self.notes.names()
        refused = foreign(wanted, there, self.mark, half)
        if refused:
            raise LimactlError(refused)
        change.warnings = misfits(wanted, there)
        new = [each for each in wanted if each.name not in there or each.name in half or not there[each.name]["config"]]
        starting = [each for each in wanted if each in new or there[each.name]["status"] != "Running"]
        short = before(new, starting)
        if short:
            raise LimactlError("\n".join(short))
        if self.check:
            change.done = [f"{each.name} would be made and started" for each in new]
            change.done += [f"{each.name} would be started" for each in starting if each not in new]
            for line in change.done:
                self.say(line)
            return change
        if not starting:
            return change
        with self.notes.locked():
            for each in (one for one in wanted if one.name in there and one in new):
                self._remove_half(there[each.name], change)
            self._make(new, there, change)
            for number, each in enumerate(starting, 1):
                place = f"({number} of {len(starting)})"
                broken = each not in new and there[each.name]["status"] == "Broken"
                self._start(each, change, place, broken=broken, fresh=each in new)
        return change

    def down(self) -> Change:
        """All of this inventory's VMs removed."""
        change = Change()
        mine = self.mine()
        if self.check or not mine:
            change.done = [f"{instance['name']} would be removed" for instance in mine]
            for line in change.done:
                self.say(line)
            return change
        with self.notes.locked():
            for number, instance in enumerate(mine, 1):
                name = instance["name"]
                try:
                    self._remove(instance)
                except LimactlError as error:
                    hint = f" (`limactl unprotect {name}` first)" if instance["protected"] else ""
                    change.failed.append(f"{error}{hint}")
                    continue
                change.done.append(f"{name} was removed")
                self.say(f"{name} is removed ({number} of {len(mine)})")
        return change

    def all(self) -> list[records.Instance]:
        """Every VM that there is, by name."""
        return sorted(self._there().values(), key=lambda instance: instance["name"])

    def mine(self) -> list[records.Instance]:
        """This inventory's VMs."""
        half = self.notes.names()
        return [
            instance
            for instance in self.all()
            if owner_of(instance) == self.mark or (not instance["config"] and instance["name"] in half)
        ]

    def _there(self) -> dict[str, records.Instance]:
        """All that there are, also folders which make limactl fail."""
        instances, _warnings = self.limactl.instances()
        found = {instance["name"]: instance for instance in instances}
        with contextlib.suppress(OSError):
            for name in os.listdir(self.limactl.home):
                if name not in found and name[0] not in "._" and os.path.isdir(os.path.join(self.limactl.home, name)):
                    found[name] = records.normalise({"name": name, "status": "Broken"}, self.limactl.home)
        return found

    def _write(self, *words: str, limit: float = SHORT_LIMIT) -> None:
        """One limactl that changes something, once nobody else's does; LimactlError if it fails."""
        self._wait_for_others()
        self.limactl.on_wait = lambda seconds: self.say(f"limactl {words[0]} goes on, {seconds:.0f} s")
        self.limactl.check(self.limactl.run(*words, timeout=limit))

    def _wait_for_others(self) -> None:
        end = time.monotonic() + OTHERS_LIMIT
        told = ""
        while others := self.others():
            if time.monotonic() > end:
                raise LimactlError(f"`{others[0]}` still runs, and Lima allows no other change meanwhile: end it.")
            if others[0] != told:
                told = others[0]
                self.say(f"waits for `{told}`, since Lima allows one change at a time")
            time.sleep(0.5)

    def _remove(self, instance: records.Instance) -> None:
        """It is gone. `limactl delete -f` fails on a folder without a lima.yaml, which is half of one of ours."""
        if instance["config"]:
            self._write("delete", "-f", instance["name"])
        else:
            shutil.rmtree(os.path.join(self.limactl.home, instance["name"]))
        self.notes.remove(instance["name"])

    def _remove_half(self, instance: records.Instance, change: Change) -> None:
        self.say(f"{instance['name']} is only half-made: it is made anew")
        self._remove(instance)
        change.done.append(f"{instance['name']} was half-made and removed")

    def _make(self, new: list[Wanted], there: t.Mapping[str, records.Instance], change: Change) -> None:
        if self.clone_from and len(new) >= self.clone_from and self._can_clone():
            self._make_golden(new[0], there, change)
            for number, each in enumerate(new, 1):
                cpus, memory, disk = (each.definition[key] for key in ("cpus", "memory", "disk"))
                values = {".cpus": cpus, ".memory": memory, ".disk": disk, f".env.{ROLE}": each.role}
                expression = " | ".join(f"{path} = {json.dumps(value)}" for path, value in values.items())
                self.notes.add(each.name)
                self._write("clone", "--tty=false", self.golden, each.name, f"--set={expression}")
                self.notes.remove(each.name)
                change.done.append(f"{each.name} was cloned")
                self.say(f"{each.name} is cloned ({number} of {len(new)})")
            return
        for number, each in enumerate(new, 1):
            self._create(each, change)
            self.say(f"{each.name} is made ({number} of {len(new)})")

    def _can_clone(self) -> bool:
        version = records.version_in(self.limactl.check_version())
        return version is None or version >= CLONES

    def _create(self, each: Wanted, change: Change) -> None:
        self.notes.add(each.name)
        definition = each.definition | {"env": each.definition.get("env", {}) | {OWNER: self.mark, ROLE: each.role}}
        path = os.path.join(self.notes.folder, f"{each.name}.yaml")
        with open(path, "w", encoding="utf-8") as stream:
            json.dump(definition, stream, indent=1)  # which is YAML
        try:
            self._write("create", "--tty=false", f"--name={each.name}", path, limit=CREATE_LIMIT)
        except LimactlError as error:
            raise LimactlError(f"{error} Which images there are is up to lima_hosts_image.") from None
        finally:
            os.unlink(path)
        self.notes.remove(each.name)
        change.done.append(f"{each.name} was made")

    def _make_golden(self, like: Wanted, there: t.Mapping[str, records.Instance], change: Change) -> None:
        """One VM that has booted once, and is stopped, to be cloned."""
        golden = Wanted(self.golden, "", like.definition)
        refused = foreign([golden], there, self.mark, self.notes.names())
        if refused:
            raise LimactlError(refused)
        ready = golden.name in there and there[golden.name]["config"] and golden.name not in self.notes.names()
        if ready:
            if there[golden.name]["status"] != "Stopped":
                self._write("stop", "-f", golden.name)
            return
        if golden.name in there:
            self._remove_half(there[golden.name], change)
        self._create(golden, change)
        self.notes.add(golden.name)  # until it has booted, it is none to clone
        self._start(golden, change, "(to be cloned)", broken=False, fresh=True)
        if change.failed:
            raise LimactlError(change.failed.pop())
        self._write("stop", golden.name)
        self.notes.remove(golden.name)

    def _start(self, each: Wanted, change: Change, place: str, *, broken: bool, fresh: bool) -> None:
        """Started, with one repair; a second failure is kept, and the others go on."""
        if broken:
            self._write("stop", "-f", each.name)
            change.done.append(f"{each.name} was Broken and is repaired")
        begun = time.monotonic()
        error = self._try_to_start(each.name)
        if error and self._status(each.name) == "Running":
            # Degraded, or slower than --timeout: whether it can be used says SSH.
            change.warnings.append(f"{each.name} runs, but Lima is not content with it: {error}")
            error = ""
        if error:
            self.say(f"{each.name} did not start, and is repaired: {error}")
            error = self._repair(each, change, fresh=fresh)
        if error:
            log = os.path.join(self.limactl.home, each.name, "ha.stderr.log")
            change.failed.append(f"VM {each.name} does not start, see {log}: {error}")
            return
        change.done.append(f"{each.name} was started")
        self.say(f"{each.name} is started {place}, {time.monotonic() - begun:.0f} s")

    def _repair(self, each: Wanted, change: Change, *, fresh: bool) -> str:
        """Stop it by force, make it anew if it never ran, and start it again; empty, or what is wrong."""
        try:
            if fresh and each.name != self.golden:
                self._write("delete", "-f", each.name)
                self._create(each, change)
            else:
                self._write("stop", "-f", each.name)
        except LimactlError as error:
            return str(error)
        return self._try_to_start(each.name)

    def _try_to_start(self, name: str) -> str:
        """Empty, or what is wrong. Under an own time limit: --timeout does not hold when the network is gone."""
        minutes = max(1, round(self.start_timeout / 60))
        try:
            self._write("start", "--tty=false", "--timeout", f"{minutes}m", name, limit=self.start_timeout + GRACE)
        except LimactlError as error:
            return str(error)
        return ""

    def _status(self, name: str) -> str:
        return next((each["status"] for each in self.limactl.instances()[0] if each["name"] == name), "")


def writing() -> list[str]:
    """The command lines of this user's limactl that change something, oldest first."""
    argv = ["ps", "-x", "-o", "args="] if sys.platform == "darwin" else ["ps", "-x", "-o", "args=", "ww"]
    try:
        told = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in told.splitlines() if _WRITES.search(line)]
