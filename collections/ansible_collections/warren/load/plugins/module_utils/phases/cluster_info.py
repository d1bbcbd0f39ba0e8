# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at a cluster, once or until it is as it should be."""

from __future__ import annotations

import asyncio
import dataclasses
import time
import typing as t
from collections import Counter

from ansible_collections.warren.load.plugins.module_utils.api.errors import NoLeader, WarrenError

from .observing import Observer, by_run, check_positive, foreign, ready_workers

if t.TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster

PAUSE = 0.5  # seconds between two looks while waiting
ANSWER = 2.0  # seconds in which a manager must say who leads


@dataclasses.dataclass(frozen=True)
class Options:
    """``wait_for``: {managers, leader, ready_workers}, each None where it does not matter; ``timeout`` in s."""

    wait_for: dict[str, t.Any] | None = None
    timeout: float = 10.0

    def __post_init__(self) -> None:
        check_positive(timeout=self.timeout)


async def look(cluster: Cluster, leader_timeout: float) -> dict[str, t.Any]:
    """All that is returned, of a cluster of which at least one manager answers; ``leader`` is None if there is none."""
    listed = set(cluster.managers)  # the search for a leader may add one
    try:
        leader: str | None = (await cluster.leader(leader_timeout))[0]
    except NoLeader:
        leader = None
    managers = []
    for name, manager in cluster.managers.items():
        resolved = cluster.resolved.get(name)
        view = await _view(cluster, name)
        managers.append(
            {
                "name": name,
                "api_address": manager.api_address,
                "raft_address": manager.raft_address,
                "listed": name in listed,
                "reachable": view is not None,
                "voters": None if view is None else _voters(view),
                "leader": name == leader,
                "tls": resolved.tls if resolved else None,
                "how": resolved.how if resolved else None,
                "pin": resolved.pin if resolved else None,
                "pinned_now": resolved.pinned_now if resolved else False,
            }
        )
    info = await cluster.info(leader)
    observer = Observer(cluster)
    services, containers, nodes = await observer.services(), await observer.containers(), await observer.nodes()
    speaker = cluster.resolved.get(leader or "") or next(iter(cluster.resolved.values()))
    return {
        "leader": leader,
        "managers": managers,
        "voters": sorted(_voters(info)),
        "voter_addresses": _voters(info),
        "dialect": cluster.dialect.value,
        "security": speaker.how,
        "workers_ready": ready_workers(nodes),
        "nodes": dict(Counter(node.status for node in nodes)),
        "node_list": _nodes(nodes, containers),
        "orphans": sum(one.service_id not in {service.id for service in services} for one in containers),
        "services": len(services),
        "services_foreign": foreign(services),
        "leftovers": by_run(services, containers),
        "container_records": len(containers),
        "containers": dict(Counter(one.actual_state for one in containers)),
    }


def _nodes(nodes: t.Any, containers: t.Any) -> list[dict[str, t.Any]]:
    """A row a node, with the age of its heartbeat in s (by this machine's clock) and its containers by state.

    ``held`` counts those that are to run: Warren keeps records of others, too, some of which say that they run.
    """
    now = time.time()
    rows = []
    for node in nodes:
        beat = node.last_heartbeat.seconds + node.last_heartbeat.nanos / 1e9
        own = [one for one in containers if one.node_id == node.id]
        rows.append(
            {
                "name": node.id,
                "role": node.role,
                "status": node.status,
                "address": node.address,
                "heartbeat_age": round(now - beat, 1) if beat else None,
                "containers": dict(Counter(one.actual_state for one in own)),
                "held": sum(one.desired_state == "running" for one in own),
            }
        )
    return rows


def _voters(info: t.Any) -> dict[str, str]:
    """Raft address by node id."""
    return {server.id: server.address for server in info.servers if server.suffrage == "Voter"}


async def _view(cluster: Cluster, name: str) -> t.Any:
    """The cluster as one manager sees it; None where it does not answer."""
    if name not in cluster.clients:
        return None
    try:
        return await cluster.clients[name].call("GetClusterInfo", timeout=ANSWER)
    except WarrenError:
        return None


def _lacking(found: dict[str, t.Any], wait_for: dict[str, t.Any]) -> str | None:
    """What of ``wait_for`` is not so, as a clause of a sentence."""
    if wait_for.get("leader", True) and found["leader"] is None:
        return "it has no leader"
    managers, ready_workers_wanted = wait_for.get("managers"), wait_for.get("ready_workers")
    if managers is not None and len(found["voters"]) < managers:
        return f"it counts {len(found['voters'])} of {managers} managers ({', '.join(found['voters']) or 'none'})"
    if ready_workers_wanted is not None and len(found["workers_ready"]) < ready_workers_wanted:
        return f"{len(found['workers_ready'])} of {ready_workers_wanted} workers are ready"
    return None


async def run(open_cluster: Callable[[], Awaitable[Cluster]], options: Options) -> dict[str, t.Any]:
    """What look() finds; with ``wait_for``, as soon as it is so. WarrenError if it is not in time."""
    end = time.monotonic() + options.timeout
    while True:
        try:
            async with await open_cluster() as cluster:
                if options.wait_for is None:
                    return await look(cluster, min(ANSWER, options.timeout))
                while True:
                    found = await look(cluster, min(ANSWER, options.timeout))
                    lacking = _lacking(found, options.wait_for)
                    if lacking is None:
                        return found
                    if time.monotonic() + PAUSE > end:
                        raise ValueError(f"the cluster is not ready after {options.timeout:g} s: {lacking}")
                    await asyncio.sleep(PAUSE)
        except WarrenError:
            if options.wait_for is None or time.monotonic() + PAUSE > end:
                raise
        await asyncio.sleep(PAUSE)
