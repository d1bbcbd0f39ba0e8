# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every phase reports to: progress, journal, samples, and whether to go on."""

from __future__ import annotations

import typing as t
from pathlib import Path

from . import samples
from .journal import Journal
from .loop import Stop
from .status import Lease, Status

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Reporter:
    """One phase's files in ``work_dir``; use it as ``with Reporter(…) as reporter``.

    Beside its measurements a phase may leave an ``audit`` of the generator and sentences in ``problems``;
    ``ended_early`` says why it ended before it was done, or that not all of what it did is on disk.

    ``deadline``: seconds from now after which the phase ends with what it has, None for no deadline.
    """

    def __init__(self, work_dir: str | Path, phase: str, deadline: float | None, stop: Stop | None = None) -> None:
        self.work_dir = Path(work_dir)
        self.phase = phase
        self.problems: list[str] = []
        self.audit: dict[str, t.Any] = {}
        self.ended_early: str | None = None
        self._stop = stop or Stop()
        self._status = Status(self.work_dir, phase)
        self._lease = Lease(self.work_dir, deadline)
        self.journal = Journal(self.work_dir / "journal.jsonl")

    def __enter__(self) -> Reporter:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.journal.close()
        if self.journal.error:
            self._unwritten(f"{self.journal.error}; {self.journal.lost} events are missing from it")

    def stopped(self) -> str | None:
        """Why the phase must end now, as a clause for a sentence; None to go on."""
        return self._stop.reason or self._lease.ended()

    def end_early(self, reason: str = "it was ended") -> None:
        """Keep the reason for which the phase ends now with work left: that of the stop, else the one given."""
        self.ended_early = self.stopped() or reason

    def time_left(self) -> float:
        """Seconds until the deadline, infinite where there is none."""
        return self._lease.time_left()

    async def pause(self, seconds: float) -> None:
        """Sleep, but neither beyond a stop nor beyond the deadline."""
        await self._stop.pause(min(seconds, max(0.0, self.time_left())))

    def progress(self, done: int, total: int, unit: str, text: str, *, now: bool = False) -> None:
        """Tell whoever watches; cheap enough for every event."""
        self._status.update(done, total, unit, text, now=now)

    def event(self, event: str, **details: t.Any) -> None:
        """Write one event into the journal, before going on."""
        self.journal.write(self.phase, {"event": event, **details})

    def samples(self, columns: Sequence[str], rows: Iterable[Sequence[t.Any]]) -> None:
        """Write ``<phase>-samples.csv.gz``."""
        problem = samples.write(self.work_dir / f"{self.phase}-samples.csv.gz", columns, rows)
        if problem:
            self._unwritten(problem)

    def _unwritten(self, problem: str) -> None:
        self.ended_early = self.ended_early or f"{problem}: free space there, or set warren_load_state_dir"
