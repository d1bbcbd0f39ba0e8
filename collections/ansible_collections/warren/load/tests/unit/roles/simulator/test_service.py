# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The handlers: Warren's texts, what it keeps and what it drops; the defects that live in them."""

from __future__ import annotations

import asyncio
import dataclasses
import types
import typing as t

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.schema import METHODS, message
from warren_simulator.costs import IdealCosts
from warren_simulator.defects import Defects
from warren_simulator.leaks import Leaks
from warren_simulator.manager import Manager
from warren_simulator.metrics import Metrics
from warren_simulator.raft import NOT_THE_LEADER, CommitError
from warren_simulator.service import Api, Refused, Service, _snake
from warren_simulator.store import Store
from warren_simulator.tokens import Tokens


class Crashed(BaseException):
    """The process would have died."""


@dataclasses.dataclass
class FakeReplica:
    is_leader: bool = True
    leader_address: str = "127.0.0.1:7946"


class FakeManager:
    def __init__(self, dialect=Dialect.CONTAINERS, defects=None):
        self.dialect = dialect
        self.defects = defects or Defects()
        self.leaks = Leaks(self.defects)
        self.store = Store()
        self.costs = IdealCosts()
        self.metrics = Metrics(dialect)
        self.tokens = Tokens()
        self.authority = None
        self.options = types.SimpleNamespace(node_id="manager-1")
        self.clock = types.SimpleNamespace(real=lambda _seconds: 0)
        self.replica = FakeReplica()
        self.commits = []

    async def commit(self, command):
        if not self.replica.is_leader:
            raise CommitError(NOT_THE_LEADER)
        self.commits.append(command)
        self.store.apply(command)

    async def try_commit_all(self, commands):
        for command in commands:
            await self.commit(command)
        return True

    def crash(self, text):
        raise Crashed(text)


class World:
    def __init__(self, dialect=Dialect.CONTAINERS, defects=None):
        self.manager = FakeManager(dialect, defects)
        self.service = Service(t.cast(Manager, self.manager))

    def call(self, rpc, **fields):
        method = METHODS[rpc]
        request = message(method.request)(**fields)
        reply = asyncio.run(getattr(self.service, _snake(rpc))(request))
        return message(method.response).FromString(reply)

    def refusal(self, rpc, **fields):
        with pytest.raises(Refused) as caught:
            self.call(rpc, **fields)
        return str(caught.value)


@pytest.fixture
def world():
    return World()


def test_every_method_of_each_dialect_has_a_handler():
    for dialect in Dialect:
        Api(World(dialect).service, dialect)


@pytest.mark.parametrize(
    ("name", "fields", "text"),
    [
        ("GetService", {}, "either id or name must be specified"),
        ("GetService", {"id": "x"}, "service not found: service not found: x"),
        ("GetService", {"name": "x"}, "service not found: service not found: x"),
        ("UpdateService", {"id": "x"}, "service not found: service not found: x"),
        ("GetNode", {"id": "x"}, "node not found: node not found: x"),
        ("Heartbeat", {"node_id": "x"}, "node not found: node not found: x"),
        ("GetContainer", {"id": "x"}, "container not found: container not found: x"),
        ("UpdateContainerStatus", {"container_id": "x"}, "container not found: container not found: x"),
        ("GetSecretByName", {"name": "x"}, "failed to get secret: secret not found: x"),
        ("GetVolumeByName", {"name": "x"}, "failed to get volume: volume not found: x"),
        ("CreateSecret", {"name": "x"}, "failed to encrypt secret: cannot encrypt empty data"),
        ("RequestCertificate", {"token": "x"}, "invalid token: invalid token"),
        ("JoinCluster", {"token": "x"}, "invalid join token: invalid token"),
        ("UpdateServiceImage", {}, "service id is required"),
        ("UpdateServiceImage", {"id": "x"}, "image is required"),
        ("UpdateServiceImage", {"id": "x", "image": "i", "strategy": "s"}, "invalid deployment strategy: s"),
        ("GetIngress", {"name": "x"}, "ingress not found: ingress not found: x"),
        ("GetTLSCertificate", {"id": "x"}, "certificate not found: certificate not found"),
    ],
)
def test_texts(world, name, fields, text):
    assert world.refusal(name, **fields) == text


