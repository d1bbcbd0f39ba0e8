# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import random

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


def test_the_interval_covers_as_often_as_it_says():
    seeded = random.Random(7)
    truth = math.log(100)  # p99 of the exponential distribution
    covered = 0
    for _try in range(400):
        ordered = sorted(seeded.expovariate(1) for _sample in range(500))
        low, high = quantiles.quantile_interval(ordered, 0.99)
        covered += low <= truth <= high
    assert covered / 400 > 0.92


@pytest.mark.parametrize(("q", "both", "one"), [(0.95, 72, 59), (0.99, 368, 299), (0.999, 3688, 2995)])
def test_samples_to_bound(q, both, one):
    assert quantiles.samples_to_bound(q) == both
    assert quantiles.samples_to_bound(q, one_sided=True) == one


@given(QUANTILES)
def test_that_many_samples_do_bound_it_and_one_less_does_not(q):
    needed = quantiles.samples_to_bound(q)
    assert quantiles.interval_ranks(needed, q).high == needed
    assert quantiles.interval_ranks(needed - 1, q).high is None
