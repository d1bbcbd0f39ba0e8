# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask every manager many times a second, whatever comes back: when could be written, when read, and who led.

Each manager gets three streams of calls at planned times: a write that changes nothing (one Raft commit, which only the
leader makes), a read of its own store, and the question who leads. A connection that gives no answer is given up and
opened again ten times a second, so that neither TCP's nor gRPC's patience is taken for the cluster's.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
import typing as t
from collections import Counter

from ansible_collections.warren.load.plugins.module_utils.api.errors import (
    DeadlineExceeded,
    Unreachable,
    WarrenError,
)
from ansible_collections.warren.load.plugins.module_utils.api.lean_client import LeanClient
from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.engine import calls as engine
from ansible_collections.warren.load.plugins.module_utils.engine.audit import Audit
from ansible_collections.warren.load.plugins.module_utils.engine.loop import collected
from ansible_collections.warren.load.plugins.module_utils.stats.outages import blindness, outages, resolution, terms
from ansible_collections.warren.load.plugins.module_utils.stats.summaries import number, summary

from .calling import describe
from .methods import requests
from .observing import check_positive, check_run_id, most_frequent

if t.TYPE_CHECKING:
    from ansible_collections.warren.load.plugins.module_utils.api.channel import Resolved
    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster, Manager
    from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
    from ansible_collections.warren.load.plugins.module_utils.engine.calls import Recording
    from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter

WRITE, READ, VIEW = "DeleteSecret", "ListNodes", "GetClusterInfo"
STREAMS = (WRITE, READ, VIEW)
COARSEST = 10.0  # probes a second: the resolution is to be 100 ms or better
ATTEMPT_EVERY = 0.1  # seconds between two tries to connect
ATTEMPT_LIFE = 1.0  # seconds for a try
END = "probe-end"  # a file of this name in work_dir ends the phase
MOST = 100  # outages, terms and views in the results
COLUMNS = (*engine.COLUMNS, "manager", "method")


@dataclasses.dataclass(frozen=True)
class Options:
    """``rate`` probes a second of each stream for ``seconds``; ``timeout`` and ``least_outage`` in s."""

    run_id: str
    seconds: float
    rate: float = 20.0
    timeout: float = 1.0
    least_outage: float = 0.2
    shares_host_with: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        check_run_id(self.run_id)
        check_positive(seconds=self.seconds, timeout=self.timeout, least_outage=self.least_outage)
        if self.rate < COARSEST:
            raise ValueError(
                f"rate: {self.rate:g} probes a second see nothing shorter than {1000 / max(self.rate, 0.001):.0f} ms; "
                f"take at least {COARSEST:g} (warren_load_probe_rate)"
            )
        if self.least_outage < 2 / self.rate:
            raise ValueError(
                f"least_outage: {self.least_outage:g} s is less than two probes at {self.rate:g}/s are apart; take "
                "more of either"
            )


