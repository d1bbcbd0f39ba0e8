# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs side by side: values, change, verdicts, and what differs so that they cannot be compared.

The plain form: two single runs, no statistics. It never says that a change means anything.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.warren.load.plugins.module_utils.objectives.judging import VERDICTS, audit_reasons
from ansible_collections.warren.load.plugins.module_utils.objectives.units import convert, number, quantity

from .columns import clean, pad, width, wrap
from .findings import lookup, value_of
from .markdown import escaped
from .wording import SIGNS, host_text, program_text, value_text

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from .banner import Line

WIDTH = 78
CHANCE = "One run each: whether a change is more than chance is not said here."
LEGEND = ", ".join(f"{SIGNS[verdict]} {verdict}" for verdict in VERDICTS)
_GONE = "·"  # the objective is not in that run

# What is worth a line besides the objectives: name, path in the measurements.
_FIGURES = (
    ("API latency p95", "latency.response_time.p95"),
    ("Send lag p99", "latency.send_lag.p99"),
    ("Calls a second", "latency.rate_achieved"),
    ("Highest call rate", "throughput.highest_rate"),
    ("Create to running p99", "await.create_to_running.p99"),
    ("Cleanup time", "cleanup.duration"),
    ("Churn to running p95", "hold.churn.to_running.p95"),
)
# Settings that have to be equal: name, path in the document.
_SETTINGS = (
    ("scenario", "run.scenario"),
    ("scale", "run.scale"),
    ("number of services", "run.services"),
    ("number of replicas", "run.replicas"),
    ("image", "run.image"),
    ("dialect", "run.dialect"),
    ("number of ready workers", "environment.workers_ready"),
    ("number of hollow workers", "environment.hollow_workers"),
    ("simulator's cost model", "environment.costs"),
    ("clock factor", "environment.clock_factor"),
    ("measured calls", "measurements.latency.method"),
    ("number of measured calls", "measurements.latency.calls"),
    ("planned rate", "measurements.latency.rate_planned"),
    ("time of holding the load", "measurements.hold.seconds"),
    ("churn", "measurements.hold.churn.percent"),
    ("rounds", "measurements.leaks.rounds"),
    ("level from which on a run fails", "run.fail_at"),
    ("warren.load", "environment.controller.collection"),
)


