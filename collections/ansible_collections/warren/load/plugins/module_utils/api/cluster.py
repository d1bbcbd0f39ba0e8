# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole cluster as a Python object: it finds the leader, follows it, and never repeats a write blindly."""

from __future__ import annotations

import asyncio
import dataclasses
import time
import typing as t

from .channel import Resolved, Security, resolve, split_address
from .client import CALL_TIMEOUT, Client, detect_dialect
from .dialect import Dialect
from .errors import (
    DeadlineExceeded,
    NoLeader,
    NotFound,
    NotLeader,
    OutcomeUnknown,
    Unreachable,
    WarrenError,
    outcome_is_unknown,
)
from .schema import message

if t.TYPE_CHECKING:
    from collections.abc import Sequence

RETRY_PAUSE = 0.1  # seconds between two tries while there is no leader
ENQUEUE_TIMEOUT = 5.0  # seconds for which Warren may hold a write before it proposes it (facts/warren.md 4.1)
ENQUEUE_SLACK = 0.5  # seconds a request may take to reach the server, where that time-out starts


@dataclasses.dataclass(frozen=True)
class Manager:
    """A manager as the inventory knows it: node id, ``host:port`` of its API, and of its Raft where known."""

    name: str
    api_address: str
    raft_address: str | None = None


class Answer(t.NamedTuple):
    """A write's reply, the manager that gave it, how often it was sent, how often a follower named another leader."""

    response: t.Any
    manager: str
    attempts: int
    redirects: int


class Created(t.NamedTuple):
    """What became of a CreateService.

    ``status``: ``created`` (acknowledged), ``found`` (the acknowledgement was lost, the service is there), ``failed``
    (refused, it is not there), ``ambiguous`` (nobody could say in time). ``service`` is None for the last two.
    """

    status: str
    service: t.Any
    attempts: int
    error: WarrenError | None


