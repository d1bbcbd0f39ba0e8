# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sending calls and clocking them: by plan whatever is outstanding (open loop), or one after another (closed loop).

Three clocks a call, in s since the start: when it was intended, sent and done. Send lag (sent - intended) is the
generator's own fault, service time (done - sent) what one call saw, response time (done - intended) what a user who
came at the planned moment would have seen. A closed loop has no plan: a stalled server also stalls its questions, so
its percentiles hide the stall. (A call ends with its whole reply: there is no time of first byte.)
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import typing as t
from collections import Counter

if t.TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    Call = Callable[[int], Awaitable[object]]

LEAD = 0.02  # seconds from the call of open_loop() to its offset 0, so that the first arrival is not late
WATCH_PERIOD = 0.25  # seconds between two looks at progress and stop
CUT_OFF = "cut off: the phase ended before the reply came"


def describe_by_type(error: BaseException) -> str:
    """A failure's text where the caller knows no better."""
    return str(error) or type(error).__name__


class Recording:
    """What became of every call, in the order in which they ended; in columns, as there may be very many."""

    def __init__(self) -> None:
        self.index = array.array("l")  # which call it was
        self.intended = array.array("d")
        self.sent = array.array("d")
        self.done = array.array("d")
        self.outcome = array.array("l")  # 0: answered, else a position in texts
        self.texts = [""]
        self.refused = 0  # not sent because too many were outstanding
        self.left_out = 0  # not sent because the phase was ended
        self.duration = 0.0
        self._positions: dict[str, int] = {}

    def add(self, index: int, intended: float, sent: float, done: float, failure: str | None = None) -> None:
        """Call number ``index``; ``failure`` None where it was answered."""
        position = 0
        if failure is not None:
            position = self._positions.setdefault(failure, len(self.texts))
            if position == len(self.texts):
                self.texts.append(failure)
        self.index.append(index)
        self.intended.append(intended)
        self.sent.append(sent)
        self.done.append(done)
        self.outcome.append(position)

    def __len__(self) -> int:
        return len(self.sent)

    @property
    def unsent(self) -> int:
        """Planned calls that were never sent."""
        return self.refused + self.left_out

    def only(self, wanted: Callable[[int], bool]) -> Recording:
        """The calls whose number is wanted, as a recording of their own; it knows of no unsent ones."""
        part = Recording()
        part.texts = self.texts
        part.duration = self.duration
        columns = zip(self.index, self.intended, self.sent, self.done, self.outcome, strict=True)
        for index, intended, sent, done, position in columns:
            if wanted(index):
                part.add(index, intended, sent, done)
                part.outcome[-1] = position
        return part

    def errors(self) -> dict[str, int]:
        """How many calls failed with each text, the most frequent first."""
        counts = Counter(position for position in self.outcome if position)
        return {self.texts[position]: times for position, times in counts.most_common()}

    def _answered(self, starts: Sequence[float]) -> list[float]:
        rows = zip(starts, self.done, self.outcome, strict=True)
        return [(done - start) * 1e3 for start, done, position in rows if not position]

    def service_time(self) -> list[float]:
        """Of every answered call, in ms."""
        return self._answered(self.sent)

    def response_time(self) -> list[float]:
        """Of every answered call, in ms."""
        return self._answered(self.intended)

    def send_lag(self) -> list[float]:
        """Of every call sent, in ms."""
        return [(sent - intended) * 1e3 for intended, sent in zip(self.intended, self.sent, strict=True)]

    def rows(self) -> Iterator[tuple[float, float, float, str]]:
        """``(intended, sent, done, failure)`` of every call, for the samples file; failure "" where answered."""
        for intended, sent, done, position in zip(self.intended, self.sent, self.done, self.outcome, strict=True):
            yield intended, sent, done, self.texts[position]


def merged(parts: Sequence[Recording], each: int, duration: float) -> Recording:
    """What several callers did at the same time as one recording, in the order in which calls ended.

    The calls of part i are numbered from i times ``each`` on.
    """
    whole = Recording()
    whole.duration = duration
    rows = [
        (done, first + index, intended, sent, failure)
        for first, part in zip(range(0, len(parts) * each, each), parts, strict=True)
        for index, (intended, sent, done, failure) in zip(part.index, part.rows(), strict=True)
    ]
    for done, index, intended, sent, failure in sorted(rows):
        whole.add(index, intended, sent, done, failure or None)
    whole.refused = sum(part.refused for part in parts)
    whole.left_out = sum(part.left_out for part in parts)
    return whole


COLUMNS = ("intended_s", "sent_s", "done_s", "error")


