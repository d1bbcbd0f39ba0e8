# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.phases import methods

MIXES = st.dictionaries(st.sampled_from(methods.METHODS), st.integers(1, 20), min_size=1)


def test_a_mix_is_read_from_words():
    assert methods.parse_mix(["ListServices:8", " GetService ", "UpdateService:1"]) == {
        "ListServices": 8,
        "GetService": 1,
        "UpdateService": 1,
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no method is named"),
        (["Everything"], "'Everything' is none of GetClusterInfo, "),
        (["ListNodes", "ListNodes:2"], "ListNodes is named twice"),
        (["ListNodes:0"], "whole number of parts"),
        (["ListNodes:-1"], "whole number of parts"),
        (["ListNodes:1.5"], "whole number of parts"),
        (["ListNodes:x"], "such as ListNodes:8"),
        (["CreateService"], "'CreateService' is none of"),
    ],
)
def test_words_that_are_no_mix(words, message):
    with pytest.raises(ValueError, match=message):
        methods.parse_mix(words)


@given(MIXES, st.integers(1, 500), st.integers(0, 5))
def test_every_call_has_a_method_in_the_shares_of_the_mix(mix, calls, seed):
    plan = methods.interleaved(mix, calls, seed)
    assert len(plan) == calls
    for name, parts in mix.items():
        assert abs(plan.count(name) - calls * parts / sum(mix.values())) < 1


def test_the_order_is_mixed_and_the_seed_s():
    mix = {"ListServices": 8, "UpdateService": 2}
    plan = methods.interleaved(mix, 100, 1)
    assert plan == methods.interleaved(mix, 100, 1)
    assert plan != methods.interleaved(mix, 100, 2)
    assert "UpdateService" in plan[:40]
    assert "UpdateService" in plan[60:]
