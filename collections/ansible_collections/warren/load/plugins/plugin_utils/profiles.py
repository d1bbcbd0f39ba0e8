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
from ansible_collections.warren.load.plugins.module_utils.pprof.profile import ProfileError, without

from .banner import WIDTH
from .columns import clean, wrap
from .files import write_whole
from .profile_lines import BESIDE, cost, fullness, pages_text, summary
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
STACKS = 50  # rows of goroutines
EARLIER = 50  # folders of profiles in which the process is looked for
DRAWN = 12  # processes that get pages of their own
DURING = re.compile(r"-during-\d{6}-")
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
                    top = top_of(profile, row["profile"])
                except ProfileError as error:
                    notes.append(str(error))
                    continue
                if row["profile"] in ("mutex", "block") and not profile.samples:
                    continue
                write_whole(folder / member.name, content)
                (folder / member.name).chmod(0o600)
                kept.append({**row, "top": top})
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
    return _at_load(rows), list(dict.fromkeys(notes))


def _at_load(rows: list[Row]) -> list[Row]:
    """Workers do not tell the load of the cluster: theirs is what a manager told nearest in time."""
    told = [row for row in rows if (row.get("load") or {}).get("services") is not None]
    for row in rows:
        if told and row["kind"] == "worker":
            apart = [abs(other["began"] - row["began"]) for other in told]
            row["load"] = told[apart.index(min(apart))]["load"]
    return rows


class Found(t.NamedTuple):
    """What the profiles in a folder say. ``pages``: HTML by name of file.

    ``growth``: of heaps by function, for each service or each hour; ``stacks``: goroutines by stack, for each service.
    """

    findings: list[dict[str, str]]
    pages: dict[str, str]
    notes: list[str]
    growth: Sequence[Row] = ()
    stacks: Sequence[Row] = ()


class Held(t.NamedTuple):
    """Unix seconds between which a load was held, and how many of its services were replaced meanwhile."""

    began: float
    ended: float
    replaced: int = 0


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
    first_create: float | None = None,
) -> Found:
    """Findings and flame graphs of all processes; ``services``: created and removed between ``baseline`` and ``after``.

    Heaps are compared where all was removed (with 0 services the load of both is not the same), after each round of a
    load, or while a load was ``held``. ``earlier``: what the heaps and goroutines of ``now`` are compared with, where
    the process is the same. What was taken before ``first_create`` is not of the load.
    """
    growth: list[Row] = []
    stacks: list[Row] = []
    found = Found([], {}, [], growth, stacks)
    processes = [_Process(first, own, folder) for first, own in _by_process(rows, first_create)]
    for number_of, process in enumerate(processes):
        anew = _started_anew(rows, process)
        if anew:
            found.notes.append(f"{process.name} was started anew in between: its heaps are not compared.")
        before = {} if anew else _earlier(process, earlier)
        try:
            process.read()
            if not anew:
                process.compare(rows, services, before, held)
            growth.extend(_growth(process))
            stacks.extend(_stacks(process))
            if number_of < DRAWN:
                compared = services > 0 and not anew
                found.pages.update(_pages(process.first, process.own, folder, first_create, compared=compared))
                found.pages.update(_changes(process, before))
        except ProfileError as error:
            found.notes.append(str(error))
    del stacks[STACKS:]
    found.findings.extend(remark._asdict() for remark in _said(processes))
    if len(processes) > DRAWN:
        found.notes.append(f"Flame graphs are of the first {DRAWN} processes: the others' profiles are there as files.")
    return found


