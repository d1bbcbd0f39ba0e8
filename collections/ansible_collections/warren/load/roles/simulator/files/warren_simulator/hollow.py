# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hollow workers: they register, heartbeat and obey like Warren's workers, but run nothing. Many fit in one process.

Where they differ from a real worker (facts/warren.md 4.4), and why:

- A real worker reports `complete` only if a heartbeat falls into the 2 s before it forgets a stopped container, so six
  of ten stopped records stay for ever. A hollow one reports until the manager has acknowledged it, and also for records
  it does not know (it was restarted), so that Warren can delete them. Defect ``leaked-shutdown`` brings the loss back.
- It forgets containers whose record is gone. A real one goes on reporting them, which the manager ignores.
- It believes a record that says `failed` of what it runs, which only a cleanup writes. A real one reports `running`
  again, which undoes the purge of records until it happens to lose that race.
- It retries a refused registration, at the leader if ``managers`` names its API address. A real one exits.

As a real one, it never fails over afterwards: its heartbeats go to the manager it registered with.
"""

from __future__ import annotations

import asyncio
import dataclasses
import heapq
import json
import os
import random
import resource
import signal
import sys
import time
import typing as t
from pathlib import Path

import grpc

from ansible_collections.warren.load.plugins.module_utils.api.channel import Security, resolve
from ansible_collections.warren.load.plugins.module_utils.api.client import Client, detect_dialect
from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.errors import NotLeader, WarrenError, from_rpc
from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.api.timers import HEARTBEAT, WORKER_POLL

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Seconds, as in Warren's worker; the clock factor divides them.
CALL_DEADLINE = 5.0
REGISTER_DEADLINE = 10.0
STOPPED_KEPT = 2.0

SHORTEST_DEADLINE = 1.0  # real seconds: a clock factor makes timers fast, not the network
CHUNK = 800  # statuses in one heartbeat of mode `changes`
LATE_SHARE = 0.1  # a timer that fires later than this share of its interval is late
QUIET_FOR = 60.0  # real seconds after the last request: who asked may have been killed
STATS_INTERVAL = 1.0  # real seconds
REGISTER_PAUSE = 0.5
REGISTERING_AT_ONCE = 16
ERROR_TEXTS = 50  # different texts kept; the rest is counted together

PENDING, RUNNING, FAILED, COMPLETE = "pending", "running", "failed", "complete"
DEFECTS = ("leaked-shutdown", "pull-failure", "complete-respawn")
_EXITS_AT_ONCE = frozenset(("alpine", "busybox", "hello-world"))


@dataclasses.dataclass(frozen=True)
class Behaviour:
    """What the containers do: ``start_delay`` (clock s), ``fail_fraction`` (0 to 1), ``heartbeats`` full, changes."""

    start_delay: float = 0.0
    fail_fraction: float = 0.0
    heartbeats: str = "full"
    defects: frozenset[str] = frozenset()


def has_registry(image: str) -> bool:
    """Whether containerd would find a registry in ``image``: `nginx:latest` has none, docker.io/library/nginx has."""
    host, slash, _rest = image.partition("/")
    return bool(slash) and ("." in host or ":" in host or host == "localhost")


class Beat(t.NamedTuple):
    """One heartbeat to send: the encoded request, and the states it reports (container id: state)."""

    request: bytes
    states: dict[str, str]


@dataclasses.dataclass
class Held:
    """A container as its worker holds it; ``stopped``: its shutdown was asked for; ``reported``: the manager knows."""

    state: str
    image: str = ""
    stopped: bool = False
    reported: bool = False


class HollowWorker:
    """One worker's view of its containers; no I/O. Times are clock seconds from any fixed start."""

    def __init__(self, node_id: str, behaviour: Behaviour, seed: int = 0) -> None:
        self.node_id = node_id
        self.behaviour = behaviour
        self.held: dict[str, Held] = {}
        self.poll_request: bytes = message("ListContainersRequest")(node_id=node_id).SerializeToString()
        self._random = random.Random(f"{seed}/{node_id}")
        self._leaks = "leaked-shutdown" in behaviour.defects
        self._due: list[tuple[float, str]] = []  # when a container has started, or (leaking) is forgotten
        self._last_reply: bytes | None = None
        self._idle = Beat(message("HeartbeatRequest")(node_id=node_id).SerializeToString(), {})
        self._full: Beat | None = None  # encoding thousands of states costs more than sending them

    def observe(self, reply: bytes, now: float) -> None:
        """Take an encoded ListContainersResponse: start what is new, stop what shall stop, forget what is gone."""
        if reply != self._last_reply:
            self._last_reply = reply
            seen = set()
            for record in message("ListContainersResponse").FromString(reply).containers:
                seen.add(record.id)
                held = self.held.get(record.id)
                if record.desired_state == "running" and held is None:
                    self._hold(record.id, Held(PENDING, record.image))
                    heapq.heappush(self._due, (now + self.behaviour.start_delay, record.id))
                elif record.desired_state == "shutdown":
                    self._stop(record.id, held, record.actual_state, now)
                elif held is not None and held.state == RUNNING and record.actual_state == FAILED:
                    self._hold(record.id, Held(FAILED))
            for container_id in self.held.keys() - seen:
                self._forget(container_id)
        self.advance(now)

    def _stop(self, container_id: str, held: Held | None, actual: str, now: float) -> None:
        if held is None:
            if not self._leaks and actual != COMPLETE:
                self._hold(container_id, Held(COMPLETE, stopped=True))
        elif not held.stopped:
            self._hold(container_id, Held(COMPLETE, stopped=True))
            if self._leaks:
                heapq.heappush(self._due, (now + STOPPED_KEPT, container_id))

    def advance(self, now: float) -> None:
        """Do what is due: containers whose start delay has passed run (or fail); leaked ones are forgotten."""
        while self._due and self._due[0][0] <= now:
            container_id = heapq.heappop(self._due)[1]
            held = self.held.get(container_id)
            if held is None:
                continue
            if held.state == PENDING:
                self._hold(container_id, Held(self._outcome(held.image)))
            elif held.stopped and self._leaks:
                self._forget(container_id)

    def _outcome(self, image: str) -> str:
        if "pull-failure" in self.behaviour.defects and not has_registry(image):
            return FAILED
        name = image.rpartition("/")[2].partition("@")[0].partition(":")[0]
        if "complete-respawn" in self.behaviour.defects and name in _EXITS_AT_ONCE:
            return COMPLETE
        return FAILED if self._random.random() < self.behaviour.fail_fraction else RUNNING

    def _hold(self, container_id: str, held: Held) -> None:
        self.held[container_id] = held
        self._full = None

    def _forget(self, container_id: str) -> None:
        self.held.pop(container_id, None)
        self._full = None
        # The manager may have dropped the last status silently: the next poll looks at every record again.
        self._last_reply = None

    def beats(self, quiet: bool = False) -> list[Beat]:
        """The heartbeats to send now: one with every state, or as many as the changes need; quiet: one without any."""
        if quiet or not self.held:
            return [self._idle]
        if self.behaviour.heartbeats == "full":
            if self._full is None:
                self._full = self._beat(self.held)
            return [self._full]
        changed = [container_id for container_id, held in self.held.items() if not held.reported]
        return [self._beat(changed[start : start + CHUNK]) for start in range(0, len(changed), CHUNK)] or [self._idle]

    def _beat(self, container_ids: Iterable[str]) -> Beat:
        states = {container_id: self.held[container_id].state for container_id in container_ids}
        request = message("HeartbeatRequest")(node_id=self.node_id)
        for container_id, state in states.items():
            # As a worker's: no runtime id before the container runs, and then it is the container's own id.
            runtime_id = "" if state == PENDING else container_id
            request.container_statuses.add(
                container_id=container_id, actual_state=state, runtime_container_id=runtime_id
            )
        return Beat(request.SerializeToString(), states)

    def acknowledged(self, beat: Beat) -> None:
        """The manager has answered ``beat``: what it reported is known, and what it reported stopped is forgotten."""
        for container_id, state in beat.states.items():
            held = self.held.get(container_id)
            if held is None or held.state != state:
                continue
            held.reported = True
            if held.stopped and not self._leaks:
                self._forget(container_id)


