# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the generator itself was fit to measure: its lag, and what of the host explains it.

Only lag voids a measurement; waiting for a CPU, pressure, steal and collector pauses say why there was lag. What a host
lacks (macOS has no /proc) is said in a sentence and judged no further.
"""

from __future__ import annotations

import asyncio
import gc
import time
import typing as t
from pathlib import Path

from ansible_collections.warren.load.plugins.module_utils.stats.quantiles import quantile

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SEND_LAG_LIMIT_MS = 20.0  # p99; beyond it, latency in the tens of ms is no longer the server's alone
RUN_DELAY_HIGH = 50.0  # ms waited for a CPU in each second
PRESSURE_HIGH = 25.0  # percent of the time in which some task of the host waited for a CPU
STEAL_HIGH = 2.0  # percent of CPU time taken by the hypervisor
STALL_PERIOD = 0.1  # seconds between two looks at the loop


class _Reading(t.NamedTuple):
    """The host's counters at one moment; None where it has none."""

    time: float
    run_delay_ns: int | None
    pressure_us: int | None
    steal_ticks: int | None
    all_ticks: int | None


def run_delay(proc: Path) -> int | None:
    """How long this process's threads have waited for a CPU so far, in ns; None where the kernel does not tell."""
    total, seen = 0, False
    for path in proc.glob("self/task/*/schedstat"):
        try:
            total += int(path.read_text(encoding="ascii").split()[1])
            seen = True
        except (OSError, ValueError, IndexError):
            continue  # the thread has just ended
    return total if seen else None


def pressure(proc: Path) -> dict[str, float]:
    """The line "some" of /proc/pressure/cpu: avg10, avg60, avg300 in percent, total in µs; empty without one."""
    try:
        line = (proc / "pressure/cpu").read_text(encoding="ascii").splitlines()[0]
        return {key: float(value) for key, _equals, value in (word.partition("=") for word in line.split()[1:])}
    except (OSError, ValueError, IndexError):
        return {}


def cpu_ticks(proc: Path) -> tuple[int | None, int | None]:
    """``(stolen, all)`` CPU time of the host so far, in ticks; None where there is no /proc/stat."""
    try:
        words = (proc / "stat").read_text(encoding="ascii").splitlines()[0].split()
        ticks = [int(word) for word in words[1:9]]
        return ticks[7], sum(ticks)
    except (OSError, ValueError, IndexError):
        return None, None


def _read(proc: Path) -> _Reading:
    total = pressure(proc).get("total")
    return _Reading(time.monotonic(), run_delay(proc), None if total is None else int(total), *cpu_ticks(proc))


def _difference(after: int | None, before: int | None) -> int | None:
    return None if after is None or before is None else after - before


class Audit:
    """Watches the generator while it sends: ``with Audit() as audit: …`` inside a running loop, then report()."""

    def __init__(self, proc: str | Path = "/proc") -> None:
        self._proc = Path(proc)
        self._gc_started = 0.0
        self.gc_pause_max = 0.0
        self.stall_max = 0.0
        self._before: _Reading | None = None
        self._after: _Reading | None = None
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> Audit:
        self._before = _read(self._proc)
        gc.callbacks.append(self._collected)
        self._task = asyncio.get_running_loop().create_task(self._watch_loop())
        return self

    def __exit__(self, *_exc: object) -> None:
        gc.callbacks.remove(self._collected)
        if self._task is not None:
            self._task.cancel()
        self._after = _read(self._proc)

    def _collected(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._gc_started = time.perf_counter()
        else:
            self.gc_pause_max = max(self.gc_pause_max, time.perf_counter() - self._gc_started)

    async def _watch_loop(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(STALL_PERIOD)
            self.stall_max = max(self.stall_max, time.monotonic() - before - STALL_PERIOD)

    def report(self, send_lag_ms: Sequence[float], shares_host_with: Iterable[str] = ()) -> dict[str, t.Any]:
        """The generator's part of ``audit`` in the results: numbers, ``valid``, ``reasons``, ``unavailable``.

        ``send_lag_ms``: of every call sent by plan; empty where nothing was (a closed loop has no lag to judge).
        """
        before, after = self._before, self._after or _read(self._proc)
        if before is None:
            raise ValueError("the audit was never started")
        seconds = max(after.time - before.time, 1e-6)
        delay = _difference(after.run_delay_ns, before.run_delay_ns)
        waited = _difference(after.pressure_us, before.pressure_us)
        stolen = _difference(after.steal_ticks, before.steal_ticks)
        ticks = _difference(after.all_ticks, before.all_ticks)
        result: dict[str, t.Any] = {
            "send_lag_p99_ms": _round(quantile(sorted(send_lag_ms), 0.99)) if send_lag_ms else None,
            "run_delay_ms_per_s": None if delay is None else _round(delay / 1e6 / seconds),
            "cpu_pressure_percent": None if waited is None else _round(min(100.0, waited / 1e4 / seconds)),
            "cpu_pressure_avg10": pressure(self._proc).get("avg10"),
            "steal": None if stolen is None or not ticks else _round(100.0 * stolen / ticks),
            "gc_pause_max_ms": _round(self.gc_pause_max * 1e3),
            "loop_stall_max_ms": _round(self.stall_max * 1e3),
            "shares_host_with": sorted(shares_host_with),
        }
        result["unavailable"] = [
            f"{what} is not known: this host has no {source}"
            for key, what, source in (
                ("run_delay_ms_per_s", "how long the generator waited for a CPU", "/proc/self/task/*/schedstat"),
                ("cpu_pressure_percent", "CPU pressure", "/proc/pressure/cpu"),
                ("steal", "stolen CPU time", "/proc/stat"),
            )
            if result[key] is None
        ]
        lag = result["send_lag_p99_ms"]
        result["valid"] = lag is None or lag <= SEND_LAG_LIMIT_MS
        result["reasons"] = [] if result["valid"] else [_late(lag), *_explanations(result)]
        return result


def _round(value: float) -> float:
    return round(value, 3)


def _late(lag: float) -> str:
    return (
        f"one call in a hundred was sent more than {lag:.1f} ms after its planned time "
        f"(limit {SEND_LAG_LIMIT_MS:g} ms): the generator was too busy to measure"
    )


def _explanations(audit: dict[str, t.Any]) -> list[str]:
    """Sentences on what of the host explains a lag."""
    reasons = []
    if (delay := audit["run_delay_ms_per_s"]) is not None and delay > RUN_DELAY_HIGH:
        reasons.append(f"the generator waited {delay:.0f} ms of each second for a CPU")
    if (waited := audit["cpu_pressure_percent"]) is not None and waited > PRESSURE_HIGH:
        reasons.append(f"some process of its host waited for a CPU in {waited:.0f} % of the time")
    if (stolen := audit["steal"]) is not None and stolen > STEAL_HIGH:
        reasons.append(f"the hypervisor took {stolen:.1f} % of the CPU time")
    if (pause := audit["gc_pause_max_ms"]) > SEND_LAG_LIMIT_MS:
        reasons.append(f"Python's garbage collector paused it for {pause:.0f} ms")
    if audit["shares_host_with"]:
        reasons.append(f"it shares its host with {', '.join(audit['shares_host_with'])}")
    return reasons
