# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render a results document for a terminal: the guide's sample output, the objectives, the findings.

Lines are lists of (text, style) pairs, so that the same lines make the coloured banner and the plain report.txt.
"""

from __future__ import annotations

import typing as t

from ansible_collections.warren.load.plugins.module_utils.node.fault_kinds import FATAL
from ansible_collections.warren.load.plugins.module_utils.objectives.units import many, number

from .columns import clean, pad, width, wrap
from .findings import lookup, value_of
from .profile_lines import cost, pages_text, summary
from .wording import MARK_SENTENCES, SIGNS, environment_facts, limit_text, touching, value_text, verdict_parts

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WIDTH = 78
MOST_TICKS = 20  # of the scheduler that a table shows
EDGE = 80
"""The columns of prose, and those that a table may take."""
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
    "error": "red",
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

# How severe a finding is, also where there are no colours.
_FINDING_SIGNS = {"problem": "✗", "warning": "!", "note": "-"}
_SHORT_MARKS = {"simulator": "sim"}


def banner(document: dict[str, t.Any], folder: str = "") -> list[Line]:
    """The whole banner. ``folder`` is where the results lie, as it is to be shown."""
    rule: Line = [("━" * WIDTH, "title")]
    lines: list[Line] = [rule, [("  Warren Load Test Results", "title")], rule, []]
    for mark in document["run"].get("marks") or []:
        lines += _wrapped(MARK_SENTENCES.get(mark, mark), "  ", style="mark")
    if document["run"].get("marks"):
        lines.append([])
    for section in SECTIONS:
        block = list(section(document))
        if block:
            lines += [*block, []]
    lines += [*_verdict(document, folder), rule]
    return lines


def figure_lines(document: dict[str, t.Any]) -> list[Line]:
    """What was measured, without what it is worth."""
    shown = (_results, _scheduler, _throughput, _faults, _hold, _leaks, _memory, _profiles)
    return [line for section in shown for line in section(document)]


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
    broad = max((width(name) for name, _text in facts), default=0) + 2
    for name, text in facts:
        lines += _wrapped(text, f"  {pad(name + ':', broad)}")
    for note in notes:
        lines += _wrapped(note, "  - ", style="")
    return lines


def _configuration(document: dict[str, t.Any]) -> Iterator[Line]:
    run, measured = document["run"], document["measurements"]
    created = _count(measured, "create.created", "create.found")
    yield [("Test Configuration:", "")]
    if run.get("scenario") not in (None, "load"):
        yield from _fact("Scenario", run["scenario"])
    yield from _fact("Scale", run.get("scale", "custom"))
    yield from _fact("Services Created", created if created is not None else "none")
    yield from _fact("Replicas per Service", run.get("replicas", "?"))
    yield from _fact("Total Tasks", run.get("containers", "?"))
    yield from _fact("Profiling", "true" if run.get("profiling") else "false")


def _results(document: dict[str, t.Any]) -> Iterator[Line]:
    run, measured = document["run"], document["measurements"]
    yield [("Results:", "")]
    duration = run.get("duration")
    yield from _fact("Total Duration", f"{duration:.0f}s" if duration is not None else "unknown")
    rate = _value(measured, "create.rate")
    yield from _fact("Service Creation Rate", f"{rate:.2f} services/s" if rate is not None else "not measured")
    failed = _count(measured, "create.failed")
    yield from _fact("Failed Creations", failed if failed is not None else "not measured")
    expected, running = _count(measured, "await.expected"), _count(measured, "await.running")
    if expected is not None and running is not None:
        first, last = _value(measured, "create.first_sent"), _value(measured, "await.last_running")
        if running < expected:  # what came last says nothing about the others
            waited = _value(measured, "await.duration")
            text = f" in the end, after {number(waited)}s of waiting" if waited else ""
        else:
            text = f" after {number(last - first)}s" if first and last else ""
        yield from _fact("Containers Running", f"{running} of {expected}{text}")
    yield from _percentiles("Scheduling Latency", lookup(measured, "await.scheduling_latency"))
    within = _value(measured, "await.create_to_running_resolution")
    title = "Create to Running" + (f", to within {number(within)}s" if within is not None else "")
    yield from _percentiles(title, lookup(measured, "await.create_to_running"))
    looks, share = _count(measured, "await.polls"), _value(measured, "await.poll_share")
    if looks is not None and share is not None:
        text = f"{looks} looks" if looks != 1 else "1 look"
        text += f", {number(share)}% of the time" if looks > 1 else ""
        cost = _value(measured, "await.poll_cpu_estimate")
        text += f", about {number(1e3 * cost)}ms CPU of the managers" if cost is not None else ""
        yield from _fact("Polling", text)
    yield from _latency(measured)
    calls = _count(measured, "latency.calls")
    if calls is not None:
        planned, at_a_time = _value(measured, "latency.rate_planned"), _count(measured, "latency.concurrency")
        text = f"{calls} at {number(planned)}/s" if planned else f"{calls}, {at_a_time} at a time"
        text += f", {_count(measured, 'latency.error_count') or 0} errors"
        if unsent := _count(measured, "latency.unsent"):
            text += f", {unsent} unsent"
        lag = _value(measured, "latency.send_lag.p99")
        yield from _fact("Measured Calls", text + (f", send lag p99 {number(lag)}ms" if lag is not None else ""))
    purged = _count(measured, "cleanup.containers_purged")
    if purged is not None:
        left = (_count(measured, "cleanup.containers_left") or 0) + (_count(measured, "cleanup.services_left") or 0)
        spent = _value(measured, "cleanup.duration")
        yield from _fact("Cleanup", f"{purged} records purged, {left} left" + (f", {number(spent)}s" if spent else ""))


def _latency(measured: dict[str, t.Any]) -> Iterator[Line]:
    """Response times (of a closed loop service times) over all calls, and by method where there are several."""
    methods = lookup(measured, "latency.methods") or []
    names = [lookup(measured, "latency.method"), *(f"  {one['method']}" for one in methods)]
    closed = _value(measured, "latency.rate_planned") is None
    title = f"API Latency ({'all calls' if len(methods) > 1 else names[0]}{', closed loop' if closed else ''})"
    for name, one in zip([title, *names[1:]], [lookup(measured, "latency"), *methods], strict=True):
        times = lookup(one, "service_time" if closed else "response_time")
        yield from _percentiles(name, times, "p50 p95 p99 max")
        if len(methods) < 2:
            break


def _scheduler(document: dict[str, t.Any]) -> Iterator[Line]:
    """The guide's Test Scheduler Performance: what the scheduler made of the burst, tick by tick."""
    measured = document["measurements"]
    found = lookup(measured, "await.scheduler")
    if document["run"].get("scenario") != "scheduler-burst" or not found:
        return
    yield [("Scheduler Burst:", "")]
    services, concurrency = _count(measured, "create.services"), _count(measured, "create.concurrency")
    spent = _value(measured, "create.duration")
    if services and concurrency:
        took = f", took {number(spent)}s" if spent else ""
        yield from _fact("Burst", f"{many(services, 'create')}, {concurrency} at a time{took}")
    expected, missing = _count(measured, "await.expected") or 0, _count(measured, "await.unscheduled") or 0
    after = _value(found, "duration")
    if after is not None:
        text = f"{expected - missing} of {expected} containers after {number(after)}s"
        yield from _fact("Scheduled", f"{text}, in {many(int(found['ticks']), 'scheduler tick')}")
    rate = _value(found, "rate")
    if rate is not None:
        yield from _fact("Scheduling Rate", f"{number(rate)} containers/min")
    placed = lookup(measured, "await.placement") or {}
    if placed:
        ready = _count(measured, "await.nodes_ready")
        of = f" (of {many(ready, 'ready node')})" if ready else ""
        yield from _fact("Placement", ("all on " if len(placed) == 1 else "") + _nodes(placed) + of)
    rows = found["rows"]
    if not rows:
        return
    yield [(f"  {'Tick':>4} {'Began':>8} {'Took':>8} {'Services':>9} {'Containers':>11} {'Running':>8}  On", "dim")]
    for place, row in enumerate(rows[:MOST_TICKS], 1):
        began, lasted = f"{row['t']:.1f}s", f"{number(row['duration'])}s"
        text = f"{place:>6} {began:>8} {lasted:>8} {row['services']:>9} {row['containers']:>11} {row['running']:>8}  "
        # A name that is too long goes over the edge rather than be cut.
        yield [(text + _nodes(row["nodes"], most=1), "")]
    if found["ticks"] > MOST_TICKS:
        yield [(f"  and {int(found['ticks']) - MOST_TICKS} ticks more, see results.json", "dim")]


