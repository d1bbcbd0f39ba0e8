# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.stats import quantiles

QUANTILES = st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999])


def binomial_cdf(n: int, k: int, q: float) -> float:
    return math.fsum(math.comb(n, i) * q**i * (1 - q) ** (n - i) for i in range(k + 1))


@pytest.mark.parametrize(
    ("n", "q", "rank"),
    [(100, 0.07, 7), (100, 0.99, 99), (1, 0.5, 1), (4, 0.5, 2), (5, 0.5, 3), (3, 0.0, 1), (3, 1.0, 3)],
)
def test_nearest_rank(n, q, rank):
    assert quantiles.nearest_rank(n, q) == rank


@pytest.mark.parametrize(("n", "q"), [(0, 0.5), (5, -0.1), (5, 1.1)])
def test_no_such_quantile(n, q):
    with pytest.raises(ValueError, match="no quantile"):
        quantiles.nearest_rank(n, q)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.floats(0, 1))
def test_a_quantile_is_a_measured_value_with_enough_values_at_or_below_it(values, q):
    ordered = sorted(values)
    value = quantiles.quantile(ordered, q)
    assert value in ordered
    assert sum(other <= value for other in ordered) >= q * len(ordered) - 1e-6


@pytest.mark.parametrize(
    ("n", "q", "ranks"),
    [
        (100, 0.5, (40, 61)),
        (100, 0.95, (90, 100)),
        (100, 0.99, (97, None)),
        (1000, 0.99, (983, 997)),
        (3000, 0.95, (2826, 2874)),
        (5, 0.5, (None, None)),
        (6, 0.5, (1, 6)),
        (0, 0.5, (None, None)),
    ],
)
def test_ranks_of_the_published_table(n, q, ranks):
    assert quantiles.interval_ranks(n, q) == ranks


@given(st.integers(1, 120), QUANTILES)
def test_the_interval_is_exact_and_as_narrow_as_its_tails_allow(n, q):
    low, high = quantiles.interval_ranks(n, q)
    tail = (1 - quantiles.CONFIDENCE) / 2
    if low is None:
        assert binomial_cdf(n, 0, q) > tail
    else:
        assert binomial_cdf(n, low - 1, q) <= tail + 1e-12
        assert binomial_cdf(n, low, q) > tail - 1e-12
    if high is None:
        assert q**n > tail
    else:
        assert 1 - binomial_cdf(n, high - 1, q) <= tail + 1e-12
        assert 1 - binomial_cdf(n, high - 2, q) > tail - 1e-12


@pytest.mark.parametrize("n", [100_000, 1_000_000])
def test_many_samples_agree_with_the_normal_approximation(n):
    low, high = quantiles.interval_ranks(n, 0.99)
    half = 1.96 * math.sqrt(n * 0.99 * 0.01)
    assert low == pytest.approx(n * 0.99 - half, abs=5)
    assert high == pytest.approx(n * 0.99 + half, abs=5)


def autoregressive(seeded: random.Random, n: int, memory: float) -> list[float]:
    """Standard normal values, each of which remembers ``memory`` of the one before."""
    value, values = seeded.gauss(0, 1), []
    for _sample in range(n):
        value = memory * value + math.sqrt(1 - memory**2) * seeded.gauss(0, 1)
        values.append(value)
    return values


def bursty(seeded: random.Random, n: int, share: float = 0.05, length: int = 5) -> list[float]:
    """Exponential values, of which ``share`` are 20 higher, in bursts of ``length`` on average."""
    slow, values = seeded.random() < share, []
    for _sample in range(n):
        values.append(seeded.expovariate(1) + 20 * slow)
        slow = seeded.random() > 1 / length if slow else seeded.random() < share / (1 - share) / length
    return values


def bursty_quantile(q: float, share: float = 0.05) -> float:
    """The true quantile of bursty(), for one that lies clearly within the fast values or within the slow ones."""
    return -math.log(1 - q / (1 - share)) if q < 1 - share else 20 - math.log((1 - q) / share)


NORMAL = {q: statistics.NormalDist().inv_cdf(q) for q in (0.5, 0.95, 0.99)}


@pytest.mark.parametrize(
    ("series", "truths"),
    [
        pytest.param(lambda seeded: autoregressive(seeded, 1000, 0.0), NORMAL, id="independent"),
        pytest.param(lambda seeded: autoregressive(seeded, 1000, 0.8), NORMAL, id="autoregressive 0.8"),
        pytest.param(lambda seeded: autoregressive(seeded, 3000, 0.9), NORMAL, id="autoregressive 0.9"),
        pytest.param(lambda seeded: bursty(seeded, 1000), {q: bursty_quantile(q) for q in (0.5, 0.99)}, id="bursty"),
    ],
)
def test_the_interval_covers_as_often_as_it_says(series, truths):
    tries = 300
    covered = dict.fromkeys(truths, 0)
    bounded = dict.fromkeys(truths, 0)
    for seed in range(tries):
        values = series(random.Random(seed))
        ordered = sorted(values)
        for q, truth in truths.items():
            low, high, _effective = quantiles.quantile_interval(values, ordered, q)
            bounded[q] += high is not None
            covered[q] += (low is None or low <= truth) and (high is None or truth <= high)
    assert min(covered.values()) / tries >= 0.90, covered
    # It does not cover by giving no bounds.
    assert min(bounded.values()) / tries >= 0.85, bounded


def test_who_takes_clumped_samples_for_independent_claims_too_much():
    """What the interval above mends: the ranks of independent samples cover far less than they say."""
    covered = 0
    for seed in range(200):
        ordered = sorted(autoregressive(random.Random(seed), 1000, 0.8))
        low, high = quantiles.interval_ranks(1000, 0.5)
        covered += ordered[low - 1] <= 0.0 <= ordered[high - 1]
    assert covered / 200 < 0.75


def test_independent_samples_keep_their_exact_ranks():
    values = [float(index % 100 * 10 + index // 100) for index in range(1000)]  # the ten largest never beside another
    low, high, effective = quantiles.quantile_interval(values, sorted(values), 0.99)
    assert effective == 1000
    assert (low, high) == (982.0, 996.0)


def test_one_burst_is_one_sample_and_bounds_no_p99():
    values = [float(value) for value in range(1000)]
    interval = quantiles.quantile_interval(values, values, 0.99)
    assert interval.high is None
    assert interval.effective < 230


def test_nothing_measured_has_no_interval():
    assert quantiles.quantile_interval([], [], 0.5) == (None, None, 0)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300), QUANTILES)
def test_the_interval_encloses_the_value(values, q):
    ordered = sorted(values)
    low, high, effective = quantiles.quantile_interval(values, ordered, q)
    value = quantiles.quantile(ordered, q)
    assert low is None or low <= value
    assert high is None or high >= value
    assert 1 <= effective <= len(values)


@pytest.mark.parametrize(("q", "both", "one"), [(0.95, 72, 59), (0.99, 368, 299), (0.999, 3688, 2995)])
def test_samples_to_bound(q, both, one):
    assert quantiles.samples_to_bound(q) == both
    assert quantiles.samples_to_bound(q, one_sided=True) == one


@given(QUANTILES)
def test_that_many_samples_do_bound_it_and_one_less_does_not(q):
    needed = quantiles.samples_to_bound(q)
    assert quantiles.interval_ranks(needed, q).high == needed
    assert quantiles.interval_ranks(needed - 1, q).high is None
