# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sampler: a small program that writes down, second by second, what the processes of a host use, and no more.

It stands beside what it measures, so it computes nothing: node/sampler.py does that when the run is over. It ends when
it is told to, when its time is over, or when its folder is gone; nobody has to be alive for that.

    resources.csv   COLUMNS: a line each second; one without pid says that the process does not run (any more)
    metrics.csv     METRIC_COLUMNS: only what has changed since the last page; GOROUTINES without a value where a page
                    that told them is silent from then on

The row named ``-`` is the sampler itself. PRIVATE to the collection. Standard library only, Python 3.9 and newer.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import urlsplit

from ansible_collections.warren.load.plugins.module_utils.node import containers, metrics_page, process_table

READY = "Sampling"
OWN = "-"
COLUMNS = "time,name,pid,start,rss_bytes,private_bytes,cpu_s,open_files,threads"
METRIC_COLUMNS = "time,name,metric,value"
GOROUTINES = "go_goroutines"
CONTAINERS = ("containers", "containers_bytes", "shims_bytes")  # of a worker, as if they stood on a page of its own
SEARCH = 5.0  # seconds between two searches of the whole process table
LOOKING = 0.005  # of a core: what it may cost to look at containers, which then is done less often
LOOK = 10.0  # seconds between two looks whether the folder is still there
PAGE_TIMEOUT = 1.0  # seconds: a page that hangs must not stop the clock of the rest
PAGE_RETRY = 60.0  # seconds until a page that did not answer is asked again
PROFILE_EVERY = 3  # a goroutine profile stops its program for a moment: only every so-manyth time
SLOW = 10.0  # seconds between samples where each costs a ps


@dataclass(frozen=True)
class Target:
    """One process and the ways to find it, tried in this order: pid, pid file, command line. Its pages, and its log.

    ``transient``: it comes and goes with the phases of a run, as our own engine does; that it ends says nothing.
    """

    name: str
    kind: str = "manager"
    pid_file: str | None = None
    match: str | None = None
    metrics_url: str | None = None
    pprof_url: str | None = None
    log_file: str | None = None
    transient: bool = False
    pid: int | None = None


@dataclass
class Watch:
    """What the sampler remembers of a target."""

    target: Target
    pid: int | None = None
    start: str = ""
    absent: bool = False
    seen: bool = False
    search_at: float = 0.0
    page_at: float = 0.0
    contained: bool = False  # it had containers
    owner: tuple[int, bool] | None = None  # the pid that was looked at, and whether the page is its own
    told: dict[str, float] = field(default_factory=dict)


def find(target: Target, *, everywhere: bool = True) -> tuple[int | None, str]:
    """(pid, "") of the target's process, or (None, half a sentence that says why not)."""
    if target.pid:
        runs = process_table.start_time(target.pid) is not None
        return (target.pid, "") if runs else (None, f"no process has the number {target.pid}")
    if target.pid_file:
        pid = _named(target.pid_file)
        if pid is not None:
            return pid, ""
    if target.match and everywhere:
        pattern = re.compile(target.match)
        own = os.getpid()
        found = [
            pid
            for pid in process_table.pids()
            if pid != own and pattern.search(" ".join(process_table.command_line(pid)))
        ]
        if len(found) == 1:
            return found[0], ""
        return None, f"{len(found)} processes there have a command line that matches {target.match!r}"
    if target.pid_file:
        return None, f"the process of {target.pid_file} does not run"
    return None, "Ansible was not told how to log in to its host (list it in the inventory)"


def owns_page(target: Target, pid: int) -> bool:
    """Whether a page on loopback is that process's own: Warren's HTTP address is fixed, and one manager gets it."""
    where = urlsplit(target.metrics_url or target.pprof_url or "")
    if where.hostname not in ("127.0.0.1", "localhost", "::1"):
        return True
    return process_table.listens(pid, where.port or 80) is not False