def test_tasks_are_called_tasks():
    assert World(Dialect.TASKS).refusal("GetContainer", id="x") == "task not found: task not found: x"


def test_tokens_of_the_wrong_role_do_not_join(world):
    token = world.call("GenerateJoinToken", role="worker").token
    assert world.refusal("JoinCluster", token=token) == "invalid token role: expected manager, got worker"


def test_followers_refuse_writes_and_answer_reads(world):
    world.call("RegisterNode", id="w", resources={})
    world.manager.replica = FakeReplica(is_leader=False)
    expected = "not the leader, current leader is at: 127.0.0.1:7946"
    assert world.refusal("CreateService", name="x") == expected
    assert world.refusal("GenerateJoinToken", role="worker") == expected
    assert world.refusal("CreateIngress", name="x") == "not leader, forward to leader"
    text = "failed to update node: failed to apply command: node is not the leader"
    assert world.refusal("Heartbeat", node_id="w") == text
    assert [node.id for node in world.call("ListNodes").nodes] == ["w"]
    world.manager.replica.leader_address = ""
    assert world.refusal("CreateService", name="x") == "no leader elected yet"


def test_create_validates_nothing_and_drops_what_warren_drops(world):
    made = world.call(
        "CreateService",
        replicas=-1,
        command=["x"],
        stop_timeout=5,
        volumes=[{"source": "v"}],
        update_config={"parallelism": 2, "delay_seconds": 1, "failure_action": "pause", "max_surge": 9},
        env={"A=B": "c"},
        health_check={"http": {"path": "/x", "port": 1}, "retries": 3},
        ports=[{"container_port": 80}],
    ).service
    assert (made.name, made.image, made.replicas, made.mode) == ("", "", -1, "")
    assert not made.command
    assert not made.volumes
    assert made.stop_timeout == 0
    assert (made.update_config.parallelism, made.update_config.max_surge) == (2, 0)
    assert dict(made.env) == {"A": "B=c"}
    assert (made.health_check.http.path, made.health_check.http.port, made.health_check.retries) == ("/health", 8080, 3)
    assert made.ports[0].container_port == 80
    assert world.call("GetService", id=made.id).service == made
    assert not made.HasField("restart_policy")


def test_older_servers_know_no_ports():
    assert not World(Dialect.TASKS).call("CreateService", ports=[{"container_port": 80}]).service.ports


def test_update_ignores_zero_and_empty(world):
    made = world.call("CreateService", name="x", image="i", replicas=3, env={"A": "1"}).service
    same = world.call("UpdateService", id=made.id).service
    assert (same.replicas, same.image, dict(same.env)) == (3, "i", {"A": "1"})
    changed = world.call("UpdateService", id=made.id, replicas=5, image="j", env={"B": "2"}).service
    assert (changed.replicas, changed.image, dict(changed.env)) == (5, "j", {"B": "2"})
    assert changed.created_at == made.created_at


def test_deleting_leaves_containers_behind_unless_repaired():
    for repairs, desired in ((frozenset(), "running"), (frozenset({"orphans"}), "shutdown")):
        world = World(defects=Defects(repairs=repairs))
        container = message("Container")(id="c", service_id="s", desired_state="running")
        world.manager.store.apply(("put", "containers", container.SerializeToString()))
        assert world.call("DeleteService", id="s").status == "ok"
        assert world.call("GetContainer", id="c").container.desired_state == desired


