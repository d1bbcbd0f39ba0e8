# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create the services of a run and clock each."""

from __future__ import annotations

import dataclasses
import time
import typing as t
from collections import Counter

from ansible_collections.warren.load.plugins.module_utils.api.run_names import service_name
from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.engine.calls import closed_loop
from ansible_collections.warren.load.plugins.module_utils.stats.summaries import number, summary

from .observing import check_positive, check_run_id

if t.TYPE_CHECKING:
    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster
    from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter

STATUSES = ("created", "found", "failed", "ambiguous")
COLUMNS = ("service", "sent_s", "done_s", "status", "attempts", "id", "error")
LEAST_DEADLINE = 0.1


@dataclasses.dataclass(frozen=True)
class Options:
    """``services`` of ``replicas`` containers; ``concurrency`` creates at a time, each for ``service_deadline`` s."""

    run_id: str
    services: int
    replicas: int
    image: str
    concurrency: int = 1
    service_deadline: float = 30.0

    def __post_init__(self) -> None:
        check_run_id(self.run_id)
        check_positive(
            services=self.services,
            replicas=self.replicas,
            concurrency=self.concurrency,
            service_deadline=self.service_deadline,
        )
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
    await cluster.leader(options.service_deadline)  # found and connected before the first clock starts
    start = time.monotonic()
    start_wall = time.time()

    async def create(index: int) -> None:
        name = service_name(options.run_id, index + 1)
        request = message("CreateServiceRequest")(
            name=name, image=options.image, replicas=options.replicas, mode="replicated"
        )
        reporter.event("create", service=name, replicas=options.replicas)
        sent = time.monotonic() - start
        deadline = max(LEAST_DEADLINE, min(options.service_deadline, reporter.time_left()))
        created = await cluster.create_service(request, deadline)
        done = time.monotonic() - start
        service_id = created.service.id if created.service is not None else ""
        error = str(created.error) if created.error is not None else ""
        reporter.event(created.status, service=name, id=service_id, attempts=created.attempts, error=error)
        counts[created.status] += 1
        rows.append(_Row(name, sent, done, created.status, created.attempts, service_id, error))

    def progress(_done: int) -> None:
        elapsed = max(time.monotonic() - start, 1e-6)
        there = counts["created"] + counts["found"]
        bad = counts["failed"] + counts["ambiguous"]
        text = f"{there} of {options.services} services created, {there / elapsed:.1f}/s, {bad} failed"
        reporter.progress(len(rows), options.services, "services", text, now=len(rows) == options.services)

    recording = await closed_loop(
        create, options.services, options.concurrency, ended=reporter.stopped, progress=progress
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
    causes = Counter(row.error for row in rows if row.status in ("failed", "ambiguous")) + Counter(unfollowed)
    return {
        "services": options.services,
        "replicas": options.replicas,
        **{status: counts[status] for status in STATUSES},
        "left_out": recording.unsent,
        "causes": dict(causes.most_common()),
        "attempts": sum(row.attempts for row in rows),
        "retries": sum(max(0, row.attempts - 1) for row in rows),
        "concurrency": options.concurrency,
        "duration": duration,
        "rate": number(len(there) / duration if duration else None, "1/s", len(there)),
        "service_time": summary([(row.done - row.sent) * 1e3 for row in rows if row.status == "created"], "ms"),
        "first_sent": start_wall + min(row.sent for row in rows) if rows else None,
        "last_acknowledged": start_wall + max(row.done for row in there) if there else None,
    }
