# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest

from ansible_collections.warren.load.plugins.plugin_utils.markdown import LIMIT, escaped, markdown
from ansible_collections.warren.load.plugins.plugin_utils.results import assemble


def test_a_comment_says_it_all(small):
    text = markdown(assemble(small))
    lines = text.splitlines()
    assert lines[0] == "### ✅ Warren load test: PASS"
    assert lines[2] == "**11 of 16 objectives passed, 5 were not judged**"
    assert "| ✓ | Manager memory | 61.4 MB | &lt; 256 | &lt; 512 | target | pass | simulator |" in lines
    assert "> The managers are the simulator, not Warren: latency and memory are its own." in lines
    assert text.index("**Findings**") < text.index("<details><summary>Environment</summary>")
    assert "| Program | the simulator of warren.load, sha256 9f86d081884c |" in lines
    assert "  Service Creation Rate: 53.80 services/s" in lines
    assert len(text) < 8000


def test_a_table_s_rows_have_as_many_cells_as_its_head(small, large):
    for options in (small, large):
        rows = [line for line in markdown(assemble(options)).splitlines() if line.startswith("|")]
        table = rows[: rows.index("| | |")]
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
        assert len(table) == 2 + len(options["judgement"]["judgements"])


def test_a_failed_run_says_why(large):
    text = markdown(assemble(large))
    assert text.startswith("### ❌ Warren load test: FAIL\n\n**Manager memory is 611 MB (limit &lt; 512 MB)")
    assert "- ❌ " in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a | b", r"a \| b"),
        ("<b>&amp;</b>", "&lt;b&gt;&amp;amp;&lt;/b&gt;"),
        ("my_node *1* `x` [y](z) ~a~", r"my\_node \*1\* \`x\` \[y\](z) \~a\~"),
        ("thanks @someone, see #12", "thanks @\u200bsomeone, see #\u200b12"),
        ("two\nlines\x1b[31m", "two lines"),
    ],
)
def test_what_others_wrote_is_text_and_nothing_else(text, shown):
    assert escaped(text) == shown


def test_it_is_never_too_long_for_a_comment(large):
    large["findings"] = [f"finding {number} " + "x" * 2000 for number in range(500)]
    large["judgement"]["judgements"] = [
        {**entry, "id": f"row-{number}", "note": "y" * 2000}
        for number in range(3)
        for entry in large["judgement"]["judgements"]
    ]
    text = markdown(assemble(large))
    assert len(text) < LIMIT
    assert "more in report.txt" in text


def test_a_run_without_measurements_has_a_report(small):
    text = markdown(assemble({**small, "measurements": {}, "judgement": {}, "environment": {}, "run": {"id": "x"}}))
    assert "### ➖ Warren load test: NOT JUDGED" in text