def test_a_heartbeat_is_one_commit_and_changes_what_changed(world):
    world.call("RegisterNode", id="w", resources={})
    for each in ("a", "b"):
        container = message("Container")(id=each, node_id="w", actual_state="pending")
        world.manager.store.apply(("put", "containers", container.SerializeToString()))
    world.manager.commits.clear()
    states = [{"container_id": each, "actual_state": "running", "runtime_container_id": each} for each in ("a", "z")]
    world.call("Heartbeat", node_id="w", container_statuses=states)
    world.call("Heartbeat", node_id="w", container_statuses=states)
    assert [command[0] for command in world.manager.commits] == ["batch", "beat"]
    listed = world.call("ListContainers", node_id="w").containers
    assert [each.actual_state for each in listed] == ["running", "pending"]


def test_the_service_filter_wins_over_the_node_filter(world):
    for each, node, service in (("a", "n", "s"), ("b", "m", "s"), ("c", "n", "t")):
        container = message("Container")(id=each, node_id=node, service_id=service)
        world.manager.store.apply(("put", "containers", container.SerializeToString()))
    listed = world.call("ListContainers", service_id="s", node_id="n").containers
    assert [each.id for each in listed] == ["a", "b"]


def test_secrets_are_listed_without_data_and_kept_encrypted(world):
    world.call("CreateSecret", name="x", data=b"plain")
    assert [secret.data for secret in world.call("ListSecrets").secrets] == [b""]
    kept = world.call("GetSecretByName", name="x").secret.data
    assert kept
    assert b"plain" not in kept


def test_a_node_without_resources_kills_the_manager_unless_repaired():
    with pytest.raises(Crashed):
        World().call("RegisterNode", id="w")
    repaired = World(defects=Defects(repairs=frozenset({"register-crash"})))
    assert repaired.refusal("RegisterNode", id="w") == "resources are required"


def test_lost_and_duplicate_writes():
    lossy = World(defects=Defects({"lost-write": 3}))
    twice = World(defects=Defects({"duplicate-write": 3}))
    for number in range(6):
        for world in (lossy, twice):
            assert world.call("CreateService", name=f"s{number}").service.id
    assert [service.name for service in sorted(lossy.manager.store.services, key=lambda each: each.name)] == [
        "s0",
        "s1",
        "s3",
        "s4",
    ]
    assert len(twice.manager.store.services) == 8


def test_refused_writes():
    refusing = World(defects=Defects({"refused-create": 3, "refused-update": 2}))
    first = refusing.call("CreateService", name="a").service
    refusing.call("CreateService", name="b")
    assert refusing.refusal("CreateService", name="c") == "failed to create service: no space left on device"
    refusing.call("CreateService", name="c")
    assert sorted(service.name for service in refusing.manager.store.services) == ["a", "b", "c"]
    refusing.call("UpdateService", id=first.id, replicas=2)
    assert refusing.refusal("UpdateService", id=first.id, replicas=3).startswith("failed to update service: ")
    assert refusing.call("GetService", id=first.id).service.replicas == 2


def test_a_rolling_update_replaces_in_batches(world):
    made = world.call("CreateService", name="x", image="i", update_config={"parallelism": 2}).service
    for each in ("a", "b", "c"):
        container = message("Container")(id=each, service_id=made.id, desired_state="running")
        world.manager.store.apply(("put", "containers", container.SerializeToString()))
    asyncio.run(world.service._deploy(made.id, "j", "rolling"))
    assert world.call("GetService", id=made.id).service.image == "j"
    assert {each.desired_state for each in world.call("ListContainers").containers} == {"shutdown"}


def test_cluster_info(world):
    world.manager.store.servers.update({"manager-1": "127.0.0.1:7946", "manager-2": "127.0.0.1:7947"})
    info = world.call("GetClusterInfo")
    assert (info.leader_id, info.leader_addr) == ("manager-1", "127.0.0.1:7946")
    assert [(each.id, each.suffrage) for each in info.servers] == [("manager-1", "Voter"), ("manager-2", "Voter")]
    world.manager.replica.leader_address = ""
    assert world.call("GetClusterInfo").leader_id == ""
