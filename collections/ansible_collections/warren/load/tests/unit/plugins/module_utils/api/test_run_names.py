# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names carry their run, and nothing else is ever taken for ours."""

from __future__ import annotations

import datetime

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.api import run_names


@given(
    st.datetimes(min_value=datetime.datetime(2020, 1, 1), max_value=datetime.datetime(2099, 1, 1)),
    st.integers(1, 10**6),
)
def test_a_service_name_leads_back_to_its_run(now: datetime.datetime, index: int) -> None:
    run_id = run_names.new_run_id(now)
    assert run_names.is_run_id(run_id)
    assert run_names.run_id_of(run_names.service_name(run_id, index)) == run_id


@given(st.text())
def test_no_other_name_is_ours(text: str) -> None:
    assert run_names.run_id_of("load-test-" + text) is None
    assert run_names.run_id_of("wl-" + text) is None or run_names.is_run_id(text.rpartition("-")[0])


def test_a_name_with_something_behind_it_is_not_ours() -> None:
    name = run_names.service_name("20261123-120102-4f1a", 1)
    assert [run_names.run_id_of(name + more) for more in ("\n", " ", "-1", "x")] == [None] * 4


def test_names_sort_as_they_were_created() -> None:
    names = [run_names.service_name("20261123-120102-4f1a", index) for index in (1, 9, 10, 999, 1000)]
    assert names == sorted(names)
    assert names[0] == "wl-20261123-120102-4f1a-0001"
