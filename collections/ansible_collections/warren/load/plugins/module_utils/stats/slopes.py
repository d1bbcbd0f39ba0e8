# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The straight line through a few points, with Student's interval of its slope. Pure functions."""

from __future__ import annotations

import math
import typing as t

from .means import student

if t.TYPE_CHECKING:
    from collections.abc import Sequence

# Student's 97.5 % quantile; beyond these degrees of freedom the expansion is exact enough.
QUANTILES = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


def slope(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float | None, float | None]:
    """``(slope, low, high)`` by least squares, low and high at 95 %; None for two points, which always lie on a line.

    ValueError for points that have less than two places.
    """
    n = len(xs)
    middle, level = math.fsum(xs) / n, math.fsum(ys) / n
    width = math.fsum((x - middle) ** 2 for x in xs)
    if not width:
        raise ValueError("no slope without two different places")
    rise = math.fsum((x - middle) * (y - level) for x, y in zip(xs, ys, strict=True)) / width
    freedom = n - 2
    if freedom < 1:
        return rise, None, None
    rest = math.fsum((y - level - rise * (x - middle)) ** 2 for x, y in zip(xs, ys, strict=True))
    reach = quantile(freedom) * math.sqrt(rest / freedom / width)
    return rise, rise - reach, rise + reach


def quantile(freedom: int) -> float:
    """Student's 97.5 % quantile."""
    return QUANTILES[freedom - 1] if freedom <= len(QUANTILES) else student(0.975, freedom)
