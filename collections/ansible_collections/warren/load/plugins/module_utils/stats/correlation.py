# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many independent samples a series is worth.

Calls that follow each other share the server's ticks and stalls, so n samples carry less than n samples' worth. The
effective number is n over the integrated autocorrelation time, which differs with what is asked of the series: of its
mean, or of how many of its values lie beyond a quantile.
"""

from __future__ import annotations

import math
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_LAG = 500


def _time(correlation: Callable[[int], float], n: int) -> float:
    """The integrated autocorrelation time in samples, at least 1.

    Sums autocorrelations in pairs of lags as long as a pair is positive (Geyer's initial positive sequence).
    """
    total = 0.0
    for lag in range(1, min(MAX_LAG, n // 2), 2):
        pair = correlation(lag) + correlation(lag + 1)
        if pair <= 0.0:
            break
        total += pair
    return 1.0 + 2.0 * total


def effective_size(values: Sequence[float]) -> float:
    """How many independent samples ``values``, in the order measured, are worth for their mean: 1 to n."""
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

    return max(1.0, n / _time(correlation, n))


def _ones(bits: int) -> int:
    return bin(bits).count("1")  # int.bit_count() is not in the oldest Python of a node


def effective_size_beyond(values: Sequence[float], limit: float) -> float:
    """How many independent samples they are worth for the share of them above ``limit``: 1 to n.

    One bit a sample, all in one whole number: a lag costs a shift and a count.
    """
    n = len(values)
    bits = int("".join("1" if value > limit else "0" for value in values) or "0", 2)
    ones = _ones(bits)
    mean = ones / n if n else 0.0
    variance = ones * (1.0 - mean)
    if variance <= 0.0:
        return float(n)

    def correlation(lag: int) -> float:
        shifted = bits >> lag
        both, ends = _ones(bits & shifted), _ones(shifted) + ones - _ones(bits >> (n - lag))
        return (both - mean * ends + (n - lag) * mean * mean) / variance

    return max(1.0, n / _time(correlation, n))
