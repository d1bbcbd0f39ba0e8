# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replication: Raft by pysyncobj, driven by the process's own event loop.

pysyncobj's own thread would add a period of waiting to every commit; here each message and each command is followed by
a tick at once. It unpickles what it receives, so its port must be out of strangers' reach (see check_bind_address).
Logs live in memory: a manager that died comes back empty and is filled again by the others.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import logging
import pickle
import selectors
import sys
import time
import typing as t
from pathlib import Path

import pysyncobj.pickle
import pysyncobj.syncobj
from pysyncobj import FAIL_REASON, SyncObj, SyncObjConf, SyncObjConsumer, replicated
from pysyncobj.poller import POLL_EVENT_TYPE, Poller

from ansible_collections.warren.load.plugins.module_utils.api.channel import split_address

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .store import Command, Store

# Seconds. Warren's are 0.5 to 1; a Python process that shares two cores with its load needs more air.
ELECTION_TIMEOUT = (1.0, 2.0)
LEADER_LEASE = 1.5
HEARTBEAT_PERIOD = 0.1
TICK_PERIOD = 0.03
COMMIT_TIMEOUT = 10.0
FIRST_ELECTION = (0.04, 0.08)  # of a manager that is alone
JOINING = (30.0, 31.0)  # a joiner must not stand for election before the leader has found it
CONNECTION_RETRY = 0.2
BATCH = 64  # commands in one log entry
COMPACT_AFTER = 20_000  # log entries

LEADERSHIP_LOST = "leadership lost while committing log"
NOT_THE_LEADER = "node is not the leader"
ENQUEUE_TIMEOUT = "timed out enqueuing operation"
_LEADER = 2  # pysyncobj's number for the state

# Its default, protocol 2, encodes bytes as text through a function call: twice the size and the time.
setattr(pysyncobj.pickle, "__protocol", 5)
# A lost connection is news to pysyncobj, not to a person who killed a manager; nor are entries sent twice to a joiner.
logging.getLogger("pysyncobj").setLevel(logging.CRITICAL + 1)


class CommitError(Exception):
    """A command that was not committed, or perhaps was; the text is that of Warren's Raft library."""


def check_bind_address(address: str, trusted_network: bool) -> None:
    """ValueError with a sentence unless ``address`` is loopback or its network is vouched for."""
    host, _port = split_address(address)
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        loopback = host == "localhost"
    else:
        loopback = ip.is_loopback
        if ip.is_unspecified:
            raise ValueError("local bind address is not advertisable")
    if not (loopback or trusted_network):
        raise ValueError(
            f"--bind-addr {address} is not a loopback address, and whoever reaches the simulator's Raft port can run "
            "code in it (its Raft library unpickles); use 127.0.0.1, or add --trusted-network if the address lies in "
            "a network namespace of your own"
        )


class _LoopPoller(Poller):
    """pysyncobj's sockets behind one selector, which the asyncio loop watches as a whole.

    pysyncobj closes a socket before it takes it off its poller, which a loop's own selector does not forgive.
    ``after`` is called when sockets had something to do.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, after: Callable[[], None]) -> None:
        self._selector = selectors.DefaultSelector()
        self._after = after
        # epoll and kqueue: both can be watched themselves.
        loop.add_reader(self._selector.fileno(), self._on_ready)

    def _on_ready(self) -> None:
        for key, events in self._selector.select(0):
            mask = POLL_EVENT_TYPE.READ if events & selectors.EVENT_READ else 0
            mask |= POLL_EVENT_TYPE.WRITE if events & selectors.EVENT_WRITE else 0
            key.data(key.fd, mask)
        self._after()

    def subscribe(self, descr: int, callback: Callable[[int, int], None], eventMask: int) -> None:  # noqa: N803
        self.unsubscribe(descr)
        events = selectors.EVENT_READ if eventMask & POLL_EVENT_TYPE.READ else 0
        events |= selectors.EVENT_WRITE if eventMask & POLL_EVENT_TYPE.WRITE else 0
        self._selector.register(descr, events, callback)

    def unsubscribe(self, descr: int) -> None:
        try:
            self._selector.unregister(descr)
        except (KeyError, ValueError):
            pass

    def poll(self, timeout: float) -> None:
        """Nothing to wait for: the loop calls."""


class _Machine(SyncObjConsumer):
    """The store as pysyncobj wants it."""

    def __init__(self, store: Store, observe: Callable[[float], None]) -> None:
        super().__init__()
        self._store = store
        self._observe = observe

    @replicated  # type: ignore[untyped-decorator]
    def execute(self, commands: list[Command]) -> None:
        for command in commands:
            start = time.perf_counter()
            try:
                self._store.apply(command)
            except Exception as error:  # one bad command must not stop the log for ever
                print(f"Failed to apply {command[0]}: {error}", file=sys.stderr, flush=True)
            self._observe(time.perf_counter() - start)

    def save(self, path: str, raft: tuple[t.Any, ...]) -> None:
        """Write a snapshot: the store, and what pysyncobj wants kept with it. Its own way zips, for up to a second."""
        Path(path).write_bytes(pickle.dumps((self._store.dump(), raft)))

    def restore(self, path: str) -> tuple[t.Any, ...]:
        """Take the store from a snapshot; the rest is pysyncobj's."""
        dump, raft = pickle.loads(Path(path).read_bytes())  # our own file
        self._store.load(dump)
        return t.cast("tuple[t.Any, ...]", raft)


