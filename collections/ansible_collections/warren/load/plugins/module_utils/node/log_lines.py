# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of level error and warning in a Warren process's log.

Three loggers write into one file: zerolog (console or JSON), the Raft library (``[ERROR]``, ``[WARN]``), and Warren's
own prints (``Scheduler error: …``, ``Failed to …``, ``Warning: …``); a Go program's last words count as an error.
Scheduler and reconciler run on every manager, and what they write on a follower is refused: such lines are counted for
themselves, as each healthy cluster has hundreds of them.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any

LONGEST = 240  # characters of a line that is shown
CHUNK = 1 << 20
LEVELS = ("error", "warning", "refused")
COLOURS = re.compile(rb"\x1b\[[0-9;]*m")
ERROR = re.compile(
    rb'"level":"(?:error|fatal|panic)"'  # zerolog, JSON
    rb"|^\S+ (?:ERR|FTL|PNC) "  # zerolog, console
    rb"|^\S+ \[ERROR\]"  # Raft
    rb"|^(?:[A-Z][\w ]{0,40} error: |Error: |Failed to |Task \S+ failed to |panic: |fatal error: )"
)
WARNING = re.compile(rb'"level":"warn(?:ing)?"|^\S+ WRN |^\S+ \[WARN\]|^\s*Warning: ')
REFUSED = re.compile(rb"not the leader|no leader elected|leadership lost")
SECRETS = (
    (re.compile(r"\b[0-9a-fA-F]{64}\b"), "********"),  # join tokens
    (re.compile(r"(?i)\b(bearer)\s+\S+"), r"\1 ********"),
    (
        re.compile(
            r"(?i)([\w-]*(?:token|secret|password|passwd|private[_-]?key|credential)[\w-]*\"?\s*[:=]\s*)\"?[^\s\",]+"
        ),
        r"\1********",
    ),
)


@dataclass
class Mark:
    """Where a log stood: its inode (0: there was none) and its size."""

    path: str
    inode: int
    size: int


@dataclass
class Counts:
    """Lines by level, and the first of each, shortened, secrets masked."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LEVELS, 0))
    first: dict[str, str] = field(default_factory=dict)

    def add(self, line: bytes) -> None:
        """Count a line."""
        line = COLOURS.sub(b"", line)
        level = "error" if ERROR.search(line) else "warning" if WARNING.search(line) else None
        if level == "error" and REFUSED.search(line):
            level = "refused"
        if level is not None:
            self.counts[level] += 1
            if level not in self.first:
                self.first[level] = shown(line.decode("utf-8", "replace"))

    def row(self) -> dict[str, Any]:
        """As results have it."""
        return {**self.counts, **{f"first_{level}": self.first.get(level) for level in LEVELS}}


def mark(path: str) -> Mark:
    """Where the log stands now."""
    try:
        status = os.stat(path)
        return Mark(path, status.st_ino, status.st_size)
    except OSError:
        return Mark(path, 0, 0)


def since(begin: Mark) -> Counts | None:
    """What was logged since then; None if the log cannot be read.

    A process that is started again gets a new log, and the one before is kept as ``.1``.
    """
    counts = Counts()
    try:
        now = os.stat(begin.path)
        before = begin.path + ".1"
        if now.st_ino == begin.inode:
            _read(begin.path, begin.size if begin.size <= now.st_size else 0, counts)
        else:
            if begin.inode and os.path.exists(before) and os.stat(before).st_ino == begin.inode:
                _read(before, begin.size, counts)
            _read(begin.path, 0, counts)
    except OSError:
        return None
    return counts


def masked(text: str) -> str:
    """The text without tokens and other secrets."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def shown(line: str) -> str:
    """A line as it may be shown."""
    line = masked(" ".join(line.split()))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _read(path: str, offset: int, counts: Counts) -> None:
    with open(path, "rb") as stream:
        stream.seek(offset)
        rest = b""
        while True:
            chunk = stream.read(CHUNK)
            if not chunk:
                break
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop()[:CHUNK]  # of a line without end, its beginning
            for line in lines:
                counts.add(line)
        if rest:
            counts.add(rest)
