# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Delete what runs created, drive their container records out, and count what is left.

Warren has no call that deletes a container record, and DeleteService leaves them for ever. Its reconciler, every 10 s
on the leader, turns a record that is failed and should run into one that should not, and deletes one that should not
run and is complete (facts/warren.md 4.3). So two of its ticks are the least this takes: everything is reported failed
at once, to catch the first tick, and complete as soon as that tick has turned it, to catch the second.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import time
import typing as t
from collections import Counter

from ansible_collections.warren.load.plugins.module_utils.api.errors import NotFound, WarrenError
from ansible_collections.warren.load.plugins.module_utils.api.run_names import run_id_of
from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.engine import journal
from ansible_collections.warren.load.plugins.module_utils.node import supervision
from ansible_collections.warren.load.plugins.module_utils.objectives.units import many

from .observing import Observer, check_positive, check_run_id

if t.TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster
    from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter

WRITE_DEADLINE = 10.0  # seconds for one write, changes of the leader included
HURRY = 0.1  # seconds between two looks while workers write "running" back
LOOK_SHARE = 10  # a look takes at most one part in so many of the time: looking must not be the load
PATIENCE = 30.0  # seconds without an answer of any manager after which none is expected any more
RETRY_PAUSE = 1.0  # seconds between two looks while none succeeds
ASK_AGAIN = 20.0  # seconds: hollow workers are quiet for 60 s, lest they stay so when this process is killed
QUIET = 1.0  # seconds after the last delete before an empty list is believed: a scheduler tick may still be writing


@dataclasses.dataclass(frozen=True)
class Options:
    """What to delete: one run's or ``all_runs``'; ``outstanding`` writes at a time, a look each ``interval`` s.

    ``hollow_workers``: the pid file of a fleet of ours, None without one.
    """

    run_id: str | None
    all_runs: bool = False
    outstanding: int = 16
    interval: float = 0.5
    hollow_workers: str | None = None
    check_mode: bool = False

    def __post_init__(self) -> None:
        check_positive(outstanding=self.outstanding, interval=self.interval)
        if self.all_runs:
            return
        if self.run_id is None:
            raise ValueError("run_id: give the id of a run, or set all_runs")
        check_run_id(self.run_id)

    def owns(self, name: str) -> bool:
        """Whether a service of that name is to go; never one that does not carry the name of a run."""
        run_id = run_id_of(name)
        return run_id is not None and (self.all_runs or run_id == self.run_id)


class Owner(t.Protocol):
    """What a Cleanup asks of its options."""

    @property
    def outstanding(self) -> int: ...

    @property
    def interval(self) -> float: ...

    def owns(self, name: str) -> bool: ...


@contextlib.asynccontextmanager
async def quiet(pid_file: str | None) -> AsyncIterator[None]:
    """Have the hollow workers leave container states out of their heartbeats: they would undo the purge."""
    if pid_file is None:
        yield
        return

    async def ask() -> None:
        while True:
            supervision.send(pid_file, "USR1")
            await asyncio.sleep(ASK_AGAIN)

    asking = asyncio.create_task(ask())
    await asyncio.sleep(0)  # they hear of it before the first write
    try:
        yield
    finally:
        asking.cancel()
        supervision.send(pid_file, "USR2")


