# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node's process table says: who runs, since when, with what memory. Linux reads /proc, others ask ps.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass

PROC = "/proc"


@dataclass(frozen=True)
class Usage:
    """One process at one moment. Memory in bytes, CPU in seconds since its start; None where the system is silent."""

    pid: int
    rss: int
    cpu: float | None
    open_files: int | None
    threads: int | None
    source: str


def has_proc() -> bool:
    """True where /proc is Linux's."""
    return os.path.exists(os.path.join(PROC, "self", "stat"))


def start_time(pid: int) -> str | None:
    """A string that names, with the pid, one process of this boot (kernel ticks, or ps's date); None if none runs.

    A zombie counts as not running: its parent has not looked yet, but the program is gone.
    """
    if has_proc():
        fields = _stat_fields(pid)
        if fields is None or fields[0] in ("Z", "X"):
            return None
        return fields[19]
    row = _ps(pid, "stat=,lstart=")
    if row is None or row.startswith("Z"):
        return None
    return " ".join(row.split()[1:]) or None


def command_line(pid: int) -> list[str]:
    """The program's arguments; empty if it is gone or hides them."""
    if has_proc():
        try:
            with open(os.path.join(PROC, str(pid), "cmdline"), "rb") as stream:
                raw = stream.read()
        except OSError:
            return []
        return [part.decode("utf-8", "replace") for part in raw.rstrip(b"\0").split(b"\0")] if raw else []
    row = _ps(pid, "command=")
    return row.split() if row else []


def parent(pid: int) -> int | None:
    """The parent's pid, or None."""
    if has_proc():
        fields = _stat_fields(pid)
        return int(fields[1]) if fields else None
    row = _ps(pid, "ppid=")
    return int(row) if row and row.strip().isdigit() else None


def pids() -> list[int]:
    """Every pid that the caller may see."""
    if has_proc():
        return sorted(int(name) for name in os.listdir(PROC) if name.isdigit())
    answer = subprocess.run(["ps", "-axo", "pid="], capture_output=True, text=True, check=False)
    return sorted(int(word) for word in answer.stdout.split() if word.isdigit())


def usage(pid: int) -> Usage | None:
    """Memory, CPU, open files and threads of a process; None if none runs."""
    return _usage_from_proc(pid) if has_proc() else _usage_from_ps(pid)


def _usage_from_proc(pid: int) -> Usage | None:
    base = os.path.join(PROC, str(pid))
    status = _key_values(os.path.join(base, "status"))
    fields = _stat_fields(pid)
    if not status or fields is None or "VmRSS" not in status:
        return None
    try:
        open_files: int | None = len(os.listdir(os.path.join(base, "fd")))
    except OSError:
        open_files = None  # another user's process
    ticks = int(fields[11]) + int(fields[12])
    return Usage(
        pid=pid,
        rss=int(status["VmRSS"].split()[0]) * 1024,
        cpu=ticks / os.sysconf("SC_CLK_TCK"),
        open_files=open_files,
        threads=int(status.get("Threads", "0").split()[0]) or None,
        source="/proc",
    )


def _usage_from_ps(pid: int) -> Usage | None:
    row = _ps(pid, "rss=,time=")
    if row is None:
        return None
    rss, clock = row.split()[:2]
    return Usage(pid=pid, rss=int(rss) * 1024, cpu=_seconds(clock), open_files=None, threads=None, source="ps")


def _seconds(clock: str) -> float | None:
    """ps's [[dd-]hh:]mm:ss[.cc] in seconds; None if it is not that."""
    days, dash, rest = clock.rpartition("-")
    try:
        total = 0.0
        for part in rest.split(":"):
            total = total * 60 + float(part)
        return total + (int(days) * 86400 if dash else 0)
    except ValueError:
        return None


def _stat_fields(pid: int) -> list[str] | None:
    """/proc/PID/stat from its third field on: [0] state, [1] ppid, [11] and [12] CPU ticks, [19] start."""
    try:
        with open(os.path.join(PROC, str(pid), "stat"), encoding="utf-8", errors="replace") as stream:
            text = stream.read()
    except OSError:
        return None
    # The name, in brackets, may itself hold spaces and brackets.
    return text[text.rfind(")") + 2 :].split()


def _key_values(path: str) -> dict[str, str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return {key: value.strip() for key, colon, value in (line.partition(":") for line in stream) if colon}
    except OSError:
        return {}


def _ps(pid: int, columns: str) -> str | None:
    env = dict(os.environ, LC_ALL="C")
    try:
        answer = subprocess.run(
            ["ps", "-o", columns, "-p", str(pid)], capture_output=True, text=True, check=False, env=env
        )
    except OSError:
        return None
    row = answer.stdout.strip()
    return row if answer.returncode == 0 and row else None
