# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Seeded defects in real processes: each shows what it promises. What holds without them is the contract suite's."""

from __future__ import annotations

import re
import time

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.errors import NoLeader, WarrenError
from ansible_collections.warren.load.tests.support.worlds import World, simulator


def world(*flags):
    return World(simulator(Dialect.TASKS, 10.0, *flags), managers=1)


def metric(node, name):
    """A value of a manager's metrics page."""
    found = re.search(rf"^{name} (\d+)$", node.http("/metrics").body.decode(), re.MULTILINE)
    assert found
    return int(found.group(1))


def test_crash():
    with world("--defect", "crash=3") as crashing:
        node = crashing.first

        def create_many():
            for number in range(100):
                crashing.api.call(node.name, "CreateService", name=f"s{number}")

        with pytest.raises(WarrenError):
            create_many()
        assert node.process.wait() == 2
        assert "panic: defect crash" in node.process.stderr


def test_no_leader():
    starting = world("--defect", "no-leader")  # not entered: it would wait for a leader
    node = starting.first
    try:
        node.start("cluster", "init").wait_for("gRPC API listening on")
        with pytest.raises(NoLeader):
            starting.api.call(node.name, "CreateService", name="x")
        info = starting.api.call(node.name, "GetClusterInfo")
        assert (info.leader_id, info.leader_addr) == ("", "")
    finally:
        starting.stop()


def test_slow_list_and_leak():
    with world("--defect", "slow-list=200", "--defect", "leak=8") as leaking:
        node = leaking.first
        start = time.monotonic()
        leaking.api.call(node.name, "ListServices")
        assert time.monotonic() - start >= 0.2

        first = metric(node, "process_resident_memory_bytes")
        leaking.eventually(
            lambda: metric(node, "process_resident_memory_bytes") > first + 12 * 2**20, within=60, what="memory grows"
        )


def test_threads_and_files_leak_with_time():
    with world("--defect", "leak-threads=4", "--defect", "leak-files=5") as leaking:
        node = leaking.first

        def held():
            return metric(node, "go_goroutines"), metric(node, "process_open_fds")

        threads, files = held()
        leaking.eventually(lambda: held()[0] >= threads + 8, within=60, what="threads grow")
        leaking.eventually(lambda: held()[1] >= files + 10, within=60, what="open files grow")


def test_each_deleted_service_leaves_something():
    with world("--defect", "kept-memory=256", "--defect", "kept-threads=2", "--defect", "kept-files=3") as keeping:
        node = keeping.first

        def held():
            page = node.http("/debug/pprof/heap?gc=1&debug=1").body.decode()
            heap = re.search(r"^# HeapAlloc = (\d+)$", page, re.MULTILINE)
            assert heap
            return int(heap.group(1)), metric(node, "go_goroutines"), metric(node, "process_open_fds")

        before = held()
        ids = [keeping.api.write("CreateService", name=f"s{number}").service.id for number in range(10)]
        for service_id in (*ids, "nobody's"):
            keeping.api.write("DeleteService", id=service_id)
        memory, threads, files = (now - then for now, then in zip(held(), before, strict=True))
        assert 2560 <= memory / 2**10 < 2560 + 512
        assert threads == 20
        assert abs(files - 30) <= 2  # connections are files, too


def test_undead():
    """The second of two deleted services comes back a real second later; to delete it again helps."""
    with world("--defect", "undead=2") as haunted:
        api = haunted.api
        ids = [api.write("CreateService", name=name).service.id for name in ("a", "b")]

        def there():
            return [service.name for service in api.read("ListServices").services]

        for service_id in ids:
            api.write("DeleteService", id=service_id)
        assert there() == []
        haunted.eventually(lambda: there() == ["b"], within=20, what="one is back")
        api.write("DeleteService", id=ids[1])
        time.sleep(1.5)
        assert there() == []