class Cleanup:
    """Deletes what ``options.owns()`` and drives its records out: run() until nothing is left, or for no longer.

    A ``silent`` one does not say how far it is: it is a part of another phase.
    """

    def __init__(self, cluster: Cluster, options: Owner, reporter: Reporter, *, silent: bool = False) -> None:
        self._cluster = cluster
        self._options = options
        self._reporter = reporter
        self._silent = silent
        self._observer = Observer(cluster, time_left=reporter.time_left)
        self._leader = Observer(cluster, leader_only=True, time_left=reporter.time_left)
        self._answered = time.monotonic()  # when a manager last did
        self._ids = {
            str(event["id"])
            for event in journal.read(reporter.journal.path)
            if event.get("id") and options.owns(str(event.get("service", "")))
        }
        self.services: dict[str, t.Any] = {}  # every service of ours that was ever seen, by id
        self.containers: dict[str, t.Any] = {}  # every container record of ours that was ever seen, by id
        self.services_left: set[str] = set()
        self.containers_left: dict[str, t.Any] = {}
        self.orphans = 0
        self.failed_once: set[str] = set()
        self.forced: set[str] = set()
        self.stuck: set[str] = set()
        self.failures: Counter[str] = Counter()
        self.writes = 0
        self.first_delete: float | None = None
        self.last_delete = 0.0
        self.last_gone: float | None = None

    async def look(self) -> None:
        """See what is there of ours, now. That nothing is, only the leader is believed: a follower may lag."""
        await self._read(self._observer)
        if not self.left:
            await self._read(self._leader)

    async def first_look(self) -> None:
        """See what is there, also in the middle of an outage; raises what ails it where there is no more to hope."""
        while True:
            try:
                return await self.look()
            except WarrenError as error:
                if self._reporter.stopped() or self.silent():
                    raise
                self._reporter.progress(0, 0, "records", f"waiting for the cluster: {error}", now=True)
                await self._reporter.pause(RETRY_PAUSE)

    def silent(self) -> str | None:
        """That no manager answers any more, as a clause for a sentence; None as long as there is hope."""
        silence = time.monotonic() - self._answered
        return f"no manager has answered for {silence:.0f} s" if silence > PATIENCE else None

    async def _read(self, observer: Observer) -> None:
        services = [service for service in await observer.services() if self._options.owns(service.name)]
        self._answered = time.monotonic()
        self.services.update((service.id, service) for service in services)
        self.services_left = {service.id for service in services}
        ours = self._ids | self.services.keys()
        self.containers_left = {
            one.id: one
            for one in await observer.containers()
            if self._options.owns(one.service_name) or one.service_id in ours
        }
        self.containers.update(self.containers_left)

    @property
    def left(self) -> int:
        return len(self.services_left) + len(self.containers_left)

    def progress(self, *, now: bool = False) -> None:
        if self._silent:
            return
        gone = len(self.containers) - len(self.containers_left)
        services = len(self.services) - len(self.services_left)
        text = f"{services} of {len(self.services)} services deleted, {gone} of {len(self.containers)} records purged"
        self._reporter.progress(gone, len(self.containers), "records", text, now=now)

    async def write(self, method: str, requests: Iterable[t.Any]) -> None:
        """Send requests, several at a time. All may be sent twice without harm: a failure is left to the next look."""
        waiting = iter(list(requests))
        broken = False

        async def sender() -> None:
            nonlocal broken
            for request in waiting:
                if broken or self._reporter.stopped():
                    return
                self.writes += 1
                deadline = max(0.1, min(WRITE_DEADLINE, self._reporter.time_left()))
                try:
                    await self._cluster.write(method, request, deadline)
                except NotFound:
                    self._answered = time.monotonic()
                except WarrenError as error:
                    self.failures[str(error)] += 1
                    broken = True  # most likely there is no leader now: look again before the others wait in vain
                else:
                    self._answered = time.monotonic()

        self.first_delete = self.first_delete or time.time()
        await asyncio.gather(*(sender() for _sender in range(self._options.outstanding)))

    async def delete_services(self) -> None:
        request = message("DeleteServiceRequest")
        doomed = sorted(self.services_left)
        self._reporter.event("delete", ids=doomed)
        await self.write("DeleteService", [request(id=service_id) for service_id in doomed])
        self.last_delete = time.monotonic()

    async def push_containers(self) -> bool:
        """Report each record as what makes the reconciler take it a step further; False if there was none to report."""
        updates = []
        for one in self.containers_left.values():
            if one.desired_state == "running" and one.actual_state != "failed":
                if one.id in self.failed_once:
                    self.forced.add(one.id)
                self.failed_once.add(one.id)
                state = "failed"
            elif one.desired_state != "running" and one.actual_state != "complete":
                state = "complete"
            else:
                continue  # the reconciler's turn
            updates.append(
                message("UpdateContainerStatusRequest")(
                    container_id=one.id,
                    node_id=one.node_id,
                    actual_state=state,
                    runtime_container_id=one.runtime_container_id,
                )
            )
        if updates:
            await self.write("UpdateContainerStatus", updates)
        return bool(updates)

    async def find_stuck(self) -> None:
        """Records whose node is gone: the reconciler passes them by before it comes to deleting."""
        nodes = {node.id for node in await self._leader.nodes()}
        self.stuck = {
            one.id
            for one in self.containers_left.values()
            if one.node_id not in nodes and one.desired_state != "running" and one.actual_state == "complete"
        }

    async def step(self) -> bool:
        """One look and what follows from it; False once nothing more can be done."""
        await self.look()
        self.progress()
        if self.services_left:
            await self.delete_services()
            return True
        if not self.containers_left:
            self.last_gone = self.last_gone or time.time()
            return time.monotonic() - self.last_delete < QUIET
        self.last_gone = None
        if not await self.push_containers():
            await self.find_stuck()
        return len(self.stuck) < len(self.containers_left)

    async def run(self) -> None:
        while True:
            more = True
            started = time.monotonic()
            try:
                more = await self.step()
            except WarrenError as error:
                self.failures[str(error)] += 1
            if not more:
                return
            if self._reporter.stopped() or self.silent():
                self._reporter.end_early(self.silent() or "")
                return
            if not self.services_left or self.failures:
                await self._reporter.pause(self._pause() - (time.monotonic() - started))

    def _pause(self) -> float:
        """Seconds between two looks: short where workers write states back, and never in step with their heartbeats.

        Heartbeats and reconciler have timers of 5 s and 10 s, so a record that is "running" again at one tick is so
        at every tick, unless our looks wander.
        """
        interval = min(self._options.interval, HURRY) if self.forced else self._options.interval
        return max(interval * random.uniform(0.5, 1.5), LOOK_SHARE * self._observer.last_time)


