# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the sampler (node/sampling.py) on a host, end it, and say what its series mean.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import platform
import shutil
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from ansible_collections.warren.load.plugins.module_utils.node import (
    commands,
    containers,
    log_lines,
    metrics_page,
    process_table,
    sampling,
    standalone,
    supervision,
)
from ansible_collections.warren.load.plugins.module_utils.stats import trends

MEGABYTE = 1 << 20  # the guide's MB: its script divides ps's KiB by 1024
PARTS = (sampling, containers, process_table, commands, metrics_page)  # what the program is made of
FILES = {"resources": "resources.csv", "metrics": "metrics.csv"}
READY_TIMEOUT = 15.0
SHORTEST = 90.0  # seconds; of less than that, a trend of memory says nothing
CONFIDENCE = 0.99  # of a process's interval: several are looked at, and the worst counts
LIMITS = (4.0, 1.0)  # MB/min, of loads that end soon and of those that are held (roles/load/files/objectives.yml)
RESOLUTION = LIMITS[0]  # an interval that reaches from no growth to more than that says nothing yet
KINDS = ("manager", "worker", "other")


@dataclass
class Series:
    """What the sampler wrote down of one process; lists are equally long, None where the system was silent."""

    times: list[float] = field(default_factory=list)
    identities: list[tuple[int, str]] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)
    private: list[int] = field(default_factory=list)
    cpu: list[float | None] = field(default_factory=list)
    open_files: list[int | None] = field(default_factory=list)
    threads: list[int | None] = field(default_factory=list)
    absent: bool = False  # its last line says that it does not run
    began_absent: bool = False  # its first line does


# --- start and stop ---------------------------------------------------------------------------------------------------


