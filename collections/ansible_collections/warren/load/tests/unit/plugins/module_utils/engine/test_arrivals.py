# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.engine.arrivals import KINDS, schedule

RATES = st.floats(0.1, 10_000)


@given(st.sampled_from(KINDS), RATES, st.integers(1, 500), st.integers())
def test_offsets_ascend_from_zero_and_a_seed_draws_them_again(kind, rate, calls, seed):
    offsets = schedule(kind, rate, calls, seed)
    assert len(offsets) == calls
    assert offsets == sorted(offsets)
    assert offsets[0] >= 0
    assert all(math.isfinite(offset) for offset in offsets)
    assert schedule(kind, rate, calls, seed) == offsets


@given(RATES, st.integers(2, 500))
def test_a_metronome_does_not_drift(rate, calls):
    assert schedule("uniform", rate, calls, 0)[-1] == pytest.approx((calls - 1) / rate)


def test_poisson_has_its_rate_and_its_irregularity():
    offsets = schedule("poisson", 200, 20_000, 42)
    gaps = [later - sooner for sooner, later in zip([0.0, *offsets], offsets, strict=False)]
    mean = sum(gaps) / len(gaps)
    deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert mean == pytest.approx(1 / 200, rel=0.05)
    assert deviation == pytest.approx(mean, rel=0.05)  # as only exponential gaps have it
    assert schedule("poisson", 200, 20_000, 43) != offsets


@pytest.mark.parametrize(
    ("kind", "rate", "calls", "message"),
    [
        ("bursty", 1, 1, "poisson, uniform"),
        ("poisson", 0, 1, "rate"),
        ("uniform", -1, 1, "rate"),
        ("poisson", float("nan"), 1, "rate"),
        ("poisson", 1, 0, "calls"),
    ],
)
def test_refusals(kind, rate, calls, message):
    with pytest.raises(ValueError, match=message):
        schedule(kind, rate, calls, 0)
