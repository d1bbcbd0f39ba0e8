# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fault on a host, and the watchdog that undoes it whatever becomes of those who asked for it.

What undoing needs is written down first. Then a program of its own session starts, the watchdog: it alone does the
fault, and undoes it when it is told to, when its time is over, or when nobody has renewed the lease for too long. So
there is no moment with a fault and nobody to undo it; where the watchdog itself is killed, the record is left, and
`undo` works from that. Below the folder of all faults each has one of its own, named by its id:

    fault.json   State: what was asked, what undoing needs, what came of it
    lease        touched by who wants the fault to last
    pid.json     the watchdog, as node/supervision.py records it

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from types import FrameType
from typing import Any

from ansible_collections.warren.load.plugins.module_utils.node import (
    commands,
    fault_kinds,
    ports,
    process_table,
    standalone,
    supervision,
    systemd,
)
from ansible_collections.warren.load.plugins.module_utils.node.fault_kinds import Ask, FaultError, Kind

APPLIED = "Applied"
FAILED = "Failed: "
GOING = ("arming", "armed", "active")
LOOK = 0.1  # seconds between two looks at the lease, and so how late an undo may begin
TRIES = 60  # times, one each second, that the watchdog tries an undo that fails
PATIENCE = 20.0  # seconds for the watchdog to undo before it is taken for dead
READY_TIMEOUT = 30.0  # seconds; to take much memory takes time
LONGEST = 3600.0  # seconds a fault may last
# What a watchdog is made of, besides this module.
PARTS = (fault_kinds, supervision, process_table, commands, systemd, ports, standalone)


@dataclass
class State:
    """What is recorded of a fault. Times are the host's, in Unix s; ``ended`` counts a clock that nobody sets.

    ``state``: arming (not done yet), armed (the watchdog runs), active, undone, failed (was never done, or not whole,
    and is undone). ``undone_by``: told, deadline, lease, cleanup or restart. ``error``: why an undo failed.
    """

    id: str
    kind: str
    name: str
    run_id: str
    plan: dict[str, Any]
    seconds: float
    lease: float
    boot: str
    state: str = "arming"
    armed: float = 0.0
    began: float | None = None
    ended: float | None = None
    undone_by: str = ""
    outcome: str = ""
    error: str = ""
    clock: float = field(default=0.0)  # monotonic s when it began

    @property
    def going(self) -> bool:
        """Whether there is, or may be, something to undo."""
        return self.state in GOING


def arm(
    folder: str, fault_id: str, ask: Ask, run_id: str, *, seconds: float, lease: float, together: bool = False
) -> tuple[State, bool]:
    """Do the fault for at most ``seconds``, and for ``lease`` s beyond the last renewal (0: needs none).

    Returns its state, and whether this call did it: the very same fault of the same run goes on. Raises FaultError,
    with nothing done, where the host cannot do it, or another fault goes on and not ``together``.
    """
    kind = kind_of(ask.kind)
    check(fault_id, seconds, lease)
    with _guard(folder):
        for other in states(folder):
            if not other.going:
                continue
            if (other.id, other.kind, other.name, other.run_id) == (fault_id, ask.kind, ask.name, run_id):
                return other, False
            if not together or other.id == fault_id:
                raise FaultError(_two_at_once(other))
        refused = kind.refusal(ask)
        if refused is not None:
            raise FaultError(refused)
        own = os.path.join(folder, fault_id)
        supervision.remove([own])
        os.makedirs(own, mode=0o700)
        state = State(
            fault_id, ask.kind, ask.name, run_id, kind.prepare(ask), seconds, lease, boot=_boot(), armed=time.time()
        )
        with open(os.open(os.path.join(own, "lease"), os.O_WRONLY | os.O_CREAT, 0o600), "wb"):
            pass
        program = os.path.join(own, "watchdog.pyz")
        with open(program, "wb") as archive:
            archive.write(standalone.archive((sys.modules[__name__], *PARTS)))
        _write(own, state)
        try:
            supervision.start(
                supervision.Program(
                    name=f"the watchdog of fault {ask.kind}",
                    argv=[sys.executable, "-I", program, own],
                    pid_file=os.path.join(own, "pid.json"),
                    log_file=os.path.join(own, "log"),
                    chdir="/",
                    labels={"run_id": run_id},
                    unit=_unit(own, fault_id),
                    ready_pattern=f"^{APPLIED}$",
                    ready_timeout=READY_TIMEOUT,
                )
            )
        except (supervision.SupervisionError, OSError) as error:
            left = _undo_here(own, kind, "failed").error
            if left:
                raise FaultError(left) from error
            if isinstance(error, OSError):
                raise
            said = [line[len(FAILED) :] for line in error.log_tail if line.startswith(FAILED)]
            raise FaultError(said[-1] if said else f"{error} Nothing was done to {ask.name}.") from error
        return read(own) or state, True


