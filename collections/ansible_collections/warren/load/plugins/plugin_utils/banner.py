# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render a results document for a terminal: the guide's sample output, the objectives, the findings.

Lines are lists of (text, style) pairs, so that the same lines make the coloured banner and the plain report.txt.
"""

from __future__ import annotations

import textwrap
import typing as t

from ansible_collections.warren.load.plugins.module_utils.objectives.units import dimension, number, quantity

from .findings import lookup, value_of

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WIDTH = 78
Line = list[tuple[str, str]]
"""Pieces of one line: text and style ("" for none)."""

STYLES = {
    # The guide's colours: target green, acceptable yellow, critical red. Missed is what its table leaves open.
    "target": "green",
    "acceptable": "yellow",
    "missed": "magenta",
    "critical": "red",
    "pass": "green",
    "fail": "red",
    "inconclusive": "cyan",
    "invalid": "bright red",
    "not judged": "bright gray",
    "problem": "red",
    "warning": "yellow",
    "note": "",
    "mark": "bright purple",
    "title": "bright blue",
    "dim": "bright gray",
}

MARK_SENTENCES = {
    "simulator": "The managers are the simulator, not Warren: latency and memory are its own.",
    "hollow": "The workers are hollow: they report containers, and run none.",
    "shared-host": "The generator shares its host, and so its CPU, with what it measures.",
}
_SIGNS = {"pass": "✓", "fail": "✗", "inconclusive": "?", "invalid": "!", "not judged": "–"}


def banner(document: dict[str, t.Any], folder: str = "") -> list[Line]:
    """The whole banner. ``folder`` is where the results lie, as it is to be shown."""
    rule: Line = [("━" * WIDTH, "title")]
    lines: list[Line] = [rule, [("  Warren Load Test Results", "title")], rule, []]
    for mark in document["run"].get("marks") or []:
        lines += _wrapped(MARK_SENTENCES.get(mark, mark), "  ", style="mark")
    if document["run"].get("marks"):
        lines.append([])
    for section in (_configuration, _results, _memory, _objectives, _advice, _findings):
        block = list(section(document))
        if block:
            lines += [*block, []]
    lines += [*_verdict(document, folder), rule]
    return lines


def render(lines: list[Line], paint: Callable[[str, str], str] | None = None) -> str:
    """Lines as text. ``paint(text, style)`` colours a piece; without it the text is plain."""
    return "\n".join(
        "".join(paint(text, style) if paint and style else text for text, style in line).rstrip() for line in lines
    )


def plan_lines(facts: list[tuple[str, str]], notes: list[str], marks: list[str], title: str) -> list[Line]:
    """The plan: a title, names with texts in two columns, notes below."""
    lines: list[Line] = [[(title, "title")]]
    for mark in marks:
        lines += _wrapped(MARK_SENTENCES.get(mark, mark), "  ", style="mark")
    width = max((len(name) for name, text in facts), default=0) + 2
    for name, text in facts:
        first, *rest = textwrap.wrap(text, WIDTH - width - 2, break_long_words=False) or [""]
        lines.append([(f"  {name + ':':<{width}}", ""), (first, "")])
        lines += [[(" " * (width + 2) + part, "")] for part in rest]
    for note in notes:
        lines += _wrapped(note, "  - ", style="")
    return lines


def _configuration(document: dict[str, t.Any]) -> Iterator[Line]:
    run, measured = document["run"], document["measurements"]
    created = _count(measured, "create.created", "create.found")
    yield [("Test Configuration:", "")]
    yield _fact("Scale", run.get("scale", "custom"))
    yield _fact("Services Created", created if created is not None else "none")
    yield _fact("Replicas per Service", run.get("replicas", "?"))
    yield _fact("Total Tasks", run.get("containers", "?"))
    yield _fact("Profiling", "true" if run.get("profiling") else "false")


def _results(document: dict[str, t.Any]) -> Iterator[Line]:
    run, measured = document["run"], document["measurements"]
    yield [("Results:", "")]
    duration = run.get("duration")
    yield _fact("Total Duration", f"{duration:.0f}s" if duration is not None else "unknown")
    rate = _value(measured, "create.rate")
    yield _fact("Service Creation Rate", f"{rate:.2f} services/s" if rate is not None else "not measured")
    failed = _count(measured, "create.failed")
    yield _fact("Failed Creations", failed if failed is not None else "not measured")
    expected, running = _count(measured, "await.expected"), _count(measured, "await.running")
    if expected is not None and running is not None:
        first, last = _value(measured, "create.first_sent"), _value(measured, "await.last_running")
        after = last - first if first and last else None
        yield _fact("Containers Running", f"{running} of {expected}" + (f" after {number(after)}s" if after else ""))
    yield from _percentiles("Scheduling Latency", lookup(measured, "await.scheduling_latency"))
    yield from _percentiles("Create to Running", lookup(measured, "await.create_to_running"))
    method = lookup(measured, "latency.method")
    yield from _percentiles(f"API Latency ({method})", lookup(measured, "latency.response_time"), "p50 p95 p99 max")
    calls = _count(measured, "latency.calls")
    if calls is not None:
        planned = _value(measured, "latency.rate_planned")
        text = f"{calls} at {number(planned)}/s" if planned else str(calls)
        text += f", {_count(measured, 'latency.error_count') or 0} errors"
        if unsent := _count(measured, "latency.unsent"):
            text += f", {unsent} unsent"
        lag = _value(measured, "latency.send_lag.p99")
        yield _fact("Measured Calls", text + (f", send lag p99 {number(lag)}ms" if lag is not None else ""))
    purged = _count(measured, "cleanup.containers_purged")
    if purged is not None:
        left = (_count(measured, "cleanup.containers_left") or 0) + (_count(measured, "cleanup.services_left") or 0)
        spent = _value(measured, "cleanup.duration")
        yield _fact("Cleanup", f"{purged} records purged, {left} left" + (f", {number(spent)}s" if spent else ""))


def _memory(document: dict[str, t.Any]) -> Iterator[Line]:
    yield [("Memory Usage:", "")]
    resources = document["measurements"].get("resources") or {}
    any_shown = False
    for kind, path in (("Manager", "manager_rss_max"), ("Worker", "worker_rss_max")):
        value = _value(resources, path)
        if value is not None:
            any_shown = True
            several = len(resources.get(f"{kind.lower()}s") or []) > 1
            yield _fact(
                f"{kind} (largest of {len(resources[f'{kind.lower()}s'])})" if several else kind, f"{value:.0f}MB"
            )
    if not any_shown:
        yield _fact("Manager", "not measured")
    for entry in document["judgement"]["objectives"]:
        if entry["id"] in ("manager-memory", "worker-memory") and entry["level"]:
            good = entry["level"] == "target"
            text = f"{entry['label']} " + ("within target" if good else f"over target: {entry['level']}")
            yield [(f"{'✓' if good else '✗' if entry['verdict'] == 'fail' else '!'} {text}", entry["level"])]


def _objectives(document: dict[str, t.Any]) -> Iterator[Line]:
    rows = document["judgement"]["objectives"]
    if not rows:
        return
    marked = any(entry["marks"] for entry in rows)
    heading = f"  {'Objective':<22} {'Value':>8}  {'Target':<9}{'Accept.':<9}{'Level':<11}{'On' if marked else ''}"
    yield [(heading, "dim")]
    silent = [entry for entry in rows if entry["verdict"] == "not judged"]
    for entry in rows:
        if entry in silent:
            continue
        verdict = entry["verdict"]
        marks = "+".join(mark for mark in entry["marks"] if mark != "shared-host")
        yield [
            (f"{_SIGNS[verdict]} ", verdict),
            (f"{entry['label']:<22} {_short(entry['value'], entry['unit']):>8}  ", ""),
            (f"{_limit(entry, 'target'):<9}{_limit(entry, 'acceptable'):<9}", ""),
            (f"{entry['level']:<11}", entry["level"]),
            (marks, "mark"),
        ]
        if verdict != "pass" and (verdict != "fail" or entry["note"]):
            yield from _wrapped(f"{verdict}: {entry['note']}", "    ", style=verdict)
    for entry in silent:
        yield from _wrapped(f"{entry['label']:<22} not judged: {entry['note']}", "– ", style="not judged", indent=25)


def _advice(document: dict[str, t.Any]) -> Iterator[Line]:
    """The guide's "If above target" of every missed objective, once for those that share it."""
    shared: dict[tuple[str, ...], list[dict[str, t.Any]]] = {}
    for entry in document["judgement"]["objectives"]:
        if entry["advice"]:
            shared.setdefault(tuple(entry["advice"]), []).append(entry)
    if shared:
        yield [("What to look at:", "")]
    sides = {"below": "above target", "above": "below target", "equal": "off target"}
    for advice, entries in shared.items():
        yield from _wrapped(f"{', '.join(entry['label'] for entry in entries)} {sides[entries[0]['direction']]}:", "  ")
        for line in advice:
            yield from _wrapped(line, "  - ")