@dataclasses.dataclass(frozen=True)
class Row:
    """One line: what was measured in both runs (texts), how it changed, and both verdicts (signs, or empty)."""

    label: str
    base: str
    new: str
    change: str
    percent: str
    verdicts: str
    style: str


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two runs side by side. ``program`` says whether both ran the same; ``differences`` are sentences, each of them a
    reason why the values cannot be compared."""

    base: dict[str, t.Any]
    new: dict[str, t.Any]
    rows: list[Row]
    program: str
    differences: list[str]


def compare(base: dict[str, t.Any], new: dict[str, t.Any]) -> Comparison:
    """Compare two results documents."""
    return Comparison(base, new, [*_objectives(base, new), *_figures(base, new)], _program(base, new), [
        *_settings(base, new), *_hosts(base, new), *_audits(base, new)
    ])  # fmt: skip


def screen_lines(found: Comparison, written: str = "") -> list[Line]:
    """The comparison for a terminal of 80 columns. ``written`` is the file that it was written to."""
    rule: Line = [("━" * WIDTH, "title")]
    lines: list[Line] = [rule, [("  Warren Load Test Comparison", "title")], rule, []]
    for name, document in (("Base", found.base), ("New", found.new)):
        verdict = document["judgement"]["verdict"]
        lines.append(
            [(f"  {name + ':':<6}{clean(document['run']['id'])}  ", ""), (f"{SIGNS[verdict]} {verdict}", verdict)]
        )
        lines += _wrapped(program_text(document["environment"]), " " * 8)
    lines.append([])
    if found.differences:
        lines += _wrapped(
            "These runs differ in more than what was tested, so their values cannot be compared:", "", "warning"
        )
        for sentence in found.differences:
            lines += _wrapped(sentence, "  - ", "warning")
        lines.append([])
    lines += [*_table(found.rows), []]
    lines += _wrapped(found.program, "")
    lines += _wrapped(CHANCE, "")
    if written:
        lines.append([(f"As Markdown: {clean(written)}", "dim")])
    return [*lines, rule]


def markdown(found: Comparison) -> str:
    """The comparison as GitHub Markdown."""
    base, new = found.base, found.new
    lines = [f"### Warren load test: {escaped(base['run']['id'])} and {escaped(new['run']['id'])}", ""]
    for name, document in (("Base", base), ("New", new)):
        lines.append(
            f"- {name}: **{document['judgement']['verdict']}**, {escaped(program_text(document['environment']))}"
        )
    lines.append("")
    if found.differences:
        lines += ["**These runs differ in more than what was tested, so their values cannot be compared:**", ""]
        lines += [*(f"- {escaped(sentence)}" for sentence in found.differences), ""]
    lines += ["| | Base | New | Change | % | Verdict |", "|---|--:|--:|--:|--:|---|"]
    for row in found.rows:
        cells = (row.label, row.base, row.new, row.change, row.percent, row.verdicts)
        lines.append(f"| {' | '.join(escaped(cell, 100) for cell in cells)} |")
    lines += ["", f"Verdicts: {LEGEND}.", "", escaped(found.program), CHANCE, ""]
    return "\n".join(lines)


def _objectives(base: dict[str, t.Any], new: dict[str, t.Any]) -> Iterator[Row]:
    before = {entry["id"]: entry for entry in base["judgement"]["objectives"]}
    after = {entry["id"]: entry for entry in new["judgement"]["objectives"]}
    for name in dict.fromkeys((*after, *before)):
        pair = (before.get(name), after.get(name))
        shown = after.get(name) or before[name]
        verdicts = [entry["verdict"] if entry else _GONE for entry in pair]
        style = ""
        if verdicts[0] != verdicts[1] and "fail" in verdicts:
            style = "fail" if verdicts[1] == "fail" else "pass"
        old, now = (_value(entry, str(shown["unit"])) for entry in pair)
        signs = " → ".join(SIGNS.get(verdict, _GONE) for verdict in verdicts)
        texts = [value_text({**shown, "value": value}) for value in (old, now)]
        yield Row(clean(shown["label"]), texts[0], texts[1], _change(old, now), _percent(old, now), signs, style)


def _value(entry: dict[str, t.Any] | None, unit: str) -> float | None:
    """The value of a judgement in ``unit``."""
    value = value_of(entry)
    return None if value is None or entry is None else convert(value, str(entry["unit"]), unit)


def _figures(base: dict[str, t.Any], new: dict[str, t.Any]) -> Iterator[Row]:
    for label, path in _FIGURES:
        found = [lookup(document["measurements"], path) for document in (base, new)]
        old, now = (value_of(entry) for entry in found)
        if old is None and now is None:
            continue
        unit = next((str(entry["unit"]) for entry in found if isinstance(entry, dict) and entry.get("unit")), "s")
        texts = [quantity(value, unit) if value is not None else "–" for value in (old, now)]
        yield Row(label, texts[0], texts[1], _change(old, now), _percent(old, now), "", "")


def _change(base: float | None, new: float | None) -> str:
    """The change with its sign, in the unit of the values."""
    if base is None or new is None:
        return ""
    return f"{'+' if new > base else ''}{number(new - base)}" if new != base else "="


def _percent(base: float | None, new: float | None) -> str:
    """The change in % of the base, where there is one."""
    if not base or new is None or new == base:
        return ""
    return f"{'+' if new > base else ''}{number((new - base) / abs(base) * 100)} %"


def _program(base: dict[str, t.Any], new: dict[str, t.Any]) -> str:
    """Whether both ran the same program."""
    programs = [document["environment"].get("program") for document in (base, new)]
    hashes = [program.get("sha256") if isinstance(program, dict) else None for program in programs]
    if None in hashes or "" in hashes:
        return "Whether both runs tested the same program is not known, because the hash of one is missing."
    if hashes[0] == hashes[1]:
        return "Both runs tested the same program."
    return f"The program differs: {program_text(base['environment'])}; now {program_text(new['environment'])}."


def _settings(base: dict[str, t.Any], new: dict[str, t.Any]) -> Iterator[str]:
    for name, path in _SETTINGS:
        before, after = (_scalar(lookup(document, path)) for document in (base, new))
        if before != after and None not in (before, after):
            yield f"Not the same {name}: {before}, now {after}."
    marks = [set(document["run"].get("marks") or []) for document in (base, new)]
    for mark in sorted(marks[0] ^ marks[1]):
        yield f"Only the {'base' if mark in marks[0] else 'new run'} carries the mark {mark}."
    profiled = [bool(document["run"].get("profiling")) for document in (base, new)]
    if profiled[0] != profiled[1]:
        yield f"Only the {'base' if profiled[0] else 'new run'} took profiles, which slow down what is measured."
    managers = [len(document["environment"].get("managers") or []) for document in (base, new)]
    if managers[0] != managers[1] and all(managers):
        yield f"Not the same number of managers: {managers[0]}, now {managers[1]}."
    limits = [
        {entry["id"]: entry["limits"] for entry in document["judgement"]["objectives"] if entry["direction"] != "equal"}
        for document in (base, new)
    ]
    changed = [name for name in limits[0] if name in limits[1] and limits[0][name] != limits[1][name]]
    # Where the scale differs, its limits do; where a limit is a measured value ("equal"), the value is in the table.
    if changed and base["run"].get("scale") == new["run"].get("scale"):
        yield f"Not the same limits of {', '.join(changed[:3])}{' and more' if len(changed) > 3 else ''}."


def _hosts(base: dict[str, t.Any], new: dict[str, t.Any]) -> Iterator[str]:
    found = [
        sorted(
            f"{host.get('kind') or 'host'}: {host_text(host)}" for host in document["environment"].get("hosts") or []
        )
        for document in (base, new)
    ]
    if found[0] == found[1] or not all(found):
        return
    if len(found[0]) != len(found[1]):
        yield f"Not the same number of hosts: {len(found[0])}, now {len(found[1])}."
    gone = [host for host in dict.fromkeys(found[0]) if host not in found[1]]
    come = [host for host in dict.fromkeys(found[1]) if host not in found[0]]
    if gone and come:
        yield f"Not the same hosts: {gone[0]}; now {come[0]}."


def _audits(base: dict[str, t.Any], new: dict[str, t.Any]) -> Iterator[str]:
    for name, document in (("base", base), ("new run", new)):
        if audit_reasons(document.get("audit")):
            yield f"The generator of the {name} could not keep up, so its latencies say nothing."


def _scalar(value: t.Any) -> t.Any:
    """A setting as it can be compared and shown: numbers by their value."""
    found = value_of(value)
    return (
        number(found) if found is not None else (str(value) if isinstance(value, (str, bool)) and value != "" else None)
    )


def _table(rows: list[Row]) -> Iterator[Line]:
    columns = [
        [row.base for row in rows],
        [row.new for row in rows],
        [row.change for row in rows],
        [row.percent for row in rows],
    ]
    heads = ("Base", "New", "Change", "%")
    wide = [max([width(head), *(width(text) for text in texts)]) for head, texts in zip(heads, columns, strict=True)]
    label = max(min(max([9, *(width(row.label) for row in rows)]), WIDTH - 2 - sum(wide) - 2 * len(wide) - 2 - 7), 10)
    head = "".join(f"  {pad(text, size, right=True)}" for text, size in zip(heads, wide, strict=True))
    yield [(f"  {pad('', label)}{head}  Verdict", "dim")]
    for row in rows:
        texts = zip((row.base, row.new, row.change, row.percent), wide, strict=True)
        body = "".join(f"  {pad(text, size, right=True)}" for text, size in texts)
        yield [(f"  {pad(row.label, label)}{body}  ", ""), (row.verdicts, row.style)]
    yield [(f"  {LEGEND}", "dim")]


def _wrapped(text: str, lead: str, style: str = "") -> list[Line]:
    return [[(part, style)] for part in wrap(text, WIDTH, lead)]