def start(
    folder: str, run_id: str, targets: list[sampling.Target], *, interval: float, scrape: float, seconds: float
) -> tuple[int, str]:
    """Let a sampler run for at most ``seconds``; the one of an earlier run ends. Returns (pid, whose it replaced).

    Raises SupervisionError.
    """
    replaced = stop(folder)
    supervision.remove([folder])
    os.makedirs(folder, mode=0o700)
    settings = {
        "run_id": run_id,
        "targets": [asdict(target) for target in targets],
        "interval": interval,
        "scrape": scrape,
        "seconds": seconds,
    }
    paths = {target.name: _log_of(target) for target in targets}
    marks = {name: asdict(log_lines.mark(path)) for name, path in paths.items() if path}
    for name, content in (("settings.json", settings), ("logs.json", marks)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
            json.dump(content, stream)
    program = os.path.join(folder, "sampler.pyz")
    with open(program, "wb") as archive:
        archive.write(standalone.archive(PARTS))
    record, _seconds = supervision.start(
        supervision.Program(
            name="sampler",
            argv=[sys.executable, "-I", program, os.path.join(folder, "settings.json")],
            pid_file=os.path.join(folder, "pid.json"),
            log_file=os.path.join(folder, "log"),
            chdir=folder,
            labels={"run_id": run_id},
            ready_pattern=f"^{sampling.READY}$",
            ready_timeout=READY_TIMEOUT,
        )
    )
    return record.pid, replaced


def stop(folder: str) -> str:
    """End the sampler of this folder, if one runs; returns the run that it worked for, or nothing."""
    record = supervision.running_record(os.path.join(folder, "pid.json"))
    supervision.stop(os.path.join(folder, "pid.json"), 5.0)
    return record.labels.get("run_id", "?") if record is not None else ""


def collect(
    folder: str, run_id: str, window: tuple[float | None, float | None], shortest: float = SHORTEST
) -> dict[str, Any]:
    """End the sampler and say what it saw: ``rows``, ``sampler``, ``unavailable``, ``files`` (the packed series).

    ``window`` (Unix s) is when the load was steady; of less than ``shortest`` seconds no trend is told. The result's
    size depends on the number of processes alone.
    """
    try:
        targets, settings = sampling.load(os.path.join(folder, "settings.json"))
        with open(os.path.join(folder, "logs.json"), encoding="utf-8") as stream:
            marks = {name: log_lines.Mark(**raw) for name, raw in json.load(stream).items()}
    except (OSError, ValueError, TypeError):
        return _nothing(f"Nothing is known of the processes on {platform.node()}: no sampler was started there.")
    if settings["run_id"] != run_id:
        return _nothing(
            f"Nothing is known of the processes on {platform.node()}: its sampler works for run {settings['run_id']}."
        )
    # Who went away since the last sample is missed by nobody else.
    ran = bool(stop(folder))
    # What it uses from here on is the next run's.
    now = time.time()
    series = read_series(os.path.join(folder, FILES["resources"]))
    metrics = read_metrics(os.path.join(folder, FILES["metrics"]))
    alive = read_metric(os.path.join(folder, FILES["metrics"]), sampling.GOROUTINES)
    own = series.pop(sampling.OWN, Series())
    told: dict[str, Any] = {"rows": [], "unavailable": [], "sampler": None, "files": []}
    missing: dict[str, list[str]] = {}
    for target in targets:
        known = series.get(target.name, Series())
        if known.times and not target.transient and not known.absent:
            known.absent = not _runs(known.identities[-1])
        pages = metrics.get(target.name, {})
        row = (
            row_of(target, known, pages, window, alive.get(target.name), shortest)
            if known.times
            else row_of_page(target, pages)
        )
        if row is None:
            if not target.transient:
                told["unavailable"].append(_why_not(target))
            continue
        row["host"] = platform.node()
        begin = marks.get(target.name)
        counts = log_lines.since(begin) if begin is not None else None
        row["log"] = counts.row() if counts is not None else None
        told["rows"].append(row)
        for sentence in _missing(target, row):
            missing.setdefault(sentence, []).append(target.name)
    told["unavailable"] += [sentence.format(_and(names)) for sentence, names in missing.items()]
    if not ran and own.times:
        told["unavailable"].append(
            f"The sampler on {platform.node()} ended {now - own.times[-1]:.0f} s before the run did: what came later "
            "is not known."
        )
    if not process_table.has_proc():
        told["unavailable"].append(
            f"{platform.node()} has no /proc: its processes were asked for with ps, without open files and threads."
        )
    told["sampler"] = sampler_row(own, metrics.get(sampling.OWN, {}), settings["interval"])
    told["files"] = [_packed(folder, name) for name in FILES.values()]
    return told


# --- what the series mean ---------------------------------------------------------------------------------------------


def read_series(path: str) -> dict[str, Series]:
    """Series by name of process; a line that was cut off is left out."""
    found: dict[str, Series] = {}
    for line in _lines(path):
        words = line.rstrip("\n").split(",")
        if len(words) < 9:
            continue
        # The name alone may hold commas: it comes from an inventory.
        name = ",".join(words[1:-7])
        pid, start_time, rss, private, cpu, files, threads = words[-7:]
        series = found.setdefault(name, Series())
        try:
            if not pid:
                series.absent = True
                series.began_absent = series.began_absent or not series.times
                continue
            values = (float(words[0]), (int(pid), start_time), int(rss), int(private or rss))
            rest = (float(cpu) if cpu else None, int(files) if files else None, int(threads) if threads else None)
        except ValueError:
            continue
        series.absent = False
        series.times.append(values[0])
        series.identities.append(values[1])
        series.rss.append(values[2])
        series.private.append(values[3])
        series.cpu.append(rest[0])
        series.open_files.append(rest[1])
        series.threads.append(rest[2])
    return found


def read_metrics(path: str) -> dict[str, dict[str, dict[str, float]]]:
    """{process: {metric: {start, end, max}}}; a metric that did not change was written once."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for words in csv.reader(_lines(path)):
        try:
            _time, name, metric, value = words[0], words[1], words[2], float(words[3])
        except (IndexError, ValueError):
            continue
        known = found.setdefault(name, {}).setdefault(metric, {"start": value, "end": value, "max": value})
        known["end"] = value
        known["max"] = max(known["max"], value)
    return found


def read_metric(path: str, metric: str) -> dict[str, dict[float, float | None]]:
    """{process: {Unix time: value}} of one metric, whenever it had changed; None from when its page was silent."""
    found: dict[str, dict[float, float | None]] = {}
    for words in csv.reader(_lines(path)):
        try:
            if words[2] == metric:
                found.setdefault(words[1], {})[float(words[0])] = float(words[3]) if words[3] else None
        except (IndexError, ValueError):
            continue
    return found


def row_of(
    target: sampling.Target,
    series: Series,
    pages: dict[str, dict[str, float]],
    window: tuple[float | None, float | None],
    alive: dict[float, float | None] | None = None,
    shortest: float = SHORTEST,
) -> dict[str, Any]:
    """A process's row, from its series; ``alive``: its goroutines whenever their number had changed."""
    cpu, peak = cpu_use(series)
    span = series.times[-1] - series.times[0]
    count = len(series.times)
    lives = len(dict.fromkeys(series.identities))
    goroutines = pages.get(sampling.GOROUTINES)
    row = {
        "name": target.name,
        "kind": target.kind,
        "pid": series.identities[-1][0],
        "source": "/proc" if process_table.has_proc() else "ps",
        "rss": _megabytes(series.rss[-1], 1),
        "rss_peak": _megabytes(max(series.rss), count),
        "cpu": _number(cpu, "s", count, 2),
        "cpu_share": _number(100 * cpu / span if cpu is not None and span else None, "%", count, 2),
        "cpu_share_peak": _number(peak, "%", count, 1),
        **_ends("open_files", series.open_files),
        **_ends("threads", series.threads),
        "goroutines": int(goroutines["end"]) if goroutines else None,
        "goroutines_peak": int(goroutines["max"]) if goroutines else None,
        "restarts": 0 if target.transient else lives - 1,
        "ended": series.absent and not target.transient,
        "growth": None if target.kind == "other" else growth(series, window, shortest),
        "open_files_growth": None,
        "goroutines_growth": None,
    }
    if target.kind != "other":
        row["open_files_growth"] = count_growth(series, series.open_files, window, shortest)
        row["goroutines_growth"] = count_growth(series, _at(series.times, alive or {}), window, shortest)
    if target.kind == "manager":
        row["metrics"] = pages
    if target.kind == "worker":
        row["containers"] = containers_of(pages)
    return row


def containers_of(pages: dict[str, dict[str, float]]) -> dict[str, Any] | None:
    """What a worker's containers took, apart from its own memory; None where none ran or none can be seen."""
    count, memory, shims = (pages.get(name) for name in sampling.CONTAINERS)
    if count is None or memory is None or shims is None:
        return None
    return {
        "count": int(count["end"]),
        "count_peak": int(count["max"]),
        "memory_peak": _megabytes(memory["max"], int(count["max"])),
        "shims_peak": _megabytes(shims["max"], int(count["max"])),
    }


def row_of_page(target: sampling.Target, pages: dict[str, dict[str, float]]) -> dict[str, Any] | None:
    """A row from nothing but the process's own page, as where only an address is known; None without one."""
    rss, cpu = pages.get("process_resident_memory_bytes"), pages.get("process_cpu_seconds_total")
    if rss is None:
        return None
    files, goroutines = pages.get("process_open_fds"), pages.get(sampling.GOROUTINES)
    began = pages.get("process_start_time_seconds", {"start": 0, "end": 0, "max": 0})
    return {
        "name": target.name,
        "kind": target.kind,
        "pid": None,
        "source": "metrics",
        "rss": _megabytes(rss["end"], 1),
        "rss_peak": _megabytes(rss["max"], 1),
        "cpu": _number(cpu["end"] - cpu["start"] if cpu else None, "s", 1, 2),
        "cpu_share": None,
        "cpu_share_peak": None,
        "open_files": int(files["end"]) if files else None,
        "open_files_peak": int(files["max"]) if files else None,
        "threads": None,
        "threads_peak": None,
        "goroutines": int(goroutines["end"]) if goroutines else None,
        "goroutines_peak": int(goroutines["max"]) if goroutines else None,
        "restarts": int(began["end"] != began["start"]),
        "ended": False,
        "growth": None,
        "open_files_growth": None,
        "goroutines_growth": None,
        "metrics": pages,
    }


def cpu_use(series: Series) -> tuple[float | None, float | None]:
    """CPU seconds while the sampler looked, over every life of the process, and the largest share of a core in %."""
    total, peak = 0.0, None
    before: tuple[float, float] | None = None
    if series.began_absent and series.cpu:
        total = series.cpu[0] or 0.0
    for index, spent in enumerate(series.cpu):
        if spent is None:
            return None, None
        now = series.times[index]
        if index and series.identities[index] != series.identities[index - 1]:
            # Whatever a process that began meanwhile has used, it used meanwhile.
            total, before = total + spent, (now, spent)
            continue
        if before is not None:
            total += spent - before[1]
            if now > before[0]:
                peak = max(peak or 0.0, 100 * (spent - before[1]) / (now - before[0]))
        before = (now, spent)
    return total, peak


def growth(series: Series, window: tuple[float | None, float | None], shortest: float = SHORTEST) -> dict[str, Any]:
    """How fast memory that no file backs kept growing while the load was steady, or ``why`` that cannot be told.

    ``rate`` in MB/min is that of the half of the time in which it grew less, see stats/trends.py; ``needs`` says how
    many seconds would be enough for each limit where it was too short.
    """
    told: dict[str, Any] = {"rate": None, "window": None, "needs": None, "why": ""}
    begin, end = window
    if begin is None:
        return {**told, "why": "the load never was steady, as not all containers ran"}
    kept = [
        (now, size / MEGABYTE)
        for now, size, who in zip(series.times, series.private, series.identities)
        if now >= begin and (end is None or now <= end) and who == series.identities[-1]
    ]
    span = kept[-1][0] - kept[0][0] if kept else 0.0
    told["window"] = _number(span, "s", len(kept), 1)
    short = f"the load was steady for only {span:.0f} s"
    if span < shortest or len(kept) < 4:
        return {**told, "needs": shortest, "why": f"{short}, and it takes {shortest:.0f} s to tell"}
    found = trends.sustained([now / 60 for now, _size in kept], [size for _now, size in kept], CONFIDENCE)
    rate = (found.slope, found.low, found.high)
    gap = max(later[0] - before[0] for before, later in zip(kept, kept[1:]))
    if found.high is None and gap > span / trends.BLOCKS:
        return {**told, "why": f"in {gap:.0f} of the {span:.0f} s of steady load nothing was sampled"}
    if found.high is None or (found.high >= RESOLUTION and (found.low is None or found.low <= 0)):
        # The interval of a slope shrinks with the time watched to the power of 3/2.
        reach = found.high - found.slope if found.high is not None else 0.0
        first, told["needs"] = (-(-span * max(1.5, (reach / limit) ** (2 / 3)) // 30) * 30 for limit in LIMITS)
        needs = f"about {first:.0f} s to tell"
        if told["needs"] > first:
            needs += f" growth of {LIMITS[0]:g} MB a minute, and {told['needs']:.0f} s to tell {LIMITS[1]:g}"
        return {**told, "why": f"{short}, and its memory changes so unevenly that it takes {needs}"}
    value, low, high = (None if part is None else round(part, 3) for part in rate)
    told["rate"] = {"value": value, "unit": "MB/min", "low": low, "high": high, "n": int(found.effective)}
    return told


def count_growth(
    series: Series, values: list[Any], window: tuple[float | None, float | None], shortest: float = SHORTEST
) -> dict[str, Any] | None:
    """How fast a number of things kept growing while the load was steady, each minute; None where nobody can tell."""
    begin, end = window
    steady = [
        (now / 60, value)
        for now, value, who in zip(series.times, values, series.identities)
        if begin is not None and now >= begin and (end is None or now <= end) and who == series.identities[-1]
    ]
    kept = [(now, float(value)) for now, value in steady if value is not None]
    if len(kept) < 4 or 60 * (kept[-1][0] - kept[0][0]) < shortest:
        return None
    found = trends.sustained([now for now, _value in kept], [value for _now, value in kept], CONFIDENCE)
    if found.low is None or found.high is None:
        return None
    if 2 * len(kept) < len(steady) and found.low <= 0:
        return None  # in most of the time nobody told
    value, low, high = (round(part, 3) for part in (found.slope, found.low, found.high))
    return {"value": value, "unit": "1/min", "low": low, "high": high, "n": int(found.effective)}


def _at(times: list[float], changes: dict[float, float | None]) -> list[float | None]:
    """What a number was at each of the times, from when it changed to what; None where nobody told."""
    found: list[float | None] = []
    left = sorted(changes.items(), key=lambda change: change[0])
    place = 0
    last: float | None = None
    for now in times:
        while place < len(left) and left[place][0] <= now:
            last = left[place][1]
            place += 1
        found.append(last)
    return found


def sampler_row(own: Series, pages: dict[str, dict[str, float]], interval: float) -> dict[str, Any] | None:
    """What the sampler itself cost; None where it wrote nothing."""
    if not own.times:
        return None
    cpu, _peak = cpu_use(own)
    span = own.times[-1] - own.times[0]
    scrapes, spent = (pages.get(name, {}).get("end", 0.0) for name in ("scrapes", "scrape_s"))
    return {
        "host": platform.node(),
        "samples": len(own.times),
        "interval": _number(interval, "s", None, 2),
        "duration": _number(span, "s", None, 1),
        "cpu_share": _number(100 * cpu / span if cpu is not None and span else None, "%", len(own.times), 2),
        "rss": _megabytes(max(own.rss), len(own.times)),
        "scrapes": int(scrapes),
        "scrape_time": _number(1000 * spent / scrapes if scrapes else None, "ms", int(scrapes), 2),
    }


# --- sentences and small parts ----------------------------------------------------------------------------------------


def _why_not(target: sampling.Target) -> str:
    """Why nothing is known of a process."""
    _pid, why = sampling.find(target)
    sentence = f"Memory and CPU of {target.name} are not known: {why}"
    url = target.metrics_url
    if url:
        try:
            metrics_page.values(metrics_page.get(url, sampling.PAGE_TIMEOUT))
        except (OSError, ValueError) as error:
            sentence += f", and {url} does not help ({getattr(error, 'strerror', None) or error})"
    return sentence + "."


def _missing(target: sampling.Target, row: dict[str, Any]) -> list[str]:
    """What is known of other processes but not of this one: sentences with {} for its name."""
    told = []
    if row["source"] == "metrics":
        told.append(
            f"Of {{}} only the metrics page {target.metrics_url} is known: CPU share, threads, crashes and "
            "its log are not (list its host in the inventory)."
        )
    elif row["log"] is None and target.kind != "other":
        told.append(
            "Errors and warnings in the log of {} were not counted: it is no file that the login may read (name it "
            "with the host variable warren_load_log_file)."
        )
    if target.metrics_url and row["goroutines"] is None:
        if row["pid"] and not sampling.owns_page(target, row["pid"]):
            told.append(
                f"Goroutines and metrics of {{}} are not known: {target.metrics_url} belongs to another process "
                "(Warren's HTTP address is fixed, and only one manager of a host gets it)."
            )
        else:
            told.append(f"Goroutines and metrics of {{}} are not known: {target.metrics_url} does not answer.")
    return told


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _log_of(target: sampling.Target) -> str | None:
    """The log file: the one that is given, or else the file that the process writes its output to."""
    if target.log_file and os.path.exists(target.log_file):
        return target.log_file
    if target.transient:
        return None
    pid, _why = sampling.find(target)
    return process_table.output_file(pid) if pid is not None else None


def _runs(identity: tuple[int, str]) -> bool:
    return process_table.start_time(identity[0]) == identity[1]


def _nothing(sentence: str) -> dict[str, Any]:
    return {"rows": [], "unavailable": [sentence], "sampler": None, "files": []}


def _lines(path: str) -> Any:
    """The lines of a series after its heading; none where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as stream:
            next(stream, None)
            yield from stream
    except OSError:
        return


def _packed(folder: str, name: str) -> str:
    """The path of the packed series."""
    path = os.path.join(folder, name)
    try:
        with open(path, "rb") as plain, gzip.open(path + ".gz", "wb", compresslevel=6) as packed:
            shutil.copyfileobj(plain, packed)
    except OSError:
        pass  # a full disk; what was computed is kept
    return path + ".gz"


def _ends(name: str, values: list[int | None]) -> dict[str, int | None]:
    known = [value for value in values if value is not None]
    return {name: known[-1] if known else None, f"{name}_peak": max(known) if known else None}


def _megabytes(size: float, count: int) -> dict[str, Any]:
    return {"value": round(size / MEGABYTE, 2), "unit": "MB", "low": None, "high": None, "n": count}


def _number(value: float | None, unit: str, count: int | None, digits: int) -> dict[str, Any] | None:
    if value is None:
        return None
    return {"value": round(value, digits), "unit": unit, "low": None, "high": None, "n": count}
