# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.stats import summaries


def test_shape():
    result = summaries.summary([3.0, 1.0, 2.0], "ms")
    assert result["p50"] == {"value": 2.0, "unit": "ms", "low": None, "high": None, "n": 3}
    assert result["max"] == {"value": 3.0, "unit": "ms", "low": None, "high": None, "n": 3}
    assert result["mean"]["value"] == 2.0
    assert set(result) == {"p50", "p95", "p99", "max", "mean"}
    assert "mean" not in summaries.summary([1.0], "s", mean=False)


def test_a_percentile_without_a_bound_names_its_largest_sample():
    burst = summaries.summary([1.0] * 500 + [float(value) for value in range(20, 35)] + [1.0] * 485, "ms")["p99"]
    assert burst["high"] is None
    assert burst["largest"] == 34.0
    assert "largest" not in summaries.summary([1.0] * 1000, "ms")["p99"]
    assert "largest" not in summaries.summary([float(value) for value in range(300)], "ms")["p99"]  # too few


def test_nothing_measured_is_said_and_not_zero():
    result = summaries.summary([], "ms")
    assert {(entry["value"], entry["n"]) for entry in result.values()} == {(None, 0)}


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=500))
def test_bounds_enclose_values_and_percentiles_rise(values):
    result = summaries.summary(values, "ms")
    for entry in result.values():
        assert entry["low"] is None or entry["low"] <= entry["value"]
        assert entry["high"] is None or entry["high"] >= entry["value"]
    assert result["p50"]["value"] <= result["p95"]["value"] <= result["p99"]["value"] <= result["max"]["value"]
