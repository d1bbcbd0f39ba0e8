# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node's process table says: who runs, since when, with what memory. Linux reads /proc, others ask ps.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from ansible_collections.warren.load.plugins.module_utils.node import commands

PROC = "/proc"
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """One process at one moment. Memory in bytes, CPU in seconds since its start; None where the system is silent.

    ``start`` is what start_time() gives: with the pid, it names one process of this boot. ``private`` is the memory
    that no file backs, which is all that a program can leak: the kernel takes pages of files back when it wants to.
    """

    pid: int
    start: str
    rss: int
    private: int | None
    cpu: float | None
    open_files: int | None
    threads: int | None
    source: str


def read_text(path: str) -> str:
    """What a file holds, and nothing where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


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
    return int(row) if row and row.strip().isdecimal() else None


def table() -> dict[int, tuple[str, int]]:
    """Of each process its name, of 15 characters at most, and its parent; nothing where there is no /proc."""
    found: dict[int, tuple[str, int]] = {}
    for pid in pids() if has_proc() else []:
        text = read_text(os.path.join(PROC, str(pid), "stat"))
        begin, end = text.find("("), text.rfind(")")
        if end > 0:
            found[pid] = text[begin + 1 : end], int(text[end + 2 :].split(None, 2)[1])
    return found


def children(processes: dict[int, tuple[str, int]] | None = None) -> dict[int, list[int]]:
    """The pids of each process's children, as table() has them."""
    found: dict[int, list[int]] = {}
    for pid, (_name, above) in (table() if processes is None else processes).items():
        found.setdefault(above, []).append(pid)
    return found


def pids() -> list[int]:
    """Every pid that the caller may see."""
    if has_proc():
        return sorted(int(name) for name in os.listdir(PROC) if name.isdigit())
    return sorted(int(word) for word in commands.output(["ps", "-axo", "pid="]).split() if word.isdigit())


def usage(pid: int) -> Usage | None:
    """Memory, CPU, open files and threads of a process; None if none runs."""
    return _usage_from_proc(pid) if has_proc() else _usage_from_ps(pid)


def open_files(pid: int) -> int | None:
    """How many files a process has open; None for another user's process, and where there is no /proc."""
    folder = os.path.join(PROC, str(pid), "fd")
    try:
        # Linux 6.2 and newer tell the number as the folder's size; to list thousands each second would cost.
        return os.stat(folder).st_size or len(os.listdir(folder))
    except OSError:
        return None


def listens(pid: int, port: int) -> bool | None:
    """Whether the process itself listens on a TCP port of our network namespace; None where that cannot be told."""
    sockets = _listening(port)
    if not sockets:
        return None
    folder = os.path.join(PROC, str(pid), "fd")
    try:
        return any(_link(os.path.join(folder, name)) in sockets for name in os.listdir(folder))
    except OSError:
        return None


def listener(port: int, *, datagrams: bool = False) -> int | None:
    """The process that listens on a port of our network namespace; None where that cannot be told."""
    sockets = _listening(port, datagrams)
    for pid in pids() if sockets else []:
        folder = os.path.join(PROC, str(pid), "fd")
        try:
            if any(_link(os.path.join(folder, name)) in sockets for name in os.listdir(folder)):
                return pid
        except OSError:
            continue
    return None


def output_file(pid: int) -> str | None:
    """The regular file that the process writes its standard output to; None if it is none, or cannot be told."""
    path = _link(os.path.join(PROC, str(pid), "fd", "1"))
    return path if path and os.path.isfile(path) and not path.startswith(("/dev/", "/proc/")) else None


def _usage_from_proc(pid: int) -> Usage | None:
    fields = _stat_fields(pid)
    try:
        with open(os.path.join(PROC, str(pid), "statm"), encoding="ascii") as stream:
            resident, shared = (int(word) * PAGE for word in stream.read().split()[1:3])
    except (OSError, ValueError):
        return None
    if fields is None or fields[0] in ("Z", "X") or not resident:
        return None
    return Usage(
        pid=pid,
        start=fields[19],
        rss=resident,
        private=resident - shared,
        cpu=(int(fields[11]) + int(fields[12])) / TICKS,
        open_files=open_files(pid),
        threads=int(fields[17]) or None,
        source="/proc",
    )


def _usage_from_ps(pid: int) -> Usage | None:
    row = _ps(pid, "stat=,rss=,time=,lstart=")
    words = row.split() if row else []
    if len(words) < 4 or words[0].startswith("Z"):
        return None
    return Usage(
        pid=pid,
        start=" ".join(words[3:]),
        rss=int(words[1]) * 1024,
        private=None,
        cpu=_seconds(words[2]),
        open_files=None,
        threads=None,
        source="ps",
    )


def _listening(port: int, datagrams: bool = False) -> set[str]:
    """The listening sockets of a port, as the links in /proc/PID/fd name them."""
    found: set[str] = set()
    listening = "07" if datagrams else "0A"
    for table in ("udp", "udp6") if datagrams else ("tcp", "tcp6"):
        try:
            with open(os.path.join(PROC, "self", "net", table), encoding="ascii") as stream:
                rows = [line.split() for line in stream]
        except OSError:
            continue
        wanted = f":{port:04X}"
        found.update(f"socket:[{row[9]}]" for row in rows[1:] if row[1].endswith(wanted) and row[3] == listening)
    return found


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


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
    """/proc/PID/stat from its third field on: [0] state, [1] ppid, [11] [12] CPU ticks, [17] threads, [19] start."""
    try:
        with open(os.path.join(PROC, str(pid), "stat"), encoding="utf-8", errors="replace") as stream:
            text = stream.read()
    except OSError:
        return None
    # The name, in brackets, may itself hold spaces and brackets.
    return text[text.rfind(")") + 2 :].split()


def _ps(pid: int, columns: str) -> str | None:
    return commands.output(["ps", "-o", columns, "-p", str(pid)]).strip() or None
