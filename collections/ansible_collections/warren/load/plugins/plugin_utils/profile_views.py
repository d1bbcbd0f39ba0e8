# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A profile as a person reads it: what `go tool pprof` says to top, list and peek, with the error bars it has not."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

from ansible_collections.warren.load.plugins.module_utils.pprof import sampling, views
from ansible_collections.warren.load.plugins.module_utils.pprof.profile import (
    Profile,
    ProfileError,
    ValueType,
    difference,
)
from ansible_collections.warren.load.plugins.module_utils.pprof.reading import read

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.warren.load.plugins.module_utils.pprof.profile import Location

    from .banner import Line

    Answer = tuple[list[Line], list[dict[str, t.Any]]]

VIEWS = ("top", "cum", "packages", "list", "peek", "stacks")
OF_A_FUNCTION = ("list", "peek")
INTERVAL = 22  # characters


@dataclasses.dataclass(frozen=True)
class Question:
    """What is asked: ``view`` of ``file``, less ``base`` (or of it, ``diff_base``); ``rows`` at most, 0 for all."""

    file: str
    view: str = "top"
    function: str = ""
    base: str = ""
    diff_base: str = ""
    sample_type: str = ""
    rows: int = 20


@dataclasses.dataclass(frozen=True)
class Scale:
    """How the values of a profile are written: in their unit, and as shares of a total."""

    kind: ValueType
    total: int

    def value(self, number: float) -> str:
        """Such as ``3.2 MB``."""
        return self.kind.text(number) if number else "0"

    def share(self, number: float) -> str:
        """Such as ``12.5 %``."""
        return f"{100 * number / self.total:.1f} %" if self.total else "-"


def answer(question: Question) -> tuple[list[Line], list[dict[str, t.Any]]]:
    """``(lines, rows)``: for the screen, and as data. ProfileError with one sentence for what cannot be answered."""
    _check(question)
    profile = read(Path(question.file).expanduser())
    base = question.base or question.diff_base
    before = read(Path(base).expanduser()) if base else None
    shown = profile if before is None else difference(profile, before, of_base=bool(question.diff_base))
    column = shown.column(question.sample_type)
    scale = Scale(shown.types[column], shown.totals[column])
    bars = _Bars(profile, before, scale.kind.type)
    if question.view == "list":
        lines, rows = _routines(shown, question, scale, bars)
    elif question.view == "peek":
        lines, rows = _neighbours(shown, question, scale, bars)
    elif question.view == "stacks":
        lines, rows = _stacks(shown, question, scale, bars)
    else:
        lines, rows = _rows(shown, question, scale, bars)
    if not rows and before is not None and not views.top(shown, question.sample_type):
        lines = [[("Nothing changed.", "")]]
    elif not rows:
        where = f" in functions that match {question.function!r}: view top has their names" if question.function else ""
        raise ProfileError(f"{question.file} has nothing to show of {scale.kind.type}{where}.")
    title = f"{scale.kind.type} of {Path(question.file).name}" + (f", less {Path(base).name}" if base else "")
    head: list[Line] = [[(title, "title")], [(f"Shares are of {scale.value(scale.total)}.", "")]]
    left = len(rows) - question.rows
    rest: list[Line] = [[(f"{left} more (rows=0 shows all)", "dim")]] if question.rows and left > 0 else []
    return head + lines + rest, rows


class _Bars:
    """The 95 % intervals of the figures of a heap, or of the difference of two; none of other profiles."""

    def __init__(self, profile: Profile, before: Profile | None, kind: str) -> None:
        self.profile, self.before, self.kind = profile, before, kind
        try:
            self.there = bool(self.of(views.whole))
        except ProfileError:
            self.there = False  # no heap, or two of different rates

    def of(self, places: sampling.Places, *, tested: bool = False) -> dict[t.Any, dict[str, t.Any]]:
        """``value``, ``low``, ``high`` by place; ``tested``: of two heaps also whether it is ``significant`` growth."""
        if self.before is None:
            figures = sampling.live(self.profile, self.kind, places)
            return {place: {"value": one.value, "low": one.low, "high": one.high} for place, one in figures.items()}
        # What was allocated only grows: whether by more than chance is no question.
        tested = tested and self.kind.startswith("inuse_")
        grown = sampling.growth(self.before, self.profile, self.kind, places, sampling.ALARM if tested else 0)
        told = ("value", "low", "high", *(("significant",) if tested else ()))
        return {one.place: {name: getattr(one, name) for name in told} for one in grown}


