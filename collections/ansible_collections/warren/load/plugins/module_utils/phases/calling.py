# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many clocked calls to one manager, and what they add up to: what the phases latency and throughput share."""

from __future__ import annotations

import dataclasses
import itertools
import typing as t
from collections import Counter

from ansible_collections.warren.load.plugins.module_utils.api.cluster import ENQUEUE_SLACK, ENQUEUE_TIMEOUT
from ansible_collections.warren.load.plugins.module_utils.api.errors import WarrenError
from ansible_collections.warren.load.plugins.module_utils.api.run_names import run_id_of
from ansible_collections.warren.load.plugins.module_utils.engine import calls as engine
from ansible_collections.warren.load.plugins.module_utils.stats.summaries import number, summary

from .methods import DEFAULT, WRITES, Mix, interleaved, joined, parse_mix, requests
from .observing import check_positive, check_run_id, most_frequent

if t.TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ansible_collections.warren.load.plugins.module_utils.api.client import Client
    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster
    from ansible_collections.warren.load.plugins.module_utils.api.lean_client import LeanClient
    from ansible_collections.warren.load.plugins.module_utils.engine.calls import Recording
    from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter

LEADER_PATIENCE = 15.0  # seconds
COLUMNS = (*engine.COLUMNS, "method")


@dataclasses.dataclass(frozen=True)
class CallOptions:
    """What is called, by which plan, and where; ``timeout`` in s. The options of doc fragment calls."""

    run_id: str
    methods: list[str] = dataclasses.field(default_factory=lambda: [DEFAULT])
    arrivals: str = "poisson"
    seed: int = 1
    outstanding: int = 1000
    timeout: float = 10.0
    manager: str | None = None
    shares_host_with: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        check_run_id(self.run_id)
        check_positive(outstanding=self.outstanding, timeout=self.timeout)
        try:
            parse_mix(self.methods)
        except ValueError as error:
            raise ValueError(f"methods: {error}") from error


async def find_manager(cluster: Cluster, name: str | None) -> tuple[str, Client]:
    """The manager to measure, by default the leader; ValueError for one that is not there."""
    if name is None:
        return await cluster.leader(LEADER_PATIENCE)
    if name in cluster.clients:
        return name, cluster.clients[name]
    raise ValueError(f"manager: {name} is not one of {', '.join(cluster.clients)}, or does not answer")


def describe(error: BaseException) -> str:
    """A failed call's text."""
    return str(error if isinstance(error, WarrenError) else WarrenError(str(error), type(error).__name__))


async def encoded_requests(client: Client, run_id: str, mix: Mix) -> dict[str, list[bytes]]:
    """Requests for a mix, about the services of the run; ValueError where a method needs one and there is none."""
    services = (await client.call("ListServices")).services
    encoded = requests(run_id, [one for one in services if run_id_of(one.name) == run_id])
    for name in mix:
        if not encoded[name]:
            raise ValueError(f"methods: {name} needs a service of run {run_id}; create one first, or leave it out")
    return encoded


class Calls:
    """Calls of a mix of methods, planned before the first is sent: all requests are encoded, their order is drawn.

    ``encoded`` is what encoded_requests() gave; ``reply_bytes`` becomes the length of the first method's reply.
    """

    def __init__(self, mix: Mix, calls: int, seed: int, encoded: dict[str, list[bytes]]) -> None:
        self.mix = mix
        self.plan = interleaved(mix, calls, seed)
        self.reply_bytes = 0
        turns = {name: itertools.cycle(encoded[name]) for name in mix}
        self._requests = [next(turns[name]) for name in self.plan]
        self._first = {name: encoded[name][0] for name in mix}

    async def through(self, lean: LeanClient, timeout: float) -> Callable[[int], Awaitable[object]]:
        """``call(index)`` over one connection, which is warm: each method has been called once, before any clock."""
        ways = {name: lean.raw(name, timeout) for name in self.mix}
        replies = {name: await ways[name](self._first[name]) for name in self.mix}
        self.reply_bytes = len(next(iter(replies.values())))
        plan, encoded = [ways[name] for name in self.plan], self._requests

        def call(index: int) -> Awaitable[object]:
            return plan[index](encoded[index])

        return call

    def rows(self, recording: Recording) -> list[tuple[t.Any, ...]]:
        """The samples file's rows."""
        names = (self.plan[index] for index in recording.index)
        return [(*row, name) for row, name in zip(recording.rows(), names, strict=True)]

    def by_method(self, recording: Recording, *, planned: bool) -> list[dict[str, t.Any]]:
        """What became of each method's calls, as ``latency.methods`` in the results."""
        found = []
        counts = Counter(self.plan)
        for name in self.mix:
            part = recording.only(lambda index, name=name: self.plan[index] == name)  # type: ignore[misc]
            times = totals(part, counts[name], planned=planned)
            kept = ("calls", "ok", "errors", "error_count", "service_time", "response_time")
            found.append({"method": name, "write": name in WRITES} | {key: times[key] for key in kept})
        return found

    async def settle(self, recording: Recording, reporter: Reporter) -> None:
        """Where a write got no answer, wait until it can no longer take effect: cleanup must not come before it."""
        if recording.errors() and any(name in WRITES for name in self.mix):
            await reporter.pause(ENQUEUE_TIMEOUT + ENQUEUE_SLACK)


def totals(recording: Recording, calls: int, *, planned: bool) -> dict[str, t.Any]:
    """What calls add up to.

    Without a plan a stalled server stalls its questions as well: there is no response time then, only service time.
    """
    service_time, errors = recording.service_time(), Counter(recording.errors())
    answered = len(service_time)
    return {
        "calls": calls,
        "ok": answered,
        "errors": most_frequent(errors),
        "error_count": errors.total(),
        "unsent": recording.unsent,
        "rate_achieved": number(answered / recording.duration if recording.duration else None, "1/s", answered),
        "send_lag": summary(recording.send_lag() if planned else [], "ms"),
        "service_time": summary(service_time, "ms"),
        "response_time": summary(recording.response_time() if planned else [], "ms"),
        "duration": recording.duration,
    }


def mix_facts(calls: Calls) -> dict[str, t.Any]:
    """What was called, for the results."""
    return {"method": joined(calls.mix), "mix": calls.mix, "reply_bytes": calls.reply_bytes}
