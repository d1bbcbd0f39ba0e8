# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hold the load of a run for a time, look whether it stays, and replace a share of it now and then if asked to.

What is kept in memory does not grow with the time: rows are a fixed number of equal parts of it, and of the latest
times alone there are percentiles.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import time
import typing as t

from ansible_collections.warren.load.plugins.module_utils.api.errors import WarrenError
from ansible_collections.warren.load.plugins.module_utils.api.run_names import index_of, run_id_of, service_name
from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.objectives.units import clock
from ansible_collections.warren.load.plugins.module_utils.stats.summaries import number, summary

from .cleanup import Cleanup, quiet
from .observing import Observer, check_positive, check_run_id, is_running, most_frequent

if t.TYPE_CHECKING:
    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster
    from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter

LOOK_SHARE = 50  # a look takes at most one part in so many of the time
ROWS = 120
KEPT = 20_000  # times that percentiles are made of
YOUNG = 60.0  # seconds in which a service that goes may be replaced, and the containers of the new one come to run
WRITE_DEADLINE = 10.0
CREATE_DEADLINE = 30.0


@dataclasses.dataclass(frozen=True)
class Options:
    """Hold for ``seconds``, with a look each ``interval`` s or more seldom.

    ``churn``: percent of the services that are deleted each ``churn_interval`` s, as many being created anew;
    ``purge``: whether what Warren leaves of them is removed, so that the load stays what it is. ``hollow_workers``:
    the pid file of a fleet of ours, None without one. ``replicas`` and ``image`` are of what is created.
    """

    run_id: str
    seconds: float
    replicas: int
    image: str
    churn: float = 0.0
    churn_interval: float = 60.0
    purge: bool = True
    interval: float = 5.0
    hollow_workers: str | None = None

    def __post_init__(self) -> None:
        check_run_id(self.run_id)
        check_positive(
            seconds=self.seconds,
            replicas=self.replicas,
            interval=self.interval,
            churn_interval=self.churn_interval,
        )
        if not 0 <= self.churn <= 100:
            raise ValueError(f"churn: {self.churn:g} is no percentage: give 0 to 100")
        if self.churn and not self.image:
            raise ValueError("image: no image was given")


@dataclasses.dataclass(frozen=True)
class _Batch:
    """The services that one churn deletes, as Cleanup asks for them."""

    names: frozenset[str]
    outstanding: int = 16
    interval: float = 0.5

    def owns(self, name: str) -> bool:
        return name in self.names


