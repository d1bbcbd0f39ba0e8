# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our hollow workers against the world's managers: they must be workers in every respect that a manager sees."""

from __future__ import annotations

import collections
import signal
import time

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.tests.support.worlds import Fleet, Process, World, follower_of, simulator


def nodes(world: World) -> dict[str, str]:
    """Status by id."""
    return {node.id: node.status for node in world.api.read("ListNodes").nodes}


def forget(world: World, count: int, prefix: str) -> None:
    for number in range(1, count + 1):
        world.api.write("RemoveNode", id=f"{prefix}{number}")


def states(world: World, service_id: str) -> dict[tuple[str, str], int]:
    return dict(collections.Counter((r.desired_state, r.actual_state) for r in world.containers(service_id)))


def test_a_fleet_runs_stops_and_lets_go(world: World) -> None:
    """Running, scaled down (records deleted), quiet for the purge, gone on SIGTERM."""
    world.undisturbed(lambda: run_stop_and_let_go(world))


def run_stop_and_let_go(world: World) -> None:
    prefix = "fleet-"
    with world.fleet(4, "--prefix", prefix) as fleet, world.service(6) as service:
        fleet.wait_registered()
        assert [nodes(world)[f"{prefix}{number}"] for number in (1, 2, 3, 4)] == ["ready"] * 4
        world.eventually(
            lambda: states(world, service.id) == {("running", "running"): 6},
            5 + 3 + 5,
            "all run: scheduler, poll, heartbeat",
        )
        record = world.containers(service.id)[0]
        assert record.runtime_container_id == record.id  # as a real worker's

        world.api.write("UpdateService", id=service.id, replicas=2)
        world.eventually(
            lambda: states(world, service.id) == {("running", "running"): 2},
            5 + 3 + 5 + 10,
            "stopped records are deleted",
        )

        world.api.write("DeleteService", id=service.id)
        fleet.process.signal(signal.SIGUSR1)
        world.eventually(lambda: fleet.stats()["quiet"], 0, "quiet")
        time.sleep(0.3)  # a heartbeat with states may still be on its way
        for container in world.containers(service.id):
            world.api.write("UpdateContainerStatus", container_id=container.id, actual_state="failed")
        world.stays(
            lambda: not any(actual == "running" for _desired, actual in states(world, service.id)),
            6,
            "nobody says running",
        )
        fleet.process.signal(signal.SIGUSR2)
        world.eventually(lambda: not fleet.stats()["quiet"], 0, "loud")
        check_bookkeeping(fleet)
        assert fleet.stop() == 0
        forget(world, 4, prefix)


def check_bookkeeping(fleet: Fleet) -> None:
    stats = fleet.stats()
    assert (stats["nodes"], stats["registered"]) == (4, 4)
    assert stats["heartbeats"]["sent"] >= 4
    assert stats["polls"]["sent"] > stats["heartbeats"]["sent"]
    assert stats["missed_deadlines"] == 0, stats["errors"]
    assert stats["errors"] == {}
    assert stats["rss_bytes"] > 1 << 20
    assert abs(stats["time"] - time.time()) < 10


def test_heartbeats_with_changes_only(world: World) -> None:
    """The seed lets the first container fail and all others run: it is replaced, stopped, reported and deleted."""
    world.undisturbed(lambda: report_changes(world))


def report_changes(world: World) -> None:
    prefix = "changes-"
    flags = ("--prefix", prefix, "--heartbeats", "changes", "--fail-fraction", "0.3", "--seed", "91")
    with world.fleet(2, *flags) as fleet, world.service(3) as service:
        fleet.wait_registered()
        world.eventually(lambda: ("running", "failed") in states(world, service.id), 5 + 3 + 5, "one fails")
        world.eventually(
            lambda: states(world, service.id).get(("running", "running")) == 3, 5 + 3 + 5 + 5, "another takes its place"
        )
        world.eventually(lambda: len(world.containers(service.id)) == 3, 10 + 3 + 5 + 10, "the failed one is gone")
        assert fleet.stats()["mode"] == "changes"
        assert fleet.stats()["errors"] == {}
        assert fleet.stop() == 0
        forget(world, 2, prefix)


def test_a_killed_fleet_leaves_its_nodes_ready_until_they_are_missed(world: World) -> None:
    prefix = "killed-"
    with world.fleet(1, "--prefix", prefix) as fleet:
        fleet.wait_registered()
        assert fleet.process.stop(signal.SIGKILL) == -signal.SIGKILL
        assert nodes(world)[f"{prefix}1"] == "ready"
        forget(world, 1, prefix)


@pytest.mark.tasks
def test_a_fleet_sent_to_a_follower_registers_with_the_leader(world: World) -> None:
    addresses = ",".join(f"{node.raft_address}={node.api_address}" for node in world.nodes.values())
    follower = world.nodes[follower_of(world)]
    flags = ("--prefix", "moved-", "--manager", follower.api_address, "--managers", addresses)
    with world.fleet(3, *flags) as fleet:
        fleet.wait_registered()
        world.eventually(lambda: fleet.stats().get("registered") == 3, 0, "all are registered")
        assert fleet.stats()["manager"] == world.nodes[world.api.leader()].api_address
        assert [nodes(world)[f"moved-{number}"] for number in (1, 2, 3)] == ["ready"] * 3
        forget(world, 3, "moved-")


def test_one_worker_by_warrens_own_command(world: World) -> None:
    """`worker start` of our program against any manager: Warren's words, a certificate by token, exit code 0."""
    program = simulator(world.dialect, world.program.clock_factor)
    leader = world.nodes[world.api.leader()].api_address
    folder = world.folder / "one-worker"
    argv = [*program.argv, "worker", "start", "--node-id", "one", "--manager", leader, "--cpu", "2"]
    argv += ["--data-dir", str(folder / "data"), "--clock-factor", str(program.clock_factor)]
    certificates = folder / "home" / ".warren" / "certs" / "worker-one"
    if world.tokens:
        refused = Process("worker", [*argv, "--token", "0" * 64], program.environ(folder / "home"), folder / "refused")
        assert refused.wait() == 1
        assert "invalid token: invalid token" in refused.stderr
        argv += ["--token", world.tokens["worker"]]
    worker = Process("worker", argv, program.environ(folder / "home"), folder)
    try:
        worker.wait_for("Worker is running.")
        lines = worker.stdout.splitlines()
        assert "Worker registered with manager" in lines
        assert "  Node ID: one" in lines
        assert "  Overlay IP: 10.0.0.1" in lines
        assert "simulator" in lines[0]
        assert certificates.exists() is (world.dialect is Dialect.CONTAINERS)
        node = world.api.read("GetNode", id="one").node
        assert (node.role, node.status, node.resources.cpu_cores) == ("worker", "ready", 2)
        assert worker.stop() == 0
        assert "✓ Shutdown complete" in worker.stdout
    finally:
        worker.stop(signal.SIGKILL)
        world.api.write("RemoveNode", id="one")
