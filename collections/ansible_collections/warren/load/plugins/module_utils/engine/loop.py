# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event loop for precise sending, and a stop that everything in it can see."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import selectors
import signal
import sys
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

T = t.TypeVar("T")

PR_SET_TIMERSLACK = 29
TIMER_SLACK_NS = 1_000


class Stop:
    """Set once, by a signal: ``reason`` says which."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._event = asyncio.Event()

    def set(self, reason: str) -> None:
        """Ask everything to end; the first reason stays."""
        self.reason = self.reason or reason
        self._event.set()

    async def pause(self, seconds: float) -> None:
        """Sleep, but not beyond a stop."""
        if seconds <= 0.0:
            await asyncio.sleep(0)
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), seconds)


def tighten_timers() -> bool:
    """Have this thread's timers fire within 1 µs instead of 50 (Linux); False where that cannot be had."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return bool(libc.prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop on select(): epoll rounds timers up to the next ms, which is half of a send lag."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


@contextlib.contextmanager
def collected() -> Iterator[None]:
    """Collect garbage now, and keep what lives out of the collector's sight: it walks less while calls are clocked."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def run(main: Callable[[Stop], Coroutine[t.Any, t.Any, T]]) -> T:
    """Run ``main(stop)`` to its end; SIGTERM and SIGINT set ``stop``, on which it is expected to end by itself."""

    async def guarded() -> T:
        stop = Stop()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set, f"{number.name} was received")
        try:
            return await main(stop)
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    tighten_timers()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(guarded())
