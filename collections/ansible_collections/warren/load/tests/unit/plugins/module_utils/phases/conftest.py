# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A double of a cluster: services, container records and the reconciler's two steps, in memory and without timers."""

from __future__ import annotations

import asyncio
import itertools
import time
import typing as t
from pathlib import Path

import grpc
import grpc.aio
import pytest

from ansible_collections.warren.load.plugins.module_utils.api.channel import PLAINTEXT
from ansible_collections.warren.load.plugins.module_utils.api.cluster import Answer, Created, Manager
from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.errors import NoLeader, NotFound, WarrenError
from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.plugins.module_utils.engine import loop
from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter

RUN_ID = "20261123-120102-4f1a"
OTHER_RUN_ID = "20261122-101010-00aa"


class DoubleLeanClient:
    def __init__(self, cluster: DoubleCluster) -> None:
        self.cluster = cluster

    async def __aenter__(self) -> DoubleLeanClient:
        self.cluster.connections += 1
        return self

    async def __aexit__(self, *_exc: object) -> None:
        return None

    def raw(self, method: str, timeout: float) -> t.Any:
        async def call(request: bytes) -> bytes:
            self.cluster.measured.append((method, request))
            return self.cluster.answer(method).SerializeToString()

        return call


class DoubleClient:
    def __init__(self, cluster: DoubleCluster, name: str) -> None:
        self.cluster = cluster
        self.name = name

    def raw(self, method: str) -> t.Any:
        async def call(request: bytes, timeout: float) -> bytes:
            return self.cluster.answer(method).SerializeToString()

        return call

    def lean(self) -> DoubleLeanClient:
        return DoubleLeanClient(self.cluster)

    async def call(self, method: str, request: t.Any = None, timeout: float = 10.0) -> t.Any:
        return self.cluster.answer(method)


class DoubleCluster:
    """The parts of api.cluster.Cluster that phases use. Every list read is a step of its time: see ``on_look``."""

    def __init__(self) -> None:
        self.dialect = Dialect.TASKS
        self.managers = {"manager-1": Manager("manager-1", "10.0.0.1:8080")}
        self.resolved = {"manager-1": PLAINTEXT}
        self.clients: dict[str, t.Any] = {"manager-1": DoubleClient(self, "manager-1")}
        self.leader_name: str | None = "manager-1"
        self.services: dict[str, t.Any] = {}
        self.containers: dict[str, t.Any] = {}
        self.nodes = [message("Node")(id="worker-1", role="worker", status="ready")]
        self.writes: list[tuple[str, t.Any]] = []
        self.measured: list[tuple[str, bytes]] = []  # what came through lean clients
        self.connections = 0  # that lean clients have opened
        self.failing: list[WarrenError | grpc.RpcError] = []  # what the next calls end in
        self.on_look: t.Callable[[int], None] = lambda _looks: None
        self._looks = 0
        self._ids = itertools.count(1)

    async def __aenter__(self) -> DoubleCluster:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        return None

    async def leader(self, deadline_s: float = 10.0) -> tuple[str, t.Any]:
        if self.leader_name is None:
            raise NoLeader("no leader elected yet")
        return self.leader_name, self.clients[self.leader_name]

    async def info(self, manager: str | None = None) -> t.Any:
        return self.answer("GetClusterInfo")

    def answer(self, method: str) -> t.Any:
        if self.failing:
            raise self.failing.pop(0)
        if method == "ListServices":
            return message("ListServicesResponse")(services=self.services.values())
        if method == "ListNodes":
            return message("ListNodesResponse")(nodes=self.nodes)
        if method == "ListContainers":
            self._looks += 1
            self.on_look(self._looks)
            return message("ListContainersResponse")(containers=self.containers.values())
        server = {"id": "manager-1", "suffrage": "Voter"}
        return message("GetClusterInfoResponse")(leader_id=self.leader_name or "", servers=[server])

    async def write(self, method: str, request: t.Any = None, deadline_s: float = 30.0) -> Answer:
        if self.failing:
            raise self.failing.pop(0)
        self.writes.append((method, request))
        if method == "DeleteService":
            self.services.pop(request.id, None)
        elif request.container_id not in self.containers:
            raise NotFound(f"container not found: {request.container_id}")
        else:
            self.containers[request.container_id].actual_state = request.actual_state
        return Answer(None, "manager-1", 1, 0)

    async def create_service(self, request: t.Any, deadline_s: float = 30.0) -> Created:
        await asyncio.sleep(0)  # as any call does
        if self.failing:
            error = self.failing.pop(0)
            assert isinstance(error, WarrenError)
            return Created("failed", None, 2, error)
        return Created("created", self.add_service(request.name, request.replicas), 1, None)

    def add_service(self, name: str, replicas: int = 3, created_at: float | None = None) -> t.Any:
        service = message("Service")(id=f"s{next(self._ids)}", name=name, replicas=replicas)
        service.created_at.FromNanoseconds(int((created_at or time.time()) * 1e9))
        self.services[service.id] = service
        return service

    def add_container(
        self, service: t.Any, delay: float = 1.0, state: str = "running", node: str = "worker-1"
    ) -> t.Any:
        one = message("Container")(
            id=f"c{next(self._ids)}", service_id=service.id, service_name=service.name, node_id=node
        )
        one.desired_state, one.actual_state = "running", state
        one.created_at.FromNanoseconds(service.created_at.ToNanoseconds() + int(delay * 1e9))
        self.containers[one.id] = one
        return one

    def reconcile(self) -> None:
        """One tick of Warren's reconciler: one step for each record, but no last step for those on lost nodes."""
        nodes = {node.id for node in self.nodes}
        for one in list(self.containers.values()):
            if one.actual_state == "failed" and one.desired_state == "running":
                one.desired_state = "shutdown"
            elif one.node_id in nodes and one.desired_state == "shutdown" and one.actual_state == "complete":
                del self.containers[one.id]


@pytest.fixture
def cluster() -> DoubleCluster:
    return DoubleCluster()


class Ran(t.NamedTuple):
    measurements: dict[str, t.Any]
    reporter: Reporter
    status: dict[str, t.Any]


@pytest.fixture
def run_phase(tmp_path: Path, cluster: DoubleCluster) -> t.Callable[..., Ran]:
    """Runs a phase on the double, as a module would: run_phase(module, options, deadline)."""

    def run(phase: t.Any, options: t.Any, deadline: float = 20.0) -> Ran:
        import json

        async def main(stop: loop.Stop) -> Ran:
            with Reporter(tmp_path, phase.__name__.rpartition(".")[2], deadline, stop) as reporter:
                measurements = await phase.run(cluster, options, reporter)
            json.dumps(measurements)  # or it could not leave a module
            return Ran(measurements, reporter, json.loads((tmp_path / "status.json").read_text()))

        return loop.run(main)

    return run
