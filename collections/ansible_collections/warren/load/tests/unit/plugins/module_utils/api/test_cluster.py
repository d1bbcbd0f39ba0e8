# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leader following and the settling of unknown outcomes, against scripted managers."""

from __future__ import annotations

import asyncio
import socket
import typing as t

import pytest

from ansible_collections.warren.load.plugins.module_utils.api import cluster as cluster_module
from ansible_collections.warren.load.plugins.module_utils.api.channel import Security
from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster, Created, Manager
from ansible_collections.warren.load.plugins.module_utils.api.errors import (
    NoLeader,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Unreachable,
    WarrenError,
)
from ansible_collections.warren.load.plugins.module_utils.api.schema import message

from .conftest import ScriptedManager, info_of, running

RAFT = {1: "10.0.0.1:7946", 2: "10.0.0.2:7946"}
Scenario = t.Callable[[Cluster, ScriptedManager, ScriptedManager], t.Awaitable[None]]


def _refuse(text: str) -> t.Callable[[t.Any], t.Any]:
    def answer(_request: t.Any) -> t.Any:
        raise WarrenError(text)

    return answer


def _created(request: t.Any) -> t.Any:
    return message("CreateServiceResponse")(service={"id": "1", "name": request.name})


def _two_managers(scenario: Scenario) -> None:
    """Run ``scenario`` on a follower (manager-1) and a leader (manager-2)."""

    async def body() -> None:
        follower, leader = ScriptedManager(), ScriptedManager()
        for manager in (follower, leader):
            manager.handlers["GetClusterInfo"] = info_of(leader, "manager-2", RAFT[2])
            manager.handlers["CreateService"] = _created
            manager.handlers["DeleteService"] = lambda _request: message("DeleteServiceResponse")(status="ok")
            manager.handlers["GetService"] = _refuse("service not found: service not found: x")
        follower.handlers["CreateService"] = _refuse(f"not the leader, current leader is at: {RAFT[2]}")
        async with running(follower, leader):
            managers = [
                Manager("manager-1", follower.address, RAFT[1]),
                Manager("manager-2", leader.address, RAFT[2]),
            ]
            async with await Cluster.connect(managers, Security(), "tasks") as cluster:
                await scenario(cluster, follower, leader)

    asyncio.run(body())


def _request(name: str = "x") -> t.Any:
    return message("CreateServiceRequest")(name=name, replicas=1)


def _count(manager: ScriptedManager, method: str) -> int:
    return sum(called == method for called, _request in manager.calls)


def test_a_refused_write_goes_to_the_manager_with_that_raft_address() -> None:
    async def scenario(cluster: Cluster, follower: ScriptedManager, leader: ScriptedManager) -> None:
        cluster._leader = "manager-1"
        answer = await cluster.write("CreateService", _request())
        assert (answer.manager, answer.attempts, answer.redirects) == ("manager-2", 2, 1)
        assert (_count(follower, "CreateService"), _count(leader, "CreateService")) == (1, 1)
        assert await cluster.leader() == ("manager-2", cluster.clients["manager-2"])

    _two_managers(scenario)


def test_a_write_waits_for_a_leader_and_counts_its_attempts() -> None:
    async def scenario(cluster: Cluster, _follower: ScriptedManager, leader: ScriptedManager) -> None:
        refusals = iter([WarrenError("no leader elected yet")] * 3)

        def answer(request: t.Any) -> t.Any:
            for refusal in refusals:
                raise refusal
            return _created(request)

        leader.handlers["CreateService"] = answer
        assert (await cluster.write("CreateService", _request())).attempts == 4

    _two_managers(scenario)


def test_no_leader_until_the_deadline_is_no_leader() -> None:
    async def scenario(cluster: Cluster, follower: ScriptedManager, leader: ScriptedManager) -> None:
        follower.handlers["GetClusterInfo"] = leader.handlers["GetClusterInfo"] = info_of(None)
        with pytest.raises(NoLeader):
            await cluster.write("CreateService", _request(), deadline_s=0.5)
        assert _count(leader, "CreateService") == 0

    _two_managers(scenario)


def test_a_refusal_is_not_repeated() -> None:
    async def scenario(cluster: Cluster, _follower: ScriptedManager, leader: ScriptedManager) -> None:
        leader.handlers["CreateService"] = _refuse("either id or name must be specified")
        with pytest.raises(Rejected) as caught:
            await cluster.write("CreateService", _request())
        assert caught.value.attempts == 1
        assert _count(leader, "CreateService") == 1

    _two_managers(scenario)


LOST = "failed to create service: failed to apply command: leadership lost while committing log"


def test_an_unknown_outcome_is_raised_not_repeated() -> None:
    async def scenario(cluster: Cluster, _follower: ScriptedManager, leader: ScriptedManager) -> None:
        leader.handlers["CreateService"] = _refuse(LOST)
        with pytest.raises(OutcomeUnknown):
            await cluster.write("CreateService", _request())
        assert _count(leader, "CreateService") == 1

    _two_managers(scenario)


