# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several managers: who may write, what followers answer, and what the death of a leader costs (3.7, 4.1)."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import time
import typing as t

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.errors import (
    NoLeader,
    NotLeader,
    OutcomeUnknown,
    Unreachable,
    WarrenError,
)
from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.tests.support.worlds import World, follower_of, follower_refusal, refusal

pytestmark = pytest.mark.tasks

ELECTION = 10.0  # real seconds: a clock factor does not make elections faster
LEADER_ONLY: dict[str, dict[str, t.Any]] = {
    "RegisterNode": {"id": "x", "role": "worker", "resources": {"cpu_cores": 1}},
    "RemoveNode": {"id": "x"},
    "CreateService": {"name": "x", "image": "docker.io/library/nginx:alpine"},
    "UpdateService": {"id": "x", "replicas": 2},
    "DeleteService": {"id": "x"},
    "CreateSecret": {"name": "x", "data": b"x"},
    "DeleteSecret": {"id": "x"},
    "CreateVolume": {"name": "x", "driver": "local"},
    "DeleteVolume": {"id": "x"},
    "GenerateJoinToken": {"role": "worker"},
}


@pytest.mark.parametrize("method", sorted(LEADER_ONLY))
def test_followers_refuse_writes_and_name_the_leaders_raft_address(world: World, method: str) -> None:
    error = follower_refusal(world, method, **LEADER_ONLY[method])
    raft_address = world.nodes[world.api.leader()].raft_address
    assert isinstance(error, NotLeader)
    assert (error.code, error.details) == ("UNKNOWN", f"not the leader, current leader is at: {raft_address}")
    assert error.raft_address == raft_address


def test_followers_refuse_status_writes_with_rafts_own_text(world: World) -> None:
    with world.workers("follow-1"), world.service(1) as service:
        (record,) = world.eventually(lambda: world.containers(service.id), 5, "a record")
        world.eventually(
            lambda: all(
                world.api.call(name, "ListContainers", service_id=service.id).containers for name in world.nodes
            ),
            1,
            "everybody has the record",
        )
        for method, thing, fields in (
            ("Heartbeat", "node", {"node_id": "follow-1"}),
            ("UpdateContainerStatus", "task", {"container_id": record.id, "actual_state": "running"}),
        ):
            error = follower_refusal(world, method, **fields)
            assert isinstance(error, NotLeader)
            assert error.raft_address is None
            text = f"failed to update {thing}: failed to apply command: node is not the leader"
            assert (error.code, error.details) == ("UNKNOWN", text)


def test_every_manager_reads_what_was_written(world: World) -> None:
    with world.workers("read-1"), world.service(1) as service:
        world.eventually(lambda: world.containers(service.id), 5, "a record")
        for name in world.nodes:

            def replicated(name: str = name) -> bool:
                services = world.api.call(name, "ListServices").services
                records = world.api.call(name, "ListContainers", service_id=service.id).containers
                nodes = world.api.call(name, "ListNodes").nodes
                return (
                    service.id in [each.id for each in services]
                    and len(records) == 1
                    and "read-1" in [each.id for each in nodes]
                )

            world.eventually(replicated, 1, f"{name} has it too")


def test_a_token_is_known_to_its_manager_alone(world: World) -> None:
    """A joiner's token counts only where it was made; elsewhere the leader check comes first or it is invalid."""
    token = world.api.write("GenerateJoinToken", role="manager").token
    error = follower_refusal(world, "JoinCluster", node_id="x", bind_addr="127.0.0.1:1", token=token)
    assert isinstance(error, NotLeader)


@dataclasses.dataclass
class Load:
    """What became of creates sent while a leader dies: ``acknowledged`` names, ``unknown`` ones, refusals by type."""

    acknowledged: list[tuple[float, str]] = dataclasses.field(default_factory=list)
    unknown: list[str] = dataclasses.field(default_factory=list)
    refused: set[str] = dataclasses.field(default_factory=set)
    reads: list[float] = dataclasses.field(default_factory=list)


