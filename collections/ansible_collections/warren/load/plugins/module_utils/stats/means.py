# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mean with an interval that does not take correlated samples for independent ones."""

from __future__ import annotations

import math
import statistics
import typing as t

from .correlation import effective_size

if t.TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST = 6  # below this many effective samples no interval is claimed


def student(probability: float, freedom: float) -> float:
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
    half = student((1 + confidence) / 2, effective - 1) * spread
    return mean, mean - half, mean + half
