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
    # y = 1.86 x - 0.04, residuals 0.24, -0.62, 0.52, -0.14: s^2 = 0.732 / 2 = 0.366, Sxx = 5, t(2) = 4.302653.
    rise, low, high = slope([0, 1, 2, 3], [0.2, 1.2, 4.2, 5.4])
    assert rise == pytest.approx(1.86, rel=1e-9)
    assert (low, high) == pytest.approx((1.86 - 1.164105, 1.86 + 1.164105), rel=1e-5)


def test_three_points_have_one_degree_of_freedom():
    # Residuals 1/6, -1/3, 1/6: s^2 = 1/6, Sxx = 2, t(1) = 12.706205.
    rise, low, high = slope([0, 1, 2], [0, 0, 1])
    assert (rise, low, high) == pytest.approx((0.5, 0.5 - 3.667966, 0.5 + 3.667966), rel=1e-5)


def test_another_confidence():
    # t(2) = 9.924843 at 99.5 %.
    rise, low, _high = slope([0, 1, 2, 3], [0.2, 1.2, 4.2, 5.4], confidence=0.99)
    assert rise - low == pytest.approx(9.924843 * (0.366 / 5) ** 0.5, rel=1e-5)


def test_a_line_is_no_surer_than_what_its_points_are_rounded_to():
    rise, low, _high = slope([0, 1, 2, 3], [0, 4, 8, 12], grain=4)
    assert rise - low == pytest.approx(4.302653 * (16 / 12 / 5) ** 0.5, rel=1e-5)
    coarse, fine = (slope([0, 1, 2, 3], [0.2, 1.2, 4.2, 5.4], grain=each) for each in (0.0, 0.1))
    assert coarse == fine


def test_95_of_100_intervals_hold_the_truth():
    source = random.Random(7)
    held = 0
    for _run in range(1000):
        _rise, low, high = slope([0, 50, 100, 150], [source.gauss(2 * x, 10) for x in (0, 50, 100, 150)])
        held += low <= 2 <= high
    assert 930 <= held <= 970


@pytest.mark.parametrize(
    ("probability", "freedom", "value"),
    [
        (0.975, 1, 12.70620),
        (0.975, 2, 4.302653),
        (0.975, 3, 3.182446),
        (0.975, 4, 2.776445),
        (0.975, 10, 2.228139),
        (0.975, 30, 2.042272),
        (0.999, 3, 10.21453),
        (0.9995, 2, 31.59905),
        (0.75, 1, 1.0),
        (0.5, 5, 0.0),
    ],
)
def test_students_quantiles_are_those_of_the_tables(probability, freedom, value):
    assert quantile(probability, freedom) == pytest.approx(value, rel=1e-5, abs=1e-9)