def _named(pid_file: str) -> int | None:
    """The running process that a pid file, or a status file of an engine, names."""
    try:
        with open(pid_file, encoding="utf-8") as stream:
            raw: Any = json.load(stream)
        pid = int(raw["pid"])
        start = process_table.start_time(pid)
        return pid if start is not None and raw.get("start_time", start) == start else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


class Sampler:
    """Watches ``targets``, writes into ``folder``. ``scrape`` seconds lie between two looks at a page."""

    def __init__(self, targets: list[Target], folder: str, interval: float, scrape: float) -> None:
        self.watches = [Watch(target) for target in targets]
        self.folder = folder
        self.interval = interval
        self.scrape = scrape
        self.rounds = 0
        self.scrapes = 0
        self.scrape_seconds = 0.0
        self._look_at = 0.0
        self._resources = open(os.path.join(folder, "resources.csv"), "w", encoding="utf-8")  # noqa: SIM115
        self._metrics = open(os.path.join(folder, "metrics.csv"), "w", encoding="utf-8")  # noqa: SIM115
        self._write(self._resources, COLUMNS + "\n")
        self._write(self._metrics, METRIC_COLUMNS + "\n")

    def tick(self, now: float, *, pages: bool) -> None:
        """One sample of every process and, if ``pages``, of what the pages say. ``now`` in Unix seconds."""
        clock = time.monotonic()
        rows = [self._row(watch, now, clock) for watch in self.watches]
        rows.append(self._line(now, OWN, process_table.usage(os.getpid())))
        self._write(self._resources, "".join(rows))
        if pages:
            self.rounds += 1
            lines = [self._pages(watch, now, clock) for watch in self.watches]
            workers = [watch for watch in self.watches if watch.target.kind == "worker"]
            if workers and clock >= self._look_at:
                begun = time.process_time()
                seen = containers.look()  # once for all of them: it looks at every process of the host
                self._look_at = clock + (time.process_time() - begun) / LOOKING
                lines += [self._containers(watch, now, seen) for watch in workers]
            lines.append(
                f"{now:.2f},{OWN},scrapes,{self.scrapes}\n{now:.2f},{OWN},scrape_s,{self.scrape_seconds:.4f}\n"
            )
            self._write(self._metrics, "".join(lines))

    def run(self, seconds: float) -> None:
        """Sample until the time is over or the folder is gone."""
        begin = due = time.monotonic()
        scrape_at = look_at = begin
        told = False
        while due - begin < seconds:
            now = time.monotonic()
            if now >= look_at:
                look_at = now + LOOK
                if not os.path.isdir(self.folder):
                    return
            pages = now >= scrape_at
            if pages:
                scrape_at = now + self.scrape
            self.tick(time.time(), pages=pages)
            if not told:
                told = True
                sys.stdout.write(f"{READY}\n")
                sys.stdout.flush()
            # On a grid, so that delays do not add up; what a stopped host missed is not made up for.
            due += self.interval * max(1, -(-(time.monotonic() - due) // self.interval))
            time.sleep(max(0.0, due - time.monotonic()))

    def close(self) -> None:
        """Close both files."""
        for stream in (self._resources, self._metrics):
            try:
                stream.close()
            except OSError:
                pass

    def _row(self, watch: Watch, now: float, clock: float) -> str:
        """The target's line; empty if there is nothing new to say."""
        usage = process_table.usage(watch.pid) if watch.pid is not None else None
        if usage is None or usage.start != watch.start:
            everywhere = clock >= watch.search_at
            if everywhere:
                watch.search_at = clock + SEARCH
            watch.pid, _why = find(watch.target, everywhere=everywhere)
            usage = process_table.usage(watch.pid) if watch.pid is not None else None
            watch.start = usage.start if usage is not None else ""
        if usage is None:
            watch.pid = None
            if watch.absent:
                return ""
            watch.absent = True
            return f"{now:.2f},{watch.target.name},,,,,,,\n"
        watch.absent, watch.seen = False, True
        return self._line(now, watch.target.name, usage)

    def _pages(self, watch: Watch, now: float, clock: float) -> str:
        target = watch.target
        url = target.metrics_url or target.pprof_url
        if url is None or clock < watch.page_at or (not target.metrics_url and self.rounds % PROFILE_EVERY):
            return ""
        began = time.monotonic()
        try:
            if watch.owner is None or watch.owner[0] != watch.pid:
                watch.owner = (watch.pid or 0, self._owns(watch))
            if not watch.owner[1]:
                return self._silent(watch, now)
            if target.metrics_url:
                found = metrics_page.values(metrics_page.get(url, PAGE_TIMEOUT))
            else:
                first = metrics_page.get(url, PAGE_TIMEOUT, first_line=True)
                found = {GOROUTINES: float(metrics_page.goroutines(first))}
            self.scrapes += 1
        except (OSError, ValueError):
            watch.owner = None
            watch.page_at = clock + PAGE_RETRY
            return self._silent(watch, now)
        finally:
            self.scrape_seconds += time.monotonic() - began
        changed = [(name, value) for name, value in found.items() if watch.told.get(name) != value]
        watch.told = found
        return "".join(f"{now:.2f},{target.name},{_quoted(name)},{value:.15g}\n" for name, value in changed)

    @staticmethod
    def _silent(watch: Watch, now: float) -> str:
        """Once, that what the page told last is not true for ever; whatever it tells next is written."""
        told, watch.told = watch.told, {}
        return f"{now:.2f},{watch.target.name},{GOROUTINES},\n" if GOROUTINES in told else ""

    @staticmethod
    def _containers(watch: Watch, now: float, seen: containers.Containers | None) -> str:
        """What the worker's containers take, once there were any."""
        if seen is None or not (seen.count or watch.contained):
            return ""
        watch.contained = True
        values = zip(CONTAINERS, (seen.count, seen.memory, seen.shims))
        return "".join(f"{now:.2f},{watch.target.name},{name},{value}\n" for name, value in values)

    def _owns(self, watch: Watch) -> bool:
        """Whether the page is the target's own; where it was never found, whether it is nobody else's that we know."""
        if watch.pid is not None or watch.seen:
            return watch.pid is not None and owns_page(watch.target, watch.pid)
        url = watch.target.metrics_url or watch.target.pprof_url
        others = [other.pid for other in self.watches if other.pid is not None]
        port = urlsplit(url or "").port or 80
        return not any(process_table.listens(pid, port) for pid in others)

    @staticmethod
    def _line(now: float, name: str, usage: process_table.Usage | None) -> str:
        if usage is None:
            return ""
        files = "" if usage.open_files is None else usage.open_files
        threads = "" if usage.threads is None else usage.threads
        cpu = "" if usage.cpu is None else f"{usage.cpu:.2f}"
        private = "" if usage.private is None else usage.private
        return f"{now:.2f},{name},{usage.pid},{usage.start},{usage.rss},{private},{cpu},{files},{threads}\n"

    @staticmethod
    def _write(stream: IO[str], text: str) -> None:
        """What the disk does not take is lost; to be full is no reason to end."""
        try:
            stream.write(text)
            stream.flush()
        except OSError:
            pass


def _quoted(name: str) -> str:
    """A metric's name as a field of CSV."""
    return '"' + name.replace('"', '""') + '"' if "," in name or '"' in name else name


def load(path: str) -> tuple[list[Target], dict[str, Any]]:
    """Targets and the other settings from the sampler's file of settings."""
    with open(path, encoding="utf-8") as stream:
        settings: dict[str, Any] = json.load(stream)
    return [Target(**raw) for raw in settings.pop("targets")], settings


def _end(_number: int, _frame: Any) -> None:
    raise SystemExit(0)


def main(arguments: list[str]) -> int:
    """Run with the path of the file of settings; its folder is where the sampler writes."""
    targets, settings = load(arguments[0])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    interval = settings["interval"] if process_table.has_proc() else max(SLOW, settings["interval"])
    sampler = Sampler(targets, os.path.dirname(arguments[0]), interval, settings["scrape"])
    try:
        sampler.run(settings["seconds"])
    finally:
        sampler.close()
    return 0
