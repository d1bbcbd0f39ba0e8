# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fault does to workers and containers, until every replica runs again, or that is not to be hoped for.

Others say how far they are by files beside the journal: ``load-over`` once no more services are created, ``hit-NAME``
once that one was hit, ``fault-over`` once the last fault is over, with ``{"lost": [workers that stay away], "silent":
whether nothing was heard of those that were hit}``. When that was, the files themselves tell: hosts and managers have
clocks of their own, and all times here are this host's.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
import typing as t
from collections import Counter, defaultdict
from pathlib import Path

from ansible_collections.warren.load.plugins.module_utils.api.errors import WarrenError
from ansible_collections.warren.load.plugins.module_utils.api.run_names import run_id_of
from ansible_collections.warren.load.plugins.module_utils.api.timers import (
    HEARTBEAT,
    NODE_DOWN_AFTER,
    RECONCILER_TICK,
    SCHEDULER_TICK,
)
from ansible_collections.warren.load.plugins.module_utils.engine import journal

from .observing import Observer, check_positive, check_run_id, is_running, nanoseconds, ready_workers

if t.TYPE_CHECKING:
    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster
    from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter

LOAD_OVER, FAULT_OVER, HIT = "load-over", "fault-over", "hit-"
LOOK_SHARE = 20  # a look takes at most one part in so many of the time
# Warren's seconds after a fault until a worker that is gone is known to be: nothing has recovered before.
KNOWN = NODE_DOWN_AFTER + RECONCILER_TICK + SCHEDULER_TICK + HEARTBEAT
NO_WORKER = RECONCILER_TICK + 2 * SCHEDULER_TICK  # Warren's seconds without a ready worker after which none comes back
UNCHANGED = 60.0  # seconds without change after which nothing more is waited for
MOST = 200  # changes of nodes in the results


@dataclasses.dataclass(frozen=True)
class Options:
    """``beside``: the folder with the journal of the creates; a look every ``interval`` s or more seldom."""

    run_id: str
    beside: str
    interval: float = 1.0
    clock_factor: float = 1.0

    def __post_init__(self) -> None:
        check_run_id(self.run_id)
        check_positive(interval=self.interval, clock_factor=self.clock_factor)


