# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scheduler, reconciler and heartbeats, with workers that do what the test says (4.2, 4.3, 3.8); clock seconds."""

from __future__ import annotations

import time
import typing as t
import uuid

import pytest

from ansible_collections.warren.load.tests.support.worlds import World

SCHEDULER, RECONCILER = 5, 10  # periods


def states(world: World, service_id: str) -> list[tuple[str, str]]:
    """(desired, actual) of a service's records."""
    return [(record.desired_state, record.actual_state) for record in world.containers(service_id)]


def active(world: World, service_id: str) -> list[t.Any]:
    return [record for record in world.containers(service_id) if record.desired_state == "running"]


def wait_for_records(world: World, service_id: str, count: int) -> list[t.Any]:
    """The records of a service, once there are so many that shall run."""
    return t.cast(
        "list[t.Any]",
        world.eventually(
            lambda: (found := active(world, service_id)) and len(found) == count and found,
            SCHEDULER,
            f"{count} records of {service_id}",
        ),
    )


def test_without_workers_there_are_no_records(world: World) -> None:
    with world.service(2) as service:
        world.stays(lambda: not world.containers(service.id), SCHEDULER + 1, "no records without workers")
        with world.workers("late-1"):
            wait_for_records(world, service.id, 2)


def test_placement_and_scaling(world: World) -> None:
    """All of a tick on the node with the fewest of this service; ties go to the smallest id, byte by byte."""
    with (
        world.workers("p-2", "p-10", "p-1") as (_two, _ten, one),
        world.service(3) as service,
        world.service(2) as other,
    ):
        records = wait_for_records(world, service.id, 3)
        wait_for_records(world, other.id, 2)
        assert {record.node_id for record in records + world.containers(other.id)} == {"p-1"}
        for record in records:
            assert uuid.UUID(record.id).version == 4
            assert (record.desired_state, record.actual_state) == ("running", "pending")
            assert (record.service_name, record.image) == (service.name, service.image)
            assert not record.runtime_container_id
            assert record.created_at == record.updated_at
        assert [record.id for record in records] == sorted(record.id for record in records)

        one.report({record.id: "running" for record in records})
        world.api.write("UpdateService", id=service.id, replicas=5)
        more = wait_for_records(world, service.id, 5)
        assert sorted(record.node_id for record in more) == ["p-1"] * 3 + ["p-10"] * 2

        world.api.write("UpdateService", id=service.id, replicas=2)
        left = wait_for_records(world, service.id, 2)
        by_id = world.containers(service.id)
        assert len(by_id) == 5  # marked, not deleted
        assert [record.id for record in left] == [record.id for record in by_id[3:]]  # the first in id order go


def test_both_filters_of_a_list(world: World) -> None:
    with world.workers("f-1") as (worker,), world.service(1) as service, world.service(2) as other:
        wait_for_records(world, service.id, 1)
        wait_for_records(world, other.id, 2)
        assert len(worker.containers()) == 3
        both = world.api.read("ListContainers", service_id=service.id, node_id="nobody").containers
        assert [record.service_id for record in both] == [service.id]  # the service wins
        assert not world.api.read("ListContainers", node_id="nobody").containers
        everything = [record.id for record in world.api.read("ListContainers").containers]
        assert everything == sorted(everything)
        assert {record.service_id for record in world.api.read("ListContainers").containers} >= {service.id, other.id}


def test_a_global_service_runs_once_on_every_ready_worker(world: World) -> None:
    with world.workers("g-1", "g-2") as (_one, two), world.service(0, mode="global") as service:
        records = wait_for_records(world, service.id, 2)
        assert sorted(record.node_id for record in records) == ["g-1", "g-2"]
        two.remove()
        left = wait_for_records(world, service.id, 1)
        assert left[0].node_id == "g-1"
        assert sorted(states(world, service.id)) == [("running", "pending"), ("shutdown", "pending")]


def test_heartbeats_and_status_updates(world: World) -> None:
    with world.workers("h-1") as (worker,), world.service(2) as service:
        one, two = wait_for_records(world, service.id, 2)
        # Two heartbeats at once can lose each other's changes: Warren reads, changes and writes the whole record.
        worker.silence()
        time.sleep(0.5)
        before = world.api.read("GetNode", id="h-1").node.last_heartbeat
        statuses = [
            {"container_id": "no-such-container", "actual_state": "running"},  # skipped
            {"container_id": one.id, "actual_state": "running", "runtime_container_id": "r-1", "error": "dropped"},
        ]
        reply = world.api.write(
            "Heartbeat", node_id="h-1", container_statuses=statuses, available_resources={"cpu_cores": 3}
        )
        assert reply.status == "ok"
        node = world.api.read("GetNode", id="h-1").node
        assert (node.last_heartbeat.seconds, node.last_heartbeat.nanos) > (before.seconds, before.nanos)
        assert (node.resources.cpu_cores, node.status) == (3, "ready")
        seen = world.api.read("GetContainer", id=one.id).container
        assert (seen.actual_state, seen.runtime_container_id, seen.error) == ("running", "r-1", "")
        assert seen.updated_at == seen.created_at
        assert world.api.read("GetContainer", id=two.id).container.actual_state == "pending"

        world.api.write(
            "UpdateContainerStatus",
            container_id=two.id,
            node_id="another",
            actual_state="running",
            runtime_container_id="r-2",
            error="x",
        )
        seen = world.api.read("GetContainer", id=two.id).container
        assert (seen.actual_state, seen.runtime_container_id, seen.node_id) == ("running", "r-2", "h-1")


