# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The load testing guide's API Throughput Test, and beside it the same server under planned arrivals at half that rate.

The guide's two forms are closed loops: ``ab -n 1000 -c 10`` keeps 10 calls outstanding, its shell loop has 10 clients
that call 100 times each, one after another. They find the highest rate. Their times hide stalls (a stalled server is
asked less), so what is judged are the response times of the planned arrivals.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
import typing as t

from ansible_collections.warren.load.plugins.module_utils.engine.arrivals import schedule
from ansible_collections.warren.load.plugins.module_utils.engine.audit import Audit
from ansible_collections.warren.load.plugins.module_utils.engine.calls import Recording, closed_loop, merged, open_loop
from ansible_collections.warren.load.plugins.module_utils.engine.loop import collected

from .calling import COLUMNS, CallOptions, Calls, describe, encoded_requests, find_manager, mix_facts, totals
from .methods import parse_mix
from .observing import check_positive

if t.TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ansible_collections.warren.load.plugins.module_utils.api.client import Client
    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster
    from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter

    Way = Callable[[int], Awaitable[object]]

SHARE = 0.5  # of the highest rate, for the planned arrivals


@dataclasses.dataclass(frozen=True)
class Options(CallOptions):
    """``calls`` at ``concurrency``, ``clients`` by ``calls_each``, then ``planned_calls`` at half the highest rate."""

    calls: int = 1000
    concurrency: int = 10
    clients: int = 10
    calls_each: int = 100
    planned_calls: int = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(
            calls=self.calls,
            concurrency=self.concurrency,
            clients=self.clients,
            calls_each=self.calls_each,
            planned_calls=self.planned_calls,
        )


async def run(cluster: Cluster, options: Options, reporter: Reporter) -> dict[str, t.Any]:
    """Make all three; measurements as M(throughput) documents them, the generator's audit in ``reporter.audit``."""
    manager, client = await find_manager(cluster, options.manager)
    started = time.monotonic()
    encoded = await encoded_requests(client, options.run_id, parse_mix(options.methods))
    test = _Test(manager, client, encoded, options, reporter)
    with collected():
        kept, kept_calls = await test.kept_outstanding()
        parallel, parallel_calls = await test.parallel()
        highest = max(_rate(kept), _rate(parallel))
        result: dict[str, t.Any] = {
            **mix_facts(kept_calls),
            "manager": manager,
            "ab": {
                "concurrency": options.concurrency,
                "connections": 1,
                **_closed(kept, options.calls),
            },
            "parallel": {
                "clients": options.clients,
                "calls_each": options.calls_each,
                "connections": options.clients,
                **_closed(parallel, options.clients * options.calls_each),
            },
            "planned": None,
        }
        rows = [("ab", *row) for row in kept_calls.rows(kept)]
        rows += [("parallel", *row) for row in parallel_calls.rows(parallel)]
        reached = (result["ab"]["rate"], result["parallel"]["rate"])
        result["highest_rate"] = max(reached, key=lambda entry: entry["value"] or 0.0)
        if not highest:
            reporter.problems.append("No call was answered in the closed loops, so no rate could be planned from them")
        elif not reporter.stopped():
            with Audit() as audit:
                planned, planned_calls = await test.planned(highest * SHARE)
            lag = planned.send_lag()
            reporter.audit = {"generator": audit.report(lag, options.shares_host_with)}
            result["planned"] = {
                **mix_facts(planned_calls),
                "manager": manager,
                **totals(planned, options.planned_calls, planned=True),
                "rate_planned": highest * SHARE,
                "arrivals": options.arrivals,
                "seed": options.seed,
                "concurrency": 0,
                "methods": planned_calls.by_method(planned, planned=True),
            }
            rows += [("planned", *row) for row in planned_calls.rows(planned)]
            await planned_calls.settle(planned, reporter)
    if test.left_out or (highest and result["planned"] is None):
        reporter.end_early()
    reporter.samples(("part", *COLUMNS), rows)
    result["duration"] = time.monotonic() - started
    return result