class Replica:
    """This manager's part of the Raft cluster. Make it inside the running loop; ``address`` is its Raft address.

    ``others``: Raft addresses of the cluster to join; empty: be a cluster of one. OSError if the port is taken.
    ``snapshot_file`` must not exist yet.
    ``apply_seconds`` is told how long each command took to apply.
    """

    def __init__(
        self,
        address: str,
        others: Iterable[str],
        store: Store,
        snapshot_file: str,
        apply_seconds: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self.address = address
        self.deaf = False  # defect no-leader
        self._loop = asyncio.get_running_loop()
        self._others = tuple(others)
        self._queue: list[tuple[Command, asyncio.Future[None]]] = []
        self._in_flight: list[asyncio.Future[None]] = []
        self._waiting: dict[asyncio.Future[None], float] = {}
        self._serving = False
        self.leading = asyncio.Event()  # set while this manager takes writes
        self._tick_planned = False
        self._closed = False
        self._leader_seen = self._loop.time()
        self._machine = _Machine(store, apply_seconds)
        first = JOINING if self._others else FIRST_ELECTION
        self._conf = SyncObjConf(
            autoTick=False,
            dynamicMembershipChange=True,
            bindAddress=address,
            maxBindRetries=1,
            appendEntriesUseBatch=False,
            appendEntriesPeriod=FIRST_ELECTION[0] / 4,
            appendEntriesBatchSizeBytes=2**20,
            raftMinTimeout=first[0],
            raftMaxTimeout=first[1],
            connectionTimeout=JOINING[1] + 1,
            connectionRetryTime=CONNECTION_RETRY,
            leaderFallbackTimeout=LEADER_LEASE,
            logCompactionMinEntries=COMPACT_AFTER,
            logCompactionMinTime=10**9,
            fullDumpFile=snapshot_file,
            serializer=self._machine.save,
            deserializer=self._machine.restore,
            commandsWaitLeader=False,
            onStateChanged=self._on_state,
        )
        make_poller = pysyncobj.syncobj.createPoller
        pysyncobj.syncobj.createPoller = lambda _kind: _LoopPoller(self._loop, self.tick_soon)
        try:
            self._raft = SyncObj(address, list(self._others), conf=self._conf, consumers=[self._machine])
        except pysyncobj.SyncObjException as error:
            raise OSError(f"listen tcp {address}: bind: address already in use") from error
        finally:
            pysyncobj.syncobj.createPoller = make_poller
        # Read when used: from here on as among grown-ups.
        self._conf.appendEntriesPeriod = HEARTBEAT_PERIOD
        if not self._others:
            self._set_election_timeout()
        self._timer = self._loop.call_soon(self._on_timer)

    def _set_election_timeout(self) -> None:
        self._conf.raftMinTimeout, self._conf.raftMaxTimeout = ELECTION_TIMEOUT

    # -- ticking

    def tick_soon(self) -> None:
        """Let Raft look at its queues after what the loop does now."""
        if not self._tick_planned and not self._closed:
            self._tick_planned = True
            self._loop.call_soon(self._tick)

    def _tick(self) -> None:
        self._tick_planned = False
        if self._closed:
            return
        self._flush()
        self._raft.doTick(0)
        if self._waiting and not self._raft.otherNodes:
            self.tick_soon()  # nobody's message will come: appended in this tick, committed in the next

    def _on_timer(self) -> None:
        if self._closed:
            return
        self._timer = self._loop.call_later(TICK_PERIOD, self._on_timer)
        now = self._loop.time()
        leader = self._raft._getLeader()
        if leader is not None and self._raft.isNodeConnected(leader):
            self._leader_seen = now
        for future, deadline in list(self._waiting.items()):
            if deadline < now:
                self._finish(future, ENQUEUE_TIMEOUT)
        self._tick()

    # -- leadership

    def _on_state(self, old: int, new: int) -> None:
        if new == _LEADER:
            # Leader in earnest once everything committed before is applied here.
            self._machine.execute([("noop",)], callback=self._on_leader_ready)
            self.tick_soon()
        elif old == _LEADER:
            self._serving = False
            self.leading.clear()
            self._queue.clear()  # their futures are among those that wait
            self._in_flight = []
            for future in list(self._waiting):
                self._finish(future, LEADERSHIP_LOST)

    def _on_leader_ready(self, _result: t.Any, error: int) -> None:
        self._serving = error == FAIL_REASON.SUCCESS and self._raft._isLeader()
        if self.is_leader:
            self.leading.set()

    @property
    def is_leader(self) -> bool:
        """Whether this manager takes writes."""
        return self._serving and not self.deaf

    @property
    def leader_address(self) -> str:
        """The leader's Raft address as this manager knows it, "" without one."""
        leader = self._raft._getLeader()
        if leader is None or self.deaf or (leader.address == self.address and not self._serving):
            return ""
        # pysyncobj's last survivor stands for no election, and would remember a dead leader for ever.
        if leader.address != self.address and self._loop.time() - self._leader_seen > ELECTION_TIMEOUT[0]:
            return ""
        return str(leader.address)

    @property
    def log_index(self) -> int:
        """Index of the last committed entry."""
        return int(self._raft.raftCommitIndex)

    @property
    def applied_index(self) -> int:
        """Index of the last entry applied here."""
        return int(self._raft.raftLastApplied)

    # -- writing

    async def commit(self, command: Command) -> None:
        """Replicate the command and return once it is applied here; CommitError says why not."""
        if not self.is_leader:
            raise CommitError(NOT_THE_LEADER)
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting[future] = self._loop.time() + COMMIT_TIMEOUT
        self._queue.append((command, future))
        self.tick_soon()
        await future

    def _flush(self) -> None:
        """Hand over what has come as one log entry, once the entry before is committed: messages are what costs."""
        if not self._queue or self._in_flight:
            return
        batch, self._queue = self._queue[:BATCH], self._queue[BATCH:]
        self._in_flight = [future for _command, future in batch]
        on_committed = functools.partial(self._on_batch, self._in_flight)
        self._machine.execute([command for command, _future in batch], callback=on_committed)

    def _on_batch(self, futures: list[asyncio.Future[None]], _result: t.Any, error: int) -> None:
        if self._in_flight is futures:
            self._in_flight = []
            self.tick_soon()
        for future in futures:
            self._on_committed(future, None, error)

    def _on_committed(self, future: asyncio.Future[None], _result: t.Any, error: int) -> None:
        self._finish(future, "" if error == FAIL_REASON.SUCCESS else LEADERSHIP_LOST)

    def _finish(self, future: asyncio.Future[None], error: str) -> None:
        self._waiting.pop(future, None)
        if future.done():
            return
        if error:
            future.set_exception(CommitError(error))
        else:
            future.set_result(None)

    async def add_voter(self, address: str) -> None:
        """Add the manager at that Raft address to the cluster; CommitError if that is not possible now.

        As with Warren, a cluster that adds an address where nobody answers loses its quorum.
        """
        if address in {node.address for node in self._raft.otherNodes} | {self.address}:
            return  # it came back
        for _attempt in range(50):
            if not self.is_leader:
                break
            future: asyncio.Future[None] = self._loop.create_future()
            self._waiting[future] = self._loop.time() + COMMIT_TIMEOUT
            denied: list[int] = []
            self._raft.addNodeToCluster(address, callback=functools.partial(self._on_added, future, denied))
            self.tick_soon()
            await future
            if not denied:
                return
            await asyncio.sleep(0.1)  # another change is under way
        raise CommitError(LEADERSHIP_LOST)

    def _on_added(self, future: asyncio.Future[None], denied: list[int], _result: t.Any, error: int) -> None:
        if error == FAIL_REASON.REQUEST_DENIED:
            denied.append(error)
            self._finish(future, "")
        else:
            self._on_committed(future, None, error)

    async def joined(self, timeout: float) -> bool:
        """Wait until this manager has what the cluster has, and then take part in elections; False if it does not."""
        end = self._loop.time() + timeout
        while not (self._raft.isReady() and self.leader_address):
            if self._loop.time() > end:
                return False
            await asyncio.sleep(0.01)
        self._set_election_timeout()
        return True

    def compact(self) -> None:
        """Replace the log by a snapshot now."""
        self._raft.forceLogCompaction()
        self.tick_soon()

    def close(self) -> None:
        """Leave without a word, as a process that ends does."""
        if not self._closed:
            self._closed = True
            self._timer.cancel()
            self._raft.destroy()
