# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create the services of a run and clock each."""

from __future__ import annotations

import asyncio
import dataclasses
import time
import typing as t
from collections import Counter

from ansible_collections.warren.load.plugins.module_utils.api.run_names import service_name
from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.engine.arrivals import schedule
from ansible_collections.warren.load.plugins.module_utils.engine.calls import (
    CUT_OFF,
    closed_loop,
    describe_by_type,
    open_loop,
)
from ansible_collections.warren.load.plugins.module_utils.stats.summaries import number, summary

from .observing import check_positive, check_run_id, most_frequent

if t.TYPE_CHECKING:
    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster
    from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter

STATUSES = ("created", "found", "failed", "ambiguous")
COLUMNS = ("service", "sent_s", "done_s", "status", "attempts", "id", "error")
LEAST_DEADLINE = 0.1
DRAIN = 30.0  # seconds that creates under way are waited for once no more are sent


@dataclasses.dataclass(frozen=True)
class Options:
    """``services`` of ``replicas`` containers; ``concurrency`` creates at a time, each for ``service_deadline`` s.

    ``rate``: creates planned a second, evenly spaced; 0 to send each as soon as there is room for it. ``first``: the
    number of the first service, more than 1 where the run has created some before.
    """

    run_id: str
    services: int
    replicas: int
    image: str
    concurrency: int = 1
    rate: float = 0.0
    first: int = 1
    service_deadline: float = DRAIN

    def __post_init__(self) -> None:
        check_run_id(self.run_id)
        check_positive(
            services=self.services,
            replicas=self.replicas,
            concurrency=self.concurrency,
            first=self.first,
            service_deadline=self.service_deadline,
        )
        if self.rate < 0:
            raise ValueError(f"rate: {self.rate} is less than 0")
        if not self.image:
            raise ValueError("image: no image was given")


class _Row(t.NamedTuple):
    service: str
    sent: float
    done: float
    status: str
    attempts: int
    id: str
    error: str


async def run(cluster: Cluster, options: Options, reporter: Reporter) -> dict[str, t.Any]:
    """Create them all, or as many as the deadline allows; measurements as M(create) documents them."""
    rows: list[_Row] = []
    counts: Counter[str] = Counter()
    acknowledged: set[int] = set()
    await cluster.leader(options.service_deadline)  # found and connected before the first clock starts
    start = time.monotonic()
    start_wall = time.time()

    async def create(index: int) -> None:
        name = service_name(options.run_id, options.first + index)
        request = message("CreateServiceRequest")(
            name=name, image=options.image, replicas=options.replicas, mode="replicated"
        )
        reporter.event("create", service=name, replicas=options.replicas)
        sent = time.monotonic() - start
        deadline = max(LEAST_DEADLINE, min(options.service_deadline, reporter.time_left()))
        try:
            created = await cluster.create_service(request, deadline)
        except BaseException as lost:  # cut off, or a defect: whether it is there nobody knows
            text = CUT_OFF if isinstance(lost, asyncio.CancelledError) else describe_by_type(lost)
            reporter.event("ambiguous", service=name, id="", attempts=1, error=text)
            raise
        done = time.monotonic() - start
        service_id = created.service.id if created.service is not None else ""
        error = str(created.error) if created.error is not None else ""
        reporter.event(created.status, service=name, id=service_id, attempts=created.attempts, error=error)
        counts[created.status] += 1
        if created.status == "created":
            acknowledged.add(index)
        rows.append(_Row(name, sent, done, created.status, created.attempts, service_id, error))

    def progress(_done: int) -> None:
        elapsed = max(time.monotonic() - start, 1e-6)
        there = counts["created"] + counts["found"]
        bad = counts["failed"] + counts["ambiguous"]
        text = f"{there} of {options.services} services created, {there / elapsed:.1f}/s, {bad} failed"
        reporter.progress(len(rows), options.services, "services", text, now=len(rows) == options.services)

    if options.rate:
        recording = await open_loop(
            create,
            schedule("uniform", options.rate, options.services, 0),
            outstanding=options.concurrency,
            patient=True,
            drain=DRAIN,
            ended=reporter.stopped,
            progress=progress,
        )
    else:
        recording = await closed_loop(
            create, options.services, options.concurrency, drain=DRAIN, ended=reporter.stopped, progress=progress
        )
    if recording.unsent or len(rows) < options.services:
        reporter.end_early()
    unfollowed = recording.errors()
    for failure, times in unfollowed.items():  # each was under way, so what became of it nobody knows
        counts["ambiguous"] += times
        reporter.problems.append(f"{times} creates were not followed to their end ({failure})")
    reporter.samples(COLUMNS, rows)
    there = [row for row in rows if row.status in ("created", "found")]
    duration = max(row.done for row in there) - min(row.sent for row in rows) if there else None
    answered = recording.only(acknowledged.__contains__)
    causes = Counter(row.error for row in rows if row.status in ("failed", "ambiguous")) + Counter(unfollowed)
    return {
        "services": options.services,
        "replicas": options.replicas,
        **{status: counts[status] for status in STATUSES},
        "left_out": recording.unsent,
        "causes": most_frequent(causes),
        "attempts": sum(row.attempts for row in rows),
        "retries": sum(max(0, row.attempts - 1) for row in rows),
        "concurrency": options.concurrency,
        "rate_planned": options.rate or None,
        "send_lag": summary(recording.send_lag() if options.rate else [], "ms"),
        "duration": duration,
        "rate": number(len(there) / duration if duration else None, "1/s", len(there)),
        "service_time": summary(answered.service_time(), "ms"),
        "response_time": summary(answered.response_time() if options.rate else [], "ms"),
        "first_sent": start_wall + min(row.sent for row in rows) if rows else None,
        "last_acknowledged": start_wall + max(row.done for row in there) if there else None,
    }
