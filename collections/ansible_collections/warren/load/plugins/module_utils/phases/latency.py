# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the latency of one RPC by planned arrivals, or in a closed loop."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.warren.load.plugins.module_utils.api.errors import WarrenError
from ansible_collections.warren.load.plugins.module_utils.api.run_names import service_name
from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.engine.arrivals import schedule
from ansible_collections.warren.load.plugins.module_utils.engine.audit import Audit
from ansible_collections.warren.load.plugins.module_utils.engine.calls import COLUMNS, closed_loop, open_loop
from ansible_collections.warren.load.plugins.module_utils.engine.loop import collected
from ansible_collections.warren.load.plugins.module_utils.stats.summaries import number, summary

from .observing import check_positive, check_run_id

if t.TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster
    from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter

LEADER_PATIENCE = 15.0  # seconds


def _empty(_run_id: str) -> bytes:
    return b""


def _first_service(run_id: str) -> bytes:
    request: bytes = message("GetServiceRequest")(name=service_name(run_id, 1)).SerializeToString()
    return request


# The request of each method that can be measured, encoded before the clock runs.
METHODS: dict[str, Callable[[str], bytes]] = {
    "ListServices": _empty,
    "ListContainers": _empty,
    "ListNodes": _empty,
    "ListSecrets": _empty,
    "ListVolumes": _empty,
    "GetClusterInfo": _empty,
    "GetService": _first_service,
}


@dataclasses.dataclass(frozen=True)
class Options:
    """``calls`` of ``method`` at ``rate``/s, or by ``concurrency`` callers in a closed loop; ``timeout`` in s."""

    run_id: str
    method: str = "ListServices"
    calls: int = 1000
    rate: float = 250.0
    arrivals: str = "poisson"
    seed: int = 1
    concurrency: int = 0
    outstanding: int = 1000
    timeout: float = 10.0
    manager: str | None = None
    shares_host_with: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        check_run_id(self.run_id)
        check_positive(calls=self.calls, rate=self.rate, outstanding=self.outstanding, timeout=self.timeout)
        if self.concurrency < 0:
            raise ValueError(f"concurrency: {self.concurrency} is less than 0")
        if self.method not in METHODS:
            raise ValueError(f"method: {self.method} is none of {', '.join(sorted(METHODS))}")


async def run(cluster: Cluster, options: Options, reporter: Reporter) -> dict[str, t.Any]:
    """Send the calls; measurements as M(latency) documents them, the generator's audit in ``reporter.audit``."""
    if options.manager is None:
        manager, client = await cluster.leader(LEADER_PATIENCE)
    elif options.manager in cluster.clients:
        manager, client = options.manager, cluster.clients[options.manager]
    else:
        raise ValueError(f"manager: {options.manager} is not one of {', '.join(cluster.clients)}, or does not answer")
    request = METHODS[options.method](options.run_id)
    async with client.lean() as lean:
        return await _measure(lean.raw(options.method, options.timeout), request, manager, options, reporter)


async def _measure(
    method: Callable[[bytes], Awaitable[bytes]], request: bytes, manager: str, options: Options, reporter: Reporter
) -> dict[str, t.Any]:
    reply_bytes = len(await method(request))  # before any clock runs

    async def call(_index: int) -> None:
        await method(request)

    def describe(error: BaseException) -> str:
        return str(error if isinstance(error, WarrenError) else WarrenError(str(error), type(error).__name__))

    def progress(done: int) -> None:
        text = f"{done} of {options.calls} calls of {options.method} answered by {manager}"
        reporter.progress(done, options.calls, "calls", text, now=done == options.calls)

    with collected(), Audit() as audit:
        if options.concurrency:
            recording = await closed_loop(
                call,
                options.calls,
                options.concurrency,
                drain=options.timeout,
                ended=reporter.stopped,
                progress=progress,
                describe=describe,
            )
        else:
            recording = await open_loop(
                call,
                schedule(options.arrivals, options.rate, options.calls, options.seed),
                outstanding=options.outstanding,
                drain=options.timeout,
                ended=reporter.stopped,
                progress=progress,
                describe=describe,
            )
    if recording.left_out:
        reporter.end_early()
    if recording.refused:
        reporter.problems.append(
            f"{recording.refused} of {options.calls} calls were not sent, as {options.outstanding} were outstanding"
        )
    lag = [] if options.concurrency else recording.send_lag()
    reporter.audit = {"generator": audit.report(lag, options.shares_host_with)}
    reporter.samples(COLUMNS, recording.rows())
    service_time, errors = recording.service_time(), recording.errors()
    answered = len(service_time)
    return {
        "method": options.method,
        "manager": manager,
        "calls": options.calls,
        "ok": answered,
        "errors": errors,
        "error_count": sum(errors.values()),
        "unsent": recording.unsent,
        "rate_planned": None if options.concurrency else options.rate,
        "rate_achieved": number(answered / recording.duration if recording.duration else None, "1/s", answered),
        "arrivals": None if options.concurrency else options.arrivals,
        "seed": options.seed,
        "concurrency": options.concurrency,
        "send_lag": summary(lag, "ms"),
        "service_time": summary(service_time, "ms"),
        "response_time": summary(recording.response_time(), "ms"),
        "reply_bytes": reply_bytes,
        "duration": recording.duration,
    }