class Line:
    """A connection to one manager that does not wait: while there is none, calls fail at once."""

    def __init__(self, manager: Manager, resolved: Resolved, dialect: Dialect, timeout: float) -> None:
        self.name = manager.name
        self._target = (manager.api_address, resolved, dialect)
        self._timeout = timeout
        self._client: LeanClient | None = None
        self._ways: dict[str, t.Any] = {}
        self._why = f"no connection to {manager.api_address} yet"
        self._opening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Line:
        self._opening = asyncio.create_task(self._open())
        with contextlib.suppress(TimeoutError):  # one that is down already is probed all the same
            await asyncio.wait_for(asyncio.shield(self._opening), ATTEMPT_LIFE)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait({self._opening})
        if self._client is not None:
            await self._client.__aexit__()

    async def call(self, method: str, request: bytes) -> bytes:
        """The reply; raises WarrenError."""
        client = self._client
        if client is None:
            raise Unreachable(self._why, method=method, sent=False)
        try:
            return t.cast("bytes", await self._ways[method](request))
        except (Unreachable, DeadlineExceeded) as error:
            # A write may wait for a majority that is not there; a read that gets no answer has lost its server.
            if client is self._client and (method != WRITE or isinstance(error, Unreachable)):
                self._client, self._why = None, error.details
                self._opening = asyncio.create_task(self._open(client))
            raise

    async def _open(self, lost: LeanClient | None = None) -> None:
        if lost is not None:
            await lost.__aexit__()
        attempts: set[asyncio.Task[None]] = set()
        try:
            while self._client is None:
                attempt = asyncio.create_task(self._attempt())
                attempts.add(attempt)
                attempt.add_done_callback(attempts.discard)
                await asyncio.wait({attempt}, timeout=ATTEMPT_EVERY)
                if self._client is None and attempt.done():
                    await asyncio.sleep(ATTEMPT_EVERY)  # refused at once
        finally:
            for attempt in set(attempts):
                attempt.cancel()

    async def _attempt(self) -> None:
        client = LeanClient(*self._target)
        try:
            async with asyncio.timeout(ATTEMPT_LIFE):
                await client.open()
        except (WarrenError, OSError) as error:
            self._why = str(getattr(error, "details", "")) or self._why
            return
        if self._client is None:
            self._ways = {method: client.raw(method, self._timeout) for method in STREAMS}
            self._client = client
        else:
            await client.__aexit__()


class Views:
    """Who leads, as each manager says, and when it changed its mind."""

    def __init__(self, by_raft_address: dict[str, str]) -> None:
        self.changes: list[tuple[float, str, str]] = []
        self._by_raft_address = by_raft_address
        self._last: dict[str, str] = {}

    def see(self, moment: float, manager: str, reply: bytes) -> None:
        """Take note of a manager's GetClusterInfo."""
        info = message("GetClusterInfoResponse").FromString(reply)
        leader = self._by_raft_address.get(info.leader_addr) or info.leader_id or info.leader_addr
        if self._last.get(manager) != leader:
            self._last[manager] = leader
            self.changes.append((moment, manager, leader))


async def run(cluster: Cluster, options: Options, reporter: Reporter) -> dict[str, t.Any]:
    """Probe until the time is over; measurements as M(probe) documents them."""
    for name in set(cluster.managers) - set(cluster.resolved):
        reporter.problems.append(f"{name} did not answer when the probes began, so it was not probed")
    managers = [manager for name, manager in cluster.managers.items() if name in cluster.resolved]
    views = Views({one.raft_address: one.name for one in cluster.managers.values() if one.raft_address})
    encoded = requests(options.run_id, [])
    streams = [(manager.name, method) for manager in managers for method in STREAMS]
    width = len(streams)
    rounds = max(2, round(options.seconds * options.rate))
    clock = asyncio.get_running_loop().time
    async with contextlib.AsyncExitStack() as stack:
        lines = {}
        for manager in managers:
            line = Line(manager, cluster.resolved[manager.name], cluster.dialect, options.timeout)
            lines[manager.name] = await stack.enter_async_context(line)
        ways = [(lines[name], method, encoded[method][0]) for name, method in streams]

        async def call(index: int) -> None:
            line, method, request = ways[index % width]
            reply = await line.call(method, request)
            if method == VIEW:
                views.see(clock() - start, line.name, reply)

        def progress(done: int) -> None:
            reporter.progress(done, rounds * width, "probes", f"{done} probes of {len(managers)} managers")

        # Spread over the period: no two are sent at the same time.
        offsets = [index / (options.rate * width) for index in range(rounds * width)]
        with collected(), Audit() as audit:
            start, began = clock() + engine.LEAD, time.time() + engine.LEAD
            recording = await engine.open_loop(
                call,
                offsets,
                outstanding=max(1000, int(2 * width * options.rate * options.timeout)),
                drain=options.timeout,
                ended=lambda: reporter.stopped() or (reporter.work_dir / END).exists(),
                progress=progress,
                describe=describe,
            )
    if reporter.stopped():
        reporter.end_early()
    reporter.audit = {"generator": audit.report(recording.send_lag(), options.shares_host_with)}
    rows = zip(recording.index, recording.rows(), strict=True)
    reporter.samples(COLUMNS, ((*row, *streams[index % width]) for index, row in rows))
    return _measured(recording, streams, views, options, began)