def why_left(records: Iterable[t.Any]) -> list[str]:
    """Clauses on records that are still there: whose turn it was with them, as far as their states tell."""
    turns: Counter[tuple[bool, str]] = Counter()
    for one in records:
        wanted = one.desired_state == "running"
        turns[wanted, one.actual_state if one.actual_state == ("failed" if wanted else "complete") else ""] += 1
    reasons = {
        (True, "failed"): "were reported failed, which Warren's reconciler has not taken up",
        (True, ""): "were reported running again by their worker, each time before Warren's reconciler saw them failed",
        (False, "complete"): "are done, and Warren's reconciler has not deleted them",
        (False, ""): "are to stop, and their worker goes on reporting them",
    }
    return [f"{many(count, 'container record')} that are left {reasons[turn]}" for turn, count in turns.most_common()]


async def run(cluster: Cluster, options: Options, reporter: Reporter) -> dict[str, t.Any]:
    """Delete, purge and count; measurements as M(cleanup) documents them."""
    started = time.monotonic()
    cleanup = Cleanup(cluster, options, reporter)
    await cleanup.first_look()
    orphans = sum(one.service_id not in cleanup.services_left for one in cleanup.containers_left.values())
    services_found, containers_found = len(cleanup.services), len(cleanup.containers)
    if cleanup.left and not options.check_mode:
        reporter.event("cleanup", services=services_found, containers=containers_found)
        async with quiet(options.hollow_workers):
            await cleanup.run()
        try:
            await cleanup.look()
        except WarrenError as error:
            reporter.problems.append(f"what is left could not be counted in the end ({error}); the last count is given")
    cleanup.progress(now=True)
    if not options.check_mode:
        reporter.problems += why_left(one for one in cleanup.containers_left.values() if one.id not in cleanup.stuck)
    if cleanup.stuck:
        reporter.problems.append(
            f"{len(cleanup.stuck)} container records cannot be purged, as their nodes are no longer registered"
        )
    reporter.event("cleaned", services_left=len(cleanup.services_left), containers_left=len(cleanup.containers_left))
    names = [service.name for service in cleanup.services.values()]
    names += [one.service_name for one in cleanup.containers.values()]
    return {
        "services_found": services_found,
        "services_deleted": len(cleanup.services) - len(cleanup.services_left),
        "services_left": len(cleanup.services_left),
        "containers_found": containers_found,
        "containers_purged": len(cleanup.containers) - len(cleanup.containers_left),
        "containers_left": len(cleanup.containers_left),
        "orphans_found": orphans,
        "forced": len(cleanup.forced),
        "stuck": len(cleanup.stuck),
        "writes": cleanup.writes,
        "failures": dict(cleanup.failures.most_common()),
        "runs": sorted({run_id for name in names if (run_id := run_id_of(name)) is not None}),
        "duration": time.monotonic() - started,
        "first_delete": cleanup.first_delete,
        "last_gone": None if cleanup.left else cleanup.last_gone,
    }
