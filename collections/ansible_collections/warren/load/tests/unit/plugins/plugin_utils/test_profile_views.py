# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""That the numbers are go tool pprof's is tested in module_utils/pprof/test_views.py; here: what is made of them."""

from __future__ import annotations

import pytest

from ansible_collections.warren.load.plugins.action import profile_view
from ansible_collections.warren.load.plugins.module_utils.pprof.profile import ProfileError
from ansible_collections.warren.load.plugins.plugin_utils.banner import render
from ansible_collections.warren.load.plugins.plugin_utils.profile_views import VIEWS, Question, answer
from ansible_collections.warren.load.tests.unit.fixtures.pprof.record import HERE

HEAP, BEFORE, CPU = (str(HERE / f"{name}.pb.gz") for name in ("heap-after", "heap-before", "cpu"))


def shown(**asked):
    lines, rows = answer(Question(**{"file": HEAP, **asked}))
    return render(lines).splitlines(), rows


def test_top_of_a_heap_has_intervals():
    """The first line is pprof's own: 22991806B 64.41% ... store.record (inline)."""
    lines, rows = shown(rows=2)
    assert lines[:2] == ["inuse_space of heap-after.pb.gz", "Shares are of 34 MB."]
    assert lines[3].split()[:4] == ["21.9", "MB", "64.4", "%"]
    assert lines[3].endswith("example.test/workload/store.record (inline)")
    assert lines[-1] == f"{len(rows) - 2} more (rows=0 shows all)"
    assert (rows[0]["flat"], rows[0]["cum"]) == (22991806, 22991806)
    assert rows[0]["low"] < rows[0]["flat"] < rows[0]["high"]
    assert len(shown(rows=0)[0]) == 3 + len(rows)


def test_cum_packages_and_another_type():
    assert [row["name"] for row in shown(view="cum")[1][:2]] == ["runtime.main", "main.heaps"]
    packages = shown(view="packages")[1]
    assert packages[0]["name"] == "example.test/workload/store"
    assert "low" not in packages[0]
    counted = shown(sample_type="alloc_objects")
    assert counted[0][0] == "alloc_objects of heap-after.pb.gz"
    assert "low" not in counted[1][0]


def test_what_grew_by_more_than_chance_is_told():
    lines, rows = shown(base=BEFORE)
    grown = [row["name"] for row in rows if row.get("significant")]
    assert "example.test/workload/store.record" in grown
    assert len([line for line in lines if "grew by more than chance" in line]) == len(grown)
    assert "less heap-before.pb.gz" in lines[0]


def test_shares_are_of_the_difference_or_of_the_base():
    assert shown(base=BEFORE)[0][1] != shown(diff_base=BEFORE)[0][1]


def test_lines_callers_and_stacks():
    lines, rows = shown(view="list", function="store.Leak$")
    assert [(line["line"], line["flat"], line["cum"]) for line in rows[0]["lines"]] == [(37, 82475, 23074281)]
    assert lines[-1].endswith("line 37")
    lines, rows = shown(view="peek", function="store.Leak$")
    assert "example.test/workload/store.record" in [edge["name"] for edge in rows[0]["callees"]]
    assert lines[-1].endswith(f"in {rows[0]['callees'][-1]['name']}")
    lines, rows = shown(file=str(HERE / "goroutine.pb.gz"), view="stacks", rows=1)
    assert rows[0]["value"] >= rows[-1]["value"]
    assert "runtime.gopark" in lines[2]


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_of_a_cpu_profile(view):
    assert shown(file=CPU, view=view, function="main")[1]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"file": ""}, "Which profile?"),
        ({"file": "/nowhere.pb.gz"}, "/nowhere.pb.gz cannot be read: No such file or directory."),
        ({"base": "/nowhere.pb.gz"}, "/nowhere.pb.gz cannot be read: No such file or directory."),
        ({"base": BEFORE, "diff_base": BEFORE}, "base and diff_base are both given"),
        ({"view": "list"}, "View list is of a function: name it with function"),
        ({"view": "peek", "function": "["}, "regular expression"),
        ({"view": "list", "function": "nobody"}, "in functions that match 'nobody': view top has their names."),
        ({"base": CPU}, "give two of the same kind."),
        ({"sample_type": "mutex"}, "The profile holds no mutex: it has alloc_objects"),
        ({"rows": -1}, "rows is -1: it must be 0, for all, or more."),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(asked, sentence):
    with pytest.raises(ProfileError) as caught:
        shown(**asked)
    assert sentence in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_the_action_asks_what_the_question_has():
    expected = {field: Question.__dataclass_fields__[field].default for field in Question.__dataclass_fields__}
    assert {name: option["default"] for name, option in profile_view.SPEC.items()} == {**expected, "file": ""}
