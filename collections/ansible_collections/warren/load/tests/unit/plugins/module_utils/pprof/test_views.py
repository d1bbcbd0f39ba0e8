# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our views and those of `go tool pprof`, number by number."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import typing as t
from collections import Counter

import pytest

from ansible_collections.warren.load.plugins.module_utils.pprof import views
from ansible_collections.warren.load.plugins.module_utils.pprof.profile import (
    Frame,
    Location,
    ProfileError,
    Sample,
    difference,
    without,
)
from ansible_collections.warren.load.plugins.module_utils.pprof.reading import read
from ansible_collections.warren.load.tests.unit.fixtures.pprof.made import heap
from ansible_collections.warren.load.tests.unit.fixtures.pprof.record import CASES, HERE, pprof

VALUE = r"(-?\d+)(?:B|ns)?"
TOP = re.compile(rf"\s*{VALUE}\s+(\S+)%\s+(\S+)%\s+{VALUE}\s+(\S+)%  (.*?)(?: \(((?:partial-)?inline)\))?")
LINE = re.compile(rf"\s*(?:{VALUE}|\.)\s+(?:{VALUE}|\.)\s+(\d+):.*")
ROUTINE = re.compile(r"ROUTINE =+ (\S.*) in (\S+)")
SUMS = re.compile(rf"\s*{VALUE}\s+{VALUE} \(flat, cum\)\s+(\S+)% of Total")
EDGE = re.compile(rf"\s*{VALUE}\s+(\S+)% \|   (.*?)(?: \((inline)\))?")
MIDDLE = re.compile(rf"\s*{VALUE}\s+\S+%\s+\S+%\s+{VALUE}\s+\S+%\s+\| (.*)")


def share(value, total):
    """As internal/measurement.go's Percentage."""
    ratio = abs(value / total) * 100 if total else 0.0
    if 99.95 <= ratio <= 100.05:
        return "100"
    return f"{ratio:.2f}" if ratio >= 1 else f"{ratio:.2g}"


def whole(text):
    """A value as pprof prints it with -unit; nothing for a dot."""
    return int(text or 0)


def opened(case):
    found = read(HERE / f"{case.profile}.pb.gz")
    if case.base:
        found = difference(found, read(HERE / f"{case.base}.pb.gz"), case.of_base)
    return without(found, case.ignore) if case.ignore else found


def said_top(text):
    rows = text.split("cum%\n", 1)[1].splitlines()
    total = whole(re.search(rf" of {VALUE} total", text).group(1))
    return total, [TOP.fullmatch(row).groups() for row in rows]


def our_top(case):
    opened_profile = opened(case)
    total = opened_profile.totals[opened_profile.column(case.sample_type)]
    rows, above = [], 0
    for row in views.top(opened_profile, case.sample_type, case.view == "cum"):
        above += row.flat
        flat, cum = str(row.flat), str(row.cum)
        shares = share(row.flat, total), share(above, total), share(row.cum, total)
        rows.append((flat, *shares[:2], cum, shares[2], row.name, row.inlined or None))
    return total, rows


def said_list(text):
    total = whole(re.match(rf"Total: {VALUE}", text).group(1))
    routines: list[list[t.Any]] = []
    for line in text.splitlines()[1:]:
        if found := ROUTINE.fullmatch(line):
            routines.append([*found.groups(), None, None, []])
        elif found := SUMS.fullmatch(line):
            routines[-1][2:4] = whole(found.group(1)), whole(found.group(2))
        elif (found := LINE.fullmatch(line)) and (found.group(1) or found.group(2)):
            routines[-1][4].append((int(found.group(3)), whole(found.group(1)), whole(found.group(2))))
        elif not found:
            raise AssertionError(line)
    return total, routines


def our_list(case):
    found = opened(case)
    routines = [
        [r.name, r.file.replace("example.test/workload/", ""), r.flat, r.cum, [tuple(line) for line in r.lines]]
        for r in views.by_line(found, case.function, case.sample_type)
    ]
    return found.totals[found.column(case.sample_type)], routines


def said_peek(text):
    blocks = []
    for block in re.split(r"-{50,}\+-+\n", text)[2:]:
        middle: tuple[str, int, int] | None = None
        callers: list[tuple[str, int, str, bool]] = []
        callees: list[tuple[str, int, str, bool]] = []
        for line in block.splitlines():
            if found := MIDDLE.fullmatch(line):
                middle = (found.group(3), whole(found.group(1)), whole(found.group(2)))
            else:
                value, of_cum, name, inlined = EDGE.fullmatch(line).groups()
                (callees if middle else callers).append((name, whole(value), of_cum, bool(inlined)))
        if middle:
            blocks.append((middle, callers, callees))
    return blocks