def _findings(document: dict[str, t.Any]) -> Iterator[Line]:
    if not document["findings"]:
        return
    yield [("Findings:", "")]
    for finding in document["findings"]:
        yield from _wrapped(finding["sentence"], "  - ", style=finding["severity"])
        if finding["because"]:
            yield from _wrapped(finding["because"], "    ", style="dim")


def _verdict(document: dict[str, t.Any], folder: str) -> Iterator[Line]:
    judgement = document["judgement"]
    verdict, rest = [*judgement["summary"].split(": ", 1), ""][:2]
    sign = _SIGNS.get(judgement["verdict"], "–")
    first, *others = textwrap.wrap(rest or verdict, WIDTH - 2) or [""]
    style = judgement["verdict"] if judgement["green"] or judgement["verdict"] != "pass" else "fail"
    yield [("Verdict: ", ""), (f"{sign} {judgement['verdict'].upper()}", style)]
    for part in (first, *others):
        yield [(f"  {part}", "")]
    if folder:
        yield [(f"  Everything is in {folder}", "dim")]


def _fact(name: str, text: t.Any) -> Line:
    return [(f"  {name}: {text}", "")]


def _percentiles(name: str, spread: t.Any, wanted: str = "p50 p95 p99") -> Iterator[Line]:
    """One line such as ``p50 1.2ms, p99 3.4ms``, of what was measured."""
    parts = []
    for statistic in wanted.split():
        value = _value(spread, statistic)
        if value is not None:
            unit = (lookup(spread, f"{statistic}.unit") if isinstance(spread.get(statistic), dict) else None) or ""
            parts.append(f"{statistic} {number(value)}{unit}")
    if parts:
        yield _fact(name, ", ".join(parts))