class _Hold:
    def __init__(self, cluster: Cluster, options: Options, reporter: Reporter) -> None:
        self._cluster = cluster
        self._options = options
        self._reporter = reporter
        self._observer = Observer(cluster, time_left=reporter.time_left)
        self._start = time.monotonic()
        self._part = 0  # of the time, that the last row is of
        self._next = 1  # the number of the next service
        self.live: dict[str, int] = {}  # replicas by name of the services that should be there, the oldest first
        self.young: dict[str, float] = {}  # since when those are, whose containers have not all been seen running yet
        # A service that is deleted stays in ``live`` until another one has its place: until then it is missing.
        self.leaving: dict[str, float] = {}  # since when those are being deleted
        self.gone: list[str] = []  # those that are seen to be deleted, and have no successor yet
        self.rest: set[str] = set()  # others to delete: perhaps created, nobody could tell; or with records left
        self.looks = self.failed_looks = 0
        self.failures: collections.Counter[str] = collections.Counter()
        self.short_looks = 0
        self.least = 100.0  # percent of the containers that should run
        self.records_last = 0
        self.records_most = 0
        self.rows: list[dict[str, t.Any]] = []
        self.cycles = self.late = self.slow = 0
        self.deleted = self.created = self.failed = self.left = self.purged = 0
        self.to_running: collections.deque[float] = collections.deque(maxlen=KEPT)
        self.create_time: collections.deque[float] = collections.deque(maxlen=KEPT)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._start

    def over(self) -> bool:
        return self.elapsed >= self._options.seconds or self._reporter.stopped() is not None

    async def begin(self) -> None:
        """Learn what there is to hold."""
        ours = [one for one in await self._observer.services() if run_id_of(one.name) == self._options.run_id]
        if not ours:
            raise ValueError(
                f"run_id: run {self._options.run_id} has no services on the cluster; create them first, under the "
                "same run id"
            )
        for service in sorted(ours, key=lambda one: index_of(one.name)):
            self.live[service.name] = service.replicas
        self.services = len(self.live)
        self.containers = sum(self.live.values())
        self._next = 1 + max(map(index_of, self.live))
        self._start = time.monotonic()

    # --- looking ------------------------------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Look until the time is over."""
        while not self.over():
            began = time.monotonic()
            await self.look()
            pause = max(self._options.interval, LOOK_SHARE * self._observer.last_time)
            left = self._options.seconds - self.elapsed
            await self._reporter.pause(min(pause - (time.monotonic() - began), max(0.1, left)))

    async def look(self) -> None:
        """See what of the load is there."""
        live = dict(self.live)  # what is deleted while we look may be seen or not
        try:
            there = {one.name for one in await self._observer.services()}
            records = await self._observer.containers()
        except WarrenError as error:
            self.failed_looks += 1
            self.failures[str(error)] += 1
            self.say(f"no manager answers: {error}")
            return
        self.looks += 1
        ours = [one for one in records if run_id_of(one.service_name) == self._options.run_id]
        running = collections.Counter(one.service_name for one in ours if is_running(one))
        now = time.monotonic()
        short = wanted = ran = 0
        for name, replicas in live.items():
            if name not in self.live:
                continue
            left = self.leaving.get(name)
            if left is not None and now - left < YOUNG:
                continue
            whole = name in there and running[name] >= replicas
            since = self.young.get(name)
            if since is not None:
                if not whole and now - since < YOUNG:
                    continue
                self.slow += not whole
                if whole:
                    self.to_running.append(now - since)
                del self.young[name]
            wanted += replicas
            ran += min(running[name], replicas) if name in there else 0
            short += not whole
        self.short_looks += short > 0
        self.least = min(self.least, 100.0 * ran / wanted if wanted else 100.0)
        self.records_last = len(ours)
        self.records_most = max(self.records_most, len(ours))
        kept = there & live.keys()  # what is left of deleted services runs beside the load
        self._row(len(kept), sum(running[name] for name in kept), len(ours))
        self.say(f"{sum(running[name] for name in kept)} of {sum(live.values())} containers running")

    def _row(self, services: int, running: int, records: int) -> None:
        """Into the row of this part of the time: the fewest that ran, the most records."""
        length = self._options.seconds / ROWS
        part = min(ROWS - 1, int(self.elapsed / length))
        if self.rows and self._part == part:
            row = self.rows[-1]
            row["services"], row["running"] = min(row["services"], services), min(row["running"], running)
            row["records"] = max(row["records"], records)
        else:
            self._part = part
            self.rows.append(
                {"t": round(part * length, 1), "services": services, "running": running, "records": records}
            )

    def say(self, text: str) -> None:
        done = min(self.elapsed, self._options.seconds)
        churned = f", {self.deleted} services replaced" if self._options.churn else ""
        whole = f"{clock(done)} of {clock(self._options.seconds)}, {text}{churned}"
        self._reporter.progress(int(done), int(self._options.seconds), "s", whole, now=self.over())

    # --- churn --------------------------------------------------------------------------------------------------------

    async def churn(self) -> None:
        """Replace a share of the services each interval, the oldest first; none that would begin after the end."""
        if not self._options.churn:
            return
        due = self._start + self._options.churn_interval
        while True:
            await self._reporter.pause(min(due, self._start + self._options.seconds) - time.monotonic())
            if self.over():
                return
            try:
                await self._cycle()
            except WarrenError as error:
                self.failures[str(error)] += 1
            self.cycles += 1
            due += self._options.churn_interval
            if due < time.monotonic():
                # What was missed is not made up for: a load that comes in bursts would be another one.
                self.late += 1
                due = time.monotonic()

    async def _cycle(self) -> None:
        await self._fill()
        if self.gone:
            return  # from a load that is not whole nothing more is taken
        share = max(1, round(self._options.churn * self.services / 100))
        names = list(self.live)[:share]
        self._reporter.event("churn", services=names)
        purge = Cleanup(self._cluster, _Batch(frozenset(names) | self.rest), self._reporter, silent=True)
        try:
            await self._delete(purge, names)
        finally:
            self.failures.update(purge.failures)
        await self._fill()

    async def _delete(self, purge: Cleanup, names: list[str]) -> None:
        """Delete the services of those names; where no manager answers, the next cycle takes them up again."""
        await purge.first_look()
        for service in purge.services.values():
            self.leaving[service.name] = time.monotonic()
            self.young.pop(service.name, None)
        await purge.delete_services()
        await purge.first_look()
        self.left += sum(one.service_name not in self.rest for one in _orphans(purge))
        if self._options.purge:
            # Before new ones come: meanwhile hollow workers say of no container that it runs.
            async with quiet(self._options.hollow_workers):
                await purge.run()
            self.purged += len(purge.containers) - len(purge.containers_left)
        left = {purge.services[service_id].name for service_id in purge.services_left}
        self.gone = [name for name in names if name not in left]
        self.deleted += len(self.gone)
        self.rest &= left
        if self._options.purge:
            self.rest.update(one.service_name for one in _orphans(purge))

    async def _fill(self) -> None:
        """Create a service in place of each that is gone."""
        while self.gone and not self._reporter.stopped():
            name = service_name(self._options.run_id, self._next)
            self._next += 1
            replicas = self._options.replicas
            request = message("CreateServiceRequest")(
                name=name, image=self._options.image, replicas=replicas, mode="replicated"
            )
            self._reporter.event("create", service=name, replicas=replicas)
            sent = time.monotonic()
            created = await self._cluster.create_service(request, CREATE_DEADLINE)
            service_id = created.service.id if created.service is not None else ""
            error = str(created.error) if created.error is not None else ""
            self._reporter.event(created.status, service=name, id=service_id, attempts=created.attempts, error=error)
            if created.service is None:
                self.failed += 1
                self.failures[error] += 1
                if created.status == "ambiguous":
                    self.rest.add(name)
                return  # the next cycle tries again
            self.created += 1
            self.create_time.append((time.monotonic() - sent) * 1e3)
            replaced = self.gone.pop(0)
            del self.live[replaced]
            self.leaving.pop(replaced, None)
            self.live[name] = replicas
            self.young[name] = time.monotonic()

    # --- what came of it ----------------------------------------------------------------------------------------------

    def churned(self) -> dict[str, t.Any] | None:
        if not self._options.churn:
            return None
        return {
            "percent": self._options.churn,
            "interval": self._options.churn_interval,
            "purge": self._options.purge,
            "cycles": self.cycles,
            "late": self.late,
            "deleted": self.deleted,
            "created": self.created,
            "failed": self.failed,
            "slow": self.slow,
            "records_left": self.left,
            "records_purged": self.purged,
            "left_per_service": number(self.left / self.deleted if self.deleted else None, "records", self.deleted),
            "create_time": summary(self.create_time, "ms"),
            "to_running": summary(self.to_running, "s"),
        }


