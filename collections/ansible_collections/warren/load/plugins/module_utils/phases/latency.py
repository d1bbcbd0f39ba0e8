# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the latency of RPCs by planned arrivals, or in a closed loop."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.warren.load.plugins.module_utils.engine.arrivals import schedule
from ansible_collections.warren.load.plugins.module_utils.engine.audit import Audit
from ansible_collections.warren.load.plugins.module_utils.engine.calls import closed_loop, open_loop
from ansible_collections.warren.load.plugins.module_utils.engine.loop import collected

from .calling import COLUMNS, CallOptions, Calls, describe, encoded_requests, find_manager, mix_facts, totals
from .methods import parse_mix
from .observing import check_positive

if t.TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster
    from ansible_collections.warren.load.plugins.module_utils.engine.calls import Recording
    from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter


@dataclasses.dataclass(frozen=True)
class Options(CallOptions):
    """``calls`` of ``methods`` at ``rate``/s, or by ``concurrency`` callers in a closed loop; ``timeout`` in s."""

    calls: int = 1000
    rate: float = 250.0
    concurrency: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(calls=self.calls, rate=self.rate)
        if self.concurrency < 0:
            raise ValueError(f"concurrency: {self.concurrency} is less than 0")


async def run(cluster: Cluster, options: Options, reporter: Reporter) -> dict[str, t.Any]:
    """Send the calls; measurements as M(latency) documents them, the generator's audit in ``reporter.audit``."""
    manager, client = await find_manager(cluster, options.manager)
    mix = parse_mix(options.methods)
    calls = Calls(mix, options.calls, options.seed, await encoded_requests(client, options.run_id, mix))
    planned = not options.concurrency
    async with client.lean() as lean:
        call = await calls.through(lean, options.timeout)
        with collected(), Audit() as audit:
            recording = await _send(call, f"{mix_facts(calls)['method']} answered by {manager}", options, reporter)
    if recording.left_out:
        reporter.end_early()
    reporter.audit = {"generator": audit.report(recording.send_lag() if planned else [], options.shares_host_with)}
    reporter.samples(COLUMNS, calls.rows(recording))
    await calls.settle(recording, reporter)
    return {
        **mix_facts(calls),
        "manager": manager,
        **totals(recording, options.calls, planned=planned),
        "rate_planned": options.rate if planned else None,
        "arrivals": options.arrivals if planned else None,
        "seed": options.seed,
        "concurrency": options.concurrency,
        "methods": calls.by_method(recording, planned=planned),
    }


async def _send(call: Callable[[int], Awaitable[object]], what: str, options: Options, reporter: Reporter) -> Recording:
    def progress(done: int) -> None:
        text = f"{done} of {options.calls} calls of {what}"
        reporter.progress(done, options.calls, "calls", text, now=done == options.calls)

    if options.concurrency:
        return await closed_loop(
            call,
            options.calls,
            options.concurrency,
            drain=options.timeout,
            ended=reporter.stopped,
            progress=progress,
            describe=describe,
        )
    return await open_loop(
        call,
        schedule(options.arrivals, options.rate, options.calls, options.seed),
        outstanding=options.outstanding,
        drain=options.timeout,
        ended=reporter.stopped,
        progress=progress,
        describe=describe,
    )