def test_failed_and_complete_are_replaced_and_only_stopped_ones_deleted(world: World) -> None:
    with world.workers("r-1") as (worker,), world.service(3) as service:
        failing, ending, staying = (record.id for record in wait_for_records(world, service.id, 3))
        worker.report({failing: "failed", ending: "complete", staying: "running"})
        # The scheduler replaces both; it does not wait for the reconciler.
        world.eventually(lambda: len(world.containers(service.id)) == 5, SCHEDULER, "two replacements")

        def desired(container_id: str) -> str:
            return next(record.desired_state for record in world.containers(service.id) if record.id == container_id)

        world.eventually(lambda: desired(failing) == "shutdown", RECONCILER, "what failed shall stop")
        assert desired(ending) == "running"
        worker.report({failing: "complete"})
        world.eventually(
            lambda: failing not in [record.id for record in world.containers(service.id)],
            RECONCILER,
            "a stopped record goes",
        )
        # Complete by itself is never marked, never deleted.
        assert desired(ending) == "running"


def test_deleting_a_service_leaves_orphans_and_the_purge_drives_them_out(world: World) -> None:
    with world.workers("o-1") as (worker,), world.service(2) as service:
        ids = [record.id for record in wait_for_records(world, service.id, 2)]
        worker.report(dict.fromkeys(ids, "running"))
        world.api.write("DeleteService", id=service.id)
        world.stays(
            lambda: states(world, service.id) == [("running", "running")] * 2, RECONCILER + 1, "orphans are left alone"
        )
        for container_id in ids:
            world.api.write("UpdateContainerStatus", container_id=container_id, actual_state="failed")
        world.eventually(
            lambda: states(world, service.id) == [("shutdown", "failed")] * 2, RECONCILER, "failed orphans shall stop"
        )
        for container_id in ids:
            world.api.write("UpdateContainerStatus", container_id=container_id, actual_state="complete")
        world.eventually(lambda: not world.containers(service.id), RECONCILER, "the records are gone")


def test_containers_of_a_removed_node_are_neither_stopped_nor_replaced(world: World) -> None:
    with world.workers("x-1", "x-2") as (one, _two), world.service(1) as service:
        (record,) = wait_for_records(world, service.id, 1)
        assert record.node_id == "x-1"
        one.report({record.id: "running"})
        one.remove()
        world.stays(
            lambda: states(world, service.id) == [("running", "running")],
            RECONCILER + 1,
            "nobody notices the node is gone",
        )


@pytest.mark.containers
def test_an_unhealthy_container_fails_and_is_replaced(world: World) -> None:
    with world.workers("u-1") as (worker,), world.service(1) as service:
        (record,) = wait_for_records(world, service.id, 1)
        worker.report({record.id: "running"})
        world.api.write("ReportContainerHealth", container_id=record.id, healthy=True, message="fine")
        world.api.write("ReportContainerHealth", container_id=record.id, healthy=False, message="too slow")

        def seen() -> t.Any:
            return world.api.read("GetContainer", id=record.id).container

        world.eventually(lambda: seen().actual_state == "failed", RECONCILER, "what is unhealthy has failed")
        assert seen().error == "health check failed: too slow"
        world.eventually(lambda: len(world.containers(service.id)) == 2, SCHEDULER, "it is replaced")


def test_a_silent_worker_is_down_after_30_s_and_its_containers_move(world: World) -> None:
    with world.workers("d-1", "d-2") as (one, two), world.service(2) as service:
        records = wait_for_records(world, service.id, 2)
        assert {record.node_id for record in records} == {"d-1"}
        one.report({record.id: "running" for record in records})
        one.silence()

        def status() -> str:
            return str(world.api.read("GetNode", id="d-1").node.status)

        world.stays(lambda: status() == "ready", 27, "a silent worker stays ready")
        world.eventually(lambda: status() == "down", 30 + RECONCILER - 27, "a silent worker is down")
        old = {record.id for record in records}
        world.eventually(
            lambda: (
                {(r.desired_state, r.actual_state) for r in world.containers(service.id) if r.id in old}
                == {("shutdown", "failed")}
            ),
            1,
            "its containers are given up in the same cycle",
        )
        replaced = wait_for_records(world, service.id, 2)
        assert {record.node_id for record in replaced} == {"d-2"}
        assert two.node_id == "d-2"
        world.api.write("Heartbeat", node_id="d-1")
        assert status() == "ready"
        assert len(world.containers(service.id)) == 4  # failed ones that shall stop stay until somebody says complete
