# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A foreground program started once, found again by its pid file, and stopped for good.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.warren.load.plugins.module_utils.node import ports, process_table, systemd

POLL = 0.05
TAIL_LINES = 20
SECRET = re.compile(r"\b[0-9a-f]{64}\b")  # Warren's join tokens, which it prints when it starts


class SupervisionError(Exception):
    """One sentence for the user; log_tail holds the program's last words, secrets masked."""

    def __init__(self, message: str, log_tail: list[str] | None = None, returncode: int | None = None) -> None:
        super().__init__(message)
        self.log_tail = log_tail or []
        self.returncode = returncode


@dataclass
class Program:
    """What is to run. Paths are absolute; `identity` counts as a part of argv when two starts are compared."""

    name: str
    argv: list[str]
    pid_file: str
    log_file: str
    chdir: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    identity: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    directories: list[str] = field(default_factory=list)
    wipe: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    free_ports: list[str] = field(default_factory=list)
    port_remedies: dict[str, str] = field(default_factory=dict)
    unit: str = ""
    stop_timeout: float = 10.0
    ready_pattern: str | None = None
    ready_ports: list[str] = field(default_factory=list)
    ready_timeout: float = 30.0

    def fingerprint(self) -> str:
        """Names argv and identity without giving them away."""
        told = json.dumps([self.argv, self.identity])
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True)
class Record:
    """A pid file's content."""

    name: str
    pid: int
    start_time: str
    argv_sha256: str
    labels: dict[str, str]
    unit: str = ""

    @property
    def running(self) -> bool:
        """True while the very process that was started is alive, not one that got its number later."""
        return process_table.start_time(self.pid) == self.start_time