class _Process:
    """What was read of a process: ``heaps`` and ``goroutines`` are to be compared, the first with the last.

    ``services``: how many came and went between the ``heaps``, 0 where none did; ``hours`` that lie between them, where
    that is what they grew in; ``churned``: the services between the ``goroutines``.
    """

    def __init__(self, first: Row, own: dict[tuple[str, str], Row], folder: Path) -> None:
        self.first, self.own, self.folder = first, own, folder
        self.name = str(first["process"])
        self.cpu: Profile | None = None
        self.heap: Profile | None = None
        self.heaps: list[Profile] = []
        self.goroutines: list[Profile] = []
        self.services = self.churned = 0
        self.hours = 0.0

    def read(self) -> None:
        """What is told of a single profile. Raises ProfileError."""
        self.cpu = _read(self.own, self.folder, "cpu", "load", "now")
        self.heap = _read(self.own, self.folder, "heap", "load", "now")

    def compare(self, rows: list[Row], services: int, before: dict[str, Path], held: Held | None) -> None:
        """Read what can be compared. Raises ProfileError."""
        for profile, into in (("heap", self.heaps), ("goroutine", self.goroutines)):
            if profile == "heap" and held and len(during := _during(rows, self, held)) > 2:
                span = during[-1]["began"] - during[0]["began"]
                self.hours = span / 3600
                self.services = round(held.replaced * span / (held.ended - held.began))
                into += [reading.read(self.folder / row["file"]) for row in during]
                continue
            if len(settled := _settled(rows, self, profile)) > 1:
                into += [reading.read(self.folder / row["file"]) for row in settled]
            elif services:
                into += self._pair(self._moment(profile, "baseline"), self._moment(profile, "after"))
            elif profile in before:
                into += self._pair(reading.read(before[profile]), self._moment(profile, "now"))
                continue
            if profile == "heap":
                self.services = services
            else:
                self.churned = services

    def _moment(self, profile: str, moment: str) -> Profile | None:
        return _read(self.own, self.folder, profile, moment)

    @staticmethod
    def _pair(old: Profile | None, new: Profile | None) -> list[Profile]:
        return [old, new] if old is not None and new is not None else []


def _own_rows(rows: list[Row], process: _Process, profile: str) -> list[Row]:
    whose = (process.first["kind"], process.name)
    return [row for row in rows if row["profile"] == profile and (row["kind"], row["process"]) == whose]


def _during(rows: list[Row], process: _Process, held: Held) -> list[Row]:
    """The heaps of a process while a load was held, in order."""
    heaps = _own_rows(rows, process, "heap")
    return [row for row in heaps if row["moment"] == "during" and held.began <= row["began"] <= held.ended]


def _settled(rows: list[Row], process: _Process, profile: str) -> list[Row]:
    """What there was of a process before a load and after each of its rounds, in order; nothing in other runs."""
    own = _own_rows(rows, process, profile)
    settled = [row for row in own if row["moment"] == "settled"]
    return [*(row for row in own if row["moment"] == "baseline"), *settled] if settled else []


def _growth(process: _Process) -> Iterator[Row]:
    """Where the heap grew by more than chance, for each service, and for each hour of a load that was held."""
    if len(process.heaps) < 2 or not (process.services or process.hours):
        return
    found = sampling.leaks([_own(each) for each in process.heaps], places=remarks.places(WARREN))
    for each in found[:SAID]:
        row: Row = {"process": process.name, "function": views.shortened(each.place)}
        if process.services:
            row["per_service"] = _figure(each.per(process.services * 1024), "KB", process.services)
        if process.hours:
            row["per_hour"] = _figure(each.per(process.hours * 1024), "KB/h", len(process.heaps))
        yield row


def _figure(growth: sampling.Growth, unit: str, n: int) -> Row:
    value, low, high = (round(end, 4) for end in (growth.value, growth.low, growth.high))
    return {"value": value, "unit": unit, "low": low, "high": high, "n": n}


