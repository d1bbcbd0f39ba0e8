# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether, and how fast, a series rises: Theil-Sen's slope with Sen's interval, Mann-Kendall's test.

Both ask only for the order of values, so that a single outlier or the saw teeth of a garbage collector move them
little. Both take samples for independent, which the samples of a process's memory are not: memory of one moment is
nearly that of the moment before. So the variance of Mann-Kendall's S, which Sen's interval comes from too, is taken
times n over the effective number of samples of what is left when the trend is taken away (Yue and Wang 2004); a series
that bends or steps has few effective samples, and so gets a wide interval instead of a false alarm.

Pure functions. Runs on cluster nodes too: standard library only, Python 3.9 and newer.
"""

from __future__ import annotations

import math
import statistics
import typing as t

from .correlation import effective_size

if t.TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 200  # points that a trend is taken of; slopes are taken between every two
BLOCKS = 8
FEWEST = 12  # effective samples; with fewer, no interval is claimed


class Trend(t.NamedTuple):
    """``slope`` in units of the values a unit of time; ``low`` and ``high`` bound it, None where there is too little.

    ``tau`` is Kendall's (-1 to 1), ``p`` that of a two-sided test for a trend, ``effective`` the number of independent
    samples that the series is worth.
    """

    slope: float
    low: float | None
    high: float | None
    tau: float
    p: float | None
    n: int
    effective: float


def trend(times: Sequence[float], values: Sequence[float], confidence: float = 0.95) -> Trend:
    """The trend of ``values`` measured at rising ``times``; more than MOST points are thinned by medians.

    ValueError for less than two points.
    """
    points = thinned(times, values)
    n = len(points)
    if n < 2:
        raise ValueError("no trend of less than two points")
    slopes = sorted(
        (later[1] - point[1]) / (later[0] - point[0])
        for index, point in enumerate(points)
        for later in points[index + 1 :]
        if later[0] > point[0]
    )
    slope = statistics.median(slopes)
    score = sum((value > 0) - (value < 0) for value in slopes)
    tau = score / (n * (n - 1) / 2)
    remains = [value - slope * time for time, value in points]
    effective = effective_size(remains) if max(remains) - min(remains) > 1e-9 else float(n)
    if effective < FEWEST:
        return Trend(slope, None, None, tau, None, n, effective)
    spread = math.sqrt(_variance([value for _time, value in points]) * n / effective)
    z = statistics.NormalDist().inv_cdf((1 + confidence) / 2)
    reach = z * spread
    last = len(slopes) - 1
    low = slopes[max(0, math.floor((last - reach) / 2))]
    high = slopes[min(last, math.ceil((last + reach) / 2))]
    p = 1.0 if score == 0 or not spread else 2 * statistics.NormalDist().cdf(-(abs(score) - 1) / spread)
    return Trend(slope, low, high, tau, min(1.0, p), n, effective)


def sustained(times: Sequence[float], values: Sequence[float], confidence: float = 0.95) -> Trend:
    """The trend of that half of the time in which the values rose less: what rises without bound rises in both.

    A cache that fills, or a heap on its way to the size that its collector allows, rises in one half only. Where a
    half has too few effective samples for an interval, steps() bounds what it may hide. ``low`` and ``high`` are None
    where even that is not known: the time is too short, or has a gap. ValueError for less than two points.
    """
    middle = (times[0] + times[-1]) / 2 if len(times) else 0.0
    split = sum(time < middle for time in times)
    if min(split, len(times) - split) < 2:
        return trend(times, values, confidence)._replace(low=None, high=None)
    halves = [
        trend(times[:split], values[:split], confidence),
        trend(times[split:], values[split:], confidence),
    ]
    lows = [half.low for half in halves if half.low is not None]
    highs = [half.high for half in halves if half.high is not None]
    known = [half for half in halves if half.high is not None]
    slower = min(known or halves, key=lambda half: half.slope)
    if len(known) < 2:
        rises = steps(times, values)
        if rises:
            lows.append(min(rises))
            highs = highs or [max(rises)]
        else:
            lows, highs = [], []
    return slower._replace(low=min(lows, default=None), high=min(highs, default=None))


def steps(times: Sequence[float], values: Sequence[float], blocks: int = BLOCKS) -> list[float]:
    """How fast the values rose from each of ``blocks`` equal parts of the time to the next, by the parts' medians.

    However long the values' memory, only 1 in 2**7 random walks rises in all of 7 steps, and where parts are
    independent, only 1 in 8 factorial series without a trend. Empty where a part has no values.
    """
    length = (times[-1] - times[0]) / blocks
    parts: list[list[float]] = [[] for _block in range(blocks)]
    for time, value in zip(times, values):
        parts[min(blocks - 1, int((time - times[0]) / length)) if length else 0].append(value)
    if not all(parts):
        return []
    medians = [statistics.median(part) for part in parts]
    return [(after - before) / length for before, after in zip(medians, medians[1:])]


def thinned(times: Sequence[float], values: Sequence[float], most: int = MOST) -> list[tuple[float, float]]:
    """At most ``most`` points: the medians of runs of neighbours of equal length."""
    n = len(values)
    if n <= most:
        return list(zip(times, values))
    size = -(-n // most)
    return [
        (statistics.median(times[begin : begin + size]), statistics.median(values[begin : begin + size]))
        for begin in range(0, n - size + 1, size)
    ]


def _variance(values: Sequence[float]) -> float:
    """The variance of Mann-Kendall's S where there is no trend, with equal values allowed for."""
    n = len(values)
    counts: dict[float, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    ties = sum(count * (count - 1) * (2 * count + 5) for count in counts.values())
    return (n * (n - 1) * (2 * n + 5) - ties) / 18
