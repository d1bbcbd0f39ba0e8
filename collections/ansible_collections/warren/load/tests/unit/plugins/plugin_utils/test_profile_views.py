# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""That the numbers are go tool pprof's is tested in module_utils/pprof/test_views.py; here: what is made of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.template import Templar, trust_as_template

from ansible_collections.warren.load.plugins.action import profile_view
from ansible_collections.warren.load.plugins.module_utils.pprof.profile import Frame, Location, ProfileError, Sample
from ansible_collections.warren.load.plugins.plugin_utils.banner import render
from ansible_collections.warren.load.plugins.plugin_utils.profile_views import VIEWS, Question, answer
from ansible_collections.warren.load.tests.unit.fixtures.pprof import made
from ansible_collections.warren.load.tests.unit.fixtures.pprof.record import HERE

PLAYBOOKS = Path(__file__).parents[4] / "playbooks"

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
    counted = shown(sample_type="alloc_objects")
    assert counted[0][0] == "alloc_objects of heap-after.pb.gz"


def figures(row, name):
    """All figures of a row that are not 0, with their intervals."""
    told = {"flat": "", "cum": "cum_", "value": ""}
    for figure, prefix in told.items():
        if row.get(figure):
            yield (row[figure], row.get(f"{prefix}low"), row.get(f"{prefix}high"), name)
    for part in ("lines", "callers", "callees"):
        for each in row.get(part, ()):
            yield from figures(each, f"{name} {part}")


@pytest.mark.parametrize("base", ["", BEFORE])
@pytest.mark.parametrize("kind", ["inuse_space", "inuse_objects", "alloc_space", "alloc_objects"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_figure_of_a_heap_has_its_interval(view, kind, base):
    lines, rows = shown(view=view, sample_type=kind, base=base, function=r"record|Entry|Leak|main\.", rows=0)
    there = [each for row in rows for each in figures(row, row.get("name"))]
    assert there
    for value, low, high, name in there:
        assert low is not None, name
        assert low <= value <= high, name
    assert any(" to " in line for line in lines)


def test_what_is_no_heap_has_no_intervals():
    lines, rows = shown(file=CPU)
    assert not any("low" in row or "cum_low" in row for row in rows)
    assert "interval" not in lines[2]


def test_a_recursive_function_has_no_interval_for_the_sum_of_its_lines(tmp_path):
    here, there = (Location(line, None, "", (Frame("main.walk", "a.go", line, 1),)) for line in (5, 9))
    file = tmp_path / "heap.pb.gz"
    file.write_bytes(made.encoded(made.heap([Sample((here, there), (9, 9 << 20, 9, 9 << 20), ())])))
    (row,) = shown(file=str(file), view="list", function="walk")[1]
    assert row["cum"] == 18 << 20
    assert "cum_low" not in row
    assert all("cum_low" in line for line in row["lines"])


def test_a_profile_less_itself_has_not_changed():
    for asked in ({"base": HEAP}, {"diff_base": HEAP}, {"base": HEAP, "view": "list", "function": "main"}):
        lines, rows = shown(**asked)
        assert lines[-1] == "Nothing changed."
        assert rows == []


def test_stacks_that_differ_in_their_labels_are_told_apart():
    lines, rows = shown(file=str(HERE / "goroutine.pb.gz"), view="stacks", rows=3)
    assert [(row["value"], row["labels"]) for row in rows[:3]] == [
        (40, {"service": "web"}),
        (25, {}),
        (7, {"service": "db"}),
    ]
    assert [line.strip() for line in lines if "service" in line] == ["service: web", "service: db"]


def test_all_rows_can_be_asked_for_in_the_playbook():
    """rows=0 is no missing value."""
    (play,) = yaml.safe_load((PLAYBOOKS / "profile_view.yml").read_text(encoding="utf-8"))
    asked = trust_as_template(play["tasks"][0]["warren.load.profile_view"]["rows"])
    assert Templar(variables={"rows": 0}).template(asked) == 0


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