def test_short_handed():
    with world("--defect", "short-handed=4") as short, short.workers("worker-1"):
        api = short.api
        service = api.write("CreateService", name="web", replicas=3, image="registry.example/web:1").service

        def wanted():
            return sum(each.desired_state == "running" for each in short.containers(service.id))

        short.eventually(lambda: wanted() == 3, within=4, what="all are scheduled")
        short.eventually(lambda: wanted() == 2, within=20, what="one is given up")
        time.sleep(1.5)  # three ticks of the scheduler
        assert wanted() == 2


def test_join_quorum_loss():
    """The join fails as any does in this dialect, and the cluster waits for a voter that is not there."""
    with World(simulator(Dialect.CONTAINERS, 10.0, "--defect", "join-quorum-loss"), managers=1) as world:
        api, spare = world.api, world.spare
        api.write("DeleteService", id="nobody's")
        process = spare.start(
            "manager", "join", "--leader", world.first.api_address, "--token", world.tokens["manager"]
        )
        assert process.wait() == 1
        assert "Error: failed to join cluster" in process.stderr
        with pytest.raises(WarrenError):
            api.call(world.first.name, "DeleteService", id="nobody's")
        assert api.call(world.first.name, "GetClusterInfo").leader_addr == ""
        assert list(api.call(world.first.name, "ListServices").services) == []  # it still answers reads


def test_late_schedule():
    """The clock of such a world goes ten times as fast, and the defect's does not: a tick is 0.5 s."""
    with world("--defect", "late-schedule=3") as late, late.workers("worker-1"):
        api = late.api
        start = time.monotonic()
        api.call(late.first.name, "CreateService", name="web", replicas=2, image="registry.example/web:1")
        late.eventually(
            lambda: len(api.call(late.first.name, "ListContainers").containers) == 2, within=20, what="both scheduled"
        )
        assert 3.0 <= time.monotonic() - start < 10.0


def test_orphan():
    with world("--defect", "orphan=4") as littering, littering.workers("worker-1"):
        api = littering.api
        service = api.write("CreateService", name="x", replicas=12).service
        littering.eventually(lambda: len(littering.containers(service.id)) == 12, within=20, what="all are placed")
        api.write("DeleteService", id=service.id)
        for state in ("failed", "complete"):
            for each in littering.containers(service.id):
                api.write("UpdateContainerStatus", container_id=each.id, actual_state=state)
            littering.eventually(
                lambda: all(each.desired_state == "shutdown" for each in littering.containers(service.id)),
                within=30,
                what="the reconciler has seen them",
            )
        littering.eventually(lambda: len(littering.containers(service.id)) == 3, within=30, what="most are deleted")
        time.sleep(2.5)  # two ticks of the reconciler
        assert len(littering.containers(service.id)) == 3


def test_freeze():
    with world("--defect", "freeze=300") as freezing:  # every 0.5 real seconds
        node = freezing.first
        slowest = 0.0
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            start = time.monotonic()
            freezing.api.call(node.name, "ListNodes")
            slowest = max(slowest, time.monotonic() - start)
        assert slowest > 0.2


def test_measured_costs_make_a_heartbeat_pay_for_every_status():
    with world("--costs", "measured") as slow, slow.workers("worker-1"):
        states = [{"container_id": "unknown", "actual_state": "running"}] * 100
        node = slow.first

        def beat(statuses):
            start = time.monotonic()
            slow.api.call(node.name, "Heartbeat", node_id="worker-1", container_statuses=statuses)
            return time.monotonic() - start

        service = slow.api.write("CreateService", name="x", replicas=100).service
        containers = slow.eventually(
            lambda: len(found := slow.containers(service.id)) == 100 and found, within=20, what="records"
        )
        known = [{"container_id": each.id, "actual_state": "running"} for each in containers]
        assert beat(known) > 100 * 0.00024 - 0.005  # up to 5 ms are let through and charged later
        assert beat(states) < 100 * 0.00024  # Warren skips what it does not know
