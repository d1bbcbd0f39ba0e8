# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random
import statistics

import pytest

from ansible_collections.warren.load.plugins.module_utils.stats import means


def correlated(seed: int, n: int, memory: float) -> list[float]:
    seeded = random.Random(seed)
    value, values = 0.0, []
    for _sample in range(n):
        value = memory * value + seeded.gauss(0, 1)
        values.append(value)
    return values


@pytest.mark.parametrize("memory", [0.0, 0.8])
def test_the_interval_covers_as_often_as_it_says(memory):
    covered = 0
    for seed in range(200):
        _mean, low, high = means.mean_interval(correlated(seed, 400, memory))
        covered += low <= 0.0 <= high
    assert covered / 200 > 0.88


def test_few_samples_get_no_interval():
    assert means.mean_interval([1.0, 2.0, 3.0]) == (2.0, None, None)
    with pytest.raises(ValueError, match="no mean"):
        means.mean_interval([])


def test_equal_samples_have_an_interval_of_no_width():
    assert means.mean_interval([4.0] * 10) == (4.0, 4.0, 4.0)


def test_the_interval_of_independent_samples_is_student_s():
    values = [float(value) for value in random.Random(3).sample(range(1000), 20)]
    mean, low, _high = means.mean_interval(values)
    # 2.093: Student's quantile for 19 degrees of freedom; the estimate of correlation may widen it a little.
    assert mean - low >= 2.09 * statistics.stdev(values) / 20**0.5
