# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Delete a run's services as a user does, wait until the cluster has settled, and count what is left of them."""

from __future__ import annotations

import dataclasses
import time
import typing as t
from collections import Counter

from ansible_collections.warren.load.plugins.module_utils.api.errors import WarrenError
from ansible_collections.warren.load.plugins.module_utils.api.run_names import run_id_of
from ansible_collections.warren.load.plugins.module_utils.objectives.units import clock

from .cleanup import Cleanup
from .observing import Observer, check_positive, check_run_id, is_running, most_frequent

if t.TYPE_CHECKING:
    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster
    from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter

RETRY_PAUSE = 1.0


@dataclasses.dataclass(frozen=True)
class Options:
    """Wait for ``seconds`` after the last service is gone, with a look each ``interval`` s."""

    run_id: str
    seconds: float
    interval: float = 5.0
    outstanding: int = 16

    def __post_init__(self) -> None:
        check_run_id(self.run_id)
        check_positive(seconds=self.seconds, interval=self.interval)

    def owns(self, name: str) -> bool:
        """Whether a service of that name is to be deleted."""
        return run_id_of(name) == self.run_id


async def run(cluster: Cluster, options: Options, reporter: Reporter) -> dict[str, t.Any]:
    """Delete, wait and count; measurements as M(settle) documents them."""
    started = time.monotonic()
    cleanup = Cleanup(cluster, options, reporter, silent=True)
    await cleanup.first_look()
    while cleanup.services_left and not (reporter.stopped() or cleanup.silent()):
        refused = cleanup.failures.total()
        await cleanup.delete_services()
        try:
            await cleanup.look()
        except WarrenError:
            await reporter.pause(RETRY_PAUSE)
            continue
        if cleanup.failures.total() == refused:
            break  # a service that is still there was said to be deleted: it is not deleted twice
    observer = Observer(cluster, leader_only=True, time_left=reporter.time_left)
    failures: Counter[str] = Counter()
    end = time.monotonic() + options.seconds
    while (left := end - time.monotonic()) > 0 and not reporter.stopped():
        try:
            await cleanup.look()
        except WarrenError as error:
            failures[str(error)] += 1
        text = f"{len(cleanup.services_left)} services and {len(cleanup.containers_left)} container records left"
        done = options.seconds - left
        reporter.progress(int(done), int(options.seconds), "s", f"{clock(done)} of {clock(options.seconds)}, {text}")
        await reporter.pause(min(options.interval, max(0.05, left)))
    if reporter.stopped():
        reporter.end_early()
    for failure, count in most_frequent(failures, 5).items():
        reporter.problems.append(f"{count} looks failed while the cluster settled ({failure})")
    there = await observer.services()
    services, left = {one.id for one in there}, sum(options.owns(one.name) for one in there)
    records = [one for one in await observer.containers() if options.owns(one.service_name)]
    deleted = len(cleanup.services) - left
    text = f"{deleted} services deleted, {len(records)} container records left"
    reporter.progress(int(options.seconds), int(options.seconds), "s", text, now=True)
    return {
        "seconds": options.seconds,
        "deleted": deleted,
        "services_left": left,
        "records_left": len(records),
        "orphans": sum(one.service_id not in services for one in records),
        "running": sum(is_running(one) for one in records),
        "states": dict(Counter(one.actual_state for one in records).most_common()),
        "duration": time.monotonic() - started,
    }