@dataclasses.dataclass
class Counts:
    """Calls of one kind: ``sent``, of these ``failed``, of these past the deadline (``missed``); ``late`` timers."""

    sent: int = 0
    failed: int = 0
    missed: int = 0
    late: int = 0


@dataclasses.dataclass(frozen=True)
class FleetOptions:
    """A fleet: the worker ids ``node_ids``, where they register, and what they do.

    ``managers`` maps Raft addresses to API addresses, for a registration that a follower refuses.
    """

    node_ids: tuple[str, ...]
    manager: str
    security: Security = dataclasses.field(default_factory=Security)
    dialect: str = "auto"
    managers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    behaviour: Behaviour = Behaviour()
    clock_factor: float = 1.0
    cpu_cores: int = 4
    memory_bytes: int = 8 << 30
    stats_file: str | None = None
    seed: int = 0
    address: str = "localhost"  # what real workers say, whatever theirs is
    register_for: float | None = None  # seconds after which an unfinished registration is an error; None: never


class Fleet:
    """Hollow workers on one connection: ``await run()`` returns when ``stop()`` is called."""

    def __init__(self, options: FleetOptions, say: Callable[[str], None] = print) -> None:
        self.options = options
        self.say = say
        self._quiet_until = 0.0  # on the monotonic clock
        self.registered: list[str] = []
        self.heartbeats = Counts()
        self.polls = Counts()
        self.errors: dict[str, int] = {}
        self.workers = [HollowWorker(node_id, options.behaviour, options.seed) for node_id in options.node_ids]
        self._started = time.monotonic()
        self._deadline = max(SHORTEST_DEADLINE, CALL_DEADLINE / options.clock_factor)
        self._address = options.manager
        self._stop = asyncio.Event()
        self._moving = asyncio.Lock()
        self._client: Client
        self._left: list[Client] = []  # of managers that did not lead: others' registrations may still run on them
        self._raw: dict[str, t.Any] = {}

    def now(self) -> float:
        """Clock seconds since the start."""
        return (time.monotonic() - self._started) * self.options.clock_factor

    def stop(self) -> None:
        """End ``run()``."""
        self._stop.set()

    @property
    def quiet(self) -> bool:
        """Whether heartbeats carry no container states."""
        return time.monotonic() < self._quiet_until

    def be_quiet(self, quiet: bool) -> None:
        """Quiet: heartbeats carry no container states for a while, so that they overwrite nobody's."""
        if quiet != self.quiet:
            self.say(f"Hollow workers are {'quiet' if quiet else 'loud'}.")
        self._quiet_until = time.monotonic() + QUIET_FOR if quiet else 0.0

    async def run(self) -> None:
        """Connect, register every worker, keep their timers until ``stop()``; raises WarrenError only at the start."""
        dialect = await self._connect(self.options.dialect)
        tasks = [asyncio.create_task(self._stats_loop())] if self.options.stats_file else []
        try:
            await self._register_all(dialect)
            if not self._stop.is_set():
                tasks += self._start_timers()
                self.say(f"Hollow workers are running: {len(self.registered)} registered with {self._address}.")
            tasks.append(asyncio.create_task(self._wait_for_stop()))
            # The others have no end of their own: what ends them (a full disk) must not pass in silence.
            ended, _running = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for client in (self._client, *self._left):
                await client.close()
        self.write_stats()

    async def _wait_for_stop(self) -> None:
        await self._stop.wait()

    async def _connect(self, dialect: str) -> Dialect:
        resolved = await asyncio.to_thread(resolve, self._address, self.options.security)
        known = await detect_dialect(self._address, resolved) if dialect == "auto" else Dialect(dialect)
        self._client = Client(self._address, resolved, known, name="hollow workers")
        self._raw = {name: self._client.raw(name) for name in ("RegisterNode", "Heartbeat", "ListContainers")}
        return known

    async def _register_all(self, dialect: Dialect) -> None:
        gate = asyncio.Semaphore(REGISTERING_AT_ONCE)
        tasks = [asyncio.create_task(self._register(worker, gate, dialect)) for worker in self.workers]
        stopped = asyncio.create_task(self._stop.wait())
        try:
            everyone = asyncio.gather(*tasks)
            await asyncio.wait((everyone, stopped), return_when=asyncio.FIRST_COMPLETED)
            if everyone.done():
                everyone.result()
        finally:
            for task in (*tasks, stopped):
                task.cancel()
            await asyncio.gather(*tasks, stopped, return_exceptions=True)

    async def _register(self, worker: HollowWorker, gate: asyncio.Semaphore, dialect: Dialect) -> None:
        # A RegisterNode without resources kills the manager (facts/warren.md 3.7).
        resources = {
            "cpu_cores": self.options.cpu_cores,
            "memory_bytes": self.options.memory_bytes,
            "disk_bytes": 100 << 30,
        }
        request = message("RegisterNodeRequest")(
            id=worker.node_id, role="worker", address=self.options.address, resources=resources
        ).SerializeToString()
        end = None if self.options.register_for is None else time.monotonic() + self.options.register_for
        async with gate:
            while True:
                address = self._address
                try:
                    await self._raw["RegisterNode"](request, timeout=REGISTER_DEADLINE)
                except grpc.RpcError as rpc_error:
                    error = from_rpc(rpc_error, "RegisterNode")
                    self._count_error(error)
                    if end is not None and time.monotonic() + REGISTER_PAUSE > end:
                        raise error from rpc_error
                    if not (isinstance(error, NotLeader) and await self._move(error.raft_address, address, dialect)):
                        await asyncio.sleep(REGISTER_PAUSE)
                else:
                    self.registered.append(worker.node_id)
                    return

    async def _move(self, raft_address: str | None, refused_by: str, dialect: Dialect) -> bool:
        """Take the whole fleet to the leader with ``raft_address``; False where its API address is not known."""
        async with self._moving:
            if self._address != refused_by:
                return True  # another worker's refusal has moved us meanwhile
            target = self.options.managers.get(raft_address or "", refused_by)
            if target == refused_by:
                return False
            previous, self._address = self._client, target
            try:
                await self._connect(dialect.value)
            except WarrenError as error:
                self._address = refused_by
                self._count_error(error)
                return False
            self._left.append(previous)
            return True

    def _start_timers(self) -> list[asyncio.Task[None]]:
        tasks = []
        for position, worker in enumerate(self.workers, start=1):
            share = position / len(self.workers)  # spread over the interval, the first tick at most one interval away
            for interval, counts, tick in (
                (HEARTBEAT, self.heartbeats, self._heartbeat),
                (WORKER_POLL, self.polls, self._poll),
            ):
                tasks.append(asyncio.create_task(self._timer(worker, interval, share, counts, tick)))
        return tasks

    async def _timer(
        self,
        worker: HollowWorker,
        interval: float,
        share: float,
        counts: Counts,
        tick: Callable[[HollowWorker], t.Awaitable[None]],
    ) -> None:
        """A Go ticker: ticks that fall into a running call melt into one, which follows at once."""
        interval /= self.options.clock_factor
        due = time.monotonic() + share * interval
        while True:
            pause = due - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
                # Only a late wake-up is our own fault; a tick that waited for a call is the manager's.
                if time.monotonic() - due > LATE_SHARE * interval:
                    counts.late += 1
            await tick(worker)
            due += interval
            behind = time.monotonic() - due
            if behind > interval:
                due += behind // interval * interval

    async def _call(self, method: str, request: bytes, counts: Counts) -> bytes | None:
        counts.sent += 1
        try:
            return await self._raw[method](request, timeout=self._deadline)
        except grpc.RpcError as rpc_error:
            error = from_rpc(rpc_error, method)
            counts.failed += 1
            counts.missed += error.code == "DEADLINE_EXCEEDED"
            self._count_error(error)
            return None

    async def _heartbeat(self, worker: HollowWorker) -> None:
        worker.advance(self.now())
        for beat in worker.beats(self.quiet):
            if await self._call("Heartbeat", beat.request, self.heartbeats) is None:
                return
            worker.acknowledged(beat)

    async def _poll(self, worker: HollowWorker) -> None:
        reply = await self._call("ListContainers", worker.poll_request, self.polls)
        if reply is not None:
            worker.observe(reply, self.now())

    def _count_error(self, error: WarrenError) -> None:
        text = str(error)
        if text not in self.errors and len(self.errors) >= ERROR_TEXTS:
            text = "other errors"
        self.errors[text] = self.errors.get(text, 0) + 1

    async def _stats_loop(self) -> None:
        while True:
            self.write_stats()
            await asyncio.sleep(STATS_INTERVAL)

    def stats(self) -> dict[str, t.Any]:
        """What the stats file holds: counts since the start, times in Unix seconds, CPU in s, memory in bytes."""
        states: dict[str, int] = {}
        for worker in self.workers:
            for held in worker.held.values():
                states[held.state] = states.get(held.state, 0) + 1
        return {
            "time": time.time(),
            "pid": os.getpid(),
            "manager": self._address,
            "nodes": len(self.workers),
            "registered": len(self.registered),
            "containers": sum(states.values()),
            "states": states,
            "heartbeats": dataclasses.asdict(self.heartbeats),
            "polls": dataclasses.asdict(self.polls),
            "missed_deadlines": self.heartbeats.missed + self.polls.missed,
            "mode": self.options.behaviour.heartbeats,
            "quiet": self.quiet,
            "clock_factor": self.options.clock_factor,
            "errors": self.errors,
            "rss_bytes": rss_bytes(),
            "cpu_seconds": time.process_time(),
        }

    def write_stats(self) -> None:
        """Replace the stats file; a reader never sees half of one."""
        if self.options.stats_file:
            part = Path(f"{self.options.stats_file}.part")
            part.write_text(json.dumps(self.stats()), encoding="utf-8")
            part.replace(self.options.stats_file)


def rss_bytes() -> int:
    """This process's resident memory: now where /proc says so, else its peak."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")


def run_fleet(options: FleetOptions, say: Callable[[str], None] = print) -> None:
    """Run a fleet in the foreground until SIGTERM or SIGINT; SIGUSR1 makes it quiet for a while, SIGUSR2 loud.

    Raises WarrenError where the manager cannot be reached or understood at the start.
    """

    async def main() -> None:
        fleet = Fleet(options, say)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, fleet.stop)
        loop.add_signal_handler(signal.SIGUSR1, fleet.be_quiet, True)
        loop.add_signal_handler(signal.SIGUSR2, fleet.be_quiet, False)
        await fleet.run()

    asyncio.run(main())
