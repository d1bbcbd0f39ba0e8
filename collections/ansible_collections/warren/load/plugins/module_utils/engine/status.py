# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two small files between an engine and whoever started it: status.json tells, the lease is renewed."""

from __future__ import annotations

import json
import os
import time
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from collections.abc import Callable

LEASE_AGE = 30.0  # seconds after which nobody is taken to be waiting for the result
STATUS_PERIOD = 0.5  # seconds between two writes of status.json
LEASE_PERIOD = 1.0  # seconds between two looks at the lease


class Status:
    """Keeps ``status.json``: {phase, pid, done, total, unit, text, started, updated}, times in Unix s; always whole."""

    def __init__(self, work_dir: Path, phase: str, clock: Callable[[], float] = time.time) -> None:
        self._path = work_dir / "status.json"
        self._part = work_dir / "status.json.part"
        self._phase = phase
        self._clock = clock
        self._started = clock()
        self._written = 0.0

    def update(self, done: int, total: int, unit: str, text: str, *, now: bool = False) -> None:
        """Say how far the phase is, at most twice a second unless ``now``; a failure to write is not one of the run."""
        time_now = self._clock()
        if not now and 0.0 <= time_now - self._written < STATUS_PERIOD:
            return
        self._written = time_now
        document = {
            "phase": self._phase,
            "pid": os.getpid(),
            "done": done,
            "total": total,
            "unit": unit,
            "text": text,
            "started": self._started,
            "updated": time_now,
        }
        try:
            self._part.write_text(json.dumps(document) + "\n", encoding="utf-8")
            self._part.replace(self._path)
        except OSError:
            pass


class Lease:
    """Tells when to stop: the lease file is too old or gone, or the deadline has passed.

    Where there is no lease file at the start nobody renews one (a module called by hand), and only the deadline counts.
    One that was taken away is a link that leads nowhere.
    """

    def __init__(
        self,
        work_dir: Path,
        deadline: float | None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._path = work_dir / "lease"
        self._clock = clock
        self._wall = wall
        self._deadline = deadline
        self._started = clock()
        self._held = os.path.lexists(self._path)
        self._looked = self._started - LEASE_PERIOD
        self._lost: str | None = None

    def time_left(self) -> float:
        """Seconds until the deadline, infinite where there is none."""
        return float("inf") if self._deadline is None else self._started + self._deadline - self._clock()

    def ended(self) -> str | None:
        """Why to stop, as a clause for a sentence; None as long as there is no reason."""
        now = self._clock()
        if self._deadline is not None and now - self._started >= self._deadline:
            return f"the deadline of {self._deadline:g} s has passed"
        if self._held and self._lost is None and now - self._looked >= LEASE_PERIOD:
            self._looked = now
            self._lost = self._look()
        return self._lost

    def _look(self) -> str | None:
        try:
            age = self._wall() - os.stat(self._path).st_mtime
        except OSError:
            return "the lease is gone, nobody waits for the result"
        return f"the lease has not been renewed for {age:.0f} s" if age > LEASE_AGE else None
