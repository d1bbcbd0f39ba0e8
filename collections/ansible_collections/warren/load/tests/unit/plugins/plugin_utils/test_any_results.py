# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever was measured, the results keep to their schema and every report of them can be made."""

from __future__ import annotations

import copy
import json
import xml.etree.ElementTree as ET

import jsonschema
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.objectives.judging import judge
from ansible_collections.warren.load.plugins.module_utils.objectives.rows import SCALES, load_rows
from ansible_collections.warren.load.plugins.plugin_utils.banner import render
from ansible_collections.warren.load.plugins.plugin_utils.columns import width
from ansible_collections.warren.load.plugins.plugin_utils.comparison import compare
from ansible_collections.warren.load.plugins.plugin_utils.comparison import markdown as comparison_markdown
from ansible_collections.warren.load.plugins.plugin_utils.comparison import screen_lines as comparison_lines
from ansible_collections.warren.load.plugins.plugin_utils.markdown import LIMIT as COMMENT
from ansible_collections.warren.load.plugins.plugin_utils.reports import files, screen_lines
from ansible_collections.warren.load.plugins.plugin_utils.results import LIMIT, assemble, encode
from ansible_collections.warren.load.tests.support.results_rules import SCHEMA, strict_problems

from .conftest import COLLECTION, environment, measurements

import yaml  # isort: skip

# Documents are too large to be made smaller in reasonable time.
PLAIN = (Phase.explicit, Phase.generate)
ROWS = load_rows(yaml.safe_load((COLLECTION / "roles/load/files/objectives.yml").read_text()))
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
RECORDED = [measurements("small"), measurements("large-failed")]

TEXT = st.text(max_size=40) | st.sampled_from(["|", "x" * 3000, "漢字" * 60, "\x1b[31m", "token=abcdefgh", "\ud800"])
COUNT = st.integers(0, 10**9)
AMOUNT = st.none() | st.floats() | st.floats(0, 1e9) | COUNT
PHASES = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["preflight", "create", "await", "latency", "cleanup"]),
            "status": st.sampled_from(["ok", "failed", "skipped"]),
            "duration": st.none() | st.floats(0, 1e6),
            "error": st.none() | TEXT,
        }
    ),
    max_size=6,
    unique_by=lambda phase: phase["name"],
)


@st.composite
def measured(draw):
    """A recorded run in which numbers, texts and whole parts are something else, or missing."""
    tree = copy.deepcopy(draw(st.sampled_from(RECORDED)))
    for phase in draw(st.lists(st.sampled_from(list(tree)), max_size=3)):
        tree.pop(phase, None)
    for phase in tree.values():
        for name in draw(st.lists(st.sampled_from(list(phase)), max_size=4)):
            old = phase.get(name)
            if isinstance(old, dict) and "value" in old:
                phase[name] = {**old, "value": draw(AMOUNT), "low": draw(AMOUNT), "n": draw(st.none() | COUNT)}
            elif isinstance(old, dict) and "p50" not in old:
                phase[name] = draw(st.dictionaries(TEXT.filter(lambda key: key not in ("value", "p50")), COUNT))
            elif isinstance(old, str):
                phase[name] = draw(TEXT)
            elif isinstance(old, (int, float)):
                phase[name] = draw(COUNT)
            elif draw(st.booleans()):
                phase.pop(name, None)
    return tree


@st.composite
def documents(draw):
    found, scale = draw(measured()), draw(st.sampled_from(SCALES))
    marks = draw(st.lists(st.sampled_from(["simulator", "hollow", "shared-host"]), unique=True))
    audit = {"generator": {"valid": draw(st.booleans()), "reasons": draw(st.lists(TEXT, max_size=3))}}
    judged = judge(found, audit, ROWS, scale=scale, fail_at=draw(st.sampled_from(["acceptable", "missed", "critical"])))
    about = environment(marks)
    about["program"] |= {"name": draw(TEXT), "sha256": draw(st.none() | st.just("ab" * 32)), "version": draw(TEXT)}
    about["hosts"] = draw(
        st.lists(
            st.fixed_dictionaries(
                {"name": TEXT, "kind": st.just("manager"), "os": st.none() | TEXT, "memory": st.none() | COUNT}
            ),
            max_size=3,
        )
    )
    return assemble(
        {
            "run": {
                "id": draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)),
                "scale": scale,
                "scenario": draw(st.sampled_from(["load", "api-throughput"])),
                "services": draw(COUNT),
                "replicas": draw(COUNT),
                "started": draw(st.none() | TEXT | st.floats()),
                "finished": draw(st.none() | st.just("2026-11-23T12:01:02Z")),
                "image": draw(TEXT),
            },
            "measurements": found,
            "audit": audit,
            "judgement": draw(st.sampled_from([judged, {}, {"msg": "it broke"}])),
            "environment": about,
            "marks": marks,
            "phases": draw(PHASES),
            "plan": {},
            "findings": draw(st.lists(TEXT.filter(str.strip), max_size=20)),
        }
    )


@settings(max_examples=60, deadline=None, phases=PLAIN)
@given(documents())
def test_every_document_keeps_to_the_schema_and_has_its_reports(tmp_path_factory, document):
    folder = tmp_path_factory.getbasetemp()
    VALIDATOR.validate(json.loads(encode(document)))
    assert len(encode(document)) <= LIMIT
    lines = render(screen_lines(document, folder)).splitlines()
    assert [line for line in lines if width(line) > 80 and str(folder) not in line] == []
    assert not any("\x1b" in line for line in lines)
    made = files(document, folder)
    assert len(made["report.md"].decode()) < COMMENT
    root = ET.fromstring(made["junit.xml"])
    assert strict_problems(root) == []
    red = root.findall(".//failure") + root.findall(".//error")
    assert bool(red) != document["judgement"]["green"]


@settings(max_examples=40, deadline=None, phases=PLAIN)
@given(documents(), documents())
def test_any_two_documents_can_be_compared(base, new):
    found = compare(base, new)
    lines = render(comparison_lines(found)).splitlines()
    assert [line for line in lines if width(line) > 80] == []
    assert comparison_markdown(found).count("\n| ") == len(found.rows) + 1
