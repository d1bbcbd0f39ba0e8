# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The straight line through a few points, with Student's interval of its slope. Pure functions.

Python 3.9 and newer.
"""

from __future__ import annotations

import functools
import math
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Sequence


def slope(
    xs: Sequence[float], ys: Sequence[float], confidence: float = 0.95, grain: float = 0.0
) -> tuple[float, float | None, float | None]:
    """``(slope, low, high)`` by least squares; low and high are None for two points, which always lie on a line.

    ``grain``: what the values are rounded to; a line is then no surer than that. ValueError for points that have less
    than two places.
    """
    n = len(xs)
    middle, level = math.fsum(xs) / n, math.fsum(ys) / n
    width = math.fsum((x - middle) ** 2 for x in xs)
    if not width:
        raise ValueError("no slope without two different places")
    rise = math.fsum((x - middle) * (ys[at] - level) for at, x in enumerate(xs)) / width
    freedom = n - 2
    if freedom < 1:
        return rise, None, None
    rest = math.fsum((ys[at] - level - rise * (x - middle)) ** 2 for at, x in enumerate(xs)) / freedom
    rest = max(rest, grain**2 / 12)  # the variance of what lies anywhere within a grain
    reach = quantile((1 + confidence) / 2, freedom) * math.sqrt(rest / width)
    return rise, rise - reach, rise + reach


@functools.lru_cache(maxsize=1024)
def quantile(probability: float, freedom: int) -> float:
    """Student's quantile, exact for whole degrees of freedom however few; for a probability of 0.5 or more."""
    low, high = 0.0, 1.0
    while _within(high, freedom) < 2 * probability - 1:
        low, high = high, 2 * high
    for _halving in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < 2 * probability - 1 else (low, middle)
    return (low + high) / 2


def _within(reach: float, freedom: int) -> float:
    """The chance that Student's variable lies between -reach and reach (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan(reach / math.sqrt(freedom))
    term = total = math.cos(angle) if freedom % 2 else 1.0
    for count in range(2 + freedom % 2, freedom - 1, 2):
        term *= math.cos(angle) ** 2 * (count - 1) / count
        total += term
    if freedom % 2 == 0:
        return math.sin(angle) * total
    return 2 / math.pi * (angle + (math.sin(angle) * total if freedom > 1 else 0.0))
