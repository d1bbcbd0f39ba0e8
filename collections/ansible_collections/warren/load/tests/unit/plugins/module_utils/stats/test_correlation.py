# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.stats import correlation


def correlated(seed: int, n: int, memory: float) -> list[float]:
    seeded = random.Random(seed)
    value, values = 0.0, []
    for _sample in range(n):
        value = memory * value + seeded.gauss(0, 1)
        values.append(value)
    return values


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200))
def test_effective_size_lies_between_one_and_all(values):
    assert 1.0 <= correlation.effective_size(values) <= len(values)
    assert 1.0 <= correlation.effective_size_beyond(values, sorted(values)[len(values) // 2]) <= len(values)


def test_independent_samples_count_fully_and_correlated_ones_do_not():
    assert correlation.effective_size(correlated(1, 3000, 0.0)) > 2000
    # An autoregression of 0.9 is worth (1 - 0.9) / (1 + 0.9) of its samples.
    assert correlation.effective_size(correlated(1, 3000, 0.9)) == pytest.approx(3000 * 0.1 / 1.9, rel=0.5)


def test_bits_and_numbers_agree():
    values = correlated(2, 1000, 0.8)
    for limit in (0.0, 1.5):
        beyond = [1.0 if value > limit else 0.0 for value in values]
        assert correlation.effective_size_beyond(values, limit) == pytest.approx(correlation.effective_size(beyond))


def test_none_or_all_beyond_tell_of_no_correlation():
    assert correlation.effective_size_beyond([1.0, 2.0, 3.0], 5.0) == 3.0
    assert correlation.effective_size_beyond([1.0, 2.0, 3.0], 0.0) == 3.0
    assert correlation.effective_size_beyond([], 0.0) == 0.0