class _Watch:
    """Looks a few times a second at whether to stop, off the path of the calls."""

    def __init__(self, ended: Callable[[], object], progress: Callable[[int], None]) -> None:
        self.stop = False
        self._ended = ended
        self._progress = progress

    @contextlib.asynccontextmanager
    async def over(self, recording: Recording) -> AsyncIterator[None]:
        task = asyncio.create_task(self._look(recording))
        try:
            yield
        finally:
            task.cancel()

    async def _look(self, recording: Recording) -> None:
        while True:
            self.stop = bool(self._ended())
            self._progress(len(recording))
            await asyncio.sleep(WATCH_PERIOD)


def _never() -> bool:
    return False


def _silent(_done: int) -> None:
    return None


class _Clocked:
    """Makes calls and records what became of each; ``start`` is 0 of the clocks, on the loop's own."""

    def __init__(
        self, call: Call, recording: Recording, start: float, describe: Callable[[BaseException], str]
    ) -> None:
        self._call = call
        self._recording = recording
        self._start = start
        self._describe = describe
        self._clock = asyncio.get_running_loop().time

    async def make(self, index: int, intended: float | None = None) -> None:
        """Call number ``index``, intended for that time, or for when it is sent."""
        sent = self._clock() - self._start
        if intended is None:
            intended = sent
        failure: str | None = None
        try:
            await self._call(index)
        except asyncio.CancelledError:
            failure = CUT_OFF
            raise
        except Exception as error:
            failure = self._describe(error)
        finally:
            self._recording.add(index, intended, sent, self._clock() - self._start, failure)


async def open_loop(
    call: Call,
    offsets: Sequence[float],
    *,
    outstanding: int = 1000,
    patient: bool = False,
    drain: float = 10.0,
    ended: Callable[[], object] = _never,
    progress: Callable[[int], None] = _silent,
    describe: Callable[[BaseException], str] = describe_by_type,
) -> Recording:
    """Start ``call(index)`` at every offset (s, ascending), whatever is outstanding up to that many.

    Calls over the bound are counted as refused and never sent late; with ``patient`` they wait, and are sent late.
    After the last one, up to ``drain`` s are waited for replies. As soon as ``ended()`` says so, no more are sent.
    """
    recording = Recording()
    loop = asyncio.get_running_loop()
    clock = loop.time
    pending: set[asyncio.Task[None]] = set()
    watch = _Watch(ended, progress)

    async with watch.over(recording):
        start = clock() + LEAD
        clocked = _Clocked(call, recording, start, describe)
        for index, offset in enumerate(offsets):
            due = start + offset
            while (delay := due - clock()) > 0 and not watch.stop:  # noqa: ASYNC110 - it waits for a time
                await asyncio.sleep(min(delay, WATCH_PERIOD))
            while patient and len(pending) >= outstanding and not watch.stop:
                await asyncio.wait(pending, timeout=WATCH_PERIOD, return_when=asyncio.FIRST_COMPLETED)
            if watch.stop:
                recording.left_out = len(offsets) - index
                break
            if len(pending) >= outstanding:
                recording.refused += 1
                await asyncio.sleep(0)
                continue
            task = loop.create_task(clocked.make(index, offset))
            pending.add(task)
            task.add_done_callback(pending.discard)
            await asyncio.sleep(0)  # lets the task send, also when the plan is behind
        until = clock() + drain
        while pending and clock() < until:
            await asyncio.wait(pending, timeout=WATCH_PERIOD)
        await _cancel(pending)
        recording.duration = clock() - start
    progress(len(recording))
    return recording


async def closed_loop(
    call: Call,
    calls: int,
    concurrency: int,
    *,
    drain: float = 10.0,
    ended: Callable[[], object] = _never,
    progress: Callable[[int], None] = _silent,
    describe: Callable[[BaseException], str] = describe_by_type,
) -> Recording:
    """Make ``calls`` calls of ``call(index)``, ``concurrency`` at a time, each as soon as one before it has ended.

    As soon as ``ended()`` says so, no more are made, and those under way are waited for up to ``drain`` s.
    """
    recording = Recording()
    clock = asyncio.get_running_loop().time
    watch = _Watch(ended, progress)
    indices = iter(range(calls))

    async def worker() -> None:
        for index in indices:
            if watch.stop:
                recording.left_out += 1
                continue
            await clocked.make(index)

    async with watch.over(recording):
        start = clock()
        clocked = _Clocked(call, recording, start, describe)
        pending = {asyncio.ensure_future(worker()) for _worker in range(min(concurrency, calls))}
        until = None
        while pending:
            _done, pending = await asyncio.wait(pending, timeout=WATCH_PERIOD)
            if watch.stop:
                until = until or clock() + drain
                if clock() >= until:
                    await _cancel(pending)
                    break
        recording.left_out += sum(1 for _index in indices)
        recording.duration = clock() - start
    progress(len(recording))
    return recording


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