def _rate(recording: Recording) -> float:
    return len(recording.service_time()) / recording.duration if recording.duration else 0.0


def _closed(recording: Recording, calls: int) -> dict[str, t.Any]:
    """A closed loop's part of the measurements: no response time, no send lag."""
    found = totals(recording, calls, planned=False)
    found["rate"] = found.pop("rate_achieved")
    del found["response_time"], found["send_lag"]
    return found


class _Test:
    """The three parts, one after another, on connections of their own."""

    def __init__(
        self, manager: str, client: Client, encoded: dict[str, list[bytes]], options: Options, reporter: Reporter
    ) -> None:
        self._manager = manager
        self._client = client
        self._encoded = encoded
        self._options = options
        self._reporter = reporter
        self._mix = parse_mix(options.methods)
        self._done = self._told = 0  # calls made in the parts that are over, and in all
        self._total = options.calls + options.clients * options.calls_each + options.planned_calls
        self.left_out = 0

    async def kept_outstanding(self) -> tuple[Recording, Calls]:
        """``concurrency`` calls outstanding on one connection."""
        options = self._options
        calls = self._calls(options.calls)
        async with self._client.lean() as lean:
            call = await calls.through(lean, options.timeout)
            told = self._teller(f"{options.concurrency} at a time")
            recording = await self._closed(call, options.calls, options.concurrency, told)
        self._add(recording)
        return recording, calls

    async def parallel(self) -> tuple[Recording, Calls]:
        """``clients`` connections, on each of which one call follows another."""
        options = self._options
        each = options.calls_each
        calls = self._calls(options.clients * each)
        async with contextlib.AsyncExitStack() as stack:
            ways = []
            for _client in range(options.clients):
                lean = await stack.enter_async_context(self._client.lean())
                ways.append(await calls.through(lean, options.timeout))

            def share(way: Way, first: int) -> Way:
                return lambda index: way(first + index)

            told = self._teller(f"{options.clients} clients")
            started = time.monotonic()
            loops = [self._closed(share(way, each * client), each, 1, told) for client, way in enumerate(ways)]
            recording = merged(await asyncio.gather(*loops), each, time.monotonic() - started)
        self._add(recording)
        return recording, calls

    async def planned(self, rate: float) -> tuple[Recording, Calls]:
        """Planned arrivals at ``rate``/s on one connection."""
        options = self._options
        calls = self._calls(options.planned_calls)
        async with self._client.lean() as lean:
            call = await calls.through(lean, options.timeout)
            recording = await open_loop(
                call,
                schedule(options.arrivals, rate, options.planned_calls, options.seed),
                outstanding=options.outstanding,
                drain=options.timeout,
                ended=self._reporter.stopped,
                progress=self._teller(f"planned at {rate:.0f}/s"),
                describe=describe,
            )
        self._add(recording)
        if recording.refused:
            self._reporter.problems.append(
                f"{recording.refused} of {options.planned_calls} calls were not sent, "
                f"as {options.outstanding} were outstanding"
            )
        return recording, calls

    def _calls(self, count: int) -> Calls:
        return Calls(self._mix, count, self._options.seed, self._encoded)

    async def _closed(self, call: Way, calls: int, concurrency: int, told: Callable[[int], None]) -> Recording:
        return await closed_loop(
            call,
            calls,
            concurrency,
            drain=self._options.timeout,
            ended=self._reporter.stopped,
            progress=told,
            describe=describe,
        )

    def _add(self, recording: Recording) -> None:
        self._done += len(recording)
        self.left_out += recording.left_out

    def _teller(self, what: str) -> Callable[[int], None]:
        """Progress of the part that begins: what callers at the same time have done is told as the most of them."""

        def tell(done: int) -> None:
            self._told = max(self._told, self._done + done)
            text = f"{self._told} of {self._total} calls answered by {self._manager}, {what}"
            self._reporter.progress(self._told, self._total, "calls", text, now=self._told == self._total)

        return tell
