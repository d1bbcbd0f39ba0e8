# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the API answers: every RPC, its texts, and what CreateService keeps (3.3 to 3.7)."""

from __future__ import annotations

import re
import typing as t
import uuid
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from ansible_collections.warren.load.plugins.module_utils.api.channel import Security
from ansible_collections.warren.load.plugins.module_utils.api.client import detect_dialect
from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.errors import (
    InvalidToken,
    NotFound,
    Rejected,
    ReplyTooLarge,
    WarrenError,
)
from ansible_collections.warren.load.plugins.module_utils.api.schema import METHODS, message
from ansible_collections.warren.load.tests.support.worlds import World, refusal

IMAGE = "docker.io/library/nginx:alpine"


def is_uuid4(text: str) -> bool:
    return str(uuid.UUID(text)) == text and uuid.UUID(text).version == 4


# --- which RPCs there are (3.3, 3.5) ----------------------------------------------------------------------------------


def test_the_dialect_is_detected(world: World) -> None:
    found = world.api.run(detect_dialect(world.first.api_address, world.resolved()))
    assert found is world.dialect


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_is_there_or_unimplemented(world: World, method: str) -> None:
    """A request that cannot be decoded does no harm and tells: a method that is not there never looks at it."""
    with pytest.raises(grpc.RpcError) as caught:
        world.api.bare("manager-1", world.dialect.wire_name(method), b"\xff")
    code = caught.value.code()
    if not world.dialect.supports(method):
        assert code is grpc.StatusCode.UNIMPLEMENTED
    elif method in ("WatchContainers", "StreamEvents"):
        assert code is not grpc.StatusCode.UNIMPLEMENTED  # whether it looks at the request first does not matter
    else:
        assert code is grpc.StatusCode.INTERNAL


def test_the_other_dialects_names_are_unimplemented(world: World) -> None:
    other = Dialect.CONTAINERS if world.dialect is Dialect.TASKS else Dialect.TASKS
    for method in ("ListContainers", "GetContainer", "UpdateContainerStatus", "WatchContainers", "NoSuchMethod"):
        with pytest.raises(grpc.RpcError) as caught:
            world.api.bare("manager-1", other.wire_name(method))
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED, method


def test_streams_are_not_implemented(world: World) -> None:
    async def first_message(method: str) -> object:
        stream = world.api.cluster.clients["manager-1"].stream(method, message(METHODS[method].request)())
        async for event in stream:
            return event
        return None

    def status(method: str) -> tuple[str, str]:
        with pytest.raises(grpc.RpcError) as caught:
            world.api.run(first_message(method))
        return caught.value.code().name, caught.value.details()

    code, text = status("WatchContainers")
    assert code == "UNKNOWN"
    if world.dialect is Dialect.TASKS:
        assert re.search("not (yet )?implemented", text)
        assert status("StreamEvents")[0] == "UNIMPLEMENTED"
    else:
        assert text == "WatchContainers not yet implemented"
        assert status("StreamEvents") == ("UNKNOWN", "event streaming not yet implemented")


# --- services (3.6) ---------------------------------------------------------------------------------------------------


def test_create_service_echoes_what_it_keeps(world: World) -> None:
    fields: dict[str, t.Any] = {
        "deploy_strategy": "rolling",
        "env": {"A": "1"},
        "networks": ["net"],
        "restart_policy": {"condition": "always", "max_attempts": 3, "delay_seconds": 2},
        "resources": {"cpu_shares": 512, "memory_bytes": 1 << 20},
        "update_config": {"parallelism": 2, "delay_seconds": 3, "failure_action": "pause"},
    }
    dropped: dict[str, t.Any] = {"command": ["sleep", "1"], "volumes": [{"source": "v", "target": "/v"}]}
    if world.dialect is Dialect.CONTAINERS:
        fields["ports"] = [{"container_port": 80, "host_port": 8080, "protocol": "tcp"}]
        dropped["stop_timeout"] = 7
        fields["update_config"] = {**fields["update_config"], "max_surge": 5}
    with world.service(2, **fields, **dropped) as service:
        assert is_uuid4(service.id)
        assert (service.image, service.replicas, service.mode) == (IMAGE, 2, "replicated")
        assert service.created_at.seconds > 0
        kept = world.api.read("GetService", id=service.id).service
        for seen in (service, kept):
            assert dict(seen.env) == {"A": "1"}
            assert seen.deploy_strategy == "rolling"
            assert list(seen.networks) == ["net"]
            assert (seen.update_config.parallelism, seen.update_config.failure_action) == (2, "pause")
            assert seen.restart_policy.condition == "always"
            assert seen.resources.memory_bytes == 1 << 20
            assert not seen.command
            assert not seen.volumes
            assert not seen.stop_timeout
            assert not seen.update_config.max_surge
            assert len(seen.ports) == (world.dialect is Dialect.CONTAINERS)