def _short(value: float, unit: str) -> str:
    """A value with its unit, but for counts, whose label says what was counted."""
    return number(value) if dimension(unit) == "count" else quantity(value, unit)


def _limit(entry: dict[str, t.Any], level: str) -> str:
    """The limit of a level, in the unit of the value beside it; empty where the level has none of its own."""
    limit = entry["limits"].get(level)
    if limit is None:
        return ""
    sign = {"below": "<", "above": ">", "equal": "="}[entry["direction"]]
    if entry["inclusive"] and entry["direction"] != "equal":
        sign += "="
    return f"{sign} {number(limit)}"


def _wrapped(text: str, lead: str, *, style: str = "", indent: int | None = None) -> list[Line]:
    """Text as lines of at most WIDTH: the first behind ``lead``, the others below it."""
    below = " " * (len(lead) if indent is None else indent)
    parts = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=lead,
        subsequent_indent=below,
        break_long_words=True,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
    return [[(part, style)] for part in parts]


def _value(tree: t.Any, path: str) -> float | None:
    return value_of(lookup(tree, path))


def _count(tree: t.Any, *paths: str) -> int | None:
    """The sum of the counts at the paths, None where none was measured."""
    found = [value for path in paths if (value := _value(tree, path)) is not None]
    return int(sum(found)) if found else None