def our_peek(case):
    return [
        (
            (found.row.name, found.row.flat, found.row.cum),
            *(
                [(edge.name, edge.value, share(edge.value, found.row.cum), edge.inlined) for edge in edges]
                for edges in (found.callers, found.callees)
            ),
        )
        for found in views.peek(opened(case), case.function, case.sample_type)
    ]


def said_traces(text):
    groups: Counter[t.Any] = Counter()
    for block in re.split(r"-+\+-+\n", text)[1:]:
        labels = re.findall(r"^ +(\w+):  (.*)$", block, re.MULTILINE)
        block = re.sub(r"^ +\w+:  .*\n", "", block, flags=re.MULTILINE)
        functions = re.findall(r"^ *(\d*)B?   (\S.*?)(?: \(inline\))?$", block, re.MULTILINE)
        if functions:
            groups[tuple(labels), tuple(name for _value, name in functions)] += int(functions[0][0])
    return groups


def our_traces(case):
    groups: Counter[t.Any] = Counter()
    for group in views.by_stack(opened(case), case.sample_type):
        labels = tuple((key, value) for key, value, _unit in group.labels)
        groups[labels, tuple(frame.function for frame in group.stack)] += group.value
    return groups


VIEWS = {
    "top": (said_top, our_top),
    "cum": (said_top, our_top),
    "list": (said_list, our_list),
    "peek": (said_peek, our_peek),
    "traces": (said_traces, our_traces),
}


def same(case, text):
    said, ours = VIEWS[case.view]
    theirs = said(text)
    assert theirs[-1] if isinstance(theirs, tuple) else theirs
    assert ours(case) == theirs


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_views_are_those_that_go_tool_pprof_was_recorded_with(case):
    same(case, (HERE / "recorded" / f"{case.name}.txt").read_text(encoding="utf-8"))


def test_a_call_is_inlined_if_it_always_is_and_a_function_in_part_if_some_calls_are():
    def frame(name):
        return Frame(name, "a.go", 1, 1)

    def calls(*functions):
        return Location(len(functions), None, "", tuple(map(frame, functions)))

    stacks = [(calls("callee", "always"),), (calls("callee", "sometimes"),), (calls("callee"), calls("sometimes"))]
    stacks.append((calls("callee", "sometimes"),))
    found = heap(Sample(stack, (1, 1, 1, 1), ()) for stack in stacks)
    (callee,) = views.peek(found, "callee")
    assert callee.callers == (("sometimes", 3, False), ("always", 1, True))
    assert callee.row == ("callee", 4, 4, "partial-inline")
    assert {row.name: row.inlined for row in views.top(found)} == {
        "callee": "partial-inline",
        "always": "",
        "sometimes": "",
    }


def test_packages_add_up_and_count_once():
    found = read(HERE / "heap-after.pb.gz")
    rows = {row.name: row for row in views.by_package(found)}
    assert sum(row.flat for row in rows.values()) == found.totals[3]
    functions = [row for row in views.top(found) if ".store." in row.name.replace("/", ".")]
    assert rows["example.test/workload/store"].flat == sum(row.flat for row in functions)
    assert rows["main"].cum == next(row.cum for row in views.top(found) if row.name == "main.main")
    assert rows["example.test/workload/store"].cum == sum(
        sample.values[3]
        for sample in found.samples
        if any("workload/store." in frame.function for frame in views.frames(sample))
    )
    assert [row.name for row in views.by_package(found, "alloc_space", by_cum=True)][:2] == ["runtime", "main"]


def test_what_has_no_function_stands_under_its_program():
    nameless = Location(7, (1, 0, "b"), "/usr/lib/libc.so.6", ())
    found = heap([Sample((nameless,), (1, 1, 1, 1), ())])
    assert [row.name for row in views.top(found)] == ["[libc.so.6]"]
    assert [row.name for row in views.by_package(found)] == ["[libc.so.6]"]
    assert views.by_line(found, "libc")[0].lines == ((0, 1, 1),)


def test_a_wrong_expression_or_type_is_a_sentence():
    found = read(HERE / "heap-after.pb.gz")
    for view in (views.by_line, views.peek):
        with pytest.raises(ProfileError, match="'\\(' is no regular expression"):
            view(found, "(")
        with pytest.raises(ProfileError, match="holds no cpu"):
            view(found, "main", "cpu")


@pytest.fixture(scope="module")
def go():
    """An environment in which `go tool pprof` runs."""
    if not shutil.which("go"):
        pytest.skip("Go is not installed: pprof's recorded answers stand for it")
    environment = os.environ | {"TZ": "UTC"}
    tried = subprocess.run(["go", "tool", "pprof", "-help"], env=environment, capture_output=True, check=False)
    if b"usage" not in (tried.stdout + tried.stderr).lower():
        pytest.skip("this Go has no pprof: its recorded answers stand for it")
    return environment


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_views_are_those_of_the_go_tool_pprof_that_is_installed(case, go):
    same(case, pprof(case, go))