def test_nothing_is_validated(world: World) -> None:
    cases: list[dict[str, t.Any]] = [
        {"name": ""},
        {"image": ""},
        {"replicas": 0},
        {"replicas": -3},
        {"mode": "no such"},
    ]
    for fields in cases:
        with world.service(**{"replicas": 1, **fields}) as service:
            assert is_uuid4(service.id)
            for name, value in fields.items():
                assert getattr(service, name) == value


def test_duplicate_names_make_two_services_and_the_name_finds_the_last_id(world: World) -> None:
    name = world.name("twice")
    with world.service(name=name) as one, world.service(name=name) as two:
        assert one.id != two.id
        assert world.api.read("GetService", name=name).service.id == max(one.id, two.id)
        assert world.api.read("GetService", id=min(one.id, two.id), name=name).service.id == min(one.id, two.id)


def test_services_are_listed_in_id_order(world: World) -> None:
    with world.service(), world.service(), world.service(), world.service():
        ids = [service.id for service in world.api.read("ListServices").services]
    assert len(ids) >= 4
    assert ids == sorted(ids)


def test_update_service_ignores_what_is_empty(world: World) -> None:
    with world.service(3, env={"A": "1"}) as service:
        for replicas in (0, -1):
            assert world.api.write("UpdateService", id=service.id, replicas=replicas).service.replicas == 3
        assert world.api.write("UpdateService", id=service.id, replicas=5).service.replicas == 5
        changed = world.api.write("UpdateService", id=service.id, image="docker.io/library/redis:7").service
        assert (changed.image, changed.replicas, dict(changed.env)) == ("docker.io/library/redis:7", 5, {"A": "1"})
        assert dict(world.api.write("UpdateService", id=service.id, env={"B": "2"}).service.env) == {"B": "2"}
        kept = world.api.read("GetService", id=service.id).service
        assert (kept.image, kept.replicas) == ("docker.io/library/redis:7", 5)


def test_delete_service(world: World) -> None:
    with world.service() as service:
        assert world.api.write("DeleteService", id=service.id).status
        error = refusal(lambda: world.api.read("GetService", id=service.id))
        assert isinstance(error, NotFound)
        assert service.id not in [kept.id for kept in world.api.read("ListServices").services]
    assert world.api.write("DeleteService", id="no-such-id").status  # an unknown id is fine


@pytest.mark.containers
def test_update_and_rollback_of_images(world: World) -> None:
    def text(method: str, **fields: object) -> str:
        return refusal(lambda: world.api.write(method, **fields)).details

    assert text("UpdateServiceImage", image=IMAGE) == "service id is required"
    assert text("UpdateServiceImage", id="x") == "image is required"
    wrong = text("UpdateServiceImage", id="x", image=IMAGE, strategy="sideways")
    assert wrong == "invalid deployment strategy: sideways"
    assert world.api.write("UpdateServiceImage", id="no-such-id", image=IMAGE, strategy="rolling").status
    with world.service() as service:
        answer = text("RollbackService", id=service.id)
        assert answer == "rollback failed: no standby version found to rollback to"


# --- refusals (3.7) ---------------------------------------------------------------------------------------------------


