# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.stats.histograms import Histogram, bounds, bucket
from ansible_collections.warren.load.plugins.module_utils.stats.quantiles import quantile

VALUES = st.lists(st.integers(0, 10**12), min_size=1, max_size=200)


@given(st.integers(0, 2**60))
def test_a_value_lies_in_its_bucket_which_is_narrow(value):
    low, high = bounds(bucket(value))
    assert low <= value <= high
    assert high - low <= value / 1000


@given(st.integers(0, 2**40))
def test_buckets_are_in_order_without_gaps(value):
    _low, high = bounds(bucket(value))
    assert bucket(high + 1) == bucket(value) + 1


@given(VALUES, VALUES)
def test_merging_is_the_same_as_counting_together(first, second):
    together, one, other = Histogram(), Histogram(), Histogram()
    for value in first:
        one.add(value)
        together.add(value)
    for value in second:
        other.add(value)
        together.add(value)
    one.merge(other)
    assert one.counts == together.counts
    assert Histogram.from_dict(json.loads(json.dumps(one.as_dict()))).counts == one.counts


@given(VALUES, st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_quantiles_are_within_a_thousandth_of_the_exact_ones(values, q):
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = quantile(sorted(values), q)
    assert exact <= histogram.quantile(q) <= exact * 1.001


def test_refusals():
    with pytest.raises(ValueError, match="negative"):
        Histogram().add(-1)
    with pytest.raises(ValueError, match="no quantile"):
        Histogram().quantile(0.5)
