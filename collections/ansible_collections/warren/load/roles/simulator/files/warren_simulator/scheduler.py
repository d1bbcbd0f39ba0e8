# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warren's scheduler (facts/warren.md 4.2), on the leader only: a follower's attempts change nothing."""

from __future__ import annotations

import time
import typing as t
import uuid

from ansible_collections.warren.load.plugins.module_utils.api.schema import message

from .store import set_time

if t.TYPE_CHECKING:
    from .manager import Manager
    from .store import Command

ACTIVE = frozenset(("pending", "running"))


def _is_active(container: t.Any) -> bool:
    return container.desired_state == "running" and container.actual_state in ACTIVE


def _age(service: t.Any) -> float:
    """Seconds since the service was created."""
    return time.time() - service.created_at.seconds - service.created_at.nanos / 1e9


def new_container(service: t.Any, node_id: str) -> Command:
    """The command that creates one container record of a service on a node."""
    container = message("Container")(
        id=str(uuid.uuid4()),
        service_id=service.id,
        service_name=service.name,
        node_id=node_id,
        desired_state="running",
        actual_state="pending",
        image=service.image,
        env=service.env,
    )
    for field in ("resources", "health_check", "restart_policy"):
        if service.HasField(field):
            getattr(container, field).CopyFrom(getattr(service, field))
    now = time.time_ns()
    set_time(container.created_at, now)
    set_time(container.updated_at, now)
    return "put", "containers", container.SerializeToString()


def plan_global(service: t.Any, node_ids: list[str], containers: list[t.Any]) -> list[Command]:
    """One container on each node; those of nodes that are gone or not ready are shut down."""
    covered = {container.node_id for container in containers if _is_active(container)}
    commands = [new_container(service, node_id) for node_id in node_ids if node_id not in covered]
    gone = [each for each in containers if each.desired_state == "running" and each.node_id not in node_ids]
    return commands + [("steer", container.id, "shutdown", "", "") for container in gone]


def plan_replicated(
    service: t.Any, node_ids: list[str], containers: list[t.Any], *, spread: bool, fewer: int = 0
) -> list[Command]:
    """As many containers as replicas. ``node_ids`` and ``containers`` in id order.

    Warren picks the node with the fewest of this service and does not count what it has just created, so that all of
    one tick land on the same node; ``spread`` repairs that. ``fewer``: how many too few, of a defect.
    """
    missing = service.replicas - fewer - sum(map(_is_active, containers))
    if missing < 0:
        surplus = [container for container in containers if container.desired_state == "running"]
        return [("steer", container.id, "shutdown", "", "") for container in surplus[:-missing]]
    load = dict.fromkeys(node_ids, 0)
    for container in containers:
        if container.desired_state == "running" and container.node_id in load:
            load[container.node_id] += 1
    commands = []
    for _number in range(missing):
        node_id = min(node_ids, key=load.__getitem__)  # the first of several: the smallest id
        load[node_id] += int(spread)
        commands.append(new_container(service, node_id))
    return commands


class Scheduler:
    """``tick`` is one cycle."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    async def tick(self) -> None:
        """Create what is missing and shut down what is too much, of all services."""
        manager = self._manager
        if not manager.replica.is_leader:
            return
        store = manager.store
        roles = ("worker", "hybrid") if manager.metrics.fed else ("worker",)
        node_ids = [node.id for node in store.nodes if node.role in roles and node.status == "ready"]
        if not node_ids:
            return  # not even pending records, as with Warren
        planned: list[Command] = []
        for service in list(store.services):
            await manager.costs.scan(len(store.containers), loop=True)
            if self._is_younger(service, "late-schedule"):
                continue
            containers = store.containers.of_service(service.id)
            if service.mode == "global":
                commands = plan_global(service, node_ids, containers)
            else:
                spread = "placement" in manager.defects.repairs
                fewer = int(self._is_older(service, "short-handed"))
                commands = plan_replicated(service, node_ids, containers, spread=spread, fewer=fewer)
            if manager.costs.batches:
                planned += commands
            else:
                await self._commit(commands)
        await self._commit(planned)

    def _is_younger(self, service: t.Any, defect: str) -> bool:
        """Whether the defect is seeded, and the service younger than its number of seconds."""
        defects = self._manager.defects
        return defect in defects and _age(service) < defects.number(defect)

    def _is_older(self, service: t.Any, defect: str) -> bool:
        defects = self._manager.defects
        return defect in defects and _age(service) >= defects.number(defect)

    async def _commit(self, commands: list[Command]) -> None:
        manager = self._manager
        start = time.perf_counter()
        committed = await manager.try_commit_all(commands)
        created = sum(command[0] == "put" for command in commands)
        each = (time.perf_counter() - start) / max(1, len(commands))
        for _number in range(created):
            manager.metrics.observe("warren_scheduling_latency_seconds", each)
            if manager.metrics.fed:
                kind = "scheduled" if committed else "failed"
                manager.metrics.count(f"warren_{manager.metrics.noun}_{kind}_total")
