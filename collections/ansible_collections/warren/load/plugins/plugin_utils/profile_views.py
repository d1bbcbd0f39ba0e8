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

    from .banner import Line

VIEWS = ("top", "cum", "packages", "list", "peek", "stacks")
OF_A_FUNCTION = ("list", "peek")


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
    if question.view == "list":
        lines, rows = _routines(shown, question, scale)
    elif question.view == "peek":
        lines, rows = _neighbours(shown, question, scale)
    elif question.view == "stacks":
        lines, rows = _stacks(shown, question, scale)
    else:
        find = views.by_package if question.view == "packages" else views.top
        every = find(shown, question.sample_type, question.view == "cum")
        bars = _bars(question, profile, before, scale.kind.type)
        rows = [{**row._asdict(), **bars.get(row.name, {})} for row in every]
        lines = list(_table(rows[: question.rows or None], scale, bars=bool(bars)))
    if not rows:
        where = f" in functions that match {question.function!r}: view top has their names" if question.function else ""
        raise ProfileError(f"{question.file} has nothing to show of {scale.kind.type}{where}.")
    title = f"{scale.kind.type} of {Path(question.file).name}" + (f", less {Path(base).name}" if base else "")
    head: list[Line] = [[(title, "title")], [(f"Shares are of {scale.value(scale.total)}.", "")]]
    left = len(rows) - question.rows
    rest: list[Line] = [[(f"{left} more (rows=0 shows all)", "dim")]] if question.rows and left > 0 else []
    return head + lines + rest, rows


def _routines(profile: Profile, question: Question, scale: Scale) -> tuple[list[Line], list[dict[str, t.Any]]]:
    found = views.by_line(profile, question.function, question.sample_type)
    lines: list[Line] = []
    for one in found[: question.rows or None]:
        lines.append([(f"{one.name} in {one.file or 'an unknown file'}", "title")])
        lines.append([(f"{_both(one, scale)}  (flat, cum), {scale.share(one.cum)}", "")])
        lines += [[(f"{_both(line, scale)}  line {line.line}", "")] for line in one.lines]
    return lines, [{**one._asdict(), "lines": [line._asdict() for line in one.lines]} for one in found]


def _neighbours(profile: Profile, question: Question, scale: Scale) -> tuple[list[Line], list[dict[str, t.Any]]]:
    found = views.peek(profile, question.function, question.sample_type)
    lines: list[Line] = []
    for one in found[: question.rows or None]:
        lines += [[(f"{scale.value(edge.value):>21}  from {edge.name}", "dim")] for edge in one.callers]
        lines.append([(f"{_both(one.row, scale)}  {one.row.name}", "title")])
        lines += [[(f"{scale.value(edge.value):>21}  in {edge.name}", "dim")] for edge in one.callees]
    return lines, [
        {
            **one.row._asdict(),
            "callers": [edge._asdict() for edge in one.callers],
            "callees": [edge._asdict() for edge in one.callees],
        }
        for one in found
    ]


def _stacks(profile: Profile, question: Question, scale: Scale) -> tuple[list[Line], list[dict[str, t.Any]]]:
    found = views.by_stack(profile, question.sample_type)
    lines: list[Line] = []
    for group in found[: question.rows or None]:
        names = [f"{frame.function} {Path(frame.file).name}:{frame.line}" for frame in group.stack] or ["<unknown>"]
        lines.append([(f"{scale.value(group.value):>10}  {names[0]}", "title")])
        lines += [[(f"{'':>10}  {name}", "dim")] for name in names[1:]]
    return lines, [{"value": one.value, "stack": [frame._asdict() for frame in one.stack]} for one in found]


def _both(one: views.Row | views.Line | views.Routine, scale: Scale) -> str:
    return f"{scale.value(one.flat):>10} {scale.value(one.cum):>10}"


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


def _bars(question: Question, profile: Profile, before: Profile | None, kind: str) -> dict[str, dict[str, t.Any]]:
    """The 95 % interval of each function's flat value in a heap; of a difference, whether it is more than chance."""
    if question.view == "packages" or not kind.startswith("inuse_"):
        return {}
    try:
        if before is None:
            figures = sampling.live(profile, kind)
            return {name: {"low": one.low, "high": one.high} for name, one in figures.items()}
        grown = sampling.growth(before, profile, kind)
    except ProfileError:
        return {}  # no heap
    return {one.place: {"low": one.low, "high": one.high, "significant": one.significant} for one in grown}


def _table(rows: list[dict[str, t.Any]], scale: Scale, *, bars: bool) -> Iterator[Line]:
    between = f"{'95 % interval':>22}" if bars else ""
    yield [(f"{'flat':>10} {'flat%':>8}{between} {'cum':>10} {'cum%':>8}  function", "dim")]
    for row in rows:
        interval = f"{scale.value(row['low'])} to {scale.value(row['high'])}" if "low" in row else ""
        own = f"{scale.value(row['flat']):>10} {scale.share(row['flat']):>8}" + (f"{interval:>22}" if bars else "")
        name = row["name"] + (f" ({row['inlined']})" if row["inlined"] else "")
        grew = " - grew by more than chance" if row.get("significant") else ""
        both = f"{own} {scale.value(row['cum']):>10} {scale.share(row['cum']):>8}  {name}{grew}"
        yield [(both, "problem" if grew else "")]
