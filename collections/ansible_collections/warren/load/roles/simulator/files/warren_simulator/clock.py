# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warren's timers (api/timers.py), all divided by one factor so that tests need not wait as long as people do."""

from __future__ import annotations

import asyncio
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Clock:
    """``factor`` 10 makes every timer ten times faster."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def real(self, seconds: float) -> float:
        """How many real seconds ``seconds`` on Warren's timers take."""
        return seconds / self.factor

    async def every(self, period: float, work: Callable[[], Awaitable[None]]) -> None:
        """Call ``work`` every ``period`` s until cancelled, first after one period.

        As with Go's Ticker, a tick that comes while ``work`` runs is kept, further ones are dropped.
        """
        loop = asyncio.get_running_loop()
        step = self.real(period)
        due = loop.time() + step
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            await work()
            due = max(due + step, loop.time())
