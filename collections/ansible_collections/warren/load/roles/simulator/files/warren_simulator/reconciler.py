# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warren's reconciler (facts/warren.md 4.3), on the leader only."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.warren.load.plugins.module_utils.api.timers import NODE_DOWN_AFTER

from .store import SECOND, time_of

if t.TYPE_CHECKING:
    from .manager import Manager
    from .store import Command, Store


def plan_nodes(store: Store, now: int, down_after: float) -> list[Command]:
    """Nodes without a heartbeat for ``down_after`` s are down; ``now`` in ns."""
    limit = now - int(down_after * SECOND)
    late = [node for node in store.nodes if node.status != "down" and time_of(node.last_heartbeat) < limit]
    return [("node_status", node.id, "down") for node in late]


def plan_containers(store: Store, *, stranded: bool = False) -> list[Command]:
    """Failed containers and those on down nodes are shut down; what has completed its shutdown is deleted.

    ``stranded``, a defect: those on down nodes stay as they are.
    """
    down = set() if stranded else {node.id for node in store.nodes if node.status == "down"}
    commands: list[Command] = []
    for container in store.containers:
        desired, actual = container.desired_state, container.actual_state
        if actual == "failed" and desired == "running":
            desired = "shutdown"
            commands.append(("steer", container.id, desired, "", ""))
        text = store.unhealthy.get(container.id)
        if text is not None and actual == desired == "running":
            actual = "failed"
            commands.append(("steer", container.id, "", actual, f"health check failed: {text}"))
        if container.node_id not in store.nodes.records:
            continue  # Warren never cleans up after a node that was removed
        if container.node_id in down and desired == "running":
            commands.append(("steer", container.id, "shutdown", "failed", ""))
        elif desired == "shutdown" and actual == "complete":
            commands.append(("delete", "containers", container.id))
    return commands


class Reconciler:
    """``tick`` is one cycle."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._deletes = 0
        self._orphans: set[str] = set()

    def _spares(self, command: Command) -> bool:
        """Defect orphan: whether this record is one that stays, now and for ever."""
        if command[0] != "delete":
            return False
        record_id = command[2]
        if record_id not in self._orphans:
            self._deletes += 1
            if self._manager.defects.hits("orphan", self._deletes):
                self._orphans.add(record_id)
        return record_id in self._orphans

    async def tick(self) -> None:
        """Nodes first, then containers, which depend on them."""
        manager = self._manager
        start = time.perf_counter()
        if manager.replica.is_leader:
            down_after = manager.clock.real(NODE_DOWN_AFTER)
            if "unnoticed" not in manager.defects:
                await manager.try_commit_all(plan_nodes(manager.store, time.time_ns(), down_after))
            await manager.costs.scan(2 * len(manager.store.containers), loop=True)
            commands = plan_containers(manager.store, stranded="stranded" in manager.defects)
            await manager.try_commit_all([command for command in commands if not self._spares(command)])
        manager.metrics.observe("warren_reconciliation_duration_seconds", time.perf_counter() - start)
        if manager.metrics.fed:
            manager.metrics.count("warren_reconciliation_cycles_total")
