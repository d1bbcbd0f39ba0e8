# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until the containers of a run are running, and see how long each took."""

from __future__ import annotations

import dataclasses
import time
import typing as t
from collections import Counter, defaultdict

from ansible_collections.warren.load.plugins.module_utils.api.errors import WarrenError
from ansible_collections.warren.load.plugins.module_utils.api.run_names import index_of, run_id_of
from ansible_collections.warren.load.plugins.module_utils.engine import journal
from ansible_collections.warren.load.plugins.module_utils.objectives.units import many
from ansible_collections.warren.load.plugins.module_utils.stats.summaries import Number, number, summary

from .await_report import missing, scheduler_ticks, ticks
from .observing import Observer, check_positive, check_run_id, is_running, nanoseconds, ready_workers

if t.TYPE_CHECKING:
    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster
    from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter

LOOK_SHARE = 20  # a look takes at most one part in so many of the time: looking must not be the load
DECODE = 7.4e-6  # seconds of a manager's CPU for each record that a look reads (measured on Warren's own decoder)
NODES_EVERY = 10.0  # seconds between two looks at the nodes
HOPELESS = 60.0  # seconds without a ready worker after which nothing will run any more: Warren takes 40 to lose one
COLUMNS = ("container", "service", "node", "scheduling_latency_s", "create_to_running_s", "state")


@dataclasses.dataclass(frozen=True)
class Options:
    """``expected`` containers (None: as journal and cluster say), looked at every ``interval`` s or more seldom.

    ``first``: the number of the first service that counts, as phase create was given it.
    """

    run_id: str
    expected: int | None = None
    interval: float = 1.0
    first: int = 1

    def __post_init__(self) -> None:
        check_run_id(self.run_id)
        check_positive(interval=self.interval, first=self.first)
        if self.expected is not None:
            check_positive(expected=self.expected)

    def owns(self, name: str) -> bool:
        """Whether a service of that name is waited for."""
        return run_id_of(name) == self.run_id and index_of(name) >= self.first


@dataclasses.dataclass
class _Wanted:
    """A service of the run: how many containers it asks for, and when its create was sent (Unix s) if we know."""

    replicas: int
    sent: float | None = None


def _journaled(reporter: Reporter, options: Options) -> dict[str, _Wanted]:
    """The services that were acknowledged or found, by name."""
    sent: dict[str, _Wanted] = {}
    there: dict[str, _Wanted] = {}
    for event in journal.read(reporter.journal.path):
        name = str(event.get("service", ""))
        if event.get("phase") != "create" or not options.owns(name):
            continue
        if event["event"] == "create":
            sent[name] = _Wanted(int(event["replicas"]), float(event["t"]))
        elif event["event"] in ("created", "found") and name in sent:
            there[name] = sent[name]
    return there


class _Sightings:
    """What looks have shown so far of the run's containers."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.records: dict[str, t.Any] = {}  # the latest record of each container
        self.running_at: dict[str, float] = {}  # Unix s of the first look that saw it running
        self.not_running_at: dict[str, float] = {}  # and of the last look before, where there was one
        self.records_read = 0  # of all looks together, whoever's they are
        self.grew_at = time.monotonic()  # when a look last showed a record that none had shown before
        self._known: set[str] = set()
        self._looked_at: float | None = None

    def take(self, containers: list[t.Any]) -> None:
        now = time.time()
        self.records_read += len(containers)
        self.records = {one.id: one for one in containers if self._options.owns(one.service_name)}
        if self.records.keys() - self._known:
            self.grew_at = time.monotonic()
            self._known |= self.records.keys()
        for one in self.records.values():
            if is_running(one) and one.id not in self.running_at:
                self.running_at[one.id] = now
                if self._looked_at is not None:
                    self.not_running_at[one.id] = self._looked_at
        self._looked_at = now

    @property
    def running(self) -> int:
        return sum(is_running(one) for one in self.records.values())

    def complete(self, wanted: dict[str, _Wanted]) -> bool:
        """Whether each service has all of its own: one container too many does not stand in for another's."""
        running = Counter(one.service_name for one in self.records.values() if is_running(one))
        return all(running[name] >= service.replicas for name, service in wanted.items())

    @property
    def placed(self) -> int:
        return sum(one.desired_state == "running" for one in self.records.values())