def read_record(pid_file: str) -> Record | None:
    """The pid file's record, or None where there is none that can be read."""
    try:
        with open(pid_file, encoding="utf-8") as stream:
            raw: Any = json.load(stream)
        labels = {str(key): str(value) for key, value in dict(raw.get("labels") or {}).items()}
        words = [str(raw[key]) for key in ("name", "start_time", "argv_sha256")]
        return Record(words[0], int(raw["pid"]), words[1], words[2], labels, str(raw.get("unit") or ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def running_record(pid_file: str) -> Record | None:
    """The record of a program that runs, else None."""
    record = read_record(pid_file)
    return record if record is not None and record.running else None


def start(program: Program) -> tuple[Record, float]:
    """Start the program, wait until it is ready, leave it running on its own.

    Returns its record and the seconds until it was ready. Raises SupervisionError, with nothing left running,
    when it does not start, ends, or is not ready in time.
    """
    check_wipe(program.pid_file, [*program.wipe, *program.unused])
    check_ready(program)
    for port in dict.fromkeys([*program.ready_ports, *program.free_ports]):
        if ports.taken(port):
            remedy = program.port_remedies.get(port, "choose other ports")
            raise SupervisionError(
                f"{program.name} cannot start: {ports.owner(port)} listens on {port} already; stop it, or {remedy}."
            )
    remove(program.wipe)
    for path in existing(program.unused):
        raise SupervisionError(
            f"{program.name} cannot start again on what an earlier start left in {path}: have it removed with "
            "-e wipe=true, or start elsewhere."
        )
    _make_directories(program)
    began = time.monotonic()
    child = _Unit(program) if program.unit and systemd.usable() else _Child(program)
    record = Record(
        program.name,
        child.pid,
        process_table.start_time(child.pid) or "",
        program.fingerprint(),
        program.labels,
        child.unit,
    )
    try:
        _write_record(program.pid_file, record)
        _await_ready(program, child, began)
    except BaseException:
        _end(record, 2.0)
        child.forget()
        remove([program.pid_file, *program.unused])
        raise
    child.leave()
    return record, time.monotonic() - began


def stop(pid_file: str, timeout: float) -> tuple[bool, bool]:
    """Stop what the pid file names: SIGTERM, after `timeout` seconds SIGKILL to all of its session.

    Returns (stopped, killed); the pid file is gone afterwards. Nothing that the record does not prove is touched.
    Raises SupervisionError, and keeps the pid file, where not even SIGKILL ended it.
    """
    record = running_record(pid_file)
    killed = False
    if record is not None:
        killed = _end(record, timeout)
        if record.unit:
            _forget_unit(record)
        if record.running:
            raise SupervisionError(
                f"{record.name} cannot be stopped: process {record.pid} goes on after SIGKILL; see what it waits for."
            )
    remove([pid_file])
    return record is not None, killed


def send(pid_file: str, name: str) -> None:
    """Send the signal, such as USR1, to what the pid file names, if it runs."""
    number = getattr(signal, "SIG" + name.upper(), None)
    if not isinstance(number, signal.Signals):
        raise SupervisionError(f"signal: there is no signal {name}; say USR1, for example.")
    record = running_record(pid_file)
    if record is not None:
        _signal(record.pid, number, group=False)


def check_wipe(pid_file: str, paths: list[str]) -> None:
    """Only what lies in the directory of the pid file may be wiped: a slip in a variable must not cost a home."""
    home = os.path.realpath(os.path.dirname(pid_file))
    for path in paths:
        real = os.path.realpath(path)
        if real != home and not real.startswith(home + os.sep):
            raise SupervisionError(f"wipe: {path} does not lie in {home}, the directory of pid_file.")


def check_ready(program: Program) -> None:
    """What says that the program is ready must be well formed before anything is started."""
    try:
        re.compile(program.ready_pattern or "")
    except re.error as error:
        raise SupervisionError(
            f"ready_pattern: {program.ready_pattern!r} is not a regular expression: {error}."
        ) from error
    for port in [*program.ready_ports, *program.free_ports]:
        if not ports.well_formed(port):
            raise SupervisionError(f"ready_ports: {port!r} is not an address: write host:port, such as 127.0.0.1:8080.")


def existing(paths: list[str]) -> list[str]:
    """Those of the paths that are there."""
    return [path for path in paths if os.path.lexists(path)]


def remove(paths: list[str]) -> None:
    """Remove files and directories that may be missing; OSError for one that stays."""
    for path in paths:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
            if os.path.lexists(path):
                shutil.rmtree(path)  # says why
        elif os.path.lexists(path):
            os.unlink(path)


def log_tail(path: str, lines: int = TAIL_LINES) -> list[str]:
    """The log's last lines, tokens masked."""
    try:
        with open(path, "rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - 16384))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [SECRET.sub("********", line) for line in text.splitlines()[-lines:]]


def _make_directories(program: Program) -> None:
    wanted = [os.path.dirname(program.pid_file), os.path.dirname(program.log_file), *program.directories]
    for path in wanted + ([program.chdir] if program.chdir else []):
        os.makedirs(path, mode=0o700, exist_ok=True)


class _Child:
    """The program as a process of this one, in a session of its own, until it is left alone."""

    unit = ""

    def __init__(self, program: Program) -> None:
        _keep_old_log(program)
        environment = dict(os.environ)
        environment.update(program.environment)
        try:
            with open(program.log_file, "wb") as log:
                os.chmod(program.log_file, 0o600)  # it may hold tokens
                # It outlives the module, which no run_command lets it.
                self._process = subprocess.Popen(  # pylint: disable=ansible-bad-function
                    program.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=program.chdir,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            raise SupervisionError(f"{program.name} cannot start: {program.argv[0]}: {error.strerror}.") from error
        self.pid = self._process.pid

    def ended(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    def forget(self) -> None:
        """It was ended; take its exit code."""
        self._process.wait()

    def leave(self) -> None:
        """It is nobody's child from here on."""
        self._process.returncode = 0


class _Unit:
    """The program as a unit of systemd's, which keeps it beyond the login that started it."""

    def __init__(self, program: Program) -> None:
        self.unit = program.unit
        _keep_old_log(program)
        with open(program.log_file, "wb"):
            os.chmod(program.log_file, 0o600)  # it may hold tokens
        # Units and the journal can be read by everybody: secrets stay in a file that cannot.
        script = f"{program.pid_file}.start"
        with open(os.open(script, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700), "w", encoding="utf-8") as stream:
            stream.write(systemd.start_script(program.argv, program.environment, program.log_file))
        try:
            self.pid = systemd.start(program.unit, script, program.name, program.chdir, program.stop_timeout)
        except systemd.SystemdError as error:
            raise SupervisionError(
                f"{program.name} cannot start: {error}.", log_tail(program.log_file), error.returncode
            ) from error
        finally:
            remove([script])

    def ended(self) -> int | None:
        """Its exit code, None while it runs."""
        try:
            return systemd.exit_code(self.unit)
        except systemd.SystemdError as error:
            raise SupervisionError(f"Unit {self.unit}: {error}.") from error

    def forget(self) -> None:
        """It was ended; so does the unit."""
        with contextlib.suppress(systemd.SystemdError):
            systemd.forget(self.unit)

    def leave(self) -> None:
        """systemd has it."""


def _keep_old_log(program: Program) -> None:
    if os.path.exists(program.log_file):
        os.replace(program.log_file, program.log_file + ".1")


def _write_record(path: str, record: Record) -> None:
    content = {
        "name": record.name,
        "pid": record.pid,
        "start_time": record.start_time,
        "argv_sha256": record.argv_sha256,
        "labels": record.labels,
        **({"unit": record.unit} if record.unit else {}),
    }
    with open(path + ".new", "w", encoding="utf-8") as stream:
        json.dump(content, stream)
    os.replace(path + ".new", path)


def _await_ready(program: Program, child: _Child | _Unit, began: float) -> None:
    pattern = re.compile(program.ready_pattern, re.MULTILINE) if program.ready_pattern else None
    told = pattern is None
    while True:
        # Look whether it lives before looking whether it is ready: a Warren that cannot bind says "ready" and exits 0.
        code = child.ended()
        if code is not None:
            raise SupervisionError(
                f"{program.name} ended with exit code {code} before it was ready.",
                log_tail(program.log_file),
                code,
            )
        if not told and pattern is not None:
            told = pattern.search(process_table.read_text(program.log_file)) is not None
        if told and all(_accepts(port) for port in program.ready_ports):
            return
        if time.monotonic() - began > program.ready_timeout:
            missing = f"its log does not show {program.ready_pattern!r}" if not told else "it does not listen yet"
            raise SupervisionError(
                f"{program.name} was not ready after {program.ready_timeout:g} s: {missing}.",
                log_tail(program.log_file),
            )
        time.sleep(POLL)


def _end(record: Record, timeout: float) -> bool:
    """SIGTERM, wait, SIGKILL to the session; True if it had to be killed."""
    if not record.running:
        return False
    _signal(record.pid, signal.SIGTERM, group=False)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not record.running:
            return False
        time.sleep(POLL)
    _signal(record.pid, signal.SIGKILL, group=True)
    for _turn in range(100):
        if not record.running:
            break
        time.sleep(POLL)
    return True


def _forget_unit(record: Record) -> None:
    try:
        systemd.forget(record.unit)
    except systemd.SystemdError as error:
        raise SupervisionError(f"{record.name} cannot be stopped: {error}.") from error


def _signal(pid: int, number: signal.Signals, group: bool) -> None:
    try:
        if group:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        pass


def _accepts(port: str) -> bool:
    host, _colon, number = port.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]") or "127.0.0.1", int(number)), timeout=0.5):
            return True
    except OSError:
        return False
