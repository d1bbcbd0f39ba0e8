# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.warren.load.plugins.module_utils.stats.outages import (
    Outage,
    blindness,
    elected,
    outages,
    resolution,
    terms,
)


def every(period, start, end):
    return [start + period * number for number in range(round((end - start) / period))]


def test_no_answer_for_a_while_is_an_outage():
    answers = [*every(0.05, 0.0, 3.0), *every(0.05, 4.2, 10.0)]
    (found,) = outages(answers, 0.0, 10.0, 0.2)
    assert list(found) == [pytest.approx(2.95), pytest.approx(4.2)]
    assert found.seconds(10.0) == pytest.approx(1.25)
    assert outages(answers, 0.0, 10.0, 1.3) == []


def test_the_order_of_answers_does_not_matter_and_late_ones_are_a_gap():
    assert outages([3.0, 1.0, 2.0, 0.0], 0.0, 3.0, 0.5) == [Outage(0.0, 1.0), Outage(1.0, 2.0), Outage(2.0, 3.0)]


def test_before_the_first_and_after_the_last_answer():
    assert outages([1.0], 0.0, 1.1, 0.2) == [Outage(0.0, 1.0)]
    (found,) = outages([0.1], 0.0, 5.0, 0.2)
    assert found == Outage(0.1, None)
    assert found.seconds(5.0) == pytest.approx(4.9)
    assert outages([], 0.0, 5.0, 0.2) == [Outage(0.0, None)]
    assert outages([], 0.0, 0.0, 0.2) == []


def test_what_is_no_longer_than_the_least_is_none():
    assert outages([0.0, 0.25, 0.5], 0.0, 0.75, 0.25) == []
    assert outages([0.0, 0.5], 0.0, 0.75, 0.25) == [Outage(0.0, 0.5)]


def test_the_resolution_is_the_longest_time_between_two_probes():
    assert resolution([0.0, 0.05, 0.3, 0.1]) == pytest.approx(0.2)
    assert resolution([1.0]) is None


def test_who_answered_when():
    assert terms([(0.1, "a"), (0.3, "b"), (0.2, "a"), (0.4, "b"), (0.5, "a")]) == [
        ("a", 0.1, 0.2),
        ("b", 0.3, 0.4),
        ("a", 0.5, 0.5),
    ]
    assert terms([]) == []


def test_who_was_elected_and_when():
    views = [
        (0.0, "m2", "m1"),
        (5.1, "m1", "m2"),  # what the old leader says does not count
        (5.2, "m3", ""),
        (5.4, "m3", "m2"),
        (5.3, "m2", "m2"),
    ]
    assert elected(views, "m1", 5.0) == (5.3, "m2")
    assert elected(views, "m1", 5.35) == (5.4, "m2")
    assert elected(views[:3], "m1", 5.0) is None


def test_how_finely_an_outage_is_known():
    sent = [*every(0.05, 0.0, 3.0), *every(0.05, 3.5, 10.0)]
    assert blindness(sent, Outage(5.0, 6.0), 10.0) == pytest.approx(0.05)
    assert blindness(sent, Outage(2.9, 3.6), 10.0) == pytest.approx(0.55)  # who asks stood still
    assert blindness([], Outage(5.0, None), 10.0) == 5.0