class _Figures:
    """The intervals of one kind of places, which are asked for only where there are some."""

    def __init__(self, bars: _Bars, places: sampling.Places, prefix: str = "", *, tested: bool = False) -> None:
        self.found = bars.of(places, tested=tested) if bars.there else {}
        self.prefix = prefix

    def of(self, place: t.Any, value: int) -> dict[str, t.Any]:
        """Those of a figure, for its row. That of a recursive function's lines is not their sum: it has none."""
        one = self.found.get(place)
        if one is None or one["value"] != value:
            return {}
        return {self.prefix + name: told for name, told in one.items() if name != "value"}


def _rows(profile: Profile, question: Question, scale: Scale, bars: _Bars) -> Answer:
    packages = question.view == "packages"
    find, keys = (views.by_package, views.packages) if packages else (views.top, views.functions)
    flat = _Figures(bars, views.innermost(keys), tested=True)
    cum = _Figures(bars, views.anywhere(keys), "cum_")
    rows = [
        {**row._asdict(), **flat.of(row.name, row.flat), **cum.of(row.name, row.cum)}
        for row in find(profile, question.sample_type, question.view == "cum")
    ]
    return list(_table(rows[: question.rows or None], scale, bars)), rows


def _routines(profile: Profile, question: Question, scale: Scale, bars: _Bars) -> Answer:
    def routines(location: Location) -> list[tuple[str, str]]:
        return [(name, file) for name, file, _line in views.lines(location)]

    flat, cum = _Figures(bars, views.innermost(routines)), _Figures(bars, views.anywhere(routines), "cum_")
    line_flat = _Figures(bars, views.innermost(views.lines))
    line_cum = _Figures(bars, views.anywhere(views.lines), "cum_")
    rows: list[dict[str, t.Any]] = []
    for one in views.by_line(profile, question.function, question.sample_type):
        place = (one.name, one.file)
        within = [
            {
                **line._asdict(),
                **line_flat.of((*place, line.line), line.flat),
                **line_cum.of((*place, line.line), line.cum),
            }
            for line in one.lines
        ]
        rows.append({**one._asdict(), **flat.of(place, one.flat), **cum.of(place, one.cum), "lines": within})
    lines: list[Line] = []
    for row in rows[: question.rows or None]:
        lines.append([(f"{row['name']} in {row['file'] or 'an unknown file'}", "title")])
        lines.append([(f"{_both(row, scale, bars)}  (flat, cum), {scale.share(row['cum'])}", "")])
        lines += [[(f"{_both(line, scale, bars)}  line {line['line']}", "")] for line in row["lines"]]
    return lines, rows


def _neighbours(profile: Profile, question: Question, scale: Scale, bars: _Bars) -> Answer:
    flat = _Figures(bars, views.innermost(views.functions))
    cum = _Figures(bars, views.anywhere(views.functions), "cum_")
    found = views.peek(profile, question.function, question.sample_type)
    shown = {one.row.name for one in found}
    calls = _Figures(bars, lambda sample: [call for call in views.calls(sample) if not shown.isdisjoint(call)])
    rows = [
        {
            **one.row._asdict(),
            **flat.of(one.row.name, one.row.flat),
            **cum.of(one.row.name, one.row.cum),
            "callers": [{**edge._asdict(), **calls.of((edge.name, one.row.name), edge.value)} for edge in one.callers],
            "callees": [{**edge._asdict(), **calls.of((one.row.name, edge.name), edge.value)} for edge in one.callees],
        }
        for one in found
    ]
    lines: list[Line] = []
    for row in rows[: question.rows or None]:
        lines += [[(f"{_value(edge, scale, bars)}  from {edge['name']}", "dim")] for edge in row["callers"]]
        lines.append([(f"{_both(row, scale, bars)}  {row['name']}", "title")])
        lines += [[(f"{_value(edge, scale, bars)}  in {edge['name']}", "dim")] for edge in row["callees"]]
    return lines, rows