class _Workers:
    """Looks at the nodes now and then: without a worker that is ready nothing comes to run."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._looked = self._ready_at = time.monotonic()
        self.text = ""  # for who watches, where some are not ready

    async def look(self) -> str | None:
        """Why there is no more to hope, as a clause for a sentence; None as long as there is."""
        now = time.monotonic()
        if now - self._looked >= NODES_EVERY:
            self._looked = now
            try:
                nodes = await self._observer.nodes()
            except WarrenError:
                return None  # the next look at the containers tells it
            ready = len(ready_workers(nodes))
            self.text = f", {ready} of {many(len(nodes), 'node')} ready" if ready < len(nodes) else ""
            if ready:
                self._ready_at = now
        silence = self._looked - self._ready_at
        return f"no worker has been ready for {silence:.0f} s" if silence >= HOPELESS else None


async def run(cluster: Cluster, options: Options, reporter: Reporter) -> dict[str, t.Any]:
    """Wait for them all, or until the deadline; measurements as M(await_containers) documents them."""
    observer = Observer(cluster)
    wanted = _journaled(reporter, options)
    stamps: dict[str, int] = {}  # ns at which the leader took note of each service
    for service in await observer.services():
        if options.owns(service.name):
            wanted.setdefault(service.name, _Wanted(service.replicas))
            stamps[service.name] = nanoseconds(service.created_at)
    expected = options.expected or sum(one.replicas for one in wanted.values())
    if not expected:
        raise ValueError(
            f"run_id: run {options.run_id} has no services on the cluster; create them first, under the same run id"
        )
    sightings = _Sightings(options)
    polls = Observer(cluster)
    workers = _Workers(observer)
    started = time.monotonic()
    failed_polls: Counter[str] = Counter()
    settled = False
    slowest = options.interval
    while True:
        looked = time.monotonic()
        try:
            sightings.take(await polls.containers())
        except WarrenError as error:
            failed_polls[str(error)] += 1
        running = sightings.running
        settled = running >= expected and (options.expected is not None or sightings.complete(wanted))
        hopeless = await workers.look()
        text = f"{running} of {expected} containers running, {sightings.placed} placed on nodes{workers.text}"
        reporter.progress(running, expected, "containers", text, now=settled or hopeless is not None)
        if settled:
            break
        if reporter.stopped() or hopeless:
            reporter.end_early(hopeless or "it was ended")
            break
        interval = max(options.interval, LOOK_SHARE * polls.last_time)
        slowest = max(slowest, interval)
        await reporter.pause(interval - (time.monotonic() - looked))
    duration = time.monotonic() - started
    for failure, count in failed_polls.items():
        reporter.problems.append(f"{count} polls failed ({failure})")
    nodes: list[t.Any] | None = None
    try:
        nodes = await observer.nodes()
    except WarrenError as error:
        reporter.problems.append(f"the ready nodes could not be counted in the end ({error})")
    times = _times(wanted, stamps, sightings)
    reporter.samples(COLUMNS, times.rows)
    rows = _ticks(wanted, stamps, sightings)
    scheduler = _scheduler(wanted, stamps, sightings)
    sentences = []
    if not settled:
        sentences = missing(
            sightings.records.values(),
            nodes,
            unscheduled=times.unscheduled,
            lost=len(wanted.keys() - stamps.keys()),
            silent=time.monotonic() - sightings.grew_at,
            now=time.time(),
        )
    return {
        "expected": expected,
        "records": len(sightings.records),
        "running": sightings.running,
        "settled": settled,
        "unscheduled": times.unscheduled,
        "not_running": times.not_running,
        "duration": duration,
        "states": dict(Counter(one.actual_state for one in sightings.records.values()).most_common()),
        "scheduling_latency": summary(times.scheduling, "s"),
        "create_to_running": summary(times.to_running, "s"),
        "placement": dict(
            sorted(Counter(one.node_id for one in sightings.records.values() if one.desired_state == "running").items())
        ),
        "create_to_running_resolution": _resolution(wanted, sightings),
        "nodes_ready": None if nodes is None else len(ready_workers(nodes)),
        "ticks": rows,
        "scheduler": scheduler,
        "missing": sentences,
        "polls": polls.looks,
        "poll_interval": options.interval,
        "poll_interval_max": slowest,
        "poll_time": polls.time,
        "poll_share": 100 * polls.time / duration if duration else None,
        "poll_bytes": polls.bytes,
        "poll_cpu_estimate": sightings.records_read * DECODE,
        "last_running": max(sightings.running_at.values(), default=None),
    }


def _ticks(wanted: dict[str, _Wanted], stamps: dict[str, int], sightings: _Sightings) -> list[dict[str, t.Any]]:
    """The rows of ``ticks``: records by the leader's stamps since its first, running by our looks since our first."""
    if not stamps:
        return []
    first = min(stamps.values())
    sent = min((one.sent for one in wanted.values() if one.sent is not None), default=first / 1e9)
    created = [((stamp - first) / 1e9, wanted[name].replicas) for name, stamp in stamps.items()]
    records = sightings.records.values()
    assigned = [(nanoseconds(one.created_at) - first) / 1e9 for one in records if one.node_id]
    return ticks(created, assigned, [at - sent for at in sightings.running_at.values()])