def busy(folder: str) -> str | None:
    """Why a fault that is to be the only one must wait; None where none goes on."""
    return next((_two_at_once(other) for other in states(folder) if other.going), None)


def _two_at_once(other: State) -> str:
    return (
        f"Two fault runs at once: fault {other.kind} of {other.name} (run {other.run_id}) goes on here until "
        f"{_clock(other)}; wait for it, end it with playbook cleanup, or set warren_load_fault_together to true."
    )


def renew(folder: str, run_id: str) -> list[State]:
    """Have the faults of a run last on; returns those that do."""
    going = [state for state in states(folder) if state.going and state.run_id == run_id]
    for state in going:
        os.utime(os.path.join(folder, state.id, "lease"))
    return going


def undo(folder: str, run_id: str | None = None, fault_id: str | None = None) -> list[State]:
    """Undo the faults, of that run and that id or all of them; returns those that went on, with what came of them.

    Raises FaultError for the first that could not be undone, after all were tried.
    """
    if not os.path.isdir(folder):
        return []
    found, failures = [], []
    with _guard(folder):
        for state in states(folder):
            wanted = run_id in (None, state.run_id) and fault_id in (None, state.id)
            if not wanted or not state.going:
                continue
            own = os.path.join(folder, state.id)
            try:
                supervision.stop(os.path.join(own, "pid.json"), PATIENCE)
            except supervision.SupervisionError as error:
                failures.append(str(error))
            now = read(own) or state
            if now.going:  # the watchdog was killed, or could not
                now = _undo_here(own, kind_of(now.kind), "undone", "cleanup")
            found.append(now)
            failures += [now.error] if now.error else []
    if failures:
        raise FaultError(failures[0])
    return found


def states(folder: str) -> list[State]:
    """All faults that are recorded, in the order in which they were armed."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    found = [read(os.path.join(folder, name)) for name in names if os.path.isdir(os.path.join(folder, name))]
    return sorted((state for state in found if state is not None), key=lambda state: state.armed)


def read(own: str) -> State | None:
    """The record of one fault; None where there is none that can be read."""
    try:
        with open(os.path.join(own, "fault.json"), encoding="utf-8") as stream:
            return State(**json.load(stream))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None


def watchdog_runs(folder: str, fault_id: str) -> bool:
    """Whether somebody is there to undo the fault."""
    return supervision.running_record(os.path.join(folder, fault_id, "pid.json")) is not None


def kind_of(name: str) -> Kind:
    """The kind by its name. Raises FaultError."""
    if name not in fault_kinds.KINDS:
        raise FaultError(f"warren_load_fault is {name!r}: say one of {', '.join(fault_kinds.KINDS)}.")
    return fault_kinds.KINDS[name]()


# --- the watchdog -----------------------------------------------------------------------------------------------------


class Watchdog:
    """Does the fault of ``own``, a folder, and undoes it."""

    def __init__(self, own: str) -> None:
        self.own = own
        self.told = False
        state = read(own)
        if state is None:
            raise FaultError(f"There is no fault in {own}.")
        self.state = state
        self.kind = kind_of(state.kind)

    def tell(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """Undo it now (a signal's handler)."""
        self.told = True

    def run(self) -> None:
        """To its end. Raises FaultError where the fault could not be done; what was done of it is undone then."""
        self.state.state = "armed"
        _write(self.own, self.state)
        self.state.clock, self.state.began = time.monotonic(), time.time()
        becomes, undone_by = "failed", "failed"
        try:
            self.kind.apply(self.state.plan)
            self.state.state = "active"
            self._record()
            sys.stdout.write(f"{APPLIED}\n")
            sys.stdout.flush()
            becomes, undone_by = "undone", self._wait()
        except (FaultError, OSError, MemoryError) as error:
            raise FaultError(_sentence(error, self.state)) from error
        finally:
            self._undo(becomes, undone_by)

    def _wait(self) -> str:
        """Until it is to be undone; why."""
        deadline = self.state.clock + self.state.seconds
        renewed, mark = time.monotonic(), self._mark()
        while not self.told:
            now = time.monotonic()
            if now >= deadline:
                return "deadline"
            seen = self._mark()
            if seen != mark:
                renewed, mark = now, seen
            # A folder that is gone renews nothing, and nobody will tell us any more.
            if seen is None or (self.state.lease and now - renewed >= self.state.lease):
                return "lease"
            time.sleep(min(LOOK, max(0.0, deadline - now)))
        return "told"

    def _mark(self) -> int | None:
        """What changes with each renewal; not compared with a clock, which may be what is wrong."""
        try:
            return os.stat(os.path.join(self.own, "lease")).st_mtime_ns
        except OSError:
            return None

    def _undo(self, becomes: str, undone_by: str) -> None:
        for turn in range(TRIES):
            if turn:
                time.sleep(1.0)
            _undone(self.state, self.kind, becomes, undone_by)
            self._record()
            if not self.state.error:
                return

    def _record(self) -> None:
        """As far as the disk lets us, for undoing must go on: who finds an older record undoes once more, in vain."""
        try:
            _write(self.own, self.state)
        except OSError:
            pass


def main(arguments: list[str]) -> int:
    """Run with the fault's own folder."""
    watchdog = Watchdog(arguments[0])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, watchdog.tell)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        watchdog.run()
    except FaultError as error:
        sys.stdout.write(f"{FAILED}{error}\n")
        return 1
    return 0