def test_what_is_not_found(world: World) -> None:
    thing = "task" if world.dialect is Dialect.TASKS else "container"
    expected = {
        ("GetService", "id"): "service not found: service not found: nil",
        ("GetService", "name"): "service not found: service not found: nil",
        ("GetNode", "id"): "node not found: node not found: nil",
        ("GetContainer", "id"): f"{thing} not found: {thing} not found: nil",
        ("GetSecretByName", "name"): "failed to get secret: secret not found: nil",
        ("GetVolumeByName", "name"): "failed to get volume: volume not found: nil",
        ("UpdateService", "id"): "service not found: service not found: nil",
        ("UpdateContainerStatus", "container_id"): f"{thing} not found: {thing} not found: nil",
        ("Heartbeat", "node_id"): "node not found: node not found: nil",
    }
    for (method, field), text in expected.items():
        error = refusal(lambda method=method, field=field: world.api.read(method, **{field: "nil"}))  # type: ignore[misc]
        assert (error.code, error.details) == ("UNKNOWN", text), method
        assert isinstance(error, NotFound)


def test_get_service_needs_an_id_or_a_name(world: World) -> None:
    error = refusal(lambda: world.api.read("GetService"))
    assert (error.code, error.details) == ("UNKNOWN", "either id or name must be specified")
    assert isinstance(error, Rejected)


def test_deleting_what_is_not_there_succeeds(world: World) -> None:
    for method in ("DeleteService", "RemoveNode", "DeleteSecret", "DeleteVolume"):
        assert world.api.write(method, id="no-such-id").status, method


def test_a_request_over_4_mib_is_refused_and_a_reply_over_it_is_not(world: World) -> None:
    error = refusal(lambda: world.api.write("CreateService", name="big", image="x" * (5 << 20), replicas=0))
    assert isinstance(error, ReplyTooLarge)
    big = "x" * (1700 << 10)
    with world.service(0, image=big), world.service(0, image=big), world.service(0, image=big):
        assert world.api.read("ListServices").ByteSize() > 4 << 20


def test_calls_at_the_same_time(world: World) -> None:
    with ThreadPoolExecutor(16) as pool:
        names = [world.name("burst") for _number in range(48)]
        made = list(pool.map(lambda name: world.api.write("CreateService", name=name, image=IMAGE, replicas=0), names))
        kept = {service.id: service.name for service in world.api.read("ListServices").services}
        assert all(kept[answer.service.id] == name for answer, name in zip(made, names, strict=True))
        list(pool.map(lambda answer: world.api.write("DeleteService", id=answer.service.id), made))


# --- nodes ------------------------------------------------------------------------------------------------------------


def test_nodes(world: World) -> None:
    assert "manager-1" not in [node.id for node in world.api.read("ListNodes").nodes]  # managers are no nodes
    with world.workers("rpc-1", "rpc-2") as (worker, _other):
        node = worker.node
        assert (node.id, node.role, node.status) == ("rpc-1", "worker", "ready")
        assert (node.address, node.overlay_ip) == ("localhost", "10.0.0.1")
        assert (node.resources.cpu_cores, node.resources.memory_bytes) == (4, 8 << 30)
        assert node.last_heartbeat.seconds >= node.created_at.seconds > 0
        assert world.api.read("GetNode", id="rpc-1").node.id == "rpc-1"
        ids = [known.id for known in world.api.read("ListNodes").nodes]
        assert ids == sorted(ids)
        assert {"rpc-1", "rpc-2"} <= set(ids)
        assert [known.id for known in world.api.read("ListNodes", role_filter="worker").nodes] == ids
        assert not world.api.read("ListNodes", role_filter="Worker").nodes
    assert isinstance(refusal(lambda: world.api.read("GetNode", id="rpc-1")), NotFound)


def test_registering_again_replaces_the_record(world: World) -> None:
    with world.workers("again") as (worker,):
        reply = world.api.write(
            "RegisterNode",
            id="again",
            role="worker",
            address="elsewhere",
            resources={"cpu_cores": 2},
            labels={"a": "b"},
        )
        assert reply.overlay_ip == "10.0.0.1"
        node = world.api.read("GetNode", id=worker.node_id).node
        assert (node.address, node.resources.cpu_cores, node.resources.memory_bytes) == ("elsewhere", 2, 0)
        assert [known.id for known in world.api.read("ListNodes").nodes].count("again") == 1


# --- secrets and volumes ----------------------------------------------------------------------------------------------