def _stacks(profile: Profile, question: Question, scale: Scale, bars: _Bars) -> Answer:
    stacks = _Figures(bars, views.whole)
    groups = views.by_stack(profile, question.sample_type)
    rows = [
        {
            "value": group.value,
            **stacks.of((group.stack, group.labels), group.value),
            "labels": {key: f"{value} {unit}" if unit else value for key, value, unit in group.labels},
            "stack": [frame._asdict() for frame in group.stack],
        }
        for group in groups
    ]
    lines: list[Line] = []
    for row in rows[: question.rows or None]:
        names = [f"{one['function']} {Path(one['file']).name}:{one['line']}" for one in row["stack"]] or ["<unknown>"]
        value = f"{scale.value(row['value']):>10}{_interval(row, scale, bars)}"
        lines.append([(f"{value}  {names[0]}", "title")])
        lines += [[(f"{'':{len(value)}}  {key}: {told}", "")] for key, told in row["labels"].items()]
        lines += [[(f"{'':{len(value)}}  {name}", "dim")] for name in names[1:]]
    return lines, rows


def _interval(row: dict[str, t.Any], scale: Scale, bars: _Bars, prefix: str = "") -> str:
    """A column that is there where there are intervals."""
    if not bars.there:
        return ""
    low, high = row.get(f"{prefix}low"), row.get(f"{prefix}high")
    return f"{'' if low is None or high is None else f'{scale.value(low)} to {scale.value(high)}':>{INTERVAL}}"


def _both(row: dict[str, t.Any], scale: Scale, bars: _Bars) -> str:
    flat = f"{scale.value(row['flat']):>10}{_interval(row, scale, bars)}"
    return f"{flat} {scale.value(row['cum']):>10}{_interval(row, scale, bars, 'cum_')}"


def _value(edge: dict[str, t.Any], scale: Scale, bars: _Bars) -> str:
    """In the columns of cum."""
    before = 11 + (INTERVAL if bars.there else 0)
    return f"{'':{before}}{scale.value(edge['value']):>10}{_interval(edge, scale, bars)}"


def _check(question: Question) -> None:
    if not question.file:
        raise ProfileError(
            "Which profile? Name one with file, such as results/latest/profiles/manager-1-load-cpu.pb.gz."
        )
    if question.base and question.diff_base:
        raise ProfileError(
            "base and diff_base are both given: the first has shares of the difference, the second of the base."
        )
    if question.view in OF_A_FUNCTION and not question.function:
        raise ProfileError(f"View {question.view} is of a function: name it with function, a regular expression.")
    if question.rows < 0:
        raise ProfileError(f"rows is {question.rows}: it must be 0, for all, or more.")


def _table(rows: list[dict[str, t.Any]], scale: Scale, bars: _Bars) -> Iterator[Line]:
    between = f"{'95 % interval':>{INTERVAL}}" if bars.there else ""
    yield [(f"{'flat':>10} {'flat%':>8}{between} {'cum':>10} {'cum%':>8}{between}  function", "dim")]
    for row in rows:
        flat = f"{scale.value(row['flat']):>10} {scale.share(row['flat']):>8}{_interval(row, scale, bars)}"
        cum = f"{scale.value(row['cum']):>10} {scale.share(row['cum']):>8}{_interval(row, scale, bars, 'cum_')}"
        name = row["name"] + (f" ({row['inlined']})" if row["inlined"] else "")
        grew = " - grew by more than chance" if row.get("significant") else ""
        yield [(f"{flat} {cum}  {name}{grew}", "problem" if grew else "")]
