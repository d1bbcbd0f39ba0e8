# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the profiles of all hosts say together: their index, findings in sentences, flame graphs, a table.

A row is what module ``profile`` returns of one profile. Functions count as Warren's: time and memory that a library or
Go takes is put down to the function of Warren that asked for it.
"""

from __future__ import annotations

import json
import re
import tarfile
import typing as t

from ansible_collections.warren.load.plugins.module_utils.objectives.units import many, number
from ansible_collections.warren.load.plugins.module_utils.pprof import flame, reading, remarks, sampling, views
from ansible_collections.warren.load.plugins.module_utils.pprof.profile import ProfileError, focused

from .banner import WIDTH
from .columns import clean, wrap
from .files import write_whole
from .profile_lines import cost, pages_text, summary
from .reports import shown

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    (
        r"hashicorp/raft|bolt\.fdatasync",
        "This is what Raft costs: each write goes to a log on disk, and to all managers.",
    ),
    (r"^runtime\.(gcBgMarkWorker|bgsweep)", "This is Go's collector of garbage, which works for all that allocate."),
    (r"^runtime\.systemstack", "This is Go itself: it keeps what a goroutine needs for the next one."),
    (r"^runtime\.mcall", "This is Go itself, between goroutines that wait and wake up often."),
)
# What holds memory because we look: profiles, and the page of metrics.
LOOKING = r"^(net/http|runtime)/pprof\.|prometheus\.\(\*Registry\)\.Gather|^github\.com/prometheus/.*/promhttp\."
SAID = 5  # sentences of one kind
EARLIER = 50  # folders of profiles in which the process is looked for
DRAWN = 12  # processes that get pages of their own
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\.pb\.gz")
COMPARABLE = ("baseline", "settled", "after", "now")  # at which a collection of garbage came first
NOTHING = "profile-no-growth"
MODULE = "github.com/cuemby/warren/"
TOLD = (
    *("process", "kind", "host", "pid", "moment", "profile", "file", "began", "seconds", "bytes"),
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
    """What the profiles in a folder say. ``pages``: HTML by name of file; ``growth``: by function, for each service."""

    findings: list[dict[str, str]]
    pages: dict[str, str]
    notes: list[str]
    growth: Sequence[Row] = ()


Held = tuple[float, float]
"""Unix seconds between which a load was held."""


class Earlier(t.NamedTuple):
    """Profiles of the same processes, taken before: their folder, and what ``captures`` of its index were."""

    folder: Path
    rows: list[Row]


def study(
    rows: list[Row],
    folder: Path,
    services: int = 0,
    earlier: Earlier | None = None,
    held: Held | None = None,
) -> Found:
    """Findings and flame graphs of all processes; ``services``: created and removed between ``baseline`` and ``after``.

    Heaps are compared only where something was removed (with 0 the load of both is not the same), or while a load was
    ``held``. ``earlier``: what the heaps and goroutines of ``now`` are compared with, where the process is the same.
    """
    growth: list[Row] = []
    found = Found([], {}, [], growth)
    processes = [_Process(first, own, folder) for first, own in _by_process(rows)]
    for number_of, process in enumerate(processes):
        anew = _started_anew(rows, process)
        if anew:
            found.notes.append(f"{process.name} was started anew in between: its heaps are not compared.")
        before = {} if anew else _earlier(process, earlier)
        try:
            process.read(0 if anew else services, before, [] if anew else _series(rows, process, held))
            growth.extend(_growth(process, services))
            if number_of < DRAWN:
                found.pages.update(_pages(process.first, process.own, folder, compared=not anew))
                found.pages.update(_changes(process, before))
        except ProfileError as error:
            found.notes.append(str(error))
    found.findings.extend(remark._asdict() for remark in _said(processes, services))
    if len(processes) > DRAWN:
        found.notes.append(f"Flame graphs are of the first {DRAWN} processes: the others' profiles are there as files.")
    return found


class _Process:
    """What was read of a process: ``heaps`` and ``goroutines`` are to be compared, the first with the last."""

    def __init__(self, first: Row, own: dict[tuple[str, str], Row], folder: Path) -> None:
        self.first, self.own, self.folder = first, own, folder
        self.name = str(first["process"])
        self.cpu: Profile | None = None
        self.heap: Profile | None = None
        self.heaps: list[Profile] = []
        self.goroutines: list[Profile] = []

    def read(self, services: int, before: dict[str, Path], series: list[Row]) -> None:
        """``series``: heaps of more than two moments that can be compared. Raises ProfileError."""
        self.cpu = _read(self.own, self.folder, "cpu", "load", "now")
        self.heap = _read(self.own, self.folder, "heap", "load", "now", "during")
        for profile, pair in (("heap", self.heaps), ("goroutine", self.goroutines)):
            if services and profile == "heap" and len(series) > 1:
                pair += [reading.read(self.folder / row["file"]) for row in series]
                continue
            if services:
                old = _read(self.own, self.folder, profile, "baseline")
                new = _read(self.own, self.folder, profile, "settled", "after")
            elif profile in before:
                old, new = reading.read(before[profile]), _read(self.own, self.folder, profile, "now")
            else:
                continue
            if old is not None and new is not None:
                pair += [old, new]


def _series(rows: list[Row], process: _Process, held: Held | None) -> list[Row]:
    """The heaps of a process after each round of a load, or while that was held, in order; none in other runs."""
    heaps = [
        row
        for row in rows
        if row["profile"] == "heap" and (row["kind"], row["process"]) == (process.first["kind"], process.name)
    ]
    during = [row for row in heaps if row["moment"] == "during" and held and held[0] <= row["began"] <= held[1]]
    if len(during) > 2:
        return during
    settled = [row for row in heaps if row["moment"] == "settled"]
    return [*(row for row in heaps if row["moment"] == "baseline"), *settled] if settled else []


def _growth(process: _Process, services: int) -> Iterator[Row]:
    """Where the heap grew by more than chance, for each of ``services``."""
    if not services or len(process.heaps) < 2:
        return
    found = sampling.leaks([_own(each) for each in process.heaps], places=remarks.places(WARREN))
    for each in found[:SAID]:
        share = each.per(services * 1024)
        low, high = (round(end, 4) for end in (share.low, share.high))
        figure = {"value": round(share.value, 4), "unit": "KB", "low": low, "high": high, "n": services}
        yield {"process": process.name, "function": views.shortened(each.place), "per_service": figure}


def earlier_of(folders: Iterable[Path], rows: list[Row]) -> Earlier | None:
    """The latest of the folders that has a heap, after a collection, of one of these very processes."""
    pids = {(row["process"], row["host"]): row["pid"] for row in rows if row.get("pid")}
    began = min((row["began"] for row in rows), default=0.0)
    found: list[tuple[float, Earlier]] = []
    for folder in sorted(folders, key=lambda each: each.stat().st_mtime if each.is_dir() else 0.0, reverse=True)[
        :EARLIER
    ]:
        try:
            captures = json.loads((folder / "index.json").read_text(encoding="utf-8"))["captures"]
            same = [
                row
                for row in captures
                if row["moment"] in COMPARABLE
                and row["began"] < began
                and row.get("pid")
                and pids.get((row["process"], row["host"])) == row["pid"]
                and FILE.fullmatch(row["file"])
            ]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if any(row["profile"] == "heap" for row in same):
            found.append((max(row["began"] for row in same), Earlier(folder, same)))
    return max(found, key=lambda each: each[0])[1] if found else None


def _earlier(process: _Process, earlier: Earlier | None) -> dict[str, Path]:
    """The last heap and goroutines of this process before, by kind of profile."""
    rows = sorted(earlier.rows, key=lambda row: float(row["began"])) if earlier else []
    return {
        row["profile"]: earlier.folder / row["file"]
        for row in rows
        if earlier and (row["process"], row["host"]) == (process.name, process.first["host"])
    }


def since(rows: list[Row], earlier: Earlier) -> str:
    """What is compared with what: a sentence with the load of both."""
    now = [row for row in rows if row["profile"] == "heap"]
    old = [row for row in earlier.rows if row["profile"] == "heap"]
    minutes = (min(row["began"] for row in now) - max(row["began"] for row in old)) / 60
    ago = f"{number(round(minutes))} min" if minutes >= 1 else f"{number(round(60 * minutes))} s"
    then, here = (_load_of(of) for of in (old, now))
    loads = f" ({then} then, {here} now)" if then and here else ""
    return f"Heaps are compared with those of {ago} before in {shown(earlier.folder.absolute())}{loads}."


def _load_of(rows: list[Row]) -> str:
    for row in reversed(rows):
        load = row.get("load") or {}
        if load.get("services") is not None:
            # Of a state that nothing is in any more Warren's page keeps the last count.
            known = load["services"] and load.get("containers")
            running = f", {many(int(load['containers']), 'running container')}" if known else ""
            return many(int(load["services"]), "service") + running
    return ""


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


def _said(processes: list[_Process], services: int) -> Iterator[remarks.Remark]:
    """Functions with what they hold of all processes, then what grew."""
    managers = [process for process in processes if process.first["kind"] == "manager"]
    cpus = {process.name: process.cpu for process in processes if process.cpu is not None}
    yield from _few(remarks.of_cpu(cpus, ours=WARREN, known=KNOWN))
    heaps = {process.name: _own(process.heap) for process in processes if process.heap is not None}
    yield from _few(remarks.of_heap(heaps, ours=WARREN, known=KNOWN))
    still: dict[str, Sequence[Profile]] = {}
    for process in processes:
        if process.heaps:
            pair = [_own(each) for each in process.heaps]
            grown = list(remarks.of_growth(pair, services, process=process.name, ours=WARREN, known=KNOWN))
            yield from _few(each for each in grown if each.id != NOTHING)
            if process in managers and any(each.id == NOTHING for each in grown):
                still[process.name] = pair
        if process.goroutines:
            before, after = process.goroutines
            yield from _few(remarks.of_goroutines(before, after, process=process.name, ours=WARREN, known=KNOWN))
    if still:
        yield remarks.nothing_grew(still, ours=WARREN, finer=f"warren_load_memory_profile_rate={remarks.FINE}")


def _own(heap: Profile) -> Profile:
    """Without what looking at it holds."""
    return focused(heap, ignore=LOOKING)


def _few(found: Iterable[remarks.Remark]) -> list[remarks.Remark]:
    return list(found)[:SAID]


def _started_anew(rows: list[Row], process: _Process) -> bool:
    """Whether the profiles are of more than one process: nothing of the first is in the heap of the second."""
    whose = (process.first["kind"], process.name)
    return len({row["pid"] for row in rows if (row["kind"], row["process"]) == whose and row.get("pid")}) > 1


def _pages(process: Row, own: dict[tuple[str, str], Row], folder: Path, *, compared: bool) -> Iterator[tuple[str, str]]:
    for moment, profile in [("load", "cpu"), ("now", "cpu"), ("load", "heap"), ("now", "heap")]:
        if (moment, profile) not in own:
            continue
        row = own[moment, profile]
        title = f"{clean(process['process'])}: {'CPU' if profile == 'cpu' else 'heap in use'}, {_moment(row)}"
        read = reading.read(folder / row["file"])
        yield row["file"].replace(".pb.gz", ".html"), flame.flame_graph(read, title=title, ours=MODULE)
    last = next((own[moment, "heap"] for moment in ("after", "load", "during") if (moment, "heap") in own), None)
    first = own.get(("baseline", "heap"))
    if first is not None and last is not None and compared:
        before, after = (reading.read(folder / row["file"]) for row in (first, last))
        title = f"{clean(process['process'])}: heap in use, {_moment(last)} compared with before it"
        name = first["file"].replace("-baseline-heap.pb.gz", "")
        yield f"{name}-heap-change.html", flame.diff_flame_graph(before, after, title=title)


def _changes(process: _Process, before: dict[str, Path]) -> Iterator[tuple[str, str]]:
    """What changed since an earlier capture."""
    row = process.own.get(("now", "heap"))
    if "heap" in before and row is not None and process.heaps:
        title = f"{clean(process.name)}: heap in use, now compared with {clean(before['heap'].name)}"
        name = row["file"].replace("-now-heap.pb.gz", "-heap-change.html")
        yield name, flame.diff_flame_graph(process.heaps[0], process.heaps[1], title=title)


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
        "growth": list(found.growth),
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


def table(profiles: Mapping[str, t.Any], folder: str, compared: str = "") -> list[Line]:
    """For a terminal: a line for each process, findings, what is missing, and where all of it lies."""
    lines: list[Line] = []
    for process, text in summary(profiles):
        lines += _wrapped(f"{process}: {text}", "", "  ")
    if compared:
        lines += [[], *_wrapped(compared, "", "  ")]
    if profiles["findings"]:
        lines.append([])
    because = ""
    for finding in profiles["findings"]:
        if because not in ("", finding["because"]):
            lines += _wrapped(because, "  ", style="dim")
        because = finding["because"]
        lines += _wrapped(finding["sentence"], "- ")
    lines += _wrapped(because, "  ", style="dim") if because else []
    for note in profiles["unavailable"]:
        lines += _wrapped(note, "! ", style="warning")
    if profiles["captures"]:
        lines += [[], *_wrapped(f"{cost(profiles)}.", "")]
        if profiles["pages"]:
            lines += _wrapped(f"Flame graphs, for a browser: {pages_text(profiles['pages'])}", "")
        # A path that is too long is not broken, so that it can be copied.
        lines.append([(f"Everything is in {clean(folder)}", "dim")])
    return lines


def _wrapped(text: str, lead: str, below: str | None = None, style: str = "") -> list[Line]:
    return [[(part, style)] for part in wrap(text, WIDTH, lead, below)]
