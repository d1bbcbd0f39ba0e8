# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What phases look at on a cluster: services, container records and nodes, and which of them are a run's."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.warren.load.plugins.module_utils.api.errors import (
    NoLeader,
    Unreachable,
    WarrenError,
    from_rpc,
)
from ansible_collections.warren.load.plugins.module_utils.api.run_names import is_run_id, run_id_of
from ansible_collections.warren.load.plugins.module_utils.api.schema import METHODS, message

if t.TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster

try:
    import grpc
except ImportError:
    grpc = None  # the modules say so before anything here runs

LEADER_PATIENCE = 1.0  # seconds to look for a leader before another manager's copy is read instead
ELECTION = 10.0  # seconds in which a cluster that can elect a leader has one
LEAST = 1.0  # seconds for a read in any case: also after the deadline somebody wants to know what is left
SCHEDULABLE_ROLES = ("worker", "hybrid")


def check_run_id(run_id: str) -> None:
    """ValueError for what is no run id: it becomes part of names that cleanup deletes by."""
    if not is_run_id(run_id):
        raise ValueError(f"run_id: {run_id!r} is not a run id such as 20261123-120102-4f1a")


def check_positive(**numbers: float) -> None:
    """ValueError that names the first option which is not more than 0."""
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f"{name}: {value} must be more than 0")


def most_frequent(texts: Counter[str], most: int = 20) -> dict[str, int]:
    """How often each text came, the most frequent first; texts beyond ``most`` are counted together."""
    common = texts.most_common()
    shown = dict(common[:most])
    if len(common) > most:
        shown[f"{len(common) - most} other texts"] = sum(count for _text, count in common[most:])
    return shown


def nanoseconds(stamp: t.Any) -> int:
    """A protobuf Timestamp as Unix time in ns: a float of seconds would not hold the µs of it."""
    return int(stamp.seconds) * 1_000_000_000 + int(stamp.nanos)


def is_running(container: t.Any) -> bool:
    """Whether a container record says that it runs, and should."""
    return bool(container.actual_state == "running" and container.desired_state == "running")


class Observer:
    """Reads lists from the leader, else from any manager that answers: reads are local, so they need no leader.

    What others than the leader say may be old. With ``leader_only`` they are not asked, and NoLeader is raised instead.
    ``looks`` counts reads, ``time`` is what they took together in s, from sent to done, ``bytes`` what came of them.
    ``time_left``: seconds that a read may take at most, whatever ``timeout`` says.
    """

    def __init__(
        self,
        cluster: Cluster,
        timeout: float = 10.0,
        *,
        leader_only: bool = False,
        time_left: Callable[[], float] = lambda: float("inf"),
    ) -> None:
        self._cluster = cluster
        self._timeout = timeout
        self._leader_only = leader_only
        self._time_left = time_left
        self._from: str | None = None
        self.looks = 0
        self.time = 0.0
        self.bytes = 0
        self.last_time = 0.0

    async def services(self) -> list[t.Any]:
        """Every Service."""
        return list((await self._list("ListServices")).services)

    async def containers(self) -> list[t.Any]:
        """Every Container record, those of deleted services included."""
        return list((await self._list("ListContainers")).containers)

    async def nodes(self) -> list[t.Any]:
        """Every Node."""
        return list((await self._list("ListNodes")).nodes)

    async def _list(self, method: str) -> t.Any:
        last: WarrenError = Unreachable("no manager is connected", sent=False)
        for name in await self._order():
            started = time.monotonic()
            try:
                reply = await self._cluster.clients[name].raw(method)(b"", timeout=self._limit(self._timeout))
            except grpc.RpcError as error:
                self._from = None
                last = from_rpc(error, method)
                continue
            self._from = name
            self.looks += 1
            self.last_time = time.monotonic() - started
            self.time += self.last_time
            self.bytes += len(reply)
            return message(METHODS[method].response).FromString(reply)
        raise last

    async def _order(self) -> list[str]:
        if self._leader_only:
            return [(await self._cluster.leader(self._limit(ELECTION)))[0]]
        if self._from is None:
            try:
                self._from, _client = await self._cluster.leader(LEADER_PATIENCE)
            except NoLeader:
                pass
        return sorted(self._cluster.clients, key=lambda name: name != self._from)

    def _limit(self, seconds: float) -> float:
        return max(LEAST, min(seconds, self._time_left()))


def ready_workers(nodes: list[t.Any]) -> list[str]:
    """The ids of the nodes that Warren's scheduler places containers on."""
    return sorted(node.id for node in nodes if node.role in SCHEDULABLE_ROLES and node.status == "ready")


def by_run(services: list[t.Any], containers: list[t.Any]) -> dict[str, dict[str, int]]:
    """``{run id: {"services": n, "containers": n}}`` of all that carries the name of a run."""
    runs: dict[str, dict[str, int]] = {}
    names = [("services", service.name) for service in services]
    names += [("containers", container.service_name) for container in containers]
    for kind, name in names:
        run_id = run_id_of(name)
        if run_id is not None:
            runs.setdefault(run_id, {"services": 0, "containers": 0})[kind] += 1
    return runs


def foreign(services: list[t.Any]) -> list[str]:
    """The names of the services that no run of ours made."""
    return sorted(service.name for service in services if run_id_of(service.name) is None)
