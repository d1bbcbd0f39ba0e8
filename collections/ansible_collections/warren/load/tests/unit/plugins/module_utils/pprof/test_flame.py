# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import html
import html.parser
import re

import pytest

from ansible_collections.warren.load.plugins.module_utils.pprof import flame
from ansible_collections.warren.load.plugins.module_utils.pprof.flame import diff_flame_graph, flame_graph
from ansible_collections.warren.load.plugins.module_utils.pprof.profile import ProfileError, Sample
from ansible_collections.warren.load.plugins.module_utils.pprof.reading import read
from ansible_collections.warren.load.plugins.module_utils.pprof.views import peek, top
from ansible_collections.warren.load.tests.unit.fixtures.pprof.made import heap, place
from ansible_collections.warren.load.tests.unit.fixtures.pprof.record import HERE

BEFORE, AFTER, CPU = (read(HERE / f"{name}.pb.gz") for name in ("heap-before", "heap-after", "cpu"))
FRAME = re.compile(r'<div class="f ([^"]*)" style="([^"]*)" title="([^"]*)">([^<]*)</div>')


def frames(page):
    found = []
    for classes, style, title, text in FRAME.findall(page):
        placed = {key: float(value) for key, value in re.findall(r"(left|width|top):([\d.]+)", style)}
        found.append((html.unescape(title).split("\n"), classes.split(), placed, html.unescape(text)))
    return found


def by_name(page):
    return {title[0].rpartition("/")[2]: (title, classes[0]) for title, classes, _placed, _text in frames(page)}


def test_a_page_needs_nothing_else_and_is_whole():
    page = flame_graph(CPU, title="manager-1 <CPU>")
    assert "<title>manager-1 &lt;CPU&gt;</title>" in page
    assert not re.search(r"https?:|src=|href=|@import|url\(", page)
    opened = []

    class Tags(html.parser.HTMLParser):
        def handle_starttag(self, tag, _attributes):
            if tag not in ("meta", "input"):
                opened.append(tag)

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    Tags().feed(page)
    assert not opened


def test_functions_of_the_program_itself_have_a_colour_of_their_own():
    page = flame_graph(CPU, ours="example.test/workload/")
    assert "<b class=ours>Workload</b>" in page
    colours = {title[0]: classes for title, classes, _placed, _text in frames(page)}
    name = next(name for name in colours if name.startswith("example.test/workload/"))
    assert "ours" in str(colours[name]).split() or "ours" in colours[name]
    assert "ours" not in colours["encoding/json.Unmarshal"]
    assert "class=ours" not in flame_graph(CPU)


def test_widths_are_the_shares_of_pprof():
    found = frames(flame_graph(CPU))
    assert found[0][0] == ["all", "470 ms, 100.00%"]
    rows = {row.name: row for row in top(CPU)}
    for function in ("main.cpu", "encoding/json.Unmarshal"):
        (width,) = {placed["width"] for title, _classes, placed, _text in found if title[0] == function}
        assert width == pytest.approx(rows[function].cum / CPU.totals[1] * 100, abs=0.001)
    (schedule,) = peek(CPU, r"schedule$")
    below = [f for f in found if f[0][0] in {edge.name for edge in schedule.callees} and f[2]["top"] == 6 * flame.ROW]
    assert len(below) == len(schedule.callees)


def test_frames_lie_within_their_callers_side_by_side():
    rows: dict[float, list[tuple[float, float]]] = {}
    for _title, _classes, placed, _text in frames(flame_graph(CPU)):
        rows.setdefault(placed["top"], []).append((placed["left"], placed["left"] + placed["width"]))
    above = [(0.0, 100.0)]
    for _top, row in sorted(rows.items()):
        row.sort()
        assert all(end <= begin + 0.001 for (_begin, end), (begin, _end) in zip(row, row[1:], strict=False))
        assert all(any(low - 0.001 <= begin and end <= high + 0.001 for low, high in above) for begin, end in row)
        above = row


def test_hovering_tells_name_value_and_share_and_names_are_short():
    title, classes, _placed, text = next(f for f in frames(flame_graph(CPU)) if f[0][0].endswith("schedule"))
    assert title == ["example.test/workload/scheduler.(*Scheduler).schedule", "450 ms, 95.74%"]
    assert text == "scheduler.(*Scheduler).schedule"
    assert classes == ["own"]
    kinds = {f[0][0]: f[1][0] for f in frames(flame_graph(CPU))}
    assert (kinds["encoding/json.Unmarshal"], kinds["runtime.main"]) == ("library", "runtime")


def test_what_is_too_narrow_is_counted():
    many = [Sample((place(f"example.org/f{index}"),), (1, 1, 1, 1), ()) for index in range(50)]
    wide = Sample((place("example.org/wide"),), (1, 1, 1, 999_950), ())
    page = flame_graph(heap([*many, wide]))
    assert "; 50 frames are too narrow to be shown" in page
    assert len(frames(page)) == 2


def test_names_cannot_break_the_page():
    page = flame_graph(heap([Sample((place('a.b"><script>alert(1)</script>'),), (1, 1, 1, 1), ())]))
    assert "<script>alert" not in page


def test_a_profile_without_samples_says_so():
    assert "The profile holds no samples." in flame_graph(heap([]))
    assert "The profile holds no samples." in diff_flame_graph(heap([]), heap([]))


def test_only_what_is_no_chance_is_coloured():
    found = by_name(diff_flame_graph(BEFORE, AFTER))
    assert found["store.record"][1] == "more"
    assert found["store.newEntry"][1] == "same"
    assert found["store.newEntry"][0][2] == "no more than the chance of the sampling"
    assert re.match(r"\+20\.6 MB ± \S+ MB, now 21\.9 MB, before 1\.34 MB", found["store.record"][0][1])
    assert by_name(diff_flame_graph(AFTER, BEFORE))["store.record"][1] == "less"


def test_goroutines_are_compared_by_count_and_cpu_by_chance():
    goroutines = read(HERE / "goroutine.pb.gz")
    fewer = goroutines._replace(samples=goroutines.samples[1:])
    found = by_name(diff_flame_graph(fewer, goroutines))
    assert found["main.goroutines.func1.1"][1] == "more"
    assert found["main.goroutines.func1.1"][0][1] == "+40, now 47, before 7"
    assert found["main.goroutines.func2"][1] == "same"
    less = CPU._replace(samples=CPU.samples[:-3])
    assert {colour for _title, colour in by_name(diff_flame_graph(less, CPU)).values()} == {"same"}


def test_two_kinds_are_not_compared():
    with pytest.raises(ProfileError, match="two kinds"):
        diff_flame_graph(BEFORE, CPU)
    with pytest.raises(ProfileError, match="no cpu"):
        flame_graph(BEFORE, "cpu")
