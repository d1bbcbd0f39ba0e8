# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quantiles by nearest rank, and order-statistic intervals around them.

Nearest rank (the inverted distribution function) returns a value that was measured, never one between two. The
interval makes no assumption about the distribution of the samples. Nor does it take them for independent: slow calls
come in clumps, as they share the server's ticks and stalls, so it is as wide as that of the number of independent
samples that they are worth. Where these are fewer than a 95 % bound takes, the largest sample stands in for it as long
as it bounds with 90 %; then there is none.
"""

from __future__ import annotations

import functools
import math
import typing as t

from .correlation import effective_size_beyond

if t.TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE = 0.95
LEAST_CONFIDENCE = 0.90  # of an upper bound where samples that are enough by number depend on each other


class Ranks(t.NamedTuple):
    """Ranks (from 1) of the samples that bound a quantile; None where n samples cannot bound it on that side."""

    low: int | None
    high: int | None


def nearest_rank(n: int, q: float) -> int:
    """The rank (from 1) of quantile ``q`` (0 to 1) among ``n`` samples; ValueError if there is no such sample."""
    if n < 1 or not 0.0 <= q <= 1.0:
        raise ValueError(f"no quantile {q} of {n} samples")
    # 0.07 * 100 is 7.000000000000001 in floating point, which is rank 7 all the same.
    return max(1, math.ceil(round(q * n, 9)))


def quantile(ordered: Sequence[float], q: float) -> float:
    """Quantile ``q`` (0 to 1) of samples in ascending order; ValueError if there are none."""
    return ordered[nearest_rank(len(ordered), q) - 1]


def _log_pmf(n: int, k: int, q: float) -> float:
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return ways + k * math.log(q) + (n - k) * math.log1p(-q)


def _last_within(n: int, q: float, tail: float) -> int:
    """The largest k with P(B <= k) <= ``tail`` for B binomial (n, q); -1 if even k = 0 has more."""
    # Beyond 12 standard deviations (and some, as small tails are skewed) lies less than a double can add up.
    k = max(0, math.floor(n * q - 12 * math.sqrt(n * q * (1 - q)) - 50))
    term = math.exp(_log_pmf(n, k, q))
    total = term
    while total <= tail and k < n:
        term *= (n - k) / (k + 1) * q / (1 - q)
        k += 1
        total += term
    return k - 1 if total > tail else n


@functools.lru_cache(maxsize=256)
def interval_ranks(n: int, q: float, confidence: float = CONFIDENCE) -> Ranks:
    """Ranks whose samples enclose quantile ``q`` (0 < q < 1) of the population with at least ``confidence``.

    Equal-tailed and exact: the number of samples below the quantile is binomial (n, q).
    """
    if n < 1:
        return Ranks(None, None)
    tail = (1 - confidence) / 2
    below = _last_within(n, q, tail)  # P(fewer than `below` + 1 samples lie under the quantile) <= tail
    above = _last_within(n, 1 - q, tail)
    return Ranks(below + 1 if below >= 0 else None, n - above if above >= 0 else None)


class Interval(t.NamedTuple):
    """The values that bound a quantile (None where nothing does), and how many independent samples that rests on."""

    low: float | None
    high: float | None
    effective: int


def quantile_interval(values: Sequence[float], ordered: Sequence[float], q: float) -> Interval:
    """A 95 % interval around quantile ``q`` (0 < q < 1) of ``values`` in the order measured, which are ``ordered`` too.

    The ranks are those of as many independent samples as ``values`` are worth, stretched to their number.
    """
    n = len(values)
    if not n:
        return Interval(None, None, 0)
    effective = int(effective_size_beyond(values, quantile(ordered, q)))
    low, high = interval_ranks(effective, q)
    stretch = (n + 1) / (effective + 1)
    if low is not None:
        low = max(1, math.floor(low * stretch))
    if high is not None:
        high = min(n, math.ceil(high * stretch))
    elif n >= samples_to_bound(q) and q**effective <= 1 - LEAST_CONFIDENCE:
        high = n
    return Interval(None if low is None else ordered[low - 1], None if high is None else ordered[high - 1], effective)


def samples_to_bound(q: float, confidence: float = CONFIDENCE, *, one_sided: bool = False) -> int:
    """How many samples it takes until the upper bound of quantile ``q`` exists: 368 for p99 at 95 %."""
    tail = (1 - confidence) if one_sided else (1 - confidence) / 2
    return math.ceil(math.log(tail) / math.log(q))