class Cluster:
    """Connections to all managers of a cluster: ``async with await Cluster.connect(…) as cluster``."""

    def __init__(self, managers: Sequence[Manager], security: Security, dialect: Dialect) -> None:
        self.managers = {manager.name: manager for manager in managers}
        self.security = security
        self.dialect = dialect
        self.resolved: dict[str, Resolved] = {}
        self.clients: dict[str, Client] = {}
        self._leader: str | None = None

    @classmethod
    async def connect(
        cls, managers: Sequence[Manager], security: Security, dialect: str = "auto", timeout: float = 10.0
    ) -> Cluster:
        """Connect to every manager that answers; at least one must.

        ``dialect``: "auto" asks the first manager; ``timeout`` in s for each step. Raises Unreachable (nobody answers),
        SecurityError (a manager answers, but TLS does not fit), ValueError (no managers, or a malformed address).
        """
        if not managers:
            raise ValueError("no manager is known: set warren_load_endpoint, or put hosts into the group managers")
        cluster = cls(managers, security, Dialect.CONTAINERS)
        refusals: list[Unreachable] = []
        for manager in managers:  # one after the other: the pin file is shared
            try:
                cluster.resolved[manager.name] = await asyncio.to_thread(
                    resolve, manager.api_address, security, min(timeout, 5.0)
                )
            except Unreachable as error:
                refusals.append(error)
        if not cluster.resolved:
            raise Unreachable("; ".join(error.details for error in refusals), sent=False)
        if dialect == "auto":
            first = next(iter(cluster.resolved))
            address = cluster.managers[first].api_address
            cluster.dialect = await detect_dialect(address, cluster.resolved[first], timeout)
        else:
            cluster.dialect = Dialect(dialect)
        for name in cluster.resolved:
            cluster._open(name)
        return cluster

    async def __aenter__(self) -> Cluster:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(client.close() for client in self.clients.values()))

    def _open(self, name: str) -> Client:
        client = Client(self.managers[name].api_address, self.resolved[name], self.dialect, name=name)
        self.clients[name] = client
        return client

    async def _client(self, name: str) -> Client:
        """The client of a manager, which may have been down when we connected."""
        if name not in self.clients:
            address = self.managers[name].api_address
            self.resolved[name] = await asyncio.to_thread(resolve, address, self.security, 2.0)
            if name not in self.clients:  # another call may have opened it meanwhile
                self._open(name)
        return self.clients[name]

    async def info(self, manager: str | None = None, timeout: float = CALL_TIMEOUT) -> t.Any:
        """GetClusterInfo as ``manager`` sees it (any that answers by default): leader id, its Raft address, servers."""
        return await self.read("GetClusterInfo", manager=manager, timeout=timeout)

    async def read(
        self, method: str, request: t.Any = None, manager: str | None = None, timeout: float = CALL_TIMEOUT
    ) -> t.Any:
        """A local read on ``manager``; without one, on the leader last seen, else on the first manager that answers."""
        if manager is not None:
            return await (await self._client(manager)).call(method, request, timeout)
        last: WarrenError = Unreachable("no manager is connected", sent=False)
        names = list(self.clients)
        if self._leader in self.clients:
            names.sort(key=lambda name: name != self._leader)
        for name in names:
            try:
                return await self.clients[name].call(method, request, timeout)
            except (Unreachable, DeadlineExceeded) as error:
                last = error
        raise last

    def _by_raft_address(self, raft_address: str | None) -> str | None:
        for name, manager in self.managers.items():
            if raft_address and manager.raft_address == raft_address:
                return name
        return None

    def _manager_of(self, leader_id: str, raft_address: str) -> str:
        """The manager that leads, by its Raft address, else its id, else a guess; WarrenError where nothing fits."""
        name = self._by_raft_address(raft_address)
        if name is None and leader_id in self.managers:
            name = leader_id
        if name is None and len(self.managers) == 1:
            (only,) = self.managers.values()
            if split_address(only.api_address)[0] == split_address(raft_address)[0]:
                name = only.name
        if name is None:
            name = self._guess(leader_id, raft_address)
        return name

    def _guess(self, leader_id: str, raft_address: str) -> str:
        """A leader that the inventory lacks, taken to serve its API on the same port as the managers we know."""
        host, _port = split_address(raft_address)
        known = [split_address(manager.api_address) for manager in self.managers.values()]
        if any(host == known_host for known_host, _known_port in known) or not known:
            raise WarrenError(
                f"the leader's Raft address {raft_address} belongs to no manager of the inventory: "
                "set warren_load_raft_address for each manager"
            )
        name = leader_id or raft_address
        self.managers[name] = Manager(name, f"{host}:{known[0][1]}", raft_address)
        return name

    async def leader(self, deadline_s: float = 10.0) -> tuple[str, Client]:
        """The leader's name and client, as soon as one manager names it; NoLeader once ``deadline_s`` has passed."""
        end = time.monotonic() + deadline_s
        last: WarrenError = NoLeader("no leader elected yet")
        while True:
            for name in list(self.managers):
                try:
                    client = await self._client(name)
                    info = await client.call("GetClusterInfo", timeout=min(2.0, max(0.1, end - time.monotonic())))
                except WarrenError as error:  # whatever ails one manager (it may just be starting), another may know
                    last = error
                    continue
                if info.leader_addr:
                    self._leader = self._manager_of(info.leader_id, info.leader_addr)
                    try:
                        return self._leader, await self._client(self._leader)
                    except Unreachable as error:
                        last = error
            if time.monotonic() + RETRY_PAUSE > end:
                raise NoLeader(f"no manager named a leader within {deadline_s:.0f} s (last: {last.details})")
            await asyncio.sleep(RETRY_PAUSE)

    async def write(
        self, method: str, request: t.Any = None, deadline_s: float = 30.0, timeout: float = CALL_TIMEOUT
    ) -> Answer:
        """Send a write to the leader, and again where a refusal proves that nothing was written, for ``deadline_s``.

        An unknown outcome is never repeated: it is raised as OutcomeUnknown. Every error raised carries ``attempts``.
        """
        end = time.monotonic() + deadline_s
        attempts = redirects = 0
        sent_at = 0.0
        while True:
            try:
                name, client = await self._leader_client(end)
                attempts += 1
                sent_at = time.monotonic()
                left = max(0.1, end - time.monotonic())
                return Answer(await client.call(method, request, min(timeout, left)), name, attempts, redirects)
            except NotLeader as error:
                redirects += 1
                last: WarrenError = error
                named = self._by_raft_address(error.raft_address)
                # The refusing manager may be behind: named again at once it would only bounce us back and forth.
                self._leader = named if redirects % 2 else None
            except (NoLeader, Unreachable, DeadlineExceeded, OutcomeUnknown) as error:
                last = error
                self._leader = None
                if attempts and outcome_is_unknown(error):
                    unknown = OutcomeUnknown(error.details, error.code, method)
                    unknown.attempts = attempts
                    unknown.sent_at = sent_at
                    raise unknown from error
            except WarrenError as error:
                error.attempts = attempts
                raise
            if time.monotonic() + RETRY_PAUSE > end:
                last.attempts = attempts
                raise last
            if self._leader is None:
                await asyncio.sleep(RETRY_PAUSE)

    async def _leader_client(self, end: float) -> tuple[str, Client]:
        if self._leader is not None:
            return self._leader, await self._client(self._leader)
        return await self.leader(max(0.1, end - time.monotonic()))

    async def create_service(self, request: t.Any, deadline_s: float = 30.0) -> Created:
        """Create a service once, however often the leader changes.

        An unknown outcome is settled by looking for the name, which must be unique, on the then leader: after Warren's
        enqueue time-out has passed and a later write was acknowledged there, what is not there will never be.
        """
        end = time.monotonic() + deadline_s
        attempts = 0
        while True:
            try:
                answer = await self.write("CreateService", request, max(0.1, end - time.monotonic()))
                return Created("created", answer.response.service, attempts + answer.attempts, None)
            except OutcomeUnknown as error:
                attempts += error.attempts
                unknown = error
            except WarrenError as error:
                return Created("failed", None, attempts + error.attempts, error)
            try:
                service = await self._settled(request.name, unknown.sent_at, end)
            except WarrenError:
                return Created("ambiguous", None, attempts, unknown)
            if service is not None:
                return Created("found", service, attempts, unknown)

    async def _settled(self, name: str, sent_at: float, end: float) -> t.Any:
        """The service of that name, None: not there, once no write sent at ``sent_at`` (monotonic s) can take effect.

        Raises WarrenError where that cannot be known before ``end``.
        """
        wait = sent_at + ENQUEUE_TIMEOUT + ENQUEUE_SLACK - time.monotonic()
        if time.monotonic() + wait > end:
            raise OutcomeUnknown("the deadline came before the outcome could be known", method="CreateService")
        await asyncio.sleep(max(0.0, wait))
        # Deleting what does not exist is a write without effect; it is acknowledged after all writes before it.
        barrier = message("DeleteServiceRequest")(id=f"barrier-{name}")
        answer = await self.write("DeleteService", barrier, max(0.1, end - time.monotonic()))
        try:
            found = await self.read("GetService", message("GetServiceRequest")(name=name), manager=answer.manager)
        except NotFound:
            return None
        return found.service
