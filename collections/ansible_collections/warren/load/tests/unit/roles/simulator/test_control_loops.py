# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scheduler and reconciler decide as Warren does (facts/warren.md 4.2, 4.3)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from warren_simulator.reconciler import plan_containers, plan_nodes
from warren_simulator.scheduler import new_container, plan_global, plan_replicated
from warren_simulator.store import SECOND, Store, set_time

NODES = ["manager-1", "worker-1", "worker-10", "worker-2"]


def service(replicas=3, **fields):
    return message("Service")(id="s", name="web", image="i", replicas=replicas, **fields)


def record(record_id, node="worker-1", desired="running", actual="running"):
    return message("Container")(id=record_id, node_id=node, desired_state=desired, actual_state=actual, service_id="s")


def nodes_of(commands):
    return [message("Container").FromString(command[2]).node_id for command in commands]


def test_all_replicas_of_a_tick_land_on_the_smallest_node():
    assert nodes_of(plan_replicated(service(5), NODES, [], spread=False)) == ["manager-1"] * 5


def test_the_node_with_the_fewest_of_this_service_is_next():
    have = [record("a", "manager-1"), record("b", "worker-1")]
    assert nodes_of(plan_replicated(service(5), NODES, have, spread=False)) == ["worker-10"] * 3


def test_the_repair_spreads():
    assert nodes_of(plan_replicated(service(6), NODES, [], spread=True)) == [*NODES, "manager-1", "worker-1"]


def test_pending_counts_and_failed_does_not():
    have = [record("a", actual="pending"), record("b", actual="failed"), record("c", desired="shutdown")]
    assert len(plan_replicated(service(3), NODES, have, spread=False)) == 2


def test_surplus_shuts_down_the_first_in_id_order_even_failed_ones():
    have = [record("a", actual="failed"), record("b"), record("c"), record("d")]
    commands = plan_replicated(service(1), NODES, have, spread=False)
    assert commands == [("steer", "a", "shutdown", "", ""), ("steer", "b", "shutdown", "", "")]


@given(st.integers(-3, 6), st.integers(0, 6))
def test_replicas_are_reached_in_one_tick(replicas, running):
    have = [record(str(number)) for number in range(running)]
    commands = plan_replicated(service(replicas), NODES, have, spread=False)
    created = sum(command[0] == "put" for command in commands)
    removed = sum(command[0] == "steer" for command in commands)
    assert running + created - removed == max(0, replicas) or (replicas < 0 and removed == running)


def test_global_services_have_one_container_on_each_node():
    have = [record("a", "worker-1"), record("b", "gone"), record("c", "worker-2", actual="failed")]
    commands = plan_global(service(mode="global"), NODES, have)
    assert nodes_of(commands[:-1]) == ["manager-1", "worker-10", "worker-2"]
    assert commands[-1] == ("steer", "b", "shutdown", "", "")


def test_a_new_record_is_pending_and_carries_what_warren_copies():
    made = service(env={"A": "1"}, restart_policy={"condition": "any"}, command=["x"])
    container = message("Container").FromString(new_container(made, "worker-1")[2])
    assert (container.desired_state, container.actual_state) == ("running", "pending")
    assert (container.service_name, container.image, dict(container.env)) == ("web", "i", {"A": "1"})
    assert container.restart_policy.condition == "any"
    assert container.created_at == container.updated_at
    assert not container.command


def put(store, kind, item):
    store.apply(("put", kind, item.SerializeToString()))


def test_nodes_without_heartbeats_go_down_once():
    store = Store()
    for node_id, beat, status in (("a", 0, "ready"), ("b", 0, "down"), ("c", 75, "ready")):
        node = message("Node")(id=node_id, status=status)
        set_time(node.last_heartbeat, beat * SECOND)
        put(store, "nodes", node)
    assert plan_nodes(store, 100 * SECOND, 30.0) == [("node_status", "a", "down")]
    assert plan_nodes(store, 100 * SECOND, 10.0) == [("node_status", "a", "down"), ("node_status", "c", "down")]


def test_what_becomes_of_containers():
    store = Store()
    put(store, "nodes", message("Node")(id="up", status="ready"))
    put(store, "nodes", message("Node")(id="down", status="down"))
    for container in (
        record("a-failed", "up", actual="failed"),
        record("b-running", "up"),
        record("c-on-down-node", "down"),
        record("d-done", "up", "shutdown", "complete"),
        record("e-leaked", "up", "shutdown", "running"),
        record("f-removed-node", "nowhere", "shutdown", "complete"),
        record("g-unhealthy", "up"),
        record("h-exited", "up", actual="complete"),
    ):
        put(store, "containers", container)
    store.apply(("health", "g-unhealthy", False, "no answer"))
    assert plan_containers(store) == [
        ("steer", "a-failed", "shutdown", "", ""),
        ("steer", "c-on-down-node", "shutdown", "failed", ""),
        ("delete", "containers", "d-done"),
        ("steer", "g-unhealthy", "", "failed", "health check failed: no answer"),
    ]
    stranded = [command for command in plan_containers(store) if command[1] != "c-on-down-node"]
    assert plan_containers(store, stranded=True) == stranded