@dataclasses.dataclass
class Over:
    """What the files beside the journal say."""

    load: bool = False
    fault: bool = False
    lost: frozenset[str] = frozenset()
    silent: bool = False
    hit: dict[str, float] = dataclasses.field(default_factory=dict)  # since when each is, in Unix s
    last_hit: float = 0.0

    def look(self, folder: Path) -> None:
        self.load = self.load or (folder / LOAD_OVER).exists()
        if self.fault:
            return
        self.hit = {mark.name.removeprefix(HIT): mark.stat().st_mtime for mark in folder.glob(f"{HIT}*")}
        try:
            told = json.loads((folder / FAULT_OVER).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # not there, or not whole yet
            return
        self.fault, self.silent = True, bool(told.get("silent"))
        self.lost = frozenset(map(str, told.get("lost") or []))
        self.last_hit = max(self.hit.values(), default=time.time())


class Sightings:
    """What looks have shown so far; all times are Unix s."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self.records: dict[str, t.Any] = {}  # those that the last look showed
        self.ever: dict[str, t.Any] = {}  # and all: of a worker that comes back Warren removes those it had
        self.first_seen: dict[str, float] = {}
        self.absent_at: dict[str, float] = {}  # when each was not there yet
        self.running_at: dict[str, float] = {}  # since when each has been seen running on a node that is ready
        self.status: dict[str, str] = {}
        self.changes: list[tuple[float, str, str]] = []  # (time, node, status), but for what the first look saw
        self.ready: set[str] = set()
        self.ready_most = 0
        self.ready_at = self.changed_at = time.time()
        self._shown: tuple[t.Any, ...] = ()
        self._asked = 0.0

    def take(self, asked: float, nodes: list[t.Any], containers: list[t.Any]) -> None:
        """A look that was begun at ``asked``."""
        now = time.time()
        first = not self.status
        for node in nodes:
            if self.status.get(node.id) != node.status:
                self.status[node.id] = node.status
                if not first:
                    self.changes.append((now, node.id, node.status))
        self.ready = set(ready_workers(nodes))
        self.ready_most = max(self.ready_most, len(self.ready))
        if self.ready:
            self.ready_at = now
        self.records = {one.id: one for one in containers if run_id_of(one.service_name) == self._run_id}
        self.ever.update(self.records)
        for name in self.running_at.keys() - self.records.keys():
            del self.running_at[name]
        for one in self.records.values():
            self.first_seen.setdefault(one.id, now)
            self.absent_at.setdefault(one.id, self._asked)
            if is_running(one) and one.node_id in self.ready:
                self.running_at.setdefault(one.id, now)
            else:
                self.running_at.pop(one.id, None)
        self._asked = asked
        shown = (len(self.records), len(self.running_at), tuple(sorted(self.ready)))
        if shown != self._shown:
            self._shown, self.changed_at = shown, now

    def counted(self, lost: frozenset[str]) -> dict[str, list[float]]:
        """Of each service, since when its containers have run where nobody is lost; in order."""
        found: dict[str, list[float]] = defaultdict(list)
        for name, since in self.running_at.items():
            if self.records[name].node_id not in lost:
                found[self.records[name].service_name].append(since)
        return {service: sorted(times) for service, times in found.items()}

    def down(self, lost: frozenset[str]) -> dict[str, float]:
        """Until when the nodes that went down, or are lost, were so."""
        until = dict.fromkeys(lost, math.inf)
        for when, node, status in self.changes:
            if status == "down" or node in until:
                until[node] = math.inf if status == "down" or node in lost else when
        return until


async def run(cluster: Cluster, options: Options, reporter: Reporter) -> dict[str, t.Any]:
    """Look on until all is well again, or until it cannot be; measurements as M(recovery) documents them."""
    polls, sightings, over = Observer(cluster), Sightings(options.run_id), Over()
    folder, factor = Path(options.beside), options.clock_factor
    started = last = time.time()
    slowest, looks = 0.0, 0
    wanted: dict[str, int] = {}
    failed: Counter[str] = Counter()
    settled, why = False, ""
    while True:
        looked = time.monotonic()
        over.look(folder)
        try:
            sightings.take(time.time(), await polls.nodes(), await polls.containers())
            now = time.time()
            slowest, last, looks = max(slowest, now - last), now, looks + 1
        except WarrenError as error:
            failed[str(error)] += 1
        if over.load and not wanted:
            wanted = _wanted(folder, options.run_id)
        running = sightings.counted(over.lost)
        count, expected = sum(map(len, running.values())), sum(wanted.values())
        text = f"{count} containers run" if not wanted else f"{count} of {expected} containers run"
        text += f", {len(sightings.ready)} of {len(sightings.status)} workers ready"
        if over.load and over.fault:
            now = time.time()
            known = not over.silent or now >= over.last_hit + KNOWN / factor
            settled = known and all(len(running.get(name, [])) >= count for name, count in wanted.items())
            if known and not sightings.ready and now - sightings.ready_at >= NO_WORKER / factor:
                why = "no worker is ready, and none comes back"
            elif known and now - sightings.changed_at >= UNCHANGED:
                why = f"nothing has changed for {UNCHANGED:.0f} s"
        reporter.progress(count, expected, "containers", text, now=settled or bool(why))
        if settled or why:
            break
        if reporter.stopped():
            reporter.end_early()
            why = reporter.stopped() or "it was ended"
            break
        await reporter.pause(max(options.interval, LOOK_SHARE * polls.last_time) - (time.monotonic() - looked))
    for failure, times in failed.items():
        reporter.problems.append(f"{times} looks at the cluster failed ({failure})")
    return {
        "started": round(started, 3),
        "ended": round(time.time(), 3),
        "duration": time.time() - started,
        "looks": looks,
        "resolution": slowest,
        "settled": settled,
        "why": "" if settled else why,
        **_measured(sightings, wanted, over),
    }


def _wanted(folder: Path, run_id: str) -> dict[str, int]:
    """How many containers each service of the run asks for that was acknowledged."""
    asked: dict[str, int] = {}
    there: dict[str, int] = {}
    for event in journal.read(folder / "journal.jsonl"):
        name = str(event.get("service", ""))
        if run_id_of(name) != run_id:
            continue
        if event["event"] == "create":
            asked[name] = int(event["replicas"])
        elif event["event"] in ("created", "found") and name in asked:
            there[name] = asked[name]
    return there


def _measured(sightings: Sightings, wanted: dict[str, int], over: Over) -> dict[str, t.Any]:
    down = sightings.down(over.lost)
    records: dict[str, list[t.Any]] = defaultdict(list)
    for one in sightings.ever.values():
        records[one.service_name].append(one)
    touched, on_lost, replacements = set(), 0, []
    for name, replicas in wanted.items():
        # Two leaders may have put their clocks on them.
        ordered = sorted(records[name], key=lambda one: (sightings.first_seen[one.id], nanoseconds(one.created_at)))
        replacements += [sightings.first_seen[one.id] for one in ordered[replicas:]]
        # What a worker gets once it is back is none of that.
        then = [one for one in ordered if sightings.first_seen[one.id] < down.get(one.node_id, 0.0)]
        if then:
            touched.add(name)
        on_lost += sum(sightings.absent_at[one.id] >= over.hit.get(one.node_id, math.inf) for one in then)
    running = sightings.counted(over.lost)
    whole = all(len(running.get(name, [])) >= wanted[name] for name in touched)
    back = [running[name][wanted[name] - 1] for name in touched] if whole else []
    return {
        "expected": sum(wanted.values()),
        "running": sum(min(len(running.get(name, [])), replicas) for name, replicas in wanted.items()),
        "records": len(sightings.records),
        "states": dict(Counter(f"{one.desired_state}/{one.actual_state}" for one in sightings.records.values())),
        "lost": sorted(over.lost),
        "touched": len(touched),
        "replaced": len(replacements),
        "last_replaced": max(replacements, default=None),
        "placed_on_lost": on_lost,
        "restored_at": max(back, default=None),
        "workers": len(sightings.status),
        "ready_most": sightings.ready_most,
        "ready_end": len(sightings.ready),
        "changes": [
            {"time": round(moment, 3), "node": node, "status": status}
            for moment, node, status in sightings.changes[:MOST]
        ],
    }