def _undo_here(own: str, kind: Kind, becomes: str, undone_by: str = "failed") -> State:
    state = read(own)
    if state is None:
        raise FaultError(f"{own}: the record of the fault is gone; see with playbook diagnose what is left of it.")
    if state.going:
        if state.boot == _boot():
            _undone(state, kind, becomes, undone_by)
        else:
            state.state, state.undone_by, state.outcome = "undone", "restart", f"{state.name}'s host started anew"
        try:
            _write(own, state)
        except OSError as error:  # so the next one undoes it once more
            state.error = state.error or _sentence(error, state)
    return state


def _undone(state: State, kind: Kind, becomes: str, undone_by: str) -> None:
    """One try to undo, and what came of it."""
    try:
        state.outcome = kind.undo(state.plan)
    except (FaultError, OSError) as error:
        state.error = _sentence(error, state)
    else:
        state.error, state.state, state.undone_by = "", becomes, undone_by
        if state.began is not None:
            state.ended = round(state.began + time.monotonic() - state.clock, 6)


def _sentence(error: BaseException, state: State) -> str:
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"Fault {state.kind} of {state.name}: {error.strerror or error}{where}."
    if isinstance(error, MemoryError):
        return f"Fault {state.kind} of {state.name}: there is too little memory; set warren_load_fault_memory to less."
    return str(error)


def check(fault_id: str, seconds: float, lease: float) -> None:
    """Raises FaultError for what no host can do."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fault_id):
        raise FaultError(f"id: {fault_id!r} is no name of a folder: use letters, digits, dots, dashes and underscores.")
    if not 0 < seconds <= LONGEST:
        raise FaultError(
            f"seconds is {seconds:g}: a fault lasts more than 0 and at most {LONGEST:g} s (warren_load_fault_seconds)."
        )
    if lease < 0:
        raise FaultError(f"lease is {lease:g}: say a number of seconds, or 0 for none.")


def _unit(own: str, fault_id: str) -> str:
    """What systemd calls the watchdog; clusters that share a host have faults of the same name."""
    return f"warren-load-fault-{fault_id}-{hashlib.sha256(own.encode()).hexdigest()[:8]}"


def _clock(state: State) -> str:
    return time.strftime("%H:%M:%S", time.localtime((state.began or state.armed) + state.seconds)) + " at the latest"


def _boot() -> str:
    """Names this run of the system; empty where it has no name."""
    return process_table.read_text(os.path.join(process_table.PROC, "sys/kernel/random/boot_id")).strip()


def _write(own: str, state: State) -> None:
    """For the caller's eyes only, whole, and on the disk: it is what undoing works from."""
    part = os.path.join(own, f"fault.json.{os.getpid()}")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            json.dump(asdict(state), stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, os.path.join(own, "fault.json"))
    except FileNotFoundError:
        pass  # the folder was removed under a fault that is undone all the same


@contextmanager
def _guard(folder: str) -> Iterator[None]:
    """Two who arm or undo at once wait for each other; the kernel drops the guard of a dead one."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    with open(os.open(os.path.join(folder, "guard"), os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield
