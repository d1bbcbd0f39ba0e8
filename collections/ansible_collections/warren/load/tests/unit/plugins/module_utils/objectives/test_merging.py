# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.objectives.merging import merge
from ansible_collections.warren.load.plugins.module_utils.objectives.rows import ObjectiveError, load_rows

ROLE = Path(__file__).parents[5] / "roles/load"
BUILT_IN = yaml.safe_load((ROLE / "files/objectives.yml").read_text(encoding="utf-8"))
OWN = {
    "id": "slow-creations",
    "sentence": "No creation takes long.",
    "source": "our own",
    "statistic": "max",
    "path": "create.service_time.max",
    "unit": "ms",
    "direction": "below",
    "limits": {"target": 100},
}


def merged(*changes):
    return {row.id: row for row in load_rows(merge(BUILT_IN, list(changes)))}


def test_without_changes_it_is_the_built_in_rows():
    assert merge(BUILT_IN, None) == BUILT_IN
    assert merge(BUILT_IN, []) == BUILT_IN


def test_a_change_needs_only_what_changes():
    before, after = merged(), merged({"id": "api-latency-p99", "limits": {"target": 100}})
    assert after["api-latency-p99"].limits == {"target": 100, "acceptable": 500, "critical": 1000}
    assert after["api-latency-p99"].sentence == before["api-latency-p99"].sentence
    del before["api-latency-p99"], after["api-latency-p99"]
    assert after == before


def test_a_limit_without_a_scale_holds_at_every_scale():
    row = merged({"id": "manager-memory", "limits": {"target": 300}})["manager-memory"]
    assert [row.limits_at(scale)["target"] for scale in ("small", "large", "massive")] == [300, 300, 300]


def test_a_limit_of_a_scale_holds_there_only():
    row = merged({"id": "manager-memory", "scales": {"large": {"target": 300}}})["manager-memory"]
    assert [row.limits_at(scale)["target"] for scale in ("small", "large", "massive")] == [256, 300, 512]


def test_rows_are_added_and_switched_off():
    rows = merged(OWN, {"id": "worker-memory", "disabled": True}, {"id": "list-average", "disabled": False})
    assert list(rows)[-1] == "slow-creations"
    assert "worker-memory" not in rows
    assert "list-average" in rows
    assert len(rows) == len(BUILT_IN)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "not a list"),
        ("", "not a list"),
        ([5], "number 1 has no 'id'"),
        ([{"limits": {"target": 1}}], "number 1 has no 'id'"),
        ([{"id": "list-average"}, {"id": "list-average"}], "'list-average' is there twice"),
        ([{"id": "list-average", "disabled": "yes"}], "'list-average': 'disabled' must be true or false"),
        ([{"id": "list-averag", "limits": {"target": 1}}], "did you mean 'list-average'?): correct its id, or add"),
        ([{"id": "list-averag", "disabled": True}], "did you mean 'list-average'?): correct its id."),
        ([{"id": "own", "limits": {"target": 1}}], "add sentence, source, statistic, path, unit, direction for"),
        ([{"id": "list-average", "limits": {"target": 1, "acceptable": 0}}], "'list-average': limits must rise"),
        ([{"id": "list-average", "path": "latency.mena"}], "'list-average': 'path'"),
        ([{"id": "list-average", "unit": "parsec"}], "'list-average': unit 'parsec'"),
        ([{"id": "list-average", "scales": {"large": 7}}], "'list-average': 'scales.large' must be a mapping"),
    ],
)
def test_a_wrong_change_is_one_sentence_with_its_id(changes, sentence):
    with pytest.raises(ObjectiveError) as caught:
        load_rows(merge(BUILT_IN, changes))
    assert sentence in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_the_example_of_the_readme_works():
    text = (ROLE / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(- id: .*?)```", text, re.DOTALL)
    rows = merged(*yaml.safe_load(example))
    assert rows["api-latency-p99"].limits_at("medium")["target"] == 100
    assert rows["manager-memory"].limits_at("large")["target"] == 300
    assert "worker-memory" not in rows
    assert rows["slow-creations"].advice


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "limits", "scales", "disabled", "target", "large", "path", "manager-memory"]),
            inner | st.just("manager-memory"),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(ANYTHING)
def test_whatever_a_file_holds_it_is_rows_or_one_sentence(changes):
    before = copy.deepcopy(BUILT_IN)
    try:
        load_rows(merge(BUILT_IN, changes))
    except ObjectiveError as error:
        assert "\n" not in str(error)
    assert before == BUILT_IN