def _stacks(process: _Process) -> Iterator[Row]:
    """Where goroutines came to be more, for each service that came and went."""
    if len(process.goroutines) < 2 or not process.churned:
        return
    for each in remarks.stacks(process.goroutines, WARREN)[:SAID]:
        value, low, high = (None if end is None else round(end, 4) for end in each.per(process.churned))
        yield {
            "process": process.name,
            "function": views.shortened(each.place),
            "begun": views.shortened(each.begun),
            "counts": list(each.counts),
            "per_service": {"value": value, "unit": "goroutines", "low": low, "high": high, "n": process.churned},
            "grew": each.leaks(process.churned),
        }


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
    """What is compared with what: a sentence with the load of both; nothing where no heap could be taken now."""
    now = [row for row in rows if row["profile"] == "heap"]
    old = [row for row in earlier.rows if row["profile"] == "heap"]
    if not now:
        return ""
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


def _by_process(rows: list[Row], first_create: float | None = None) -> list[tuple[Row, dict[tuple[str, str], Row]]]:
    """For each process, managers first: its first row, and the last row of each moment and kind of profile.

    Of all that were taken beside the load, the one of most services stands for ``load``.
    """
    processes: dict[tuple[str, str], tuple[Row, dict[tuple[str, str], Row]]] = {}
    for row in rows:
        _first, own = processes.setdefault((row["kind"], row["process"]), (row, {}))
        moment = "load" if row["moment"] in BESIDE else row["moment"]
        early = moment == "load" and row["profile"] != "cpu" and row["began"] < (first_create or 0.0)
        known = own.get((moment, row["profile"])) if moment == "load" else None
        if not early and (known is None or fullness(row) >= fullness(known)):
            own[moment, row["profile"]] = row
    return list(processes.values())


def _read(own: dict[tuple[str, str], Row], folder: Path, profile: str, *moments: str) -> Profile | None:
    """The profile of the first of the moments that has one."""
    for moment in moments:
        if (moment, profile) in own:
            return reading.read(folder / own[moment, profile]["file"])
    return None


def _said(processes: list[_Process]) -> Iterator[remarks.Remark]:
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
            services, hours = process.services, process.hours
            grown = list(remarks.of_growth(pair, services, hours=hours, process=process.name, ours=WARREN, known=KNOWN))
            yield from _few(each for each in grown if each.id != NOTHING)
            if process in managers and any(each.id == NOTHING for each in grown):
                still[process.name] = pair
        if process.goroutines:
            came = remarks.of_goroutines(
                process.goroutines, process.churned, process=process.name, ours=WARREN, known=KNOWN
            )
            yield from _few(came)
    if still:
        yield remarks.nothing_grew(still, ours=WARREN, finer=f"warren_load_memory_profile_rate={remarks.FINE}")


def _own(heap: Profile) -> Profile:
    """Without what looking at it holds."""
    return without(heap, LOOKING)


def _few(found: Iterable[remarks.Remark]) -> list[remarks.Remark]:
    return list(found)[:SAID]


def _started_anew(rows: list[Row], process: _Process) -> bool:
    """Whether the profiles are of more than one process: nothing of the first is in the heap of the second."""
    whose = (process.first["kind"], process.name)
    return len({row["pid"] for row in rows if (row["kind"], row["process"]) == whose and row.get("pid")}) > 1


def _pages(
    process: Row, own: dict[tuple[str, str], Row], folder: Path, first_create: float | None, *, compared: bool
) -> Iterator[tuple[str, str]]:
    for moment, profile in [("load", "cpu"), ("now", "cpu"), ("load", "heap"), ("now", "heap")]:
        if (moment, profile) not in own:
            continue
        row = own[moment, profile]
        title = f"{clean(process['process'])}: {'CPU' if profile == 'cpu' else 'heap in use'}, {_moment(row)}"
        if first_create is not None and (moment, profile) == ("load", "heap"):
            title += f", {number(round(row['began'] - first_create))} s after its first create"
        read = reading.read(folder / row["file"])
        name = DURING.sub("-load-", row["file"]).replace(".pb.gz", ".html")
        yield name, flame.flame_graph(read, title=title, ours=MODULE)
    first, last = own.get(("baseline", "heap")), own.get(("after", "heap"))
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