def _measured(
    recording: Recording, streams: list[tuple[str, str]], views: Views, options: Options, began: float
) -> dict[str, t.Any]:
    width = len(streams)
    until = max(recording.sent, default=0.0)
    parts = {stream: recording.only(lambda index, n=n: index % width == n) for n, stream in enumerate(streams)}  # type: ignore[misc]
    finest = max((resolution(part.sent) or 0.0 for part in parts.values()), default=0.0)
    acknowledged = [
        (done, name) for (name, method), part in parts.items() if method == WRITE for done in _answered(part)
    ]

    def told(answers: list[float], streams_sent: list[list[float]]) -> dict[str, t.Any]:
        """The outages in which somebody asked: for most of one in which nobody did, the generator stood still."""
        known = [
            (one, max(blindness(sent, one, until) for sent in streams_sent))
            for one in outages(answers, 0.0, until, options.least_outage)
        ]
        found = [(one, within) for one, within in known if within < one.seconds(until) / 2]
        longest, within = max(found, key=lambda entry: entry[0].seconds(until), default=(None, finest))
        seconds = longest.seconds(until) if longest else 0.0
        return {
            "outages": [
                {
                    "start": _moment(began + one.start),
                    "end": None if one.end is None else _moment(began + one.end),
                    "seconds": round(one.seconds(until), 3),
                    "within": round(within, 3),
                }
                for one, within in found[:MOST]
            ],
            "outage_count": len(found),
            "longest_outage": number(
                seconds, "s", len(found), max(0.0, seconds - 2 * within), seconds if longest else options.least_outage
            ),
            "recovered": not any(one.end is None for one, _within in found),
        }

    rows = []
    for name in dict.fromkeys(name for name, _method in streams):
        read, write = parts[name, READ], parts[name, WRITE]
        rows.append(
            {
                "name": name,
                "probes": len(read),
                "answered": len(_answered(read)),
                "errors": most_frequent(Counter(read.errors()), 5),
                "writes_acknowledged": len(_answered(write)),
                "service_time": summary(read.service_time(), "ms"),
                **told(_answered(read), [list(read.sent)]),
            }
        )
    refused = Counter[str]()
    for (_name, method), part in parts.items():
        if method == WRITE:
            refused.update(part.errors())
    return {
        "started": _moment(began),
        "ended": _moment(began + until),
        "duration": round(until, 3),
        "rate": options.rate,
        "least_outage": options.least_outage,
        "resolution": number(finest * 1e3, "ms", len(recording)),
        "unsent": recording.unsent,
        "writes": {
            "probes": sum(len(part) for (_name, method), part in parts.items() if method == WRITE),
            "acknowledged": len(acknowledged),
            "errors": most_frequent(refused, 10),
            **told(
                [done for done, _name in acknowledged],
                [list(part.sent) for (_name, method), part in parts.items() if method == WRITE],
            ),
        },
        "managers": rows,
        "terms": [
            {"leader": term.who, "start": _moment(began + term.start), "end": _moment(began + term.end)}
            for term in terms(acknowledged)[:MOST]
        ],
        "views": [
            {"time": _moment(began + moment), "manager": manager, "leader": leader}
            for moment, manager, leader in views.changes[:MOST]
        ],
    }


def _answered(part: Recording) -> list[float]:
    return [done for done, position in zip(part.done, part.outcome, strict=True) if not position]


def _moment(unix: float) -> float:
    return round(unix, 4)