def _scheduler(wanted: dict[str, _Wanted], stamps: dict[str, int], sightings: _Sightings) -> dict[str, t.Any]:
    """What the scheduler did, in its own ticks, by the leader's stamps; of what replaces others it tells nothing."""
    first = min(stamps.values(), default=0)
    sent = min((one.sent for one in wanted.values() if one.sent is not None), default=first / 1e9)
    placed = [
        ((nanoseconds(one.created_at) - first) / 1e9, one.service_id, one.node_id)
        for name, records in _by_service(sightings).items()
        if name in stamps
        for one in records[: wanted[name].replicas]
        if one.node_id
    ]
    found = scheduler_ticks(placed, [at - sent for at in sightings.running_at.values()])
    took = max((at for at, _service, _node in placed), default=None)
    return {
        "ticks": found["count"],
        "largest": found["largest"],
        "rows": found["rows"],
        "duration": number(took, "s", len(placed)),
        "rate": number(60 * len(placed) / took if took else None, "1/min", len(placed)),
    }


def _by_service(sightings: _Sightings) -> dict[str, list[t.Any]]:
    """The records of each service, by name, in the order in which they were made."""
    records: dict[str, list[t.Any]] = defaultdict(list)
    for one in sorted(sightings.records.values(), key=lambda each: nanoseconds(each.created_at)):
        records[one.service_name].append(one)
    return records


def _resolution(wanted: dict[str, _Wanted], sightings: _Sightings) -> Number:
    """Within how many s a time from create to running is known: from the look before, or its create, to the look."""
    gaps = []
    for container, seen in sightings.running_at.items():
        record = sightings.records.get(container)
        service = wanted.get(record.service_name) if record is not None else None
        if service is not None and service.sent is not None:
            gaps.append(seen - max(service.sent, sightings.not_running_at.get(container, 0.0)))
    return number(max(gaps, default=None), "s", len(gaps))


@dataclasses.dataclass
class _Times:
    scheduling: list[float] = dataclasses.field(default_factory=list)
    to_running: list[float] = dataclasses.field(default_factory=list)
    unscheduled: int = 0
    not_running: int = 0
    rows: list[tuple[t.Any, ...]] = dataclasses.field(default_factory=list)


def _times(wanted: dict[str, _Wanted], stamps: dict[str, int], sightings: _Sightings) -> _Times:
    """How long the first ``replicas`` containers of each service took.

    Later ones replace others, which is not scheduling. What never came counts with the time waited so far.
    """
    times = _Times()
    records = _by_service(sightings)
    now = time.time()
    for name, service in sorted(wanted.items()):
        first = records[name][: service.replicas]
        stamp = stamps.get(name)
        for one in records[name]:
            seen = sightings.running_at.get(one.id)
            latency = "" if stamp is None else (nanoseconds(one.created_at) - stamp) / 1e9
            taken = "" if seen is None or service.sent is None else seen - service.sent
            times.rows.append((one.id, name, one.node_id, latency, taken, one.actual_state))
        if stamp is not None:
            times.scheduling += [(nanoseconds(one.created_at) - stamp) / 1e9 for one in first]
        missing = service.replicas - len(first)
        times.unscheduled += missing
        ran = sorted(sightings.running_at[one.id] for one in records[name] if one.id in sightings.running_at)
        ran = ran[: service.replicas]
        times.not_running += service.replicas - len(ran)
        if service.sent is not None:
            waited = now - service.sent
            times.scheduling += [waited] * missing
            times.to_running += [at - service.sent for at in ran]
            times.to_running += [waited] * (service.replicas - len(ran))
    return times
