# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.objectives.units import UNITS, convert, number, quantity


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (184.4, "MB", "184 MB"),
        (12.44, "1/s", "12.4/s"),
        (3.1, "ms", "3.1 ms"),
        (0.0, "1", "0"),
        (0.00004, "s", "<0.001 s"),
        (0.1234, "s", "0.123 s"),
        (10000, "containers", "10000 containers"),
        (9.996, "ms", "10 ms"),
        (-0.5, "s", "-0.5 s"),
        (12.5, "%", "12.5 %"),
        (12345678901, "B", "1.23e+10 B"),
        (float("nan"), "s", "? s"),
    ],
)
def test_quantity_reads_well(value, unit, text):
    assert quantity(value, unit) == text


@given(st.floats(min_value=0.001, max_value=1e9))
def test_number_keeps_three_digits(value):
    assert float(number(value)) == pytest.approx(value, rel=6e-3)


def test_convert():
    assert convert(1.5, "s", "ms") == 1500
    assert convert(2.0, "GB", "MB") == 2048
    assert convert(60.0, "1/min", "1/s") == pytest.approx(1.0)
    assert convert(1.0, "s", "MB") is None
    assert convert(1.0, "parsec", "s") is None
    assert convert(3.0, "furlong", "furlong") == 3.0


@given(st.floats(min_value=1e-6, max_value=1e12), st.sampled_from(UNITS), st.sampled_from(UNITS))
def test_convert_comes_back(value, there, back):
    converted = convert(value, there, back)
    if converted is not None:
        assert convert(converted, back, there) == pytest.approx(value)
