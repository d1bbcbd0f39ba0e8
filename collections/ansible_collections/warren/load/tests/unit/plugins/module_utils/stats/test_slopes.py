# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random

import pytest

from ansible_collections.warren.load.plugins.module_utils.stats.slopes import quantile, slope


def test_a_line_has_no_error():
    assert slope([0, 50, 100, 150], [1, 101, 201, 301]) == pytest.approx((2, 2, 2))


def test_two_points_tell_no_error():
    assert slope([0, 50], [0, 150]) == (3, None, None)
    with pytest.raises(ValueError, match="two different places"):
        slope([5, 5, 5], [1, 2, 3])


def test_by_hand():
    # y = 1.9 x - 0.2 with residuals 0.3, -0.6, 0.5, ... of four points: s^2 = 0.35, Sxx = 5.
    rise, low, high = slope([0, 1, 2, 3], [0.2, 1.2, 4.2, 5.4])
    assert rise == pytest.approx(1.86)
    assert high - rise == pytest.approx(rise - low) == pytest.approx(4.303 * (0.35 / 5) ** 0.5, rel=0.2)


def test_95_of_100_intervals_hold_the_truth():
    source = random.Random(7)
    held = 0
    for _run in range(1000):
        _rise, low, high = slope([0, 50, 100, 150], [source.gauss(2 * x, 10) for x in (0, 50, 100, 150)])
        held += low <= 2 <= high
    assert 930 <= held <= 970


def test_many_degrees_of_freedom():
    assert quantile(1) == pytest.approx(12.706)
    assert quantile(11) == pytest.approx(2.201, abs=0.01)
