# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mean with an interval that does not take correlated samples for independent ones.

Calls that follow each other share the server's ticks and stalls, so n samples carry less than n samples' worth. The
interval uses the effective number: n over the integrated autocorrelation time.
"""

from __future__ import annotations

import math
import statistics
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Sequence

MAX_LAG = 500
FEWEST = 6  # below this many effective samples no interval is claimed


def effective_size(values: Sequence[float]) -> float:
    """How many independent samples ``values``, in the order measured, are worth for their mean: 1 to n.

    Sums autocorrelations in pairs of lags as long as a pair is positive (Geyer's initial positive sequence).
    """
    n = len(values)
    if n < 3:
        return float(n)
    mean = math.fsum(values) / n
    centred = [value - mean for value in values]
    variance = math.fsum(value * value for value in centred)
    if variance <= 0.0:
        return float(n)

    def correlation(lag: int) -> float:
        return sum(a * b for a, b in zip(centred, centred[lag:])) / variance

    # From lag 1 on, two at a time; 1 + 2 * sum is the time, and never less than 1.
    total = 0.0
    for lag in range(1, min(MAX_LAG, n // 2), 2):
        pair = correlation(lag) + correlation(lag + 1)
        if pair <= 0.0:
            break
        total += pair
    return max(1.0, n / (1.0 + 2.0 * total))


def _student(probability: float, freedom: float) -> float:
    """Student's quantile by the Cornish-Fisher expansion: within 1 % from 5 degrees of freedom on."""
    z = statistics.NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float | None, float | None]:
    """``(mean, low, high)`` of samples in the order measured; None bounds where too few; ValueError for none."""
    n = len(values)
    if n == 0:
        raise ValueError("no mean of no samples")
    mean = math.fsum(values) / n
    effective = effective_size(values)
    if effective < FEWEST:
        return mean, None, None
    spread = statistics.stdev(values, mean) / math.sqrt(effective)
    half = _student((1 + confidence) / 2, effective - 1) * spread
    return mean, mean - half, mean + half
