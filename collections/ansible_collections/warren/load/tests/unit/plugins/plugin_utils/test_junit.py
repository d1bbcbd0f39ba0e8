# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.plugin_utils.junit import (
    RED,
    STATES,
    Case,
    build,
    document_cases,
    objective_case,
)
from ansible_collections.warren.load.plugins.plugin_utils.results import assemble
from ansible_collections.warren.load.tests.support.results_rules import strict_problems


def document(cases, **changes):
    return ET.fromstring(build(cases, **{"name": "warren.load.small", **changes}))


CASES = [
    Case("warren.load.phases", "create", seconds=0.00001),
    Case(
        "warren.load.objectives",
        "a: b",
        "failure",
        1e-9,
        "objective",
        "p99 900 ms",
        "table",
        properties={"level": "missed"},
    ),
    Case("warren.load.tasks", "[gen] Bring up", "error", 3.0, "task-failed", "it broke \x00\x1b[31mred\x1b[0m", "<&>"),
    Case("warren.load.objectives", "c: d", "skipped", 0.0, "", "not judged: no reason"),
]


def test_a_report_keeps_to_the_strict_rules():
    root = document(CASES, hostname="h", timestamp="2026-11-23T12:01:02", properties={"run_id": "x"})
    assert strict_problems(root) == []
    suite = root[0]
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["4", "1", "1", "1"]
    assert [root.get(name) for name in ("tests", "failures", "errors")] == ["4", "1", "1"]
    assert all(case.get("time") is not None for case in suite.iter("testcase"))
    assert suite.find(".//error").get("message") == "it broke red"
    assert suite.find(".//error").text == "<&>"
    assert suite.find(".//failure").get("type") == "objective"


def test_the_rules_can_fail():
    root = document(CASES, case_properties=True)
    assert strict_problems(root) == ["properties in testcase"]
    assert root.find(".//testcase/properties/property").attrib == {"name": "level", "value": "missed"}
    root[0].set("disabled", "0")
    root[0].set("time", "1e-05")
    assert len(strict_problems(root)) == 3


TEXT = st.text(st.characters(codec=None), max_size=30)


@given(
    st.lists(
        st.builds(Case, TEXT, TEXT, st.sampled_from(STATES), st.floats(0, 1e6), TEXT, TEXT, TEXT, TEXT),
        max_size=5,
    ),
    TEXT,
    st.dictionaries(TEXT, TEXT, max_size=3),
)
def test_any_text_makes_a_strict_report(cases, name, properties):
    root = document(cases, name=name, properties=properties)
    assert strict_problems(root) == []
    for state, tag in (("failure", "failure"), ("error", "error"), ("skipped", "skipped")):
        assert len(root.findall(f".//{tag}")) == sum(case.state == state for case in cases)


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        ("pass", "passed"),
        ("fail", "failure"),
        ("invalid", "error"),
        ("inconclusive", "skipped"),
        ("not judged", "skipped"),
        ("something new", "error"),
    ],
)
def test_verdicts_become_states(verdict, state):
    case = objective_case({"id": "x", "sentence": "y", "verdict": verdict, "value": 3.0, "unit": "ms", "limit": 1.0})
    assert case.state == state
    assert (case.classname, case.name) == ("warren.load.objectives", "x: y")


def test_a_run_that_is_not_green_has_a_red_case(small):
    """An inconclusive objective is skipped; if its value fails the run, exit code and report must not differ."""
    document = assemble(small)
    assert not [case for case in document_cases(document) if case.state in RED]
    document["judgement"] |= {"green": False, "verdict": "inconclusive", "summary": "inconclusive: x"}
    document["judgement"]["objectives"][2]["verdict"] = "inconclusive"
    (red,) = [case for case in document_cases(document) if case.state in RED]
    assert (red.classname, red.name, red.message) == ("warren.load.phases", "judge", "inconclusive: x")


def test_numbers_are_in_message_and_text_and_never_in_the_name(large):
    for judgement in large["judgement"]["judgements"]:
        case = objective_case(judgement)
        assert not re.search(r"\d", case.name.replace("p50", "").replace("p99", ""))
        if case.state == "failure":
            assert re.search(r"\d.*limit", case.message)
            assert "- " in case.text
    failure = objective_case(large["judgement"]["judgements"][0])
    assert failure.message == "max 611 MB, limit < 512 MB, level critical"
