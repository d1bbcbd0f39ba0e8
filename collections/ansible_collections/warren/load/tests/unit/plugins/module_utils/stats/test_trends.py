# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import random

import pytest

from ansible_collections.warren.load.plugins.module_utils.stats import trends
from ansible_collections.warren.load.plugins.module_utils.stats.trends import sustained, thinned, trend

RUNS = 150
SECONDS = 120


def autoregressive(phi):
    def series(source, count):
        value = source.gauss(0, 1 / math.sqrt(1 - phi * phi))
        values = []
        for _value in range(count):
            value = phi * value + source.gauss(0, 1)
            values.append(value)
        return values

    return series


def saw(source, count):
    """A collector's heap: it rises, and falls at once."""
    period, begin = source.randint(5, 25), source.randint(0, 25)
    return [(index + begin) % period * 0.5 + source.gauss(0, 0.2) for index in range(count)]


def steps(source, count):
    level, values = 0, []
    for _value in range(count):
        if source.random() < 0.05:
            level = source.choice([-1, 0, 1])
        values.append(level + source.gauss(0, 0.05))
    return values


def one_step(source, count):
    where = source.randrange(count)
    return [(2.0 if index >= where else 0.0) + source.gauss(0, 0.05) for index in range(count)]


def settling(source, count):
    pace = source.uniform(8, 20)
    return [10 * (1 - math.exp(-index / pace)) + source.gauss(0, 0.3) for index in range(count)]


STEADY = {
    "noise": autoregressive(0.0),
    "memory of 0.5": autoregressive(0.5),
    "memory of 0.9": autoregressive(0.9),
    "saw": saw,
    "steps": steps,
    "one step": one_step,
}


def minutes(count):
    return [index / 60 for index in range(count)]


def alarms(series, *, slope=0.0, runs=RUNS, above=0.0):
    """The share of series in which a rise by more than ``above`` a minute is claimed."""
    source = random.Random(20261123)
    found = 0
    for _run in range(runs):
        values = [value + slope * time for time, value in zip(minutes(SECONDS), series(source, SECONDS), strict=True)]
        low = sustained(minutes(SECONDS), values, 0.99).low
        found += low is not None and low > above
    return found / runs


@pytest.mark.parametrize("name", STEADY)
def test_a_steady_series_raises_no_alarm(name):
    """99 % promise 1 in 200 of independent samples, and in one half; a rise in both is claimed less often."""
    assert alarms(STEADY[name]) <= 0.02


def test_what_settles_rises_ever_less():
    """Its last rise may be seen, since there is one; a leak of 1 MB a minute is not claimed."""
    assert alarms(settling, above=1.0) <= 0.02


@pytest.mark.parametrize("name", STEADY)
def test_a_leak_raises_one(name):
    """30 MB a minute is an eighth of what the simulator's leak does by default."""
    assert alarms(STEADY[name], slope=30.0, runs=50) >= 0.9


def test_an_interval_holds_the_slope():
    source = random.Random(5)
    held = 0
    for _run in range(RUNS):
        values = [3 * time + part for time, part in zip(minutes(60), autoregressive(0.3)(source, 60), strict=True)]
        found = trend(minutes(60), values, 0.95)
        held += found.low <= 3 <= found.high
    assert held / RUNS >= 0.9


def test_known_values():
    found = trend([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [2 * index for index in range(13)])
    assert (found.slope, found.low, found.high, found.tau, found.n) == (2, 2, 2, 1, 13)
    assert found.p < 0.001
    flat = trend(list(range(20)), [5.0] * 20)
    assert (flat.slope, flat.low, flat.high, flat.tau, flat.p) == (0, 0, 0, 0, 1)


def test_one_outlier_does_not_matter():
    values = [float(index) for index in range(30)]
    values[7] = 1e6
    assert trend(list(range(30)), values).slope == pytest.approx(1, abs=0.05)


def test_mann_kendall_s_variance():
    """n (n - 1) (2 n + 5) / 18, less what equal values take away: the example in Gilbert (1987), 16.4.4."""
    assert trends._variance(list(range(10))) == 125
    assert trends._variance([10, 22, 21, 30, 22, 30, 40, 40]) == pytest.approx((8 * 7 * 21 - 3 * 2 * 9) / 18)


def test_too_few_points():
    with pytest.raises(ValueError, match="less than two points"):
        trend([1], [1])
    assert trend([1, 2, 3], [1, 2, 4]).low is None


def test_a_rise_in_one_half_is_not_sustained():
    values = [float(min(index, 60)) for index in range(120)]
    assert sustained(minutes(120), values, 0.99).slope == pytest.approx(0, abs=1e-9)


def test_a_leak_is_seen_through_a_long_memory():
    """Too few effective samples for an interval, but it rises in each of eight parts."""
    values = [2.0 * index + 15 * math.sin(index / 9) for index in range(120)]
    assert trend(minutes(120)[:60], values[:60], 0.99).low is None
    assert trend(minutes(120)[60:], values[60:], 0.99).low is None
    found = sustained(minutes(120), values, 0.99)
    assert 0 < found.low < 120 < found.high


@pytest.mark.parametrize("later", [1, 2, 5])
def test_a_gap_that_leaves_a_half_empty_is_not_told(later):
    """A laptop that slept: a minute of samples, and the next ones a quarter of an hour later."""
    seconds = [*range(60), *range(1000, 1000 + later)]
    found = sustained([second / 60 for second in seconds], [5.0 + second % 3 for second in seconds], 0.99)
    assert (found.low, found.high) == (None, None)


def test_a_gap_between_two_halves_is_no_matter():
    seconds = [*range(300), *range(600, 900)]
    found = sustained([second / 60 for second in seconds], [second / 60 + second % 3 for second in seconds], 0.99)
    assert 0.5 < found.low <= 1 <= found.high < 1.5


def test_steps():
    assert trends.steps([0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 3, 3, 3, 3, 3, 2], blocks=4) == pytest.approx(
        [2.5 / 1.75, 0, -0.5 / 1.75]
    )
    assert trends.steps([0, 1], [1, 2]) == []
    assert trends.steps([5, 5], [1, 2]) == []


def test_thinning_keeps_the_trend():
    times = [float(index) for index in range(3600)]
    points = thinned(times, times)
    assert len(points) <= trends.MOST
    assert all(time == value for time, value in points)
    assert trend(times, times).slope == pytest.approx(1)
