# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the profiles of all hosts say together: their index, findings in sentences, flame graphs, a table.

A row is what module ``profile`` returns of one profile. Functions count as Warren's: time and memory that a library or
Go takes is put down to the function of Warren that asked for it.
"""

from __future__ import annotations

import re
import tarfile
import typing as t

from ansible_collections.warren.load.plugins.module_utils.objectives.units import many, number
from ansible_collections.warren.load.plugins.module_utils.pprof import flame, reading, remarks, views
from ansible_collections.warren.load.plugins.module_utils.pprof.profile import ProfileError

from .columns import clean, pad
from .files import write_whole

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from ansible_collections.warren.load.plugins.module_utils.pprof.profile import Profile

    from .banner import Line

Row = dict[str, t.Any]

# The functions that time and memory are put down to: all of Warren's but those that only hand records over.
WARREN = r"^(github\.com/cuemby/warren/(cmd|pkg/(?!storage\.|manager\.\(\*Manager\)\.(List|Get|Apply)))|main\.)"
KNOWN: remarks.Known = (
    (
        r"scheduler\.\(\*Scheduler\)",
        "Every 5 s the scheduler reads and decodes the record of every container once for each service, on every "
        "manager, also on those that do not lead.",
    ),
    (r"MetricsCollector\)|metrics\.\(\*Collector", "The collector of metrics reads all records every 15 s."),
    (
        r"api\.\(\*Server\)\.Heartbeat",
        "A heartbeat writes one Raft entry for the node and one for each of its containers.",
    ),
    (
        r"api\.\(\*Server\)\.List(Tasks|Containers)",
        "Each worker asks for its containers every 3 s, and all records are read and decoded for that.",
    ),
    (r"\(\*WarrenFSM\)", "This is what replicated writes cost once they are agreed upon."),
)
SAID = 3  # sentences of one kind on one process
DRAWN = 12  # processes that get pages of their own
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\.pb\.gz")
MOMENTS = {"baseline": "before", "load": "load", "during": "during", "after": "after", "now": "now"}
TOLD = (
    *("process", "kind", "host", "moment", "profile", "file", "began", "seconds", "bytes"),
    *("rss_before", "rss_after", "cpu", "cost", "load", "top"),
)
LARGEST = 128 << 20  # bytes of one profile


def unpack(archive: Path, folder: Path, rows: list[Row]) -> tuple[list[Row], list[str]]:
    """The profiles of an archive into ``folder``, for their owner alone. Returns rows with ``top``, and sentences.

    A profile that cannot be read is not kept, nor is one of mutexes or blocking that counted nothing. Raises OSError.
    """
    kept: list[Row] = []
    notes: list[str] = []
    known = {row["file"]: row for row in rows}
    try:
        with tarfile.open(archive, mode="r:") as packed:
            for member in packed:
                row = known.pop(member.name, None)
                if row is None or not FILE.fullmatch(member.name) or not member.isreg() or member.size > LARGEST:
                    continue
                stream = packed.extractfile(member)
                content = stream.read() if stream is not None else b""
                try:
                    profile = reading.parse(content, member.name)
                except ProfileError as error:
                    notes.append(str(error))
                    continue
                if row["profile"] in ("mutex", "block") and not profile.samples:
                    continue
                write_whole(folder / member.name, content)
                (folder / member.name).chmod(0o600)
                kept.append({**row, "top": top_of(profile, row["profile"])})
    except tarfile.TarError as error:
        raise OSError(f"the archive of the profiles is damaged ({error})") from error
    return kept, notes + [f"{name} was not in what its host sent: capture it again." for name in known]


def top_of(profile: Profile, kind: str) -> dict[str, t.Any] | None:
    """``{function, share, total}`` of who has most: share in percent, total as a text; None of an empty profile."""
    column = profile.column("samples" if kind == "cpu" else "")
    counts: dict[str, int] = {}
    for sample in profile.samples:
        where = remarks.place(views.frames(sample), WARREN)
        counts[where] = counts.get(where, 0) + sample.values[column]
    total = sum(counts.values())
    if total <= 0:
        return None
    where = max(sorted(counts), key=lambda name: counts[name])
    told = profile.types[profile.column()].text(sum(sample.values[profile.column()] for sample in profile.samples))
    return {
        "function": views.shortened(where),
        "share": round(100 * counts[where] / total, 1),
        "total": many(total, "goroutine") if kind == "goroutine" else told,
    }


def rows_of(results: Iterable[Mapping[str, t.Any]]) -> tuple[list[Row], list[str]]:
    """Rows and sentences of all hosts, from the results of module ``profile`` in a loop over ``{host, ...}``."""
    rows: list[Row] = []
    notes: list[str] = []
    for result in results:
        if result.get("skipped"):
            continue
        item = result.get("item")
        host = str(item["host"]) if isinstance(item, dict) and "host" in item else "a host"
        if "rows" in result:
            rows += [{**row, "host": host} for row in result["rows"]]
            notes += result.get("unavailable") or []
            continue
        reason = " ".join(str(result.get("msg") or "it gave no answer").split()).rstrip(".")
        if result.get("unreachable"):
            reason = "Ansible cannot log in to it"
        notes.append(f"There are no profiles of {host}: {reason}.")
    rows.sort(key=lambda row: (row["kind"], row["process"], row["began"]))
    return rows, list(dict.fromkeys(notes))


class Found(t.NamedTuple):
    """What the profiles in a folder say. ``pages``: HTML by name of file."""

    findings: list[dict[str, str]]
    pages: dict[str, str]
    notes: list[str]


def study(rows: list[Row], folder: Path, services: int = 0) -> Found:
    """Findings and flame graphs of all processes; ``services``: created and removed between ``baseline`` and ``after``.

    Heaps are compared only where something was removed: with 0 the load of both is not the same.
    """
    found = Found([], {}, [])
    for number_of, (process, own) in enumerate(_by_process(rows)):
        try:
            for remark in _said(process, own, folder, services):
                name = process["process"]
                entry = {"id": remark.id, "sentence": f"{name}: {remark.sentence}", "because": remark.because}
                found.findings.append(entry)
            if number_of < DRAWN:
                found.pages.update(_pages(process, own, folder))
        except ProfileError as error:
            found.notes.append(str(error))
    if len(_by_process(rows)) > DRAWN:
        found.notes.append(f"Flame graphs are of the first {DRAWN} processes: the others' profiles are there as files.")
    return found


def _by_process(rows: list[Row]) -> list[tuple[Row, dict[tuple[str, str], Row]]]:
    """For each process, managers first: its first row, and the last row of each moment and kind of profile."""
    processes: dict[tuple[str, str], tuple[Row, dict[tuple[str, str], Row]]] = {}
    for row in rows:
        _first, own = processes.setdefault((row["kind"], row["process"]), (row, {}))
        own[row["moment"], row["profile"]] = row
    return list(processes.values())


def _read(own: dict[tuple[str, str], Row], folder: Path, profile: str, *moments: str) -> Profile | None:
    """The profile of the first of the moments that has one."""
    for moment in moments:
        if (moment, profile) in own:
            return reading.read(folder / own[moment, profile]["file"])
    return None


def _said(process: Row, own: dict[tuple[str, str], Row], folder: Path, services: int) -> Iterator[remarks.Remark]:
    manager = process["kind"] == "manager"
    cpu = _read(own, folder, "cpu", "load", "now")
    if cpu is not None:
        yield from _few(remarks.of_cpu(cpu, ours=WARREN, known=KNOWN))
    heap = _read(own, folder, "heap", "load", "now", "during")
    if heap is not None and manager:
        yield from _few(remarks.of_heap(heap, ours=WARREN, known=KNOWN))
    if services:
        before, after = (_read(own, folder, "heap", moment) for moment in ("baseline", "after"))
        if before is not None and after is not None:
            grown = remarks.of_growth([before, after], services, ours=WARREN, known=KNOWN)
            yield from _few(each for each in grown if manager or each.id != "profile-no-growth")
        before, after = (_read(own, folder, "goroutine", moment) for moment in ("baseline", "after"))
        if before is not None and after is not None:
            yield from _few(remarks.of_goroutines(before, after, ours=WARREN, known=KNOWN))


def _few(found: Iterable[remarks.Remark]) -> list[remarks.Remark]:
    return list(found)[:SAID]


def _pages(process: Row, own: dict[tuple[str, str], Row], folder: Path) -> Iterator[tuple[str, str]]:
    for moment, profile in [("load", "cpu"), ("now", "cpu"), ("load", "heap"), ("now", "heap")]:
        if (moment, profile) not in own:
            continue
        row = own[moment, profile]
        title = f"{clean(process['process'])}: {'CPU' if profile == 'cpu' else 'heap in use'}, {_moment(row)}"
        read = reading.read(folder / row["file"])
        yield row["file"].replace(".pb.gz", ".html"), flame.flame_graph(read, title=title)
    last = next((own[moment, "heap"] for moment in ("after", "load", "during") if (moment, "heap") in own), None)
    first = own.get(("baseline", "heap"))
    if first is not None and last is not None:
        before, after = (reading.read(folder / row["file"]) for row in (first, last))
        title = f"{clean(process['process'])}: heap in use, {_moment(last)} compared with before it"
        name = first["file"].replace("-baseline-heap.pb.gz", "")
        yield f"{name}-heap-change.html", flame.diff_flame_graph(before, after, title=title)


def _moment(row: Row) -> str:
    words = {"load": "during the load", "during": "during the load", "after": "after the load", "now": "as it was"}
    return words.get(row["moment"], "before the load")


def index(rows: list[Row], notes: list[str], found: Found, first_create: float | None) -> dict[str, t.Any]:
    """``measurements.profiles``: what was taken, when, at what load and cost; what it says; what is missing."""
    captures = [
        {
            **{name: row.get(name) for name in TOLD},
            "at": None if first_create is None else round(row["began"] - first_create, 1),
        }
        for row in rows
    ]
    return {
        "captures": captures,
        "overhead": [_overhead(process, rows) for process, _own in _by_process(rows)],
        "findings": found.findings,
        "pages": sorted(found.pages),
        "unavailable": [*notes, *found.notes],
    }


def _overhead(process: Row, rows: list[Row]) -> Row:
    """What profiles cost a process: seconds of its CPU where that can be told, and how long CPU was profiled."""
    own = [row for row in rows if (row["kind"], row["process"]) == (process["kind"], process["process"])]
    costs = [row["cost"] for row in own if row["cost"] is not None]
    return {
        "process": process["process"],
        "captures": len(own),
        "cpu": {"value": round(sum(costs), 4), "unit": "s", "low": None, "high": None, "n": len(costs)},
        "longest": {"value": max(row["seconds"] for row in own if row["profile"] != "cpu"), "unit": "s"}
        if any(row["profile"] != "cpu" for row in own)
        else None,
        "cpu_profiled": round(sum(row["seconds"] for row in own if row["profile"] == "cpu"), 1),
    }


def table(profiles: Mapping[str, t.Any], folder: str) -> list[Line]:
    """For a terminal: a line for each profile, findings, what is missing, and where all of it lies."""
    lines: list[Line] = []
    rows = profiles["captures"]
    if rows:
        name = max(7, *(len(clean(row["process"])) for row in rows))
        head = f"{pad('Process', name)}  {'Profile':<9}  {'Moment':<6}  {'Size':>7}  Most is in"
        lines.append([(head, "title")])
        for row in rows:
            top, size = row["top"], f"{number(row['bytes'] / 1024)} KB"
            said = f"{clean(top['function'])} ({number(top['share'])} % of {top['total']})" if top else "no samples"
            lead = f"{pad(clean(row['process']), name)}  {row['profile']:<9}  {MOMENTS[row['moment']]:<6}  {size:>7}"
            lines.append([(f"{lead}  {said}", "")])
        lines.append([])
    for finding in profiles["findings"]:
        lines.append([(f"- {clean(finding['sentence'])}", "")])
        if finding["because"]:
            lines.append([(f"  {finding['because']}", "dim")])
    lines += [[(f"! {clean(note)}", "warning")] for note in profiles["unavailable"]]
    lines += [[(f"{line}", "")] for line in _cost_lines(profiles)]
    if rows:
        lines.append([(f"Profiles: {folder} (go tool pprof opens each of them)", "")])
        if profiles["pages"]:
            lines.append([(f"Flame graphs: {', '.join(profiles['pages'])}", "")])
    else:
        lines.append([("No profile was taken.", "warning")])
    return lines


def _cost_lines(profiles: Mapping[str, t.Any]) -> Iterator[str]:
    costs = profiles["overhead"]
    if costs:
        largest = max(costs, key=lambda one: one["cpu"]["value"])
        count = largest["cpu"]["n"]
        yield (
            f"Taking {many(count, 'profile')} cost {clean(largest['process'])} {number(1e3 * largest['cpu']['value'])} "
            "ms of CPU besides its own work; that of a CPU profile cannot be told from the work."
        )