async def _creates(world: World, manager: str, load: Load, stop: asyncio.Event) -> None:
    number = 0
    while not stop.is_set():
        number += 1
        name = f"kill-{manager}-{number:04d}"
        request = message("CreateServiceRequest")(name=name, image="docker.io/library/nginx:alpine", replicas=0)
        try:
            await world.api.cluster.clients[manager].call("CreateService", request, 5)
        except (NotLeader, NoLeader, Unreachable, OutcomeUnknown, WarrenError) as error:
            load.refused.add(f"{type(error).__name__}: {error.details}")
            if not isinstance(error, (NotLeader, NoLeader)):
                load.unknown.append(name)
        else:
            load.acknowledged.append((time.monotonic(), name))
        await asyncio.sleep(0.05)


async def _reads(world: World, manager: str, load: Load, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await world.api.cluster.clients[manager].call("ListServices", timeout=5)
        load.reads.append(time.monotonic())
        await asyncio.sleep(0.02)


def test_the_death_of_leaders(fresh_world: World) -> None:
    """kill -9 under load: a new leader in seconds, nothing acknowledged lost or doubled. Then the quorum goes."""
    world = fresh_world
    first = world.api.leader()
    reader = follower_of(world)
    load = Load()

    async def under_load() -> None:
        stop = asyncio.Event()
        tasks = [asyncio.create_task(_creates(world, name, load, stop)) for name in world.nodes]
        tasks.append(asyncio.create_task(_reads(world, reader, load, stop)))
        await asyncio.sleep(1.5)
        world.nodes[first].process.signal(signal.SIGKILL)
        await asyncio.sleep(5)
        stop.set()
        await asyncio.gather(*tasks)

    killed = time.monotonic() + 1.5
    world.api.run(under_load())
    assert world.nodes[first].process.wait() == -signal.SIGKILL

    second = world.api.leader()
    assert second != first
    before = [moment for moment, _name in load.acknowledged if moment < killed]
    after = [moment for moment, _name in load.acknowledged if moment > killed + 0.5]
    assert before
    assert after
    assert min(after) - max(before) < ELECTION
    gaps = [later - earlier for earlier, later in zip(load.reads, load.reads[1:], strict=False)]
    assert max(gaps) < 2, "reads elsewhere go on"

    survivors = [name for name in world.nodes if name != first]
    acknowledged = {name for _moment, name in load.acknowledged}
    for manager in survivors:

        def kept(manager: str = manager) -> list[str]:
            return [service.name for service in world.api.call(manager, "ListServices").services]

        def complete(manager: str = manager) -> bool:
            return acknowledged <= set(kept(manager))

        world.eventually(complete, 1, "nothing acknowledged is lost")
        assert len(kept()) == len(set(kept())), "nothing is there twice"
        assert set(kept()) <= acknowledged | set(load.unknown), "what was refused is not there"
    assert isinstance(refusal(lambda: world.api.call(first, "ListServices")), Unreachable)
    servers = world.api.call(second, "GetClusterInfo").servers
    assert {(server.id, server.suffrage) for server in servers} == {(name, "Voter") for name in world.nodes}, (
        "dead ones stay"
    )

    # One malformed request, and two of three are dead: the last one reads, but nobody leads.
    error = refusal(lambda: world.api.call(second, "RegisterNode", id="x", role="worker"))
    assert error.code == "UNAVAILABLE"
    assert world.nodes[second].process.wait() not in (0, 1)
    (last,) = (name for name in survivors if name != second)
    world.eventually(lambda: not world.api.call(last, "GetClusterInfo").leader_addr, 0, "the last one has no leader")
    info = world.api.call(last, "GetClusterInfo")
    assert (info.leader_id, info.leader_addr, len(info.servers)) == ("", "", 3)
    assert world.api.call(last, "ListServices").services
    error = refusal(lambda: world.api.call(last, "CreateService", name="x", image="x"))
    assert isinstance(error, NoLeader)
    assert (error.code, error.details) == ("UNKNOWN", "no leader elected yet")
    out = world.nodes[last].cli("cluster", "info")
    assert out.returncode == 0
    assert "  Leader ID: \n  Leader Address: \n  Servers: 3\n" in out.stdout
