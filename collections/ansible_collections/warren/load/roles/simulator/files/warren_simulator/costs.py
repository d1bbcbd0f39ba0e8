# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a commit and a scan cost: nothing beyond what they are (ideal), or what the real program pays (measured)."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import typing as t
from collections import deque

if t.TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .clock import Clock

COST_MODELS = ("ideal", "measured")
BATCH = 64  # entries that one round of hashicorp/raft appends
# The control loops of all managers scan on the same cores that commits need: a machine that does nothing but scan (load
# 1) is this much slower. The square spares medium clusters, whose scans fit into their period.
CONTENTION = 5.0
LOAD_MEMORY = 5.0  # seconds


@dataclasses.dataclass(frozen=True)
class Rates:
    """Milliseconds. A commit costs a round (network, log fsync), shared by a batch, and then its own FSM fsync.

    Fitted to facts/warren.md 11: 3 managers 2.4 ms a commit alone and 1000/s with many outstanding; 1 manager 1.2 ms.
    ``record``: JSON decode of one record in a table scan.
    """

    round: float
    apply: float
    record: float = 0.006


THREE_MANAGERS = Rates(round=1.4, apply=1.0)
ONE_MANAGER = Rates(round=0.6, apply=0.6)


class IdealCosts:
    """Commits and scans are as fast as this process can do them; a heartbeat or a scheduler tick is one commit."""

    batches = True

    async def commit(self, submit: Callable[[], Awaitable[t.Any]]) -> t.Any:
        """Commit now."""
        return await submit()

    async def scan(self, records: int, *, loop: bool = False) -> None:
        """A scan of ``records`` records, by a control ``loop`` or for a reply: free."""

    async def disk(self) -> None:
        """A commit that changes nothing: free."""


class MeasuredCosts:
    """Commits are serialised and cost what they cost on the real program; scans take their time."""

    batches = False

    def __init__(self, rates: Rates, clock: Clock) -> None:
        self.rates = rates
        self._clock = clock
        self._queue: deque[asyncio.Future[None]] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._free_at = 0.0
        self._scanned = 0.0  # seconds of the recent past that went into scans
        self._scanned_at = 0.0

    def slowness(self) -> float:
        """By what factor everything takes longer now than on an idle machine."""
        now = asyncio.get_running_loop().time()
        memory = self._clock.real(LOAD_MEMORY)
        self._scanned *= math.exp((self._scanned_at - now) / memory)
        self._scanned_at = now
        return 1 + CONTENTION * min(1.0, self._scanned / memory) ** 2

    async def commit(self, submit: Callable[[], Awaitable[t.Any]]) -> t.Any:
        """Commit after those that came before, at the price of one."""
        await self.disk()
        return await submit()

    async def disk(self) -> None:
        """Wait for one's turn at the disk and pay for one commit."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        await turn

    async def _run(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _number in range(min(BATCH, len(self._queue)))]
            await self._pay(self.rates.round + self.rates.apply * len(batch))
            for turn in batch:
                if not turn.done():
                    turn.set_result(None)

    async def _pay(self, milliseconds: float) -> None:
        # Timers oversleep by up to a millisecond: count from when the last payment should have ended.
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now - 0.005) + self._clock.real(milliseconds / 1000) * self.slowness()
        await asyncio.sleep(max(0.0, self._free_at - now))

    async def scan(self, records: int, *, loop: bool = False) -> None:
        """Take the time of decoding ``records`` records; scans of a control ``loop`` make everything slower."""
        if records:
            seconds = self._clock.real(records * self.rates.record / 1000) * self.slowness()
            await asyncio.sleep(seconds)
            if loop:
                self._scanned += seconds


Costs = IdealCosts | MeasuredCosts


def make_costs(model: str, rates: Rates, clock: Clock) -> Costs:
    """The cost model of that name, one of COST_MODELS."""
    return IdealCosts() if model == "ideal" else MeasuredCosts(rates, clock)