def test_secrets(world: World) -> None:
    name = world.name("secret")
    made = [world.api.write("CreateSecret", name=name, data=b"plain text").secret for _twice in range(2)]
    assert made[0].id != made[1].id  # no check for duplicates
    assert is_uuid4(made[0].id)
    assert not made[0].data
    found = world.api.read("GetSecretByName", name=name).secret
    assert found.name == name
    assert found.data
    assert b"plain text" not in found.data  # ciphertext
    listed = [secret for secret in world.api.read("ListSecrets").secrets if secret.name == name]
    assert len(listed) == 2
    assert not any(secret.data for secret in listed)
    for secret in made:
        assert world.api.write("DeleteSecret", id=secret.id).status
    assert isinstance(refusal(lambda: world.api.read("GetSecretByName", name=name)), NotFound)


def test_volumes(world: World) -> None:
    name = world.name("volume")
    volume = world.api.write("CreateVolume", name=name, driver="local", driver_opts={"o": "1"}).volume
    assert is_uuid4(volume.id)
    found = world.api.read("GetVolumeByName", name=name).volume
    assert (found.id, found.driver, dict(found.driver_opts)) == (volume.id, "local", {"o": "1"})
    assert name in [known.name for known in world.api.read("ListVolumes").volumes]
    assert world.api.write("DeleteVolume", id=volume.id).status
    assert isinstance(refusal(lambda: world.api.read("GetVolumeByName", name=name)), NotFound)


@pytest.mark.containers
def test_ingresses(world: World) -> None:
    name = world.name("ingress")
    paths = [{"path": "/", "path_type": "Prefix", "backend": {"service_name": "s", "port": 80}}]
    rules = [{"host": "example.org", "paths": paths}]
    made = world.api.write("CreateIngress", name=name, rules=rules).ingress
    assert (made.name, made.rules[0].paths[0].backend.port) == (name, 80)
    error = refusal(lambda: world.api.write("CreateIngress", name=name, rules=rules))
    assert error.details == f"ingress {name} already exists"
    assert refusal(lambda: world.api.write("CreateIngress", rules=rules)).details == "ingress name is required"
    assert world.api.read("GetIngress", name=name).ingress.id == made.id
    assert name in [known.name for known in world.api.read("ListIngresses").ingresses]
    assert world.api.write("DeleteIngress", name=name).status
    with pytest.raises(WarrenError, match="ingress not found"):
        world.api.read("GetIngress", name=name)


# --- tokens, joining, cluster info ------------------------------------------------------------------------------------


def test_join_tokens(world: World) -> None:
    made = [world.api.write("GenerateJoinToken", role=role) for role in ("worker", "manager", "no such role")]
    assert [token.role for token in made] == ["worker", "manager", "no such role"]  # the server checks no role
    assert all(re.fullmatch("[0-9a-f]{64}", token.token) for token in made)
    assert len({token.token for token in made}) == 3
    with world.workers("clock") as (worker,):  # its stamp tells the server's own time
        assert abs(made[0].expires_at.seconds - worker.node.created_at.seconds - 24 * 3600) < 60


def test_join_cluster_refusals(world: World) -> None:
    def text(token: str) -> str:
        error = refusal(lambda: world.api.write("JoinCluster", node_id="x", bind_addr="127.0.0.1:1", token=token))
        assert isinstance(error, (InvalidToken, Rejected))
        return error.details

    assert text("0" * 64) == "invalid join token: invalid token"
    token = world.api.write("GenerateJoinToken", role="worker").token
    assert text(token) == "invalid token role: expected manager, got worker"


def test_cluster_info(world: World) -> None:
    leader = world.api.leader()
    for name in world.nodes:
        info = world.api.call(name, "GetClusterInfo")
        assert (info.leader_id, info.leader_addr) == (leader, world.nodes[leader].raft_address)
        servers = {server.id: (server.address, server.suffrage) for server in info.servers}
        assert servers == {node.name: (node.raft_address, "Voter") for node in world.nodes.values()}


def test_plaintext_and_tls_do_not_mix(world: World) -> None:
    """The api layer says so in a sentence with the remedy, before any call (3.2)."""
    from ansible_collections.warren.load.plugins.module_utils.api.channel import resolve
    from ansible_collections.warren.load.plugins.module_utils.api.errors import SecurityError

    wrong = "tls" if world.dialect is Dialect.TASKS else "plaintext"
    with pytest.raises(SecurityError, match="warren_load_tls"):
        resolve(world.first.api_address, Security(mode=wrong))
    found = resolve(world.first.api_address, Security())
    assert found.tls is (world.dialect is Dialect.CONTAINERS)