def _create_after_loss(
    monkeypatch: pytest.MonkeyPatch, *, found: bool, barrier_works: bool = True
) -> tuple[Created, list[str]]:
    """What create_service makes of one lost acknowledgement, and the calls the leader saw."""
    monkeypatch.setattr(cluster_module, "ENQUEUE_TIMEOUT", 0.05)
    monkeypatch.setattr(cluster_module, "ENQUEUE_SLACK", 0.0)
    results: list[Created] = []
    calls: list[str] = []

    async def scenario(cluster: Cluster, _follower: ScriptedManager, leader: ScriptedManager) -> None:
        losses = iter([WarrenError(LOST)])

        def answer(request: t.Any) -> t.Any:
            for loss in losses:
                raise loss
            return _created(request)

        leader.handlers["CreateService"] = answer
        if found:
            leader.handlers["GetService"] = lambda request: message("GetServiceResponse")(
                service={"id": "9", "name": request.name}
            )
        if not barrier_works:
            leader.handlers["DeleteService"] = _refuse(LOST)
        results.append(await cluster.create_service(_request(), deadline_s=5.0))
        calls.extend(method for method, _request in leader.calls if method != "GetClusterInfo")

    _two_managers(scenario)
    return results[0], calls


def test_a_lost_acknowledgement_whose_service_is_there_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    created, calls = _create_after_loss(monkeypatch, found=True)
    assert (created.status, created.service.id, created.attempts) == ("found", "9", 1)
    assert calls == ["CreateService", "DeleteService", "GetService"]


def test_a_lost_acknowledgement_proven_absent_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    created, calls = _create_after_loss(monkeypatch, found=False)
    assert (created.status, created.attempts) == ("created", 2)
    assert calls == ["CreateService", "DeleteService", "GetService", "CreateService"]


def test_what_cannot_be_settled_is_ambiguous(monkeypatch: pytest.MonkeyPatch) -> None:
    created, calls = _create_after_loss(monkeypatch, found=True, barrier_works=False)
    assert (created.status, created.service) == ("ambiguous", None)
    assert calls == ["CreateService", "DeleteService"]


def test_a_deadline_before_the_enqueue_time_out_is_ambiguous() -> None:
    async def scenario(cluster: Cluster, _follower: ScriptedManager, leader: ScriptedManager) -> None:
        leader.handlers["CreateService"] = _refuse(LOST)
        created = await cluster.create_service(_request(), deadline_s=1.0)
        assert created.status == "ambiguous"
        assert _count(leader, "DeleteService") == 0

    _two_managers(scenario)


def test_one_manager_of_the_list_may_be_down() -> None:
    async def scenario(cluster: Cluster, _follower: ScriptedManager, leader: ScriptedManager) -> None:
        managers = [Manager("gone", "127.0.0.1:1", "10.0.0.9:7946"), Manager("manager-2", leader.address, RAFT[2])]
        async with await Cluster.connect(managers, Security(), "tasks") as other:
            assert (await other.leader())[0] == "manager-2"
            with pytest.raises(Unreachable):
                await other.read("GetClusterInfo", manager="gone")

    _two_managers(scenario)


def test_a_manager_that_is_just_starting_does_not_end_the_search_for_the_leader() -> None:
    async def scenario(cluster: Cluster, _follower: ScriptedManager, leader: ScriptedManager) -> None:
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            port = reserved.getsockname()[1]
        managers = [
            Manager("starting", f"127.0.0.1:{port}", "10.0.0.9:7946"),
            Manager("manager-2", leader.address, RAFT[2]),
        ]
        async with await Cluster.connect(managers, Security(), "tasks") as other:
            server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)
            async with server:
                assert (await other.leader(3.0))[0] == "manager-2"

    _two_managers(scenario)


def test_a_leader_outside_the_inventory_is_named_in_the_error() -> None:
    async def scenario(cluster: Cluster, follower: ScriptedManager, _leader: ScriptedManager) -> None:
        follower.handlers["GetClusterInfo"] = info_of(follower, "manager-7", "127.0.0.1:7999")
        managers = [Manager("a", follower.address), Manager("b", "127.0.0.1:1")]
        async with await Cluster.connect(managers, Security(), "tasks") as other:
            with pytest.raises(WarrenError, match=r"127.0.0.1:7999 belongs to no manager of the inventory"):
                await other.leader(1.0)

    _two_managers(scenario)


def test_a_lone_manager_needs_no_raft_address() -> None:
    async def scenario(cluster: Cluster, _follower: ScriptedManager, leader: ScriptedManager) -> None:
        leader.handlers["GetClusterInfo"] = info_of(leader, "whatever", "127.0.0.1:7946")
        async with await Cluster.connect([Manager("only", leader.address)], Security(), "tasks") as other:
            assert (await other.write("CreateService", _request())).manager == "only"

    _two_managers(scenario)


def test_nobody_at_all() -> None:
    with pytest.raises(Unreachable, match=r"nobody answers at 127\.0\.0\.1:1"):
        asyncio.run(Cluster.connect([Manager("gone", "127.0.0.1:1")], Security()))
    with pytest.raises(ValueError, match="no manager is known"):
        asyncio.run(Cluster.connect([], Security()))


def test_a_missing_service_is_not_found() -> None:
    async def scenario(cluster: Cluster, _follower: ScriptedManager, _leader: ScriptedManager) -> None:
        with pytest.raises(NotFound):
            await cluster.read("GetService", message("GetServiceRequest")(name="x"))

    _two_managers(scenario)
