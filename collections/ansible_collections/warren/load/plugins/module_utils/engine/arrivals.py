# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When calls are due: schedules drawn before the run, as offsets from its start.

Offsets are absolute, so a late call never delays the ones after it, and a seed in the results draws the same again.
"""

from __future__ import annotations

import random

KINDS = ("poisson", "uniform")


def schedule(kind: str, rate: float, calls: int, seed: int) -> list[float]:
    """``calls`` offsets in s, ascending, from 0 on, at ``rate`` calls/s on average.

    ``poisson``: independent users (exponential gaps drawn from ``seed``); ``uniform``: a metronome. ValueError for a
    kind that does not exist, a rate that is not positive or fewer than one call.
    """
    if kind not in KINDS:
        raise ValueError(f"arrivals: {kind!r} is none of {', '.join(KINDS)}")
    if not rate > 0:
        raise ValueError(f"rate: {rate} is not more than 0 calls a second")
    if calls < 1:
        raise ValueError(f"calls: {calls} is not at least 1")
    if kind == "uniform":
        return [index / rate for index in range(calls)]
    seeded = random.Random(seed)
    now, offsets = 0.0, []
    for _call in range(calls):
        now += seeded.expovariate(rate)
        offsets.append(now)
    return offsets