def _nodes(placed: dict[str, int], most: int = 3) -> str:
    """``worker-1 480, worker-2 20 and 3 more``, the fullest first; the number only where there are several."""
    names = sorted(placed, key=lambda name: (-placed[name], name))
    if len(names) == 1:
        return clean(names[0])
    shown = ", ".join(f"{clean(name)} {placed[name]}" for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def _throughput(document: dict[str, t.Any]) -> Iterator[Line]:
    """The guide's API Throughput Test: what its closed loops reached, and planned arrivals at half of it."""
    measured = document["measurements"].get("throughput")
    if not measured:
        return
    yield [("API Throughput:", "")]
    for part in ("ab", "parallel"):
        one = measured[part]
        connections = f"{one['connections']} connection{'' if one['connections'] == 1 else 's'}"
        how = f"{one['concurrency']} at a time" if part == "ab" else f"{one['clients']} clients x {one['calls_each']}"
        rate = _value(one, "rate")
        reached = f"{rate:.0f} calls/s" if rate is not None else "no answer"
        yield from _fact(f"{one['calls']} calls, {how}, {connections}", f"{reached}, {one['error_count']} errors")
        yield from _percentiles("  Service Time", one["service_time"], "p50 p95 p99 max")
    highest = _value(measured, "highest_rate")
    yield from _fact("Highest Rate", f"{highest:.0f} calls/s" if highest else "none")
    if planned := measured["planned"]:
        yield from _fact(
            f"{planned['calls']} calls planned at {planned['rate_planned']:.0f}/s",
            f"{_value(planned, 'rate_achieved') or 0:.0f} calls/s, {planned['error_count']} errors",
        )
        yield from _percentiles("  Response Time", planned["response_time"], "p50 p95 p99 max")


def _hold(document: dict[str, t.Any]) -> Iterator[Line]:
    """How the load was held, what was replaced of it, and what grew."""
    held = document["measurements"].get("hold")
    if not held:
        return
    yield [("Soak:", "")]
    yield from _fact("Held", f"{number(held['duration'])}s, looked at {held['looks']} times")
    least = _value(held, "running_least")
    if least is not None:
        yield from _fact("Fewest Containers Running", f"{number(least)}% of {held['containers']}")
    churn = held["churn"]
    if churn:
        text = f"{churn['deleted']} deleted, {churn['created']} created in {churn['cycles']} times"
        yield from _fact("Services Replaced", text + (f", {churn['failed']} failed" if churn["failed"] else ""))
        yield from _fact("Records They Left", f"{churn['records_left']}, {churn['records_purged']} of them purged")
        yield from _percentiles("Create Time", churn["create_time"], "p50 p95 max")
        yield from _percentiles("Create to Running", churn["to_running"], "p50 p95 max")
    resources = document["measurements"].get("resources") or {}
    for name, path, unit in (
        ("Memory", "memory_growth", "MB/min"),
        ("Goroutines", "goroutines_growth", "/min"),
        ("Open Files", "open_files_growth", "/min"),
    ):
        rate = resources.get(path)
        text = "not known"
        if rate:
            low, high = (number(rate[end]) if rate[end] is not None else "?" for end in ("low", "high"))
            text = f"{number(rate['value'])} {unit} ({low} to {high})"
        yield from _fact(f"{name} Grew By", text)


_HELD_NAMES = {
    "heap": "heap",
    "private": "memory of its own",
    "rss": "resident memory",
    "goroutines": "goroutines",
    "open_files": "open files",
    "database": "database",
    "raft_log": "Raft log",
    "log": "log file",
    "containers": "running containers",
    "containers_known": "containers in containerd",
}


def _leaks(document: dict[str, t.Any]) -> Iterator[Line]:
    """What each deleted service left: a line for each thing, with before, after, and its interval."""
    found = document["measurements"].get("leaks")
    if not found:
        return
    rounds = f"{found['rounds']} rounds" if found["rounds"] > 1 else "1 round"
    yield [(f"Left by Each of {found['churned']} Deleted Services, in {rounds}:", "")]
    records, still = _value(found, "container_records") or 0.0, found["still_running"]
    yield from _fact("Services", number(_value(found, "service_records") or 0.0))
    yield from _fact("Container Records", number(records) + (f"; {still} of them should run, and do" if still else ""))
    name = max((len(clean(row["process"])) for row in found["held"]), default=0)
    for row in found["held"]:
        figure = row["per_service"]
        text = f"{number(figure['value'])} {row['unit']}"
        if figure["low"] is not None and figure["low"] != figure["high"]:
            text += f" ({number(figure['low'])} to {number(figure['high'])})"
        lead = f"  {pad(clean(row['process']), name)}  {_HELD_NAMES[row['what']]:<24}  "
        change = f"{number(row['before'])} → {number(row['after'])}"
        yield from _wrapped(f"{text}; {change}", lead, style="warning" if row["grew"] else "", indent=4)
    profiles = document["measurements"].get("profiles") or {}
    for row in profiles.get("growth") or []:
        figure = row["per_service"]
        text = f"{number(figure['value'])} KB ({number(figure['low'])} to {number(figure['high'])})"
        lead = f"  {pad(clean(row['process']), name)}  "
        yield from _wrapped(f"heap of {clean(row['function'])}  {text}", lead, style="warning", indent=4)
    for row in found.get("goroutine_stacks") or []:
        if row["grew"]:
            figure = row["per_service"]
            text = number(figure["value"])
            if figure["low"] is not None and figure["low"] != figure["high"]:
                text += f" ({number(figure['low'])} to {number(figure['high'])})"
            lead = f"  {pad(clean(row['process']), name)}  "
            yield from _wrapped(f"goroutines in {clean(row['function'])} {text}", lead, style="warning", indent=4)


def _faults(document: dict[str, t.Any]) -> Iterator[Line]:
    """What was done to the cluster, and what it did."""
    measured = document["measurements"]
    faults = lookup(measured, "faults.faults") or []
    if not faults:
        return
    yield [("Faults:", "")]
    first = _value(measured, "create.first_sent")
    for one in faults:
        when = f"{one['start'] - first:.1f}s after the first create" if first is not None else "under load"
        if one["end"] is not None:
            lasted = f"for {one['end'] - one['start']:.1f}s"
        else:
            lasted = "for good" if one["kind"] in FATAL else "nobody could tell for how long"
        text = f"{one['kind']}, {when}, {lasted}" + (f" ({one['outcome']})" if one["end"] is not None else "")
        yield from _fact(f"{one['target']}", text)
    yield from _failover(measured)
    yield from _loss(measured)
    audit = measured.get("audit_writes")
    if audit:
        counts = f"{audit['acknowledged']} acknowledged, {audit['refused']} refused, {audit['ambiguous']} ambiguous"
        found = f"{audit['lost']} lost, {audit['doubled']} doubled, {audit['resurrected'] + audit['unasked']} unasked"
        if audit.get("resent_doubled"):
            found += f", {audit['resent_doubled']} twice after they were sent twice"
        yield from _fact("Creates", f"{counts}: {found}")


def _failover(measured: dict[str, t.Any]) -> Iterator[Line]:
    """Election, and what could be written and read."""
    found = measured.get("failover")
    if not found:
        return
    election, first = _value(found, "election"), _value(found, "first_write")
    if election is not None:
        text = f"{found['leader']} after {election:.2f}s"
        yield from _fact("New Leader", text + (f", its first write after {first:.2f}s" if first is not None else ""))
    outage = _value(found, "write_outage")
    low = lookup(found, "write_outage.low")
    finest = f" (resolution {1e3 * (outage - low) / 2:.0f}ms)" if outage and low is not None else ""
    ended = "" if found["recovered"] else ", which did not end"
    yield from _fact("Write Outage", (f"{outage:.2f}s{finest}{ended}" if outage else "none"))
    reads = [f"{name} {_value(found['reads'], name) or 0:.2f}s" for name in found["reads"]]
    yield from _fact("Longest Read Outage", ", ".join(reads))


def _loss(measured: dict[str, t.Any]) -> Iterator[Line]:
    """What became of workers and containers."""
    found = measured.get("loss")
    if not found:
        return
    detection, every = _value(found, "detection"), _value(found, "all_down")
    text = f"{found['down']} of {found['workers']} went down"
    if detection is not None:
        text += f", after {detection:.1f}s" + (f" to {every:.1f}s" if every is not None and found["down"] > 1 else "")
    yield from _fact("Workers", f"{text}; {found['ready_end']} ready in the end")
    replacement, restored = _value(found, "replacement"), _value(found, "restored")
    text = f"{found['replaced']} replaced" + (f" within {replacement:.1f}s" if replacement is not None else "")
    text += f", all running again after {restored:.1f}s" if restored is not None else f", {found['missing']} missing"
    yield from _fact("Containers", text)


def _memory(document: dict[str, t.Any]) -> Iterator[Line]:
    yield [("Memory Usage:", "")]
    resources = document["measurements"].get("resources") or {}
    marks = document["run"].get("marks") or []
    kinds = (("Manager", "manager_rss_max", "simulator"), ("Worker", "worker_rss_max", "hollow"))
    any_shown = False
    for kind, path, mark in kinds:
        value = _value(resources, path)
        if value is not None:
            any_shown = True
            rows = resources.get(f"{kind.lower()}s") or []
            several = f"{kind} (largest of {len(rows)})" if len(rows) > 1 else kind
            told = f"{value:.0f}MB" + (f" ({mark})" if mark in marks else "")
            yield from _fact(
                several, told + _used(max(rows, key=lambda row: _value(row, "rss_peak") or 0.0, default={}))
            )
    taken = _value(resources, "container_memory")
    if taken is not None:
        count = resources["container_memory"]["n"]
        yield from _fact("Containers", f"{taken:.0f}MB for {count} with their shims, apart from Warren's own")
    if not any_shown:
        yield from _fact("Manager", "not measured")
    for entry in document["judgement"]["objectives"]:
        if entry["id"] in ("manager-memory", "worker-memory") and entry["level"]:
            good = entry["level"] == "target"
            text = f"{entry['label']} " + ("within target" if good else f"over target: {entry['level']}")
            sign = "✓" if good else "✗" if entry["verdict"] == "fail" else "!"
            touched = f" ({'+'.join(touching(entry))})" if touching(entry) else ""
            yield [(f"{sign} {text}{touched}", entry["level"])]


def _profiles(document: dict[str, t.Any]) -> Iterator[Line]:
    """What each process used during the load, and what profiles there are."""
    profiles = document["measurements"].get("profiles") or {}
    if not profiles.get("captures"):
        return
    yield [("Profiles:", "")]
    for process, text in summary(profiles):
        yield from _fact(process, text)
    yield from _fact("Taken", cost(profiles))
    if pages := profiles["pages"]:
        yield from _fact("Flame Graphs", pages_text(pages, "profiles/"))


def _used(row: dict[str, t.Any]) -> str:
    """What else a process used: ``; 58MB at the end, CPU 4.4%, peak 21% of a core``."""
    end, mean, peak = (_value(row, path) for path in ("rss", "cpu_share", "cpu_share_peak"))
    parts = [f"{end:.0f}MB at the end"] if end is not None else []
    if mean is not None:
        parts.append(f"CPU {number(mean)}%" + (f", peak {number(peak)}%" if peak is not None else "") + " of a core")
    return f"; {', '.join(parts)}" if parts else ""


def _objectives(document: dict[str, t.Any]) -> Iterator[Line]:
    rows = document["judgement"]["objectives"]
    if not rows:
        return
    silent = [entry for entry in rows if entry["verdict"] == "not judged"]
    shown = [entry for entry in rows if entry not in silent]
    marks = ["+".join(touching(entry)) for entry in shown]
    cells = [
        (clean(entry["label"]), value_text(entry), limit_text(entry, "target"), limit_text(entry, "acceptable"))
        for entry in shown
    ]
    # As wide as it takes, and at least as wide as always, so that runs look alike.
    label, value, target, accept = (
        max([least, *(width(row[column]) for row in cells)]) for column, least in enumerate((22, 8, 7, 7))
    )
    over = 2 + label + 1 + value + 2 + target + 2 + accept + 2 + 11 + max(map(width, marks), default=0) - EDGE
    if over > 0:
        for long, short in _SHORT_MARKS.items():
            marks = [mark.replace(long, short) for mark in marks]
        over -= 6
    label = max(label - max(over, 0), 10)
    heading = f"  {'Objective':<{label}} {'Value':>{value}}  {'Target':<{target}}  {'Accept.':<{accept}}  {'Level':<11}"
    yield [(heading + ("On" if any(marks) else ""), "dim")]
    told: set[str] = set()
    for entry, mark, (name, measured, first, second) in zip(shown, marks, cells, strict=True):
        verdict = entry["verdict"]
        yield [
            (f"{SIGNS[verdict]} ", verdict),
            (f"{pad(name, label)} {measured:>{value}}  {first:<{target}}  {second:<{accept}}  ", ""),
            (f"{entry['level']:<11}", entry["level"]),
            (mark, "mark"),
        ]
        if verdict != "pass" and (verdict != "fail" or entry["note"]):
            # What voids one row voids others in the same words: once is enough to read.
            note = "as above" if entry["note"] and entry["note"] in told else entry["note"]
            told.add(entry["note"])
            yield from _wrapped(f"{verdict}: {note}", "    ", style=verdict)
    for entry in silent:
        text = f"not judged: {entry['note']}"
        yield from _wrapped(text, f"{SIGNS['not judged']} {pad(clean(entry['label']), label)} ", style="not judged")


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
            yield from _wrapped(line, "    - ")


def _findings(document: dict[str, t.Any]) -> Iterator[Line]:
    if not document["findings"]:
        return
    yield [("Findings:", "")]
    because = ""
    for finding in document["findings"]:
        if because not in ("", finding["because"]):
            yield from _wrapped(because, "    ", style="dim")
        because = finding["because"]
        sign = _FINDING_SIGNS.get(finding["severity"], "-")
        yield from _wrapped(finding["sentence"], f"  {sign} ", style=finding["severity"])
    if because:
        yield from _wrapped(because, "    ", style="dim")


def _environment(document: dict[str, t.Any]) -> Iterator[Line]:
    yield [("Environment:", "")]
    for name, text in environment_facts(document):
        yield from _fact(name, text, "mark" if name == "Program" and text.startswith("the simulator") else "")


def _verdict(document: dict[str, t.Any], folder: str) -> Iterator[Line]:
    judgement = document["judgement"]
    verdict, rest = verdict_parts(document)
    yield [("Verdict: ", ""), (verdict, judgement["verdict"])]
    yield from _wrapped(rest, "  ")
    if folder:
        # A path that is too long is not broken, so that it can be copied.
        lead = "  Everything is in "
        if width(lead + clean(folder)) > EDGE:
            yield [(lead.rstrip(), "dim")]
            lead = "  "
        yield [(lead + clean(folder), "dim")]


def _fact(name: str, text: t.Any, style: str = "") -> list[Line]:
    """One fact; a name that begins with blanks is set in by them."""
    inner = name.lstrip()
    lead = " " * (2 + len(name) - len(inner))
    return _wrapped(f"{inner}: {text}", lead, style=style, indent=len(lead) + 2)


def _percentiles(name: str, spread: t.Any, wanted: str = "p50 p95 p99") -> Iterator[Line]:
    """One line such as ``p50 1.2ms, p99 3.4ms``, of what was measured."""
    parts = []
    for statistic in wanted.split():
        value = _value(spread, statistic)
        if value is not None:
            unit = (lookup(spread, f"{statistic}.unit") if isinstance(spread.get(statistic), dict) else None) or ""
            parts.append(f"{statistic} {number(value)}{unit}")
    if parts:
        yield from _fact(name, ", ".join(parts))


def _wrapped(text: t.Any, lead: str, *, style: str = "", indent: int | None = None) -> list[Line]:
    """Text as lines of at most WIDTH: the first behind ``lead``, the others below it."""
    below = None if indent is None else " " * indent
    return [[(part, style)] for part in wrap(str(text), WIDTH, lead, below)]


def _value(tree: t.Any, path: str) -> float | None:
    return value_of(lookup(tree, path))


def _count(tree: t.Any, *paths: str) -> int | None:
    """The sum of the counts at the paths, None where none was measured."""
    found = [value for path in paths if (value := _value(tree, path)) is not None]
    return int(sum(found)) if found else None


SECTIONS = (
    _configuration,
    _results,
    _scheduler,
    _throughput,
    _hold,
    _leaks,
    _faults,
    _memory,
    _profiles,
    _objectives,
    _advice,
    _findings,
    _environment,
)