def _orphans(purge: Cleanup) -> list[t.Any]:
    """The records of services that are deleted."""
    return [one for one in purge.containers_left.values() if one.service_id not in purge.services_left]


async def run(cluster: Cluster, options: Options, reporter: Reporter) -> dict[str, t.Any]:
    """Hold the load; measurements as M(hold) documents them."""
    hold = _Hold(cluster, options, reporter)
    await hold.begin()
    started = time.time()
    await asyncio.gather(hold.watch(), hold.churn())
    duration = hold.elapsed
    reporter.ended_early = None  # a purge that gave up did not end the hold
    if duration < options.seconds:
        reporter.end_early()
    for failure, count in most_frequent(hold.failures, 5).items():
        reporter.problems.append(f"{count} calls failed while the load was held ({failure})")
    hold.say(f"{hold.rows[-1]['running'] if hold.rows else 0} containers running")
    return {
        "seconds": options.seconds,
        "duration": duration,
        "started": started,
        "ended": time.time(),
        "services": hold.services,
        "containers": hold.containers,
        "looks": hold.looks,
        "failed_looks": hold.failed_looks,
        "short_looks": hold.short_looks,
        "running_least": number(hold.least if hold.looks else None, "%", hold.looks),
        "records_most": hold.records_most,
        "records_last": hold.records_last,
        "churn": hold.churned(),
        "ticks": hold.rows,
    }
