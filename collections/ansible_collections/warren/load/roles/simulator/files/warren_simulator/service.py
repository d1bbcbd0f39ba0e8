# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warren's gRPC API: one coroutine for each RPC, on encoded messages, with Warren's texts (facts/warren.md 3)."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets as random_bytes
import time
import typing as t
import uuid

import grpc
import grpc.aio

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.schema import METHODS, SERVICE, message

from .raft import CommitError
from .store import SECOND, field_one, set_time

if t.TYPE_CHECKING:
    from .manager import Manager
    from .store import Command, Table

STATES_AT_ONCE = 400  # container states in one log entry
HEALTHY_GRACE = 30.0  # seconds
HEALTHY_DEADLINE = 300.0  # seconds that a new version has, in Warren's deployer
# Of seeded defects: what a refused write says, and the seconds until a deleted service is back.
NO_SPACE = "no space left on device"
COME_BACK = 1.0


class Refused(Exception):
    """An error that a Go handler returns: code UNKNOWN and this text."""


def _snake(name: str) -> str:
    return re.sub(r"([a-z])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3_\2\4", name).lower()


def _status(name: str) -> bytes:
    """An encoded reply whose only field, 1, is a text."""
    return field_one(name.encode())


def _new_id() -> str:
    return str(uuid.uuid4())


class Service:
    """The handlers of one manager. Each takes the decoded request and gives the encoded reply, or raises Refused."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager
        self.store = manager.store
        self.noun = "task" if manager.dialect is Dialect.TASKS else "container"
        self.creates = self.updates = self.deletes = 0
        self._undead: set[str] = set()
        self._background: set[asyncio.Task[None]] = set()

    # -- helpers

    def _require_leader(self) -> None:
        replica = self.manager.replica
        if not replica.is_leader:
            leader = replica.leader_address
            raise Refused(f"not the leader, current leader is at: {leader}" if leader else "no leader elected yet")

    def _require_leader_of_ingress(self) -> None:
        if not self.manager.replica.is_leader:
            raise Refused("not leader, forward to leader")

    async def _commit(self, command: Command, failed_to: str) -> None:
        try:
            await self.manager.commit(command)
        except CommitError as error:
            raise Refused(f"failed to {failed_to}: failed to apply command: {error}") from error

    def _found(self, table: Table, record_id: str, noun: str) -> t.Any:
        record = table.get(record_id)
        if record is None:
            raise Refused(f"{noun} not found: {noun} not found: {record_id}")
        return record

    def _crash(self, address: int = 0) -> None:
        self.manager.crash(
            "panic: runtime error: invalid memory address or nil pointer dereference\n"
            f"[signal SIGSEGV: segmentation violation code=0x1 addr={address:#x}] (simulated)"
        )

    # -- nodes

    async def register_node(self, request: t.Any) -> bytes:
        self._require_leader()
        if not request.HasField("resources"):
            if "register-crash" in self.manager.defects.repairs:
                raise Refused("resources are required")
            self._crash(8)
        node = message("Node")(
            id=request.id,
            role=request.role,
            address=request.address,
            overlay_ip="10.0.0.1",
            resources=request.resources,
            status="ready",
            labels=request.labels,
        )
        now = time.time_ns()
        set_time(node.last_heartbeat, now)
        set_time(node.created_at, now)
        await self._commit(("put", "nodes", node.SerializeToString()), "create node")
        return message("RegisterNodeResponse")(node=node, overlay_ip=node.overlay_ip).SerializeToString()

    async def heartbeat(self, request: t.Any) -> bytes:
        """One commit for the node, and one for each container status, changed or not (model `ideal`: one in all)."""
        manager = self.manager
        self._found(self.store.nodes, request.node_id, "node")
        resources = request.available_resources.SerializeToString() if request.HasField("available_resources") else None
        beat: Command = ("beat", request.node_id, time.time_ns(), resources)
        containers = self.store.containers.records
        if manager.costs.batches:
            changes = []
            for status in request.container_statuses:
                known = containers.get(status.container_id)
                if known is not None and (
                    known.actual_state != status.actual_state
                    or known.runtime_container_id != status.runtime_container_id
                ):
                    changes.append((status.container_id, status.actual_state, status.runtime_container_id))
            first, rest = changes[:STATES_AT_ONCE], changes[STATES_AT_ONCE:]
            await self._commit(("batch", [beat, ("states", first)]) if first else beat, "update node")
            for start in range(0, len(rest), STATES_AT_ONCE):
                await self._commit(("states", rest[start : start + STATES_AT_ONCE]), "update node")
            return _status("ok")
        await self._commit(beat, "update node")
        for status in request.container_statuses:
            known = containers.get(status.container_id)
            if known is None:
                continue
            state = (status.container_id, status.actual_state, status.runtime_container_id)
            try:
                if (known.actual_state, known.runtime_container_id) == state[1:]:
                    await manager.costs.disk()  # Warren writes it all the same
                else:
                    await manager.commit(("states", [state]))
            except CommitError:
                continue  # Warren does not look either
        return _status("ok")

    async def list_nodes(self, request: t.Any) -> bytes:
        nodes = self.store.nodes
        if not request.role_filter:
            return nodes.list()
        return nodes.join(node for node in nodes if node.role == request.role_filter)

    async def get_node(self, request: t.Any) -> bytes:
        return self.store.nodes.encoded(self._found(self.store.nodes, request.id, "node"))

    async def remove_node(self, request: t.Any) -> bytes:
        self._require_leader()
        await self._commit(("delete", "nodes", request.id), "remove node")
        return _status("ok")

    # -- services

    def _stored_service(self, request: t.Any) -> t.Any:
        """What Warren keeps of a CreateServiceRequest: no command, volumes, stop time-out; three update settings."""
        service = message("Service")(
            id=_new_id(),
            name=request.name,
            image=request.image,
            replicas=request.replicas,
            mode=request.mode,
            deploy_strategy=request.deploy_strategy,
            networks=request.networks,
        )
        for key, value in request.env.items():
            key, _equals, value = f"{key}={value}".partition("=")  # kept as one text in between
            service.env[key] = value
        if request.HasField("update_config"):
            for field in ("parallelism", "delay_seconds", "failure_action"):
                setattr(service.update_config, field, getattr(request.update_config, field))
            service.update_config.SetInParent()
        for field in ("restart_policy", "resources"):
            if request.HasField(field):
                getattr(service, field).CopyFrom(getattr(request, field))
        if self.manager.dialect is not Dialect.TASKS:
            service.ports.extend(request.ports)
            if request.HasField("health_check"):
                service.health_check.CopyFrom(_echoed_health_check(request.health_check))
        now = time.time_ns()
        set_time(service.created_at, now)
        set_time(service.updated_at, now)
        return service

    async def create_service(self, request: t.Any) -> bytes:
        start = time.perf_counter()
        defects = self.manager.defects
        try:
            self._require_leader()
            service = self._stored_service(request)
            encoded = service.SerializeToString()
            self.creates += 1
            if defects.hits("refused-create", self.creates):
                raise Refused(f"failed to create service: {NO_SPACE}")
            if not defects.hits("lost-write", self.creates):
                await self._commit(("put", "services", encoded), "create service")
            if defects.hits("duplicate-write", self.creates):
                twin = message("Service").FromString(encoded)
                twin.id = _new_id()
                await self._commit(("put", "services", twin.SerializeToString()), "create service")
            if "crash" in defects and self.creates >= defects.number("crash"):
                asyncio.get_running_loop().call_later(0.05, self.manager.crash, "panic: defect crash (simulated)")
        finally:
            self.manager.metrics.observe("warren_service_create_duration_seconds", time.perf_counter() - start)
        return field_one(encoded)

    async def update_service(self, request: t.Any) -> bytes:
        start = time.perf_counter()
        try:
            self._require_leader()
            self.updates += 1
            if self.manager.defects.hits("refused-update", self.updates):
                raise Refused(f"failed to update service: {NO_SPACE}")
            service = message("Service")()
            service.CopyFrom(self._found(self.store.services, request.id, "service"))
            if request.replicas > 0:
                service.replicas = request.replicas
            service.image = request.image or service.image
            if request.env:
                service.env.clear()
                service.env.update(request.env)
            set_time(service.updated_at, time.time_ns())
            encoded = service.SerializeToString()
            await self._commit(("put", "services", encoded), "update service")
        finally:
            self.manager.metrics.observe("warren_service_update_duration_seconds", time.perf_counter() - start)
        return field_one(encoded)

    async def delete_service(self, request: t.Any) -> bytes:
        start = time.perf_counter()
        try:
            self._require_leader()
            service = self.store.services.get(request.id)
            await self._commit(("delete", "services", request.id), "delete service")
            if service is not None:
                self.manager.leaks.deleted_service()
                self._perhaps_undead(service)
            if "orphans" in self.manager.defects.repairs:
                orphans = self.store.containers.of_service(request.id)
                await self.manager.try_commit_all([("steer", each.id, "shutdown", "", "") for each in orphans])
        finally:
            self.manager.metrics.observe("warren_service_delete_duration_seconds", time.perf_counter() - start)
        return _status("ok")

    def _perhaps_undead(self, service: t.Any) -> None:
        """The seeded defect ``undead``: the deleted service may come back, once."""
        if service.id in self._undead:
            return
        self.deletes += 1
        if self.manager.defects.hits("undead", self.deletes):
            self._undead.add(service.id)
            self._in_background(self._come_back(service))

    async def _come_back(self, service: t.Any) -> None:
        await asyncio.sleep(COME_BACK)
        await self.manager.try_commit_all([("put", "services", service.SerializeToString())])

    def _in_background(self, work: t.Coroutine[t.Any, t.Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def get_service(self, request: t.Any) -> bytes:
        services = self.store.services
        if request.id:
            return services.encoded(self._found(services, request.id, "service"))
        if not request.name:
            raise Refused("either id or name must be specified")
        await self.manager.costs.scan(len(services))
        service = services.named(request.name)
        if service is None:
            raise Refused(f"service not found: service not found: {request.name}")
        return services.encoded(service)

    async def list_services(self, _request: t.Any) -> bytes:
        if "slow-list" in self.manager.defects:
            await asyncio.sleep(self.manager.defects.number("slow-list") / 1000)
        await self.manager.costs.scan(len(self.store.services))
        return self.store.services.list()

    async def update_service_image(self, request: t.Any) -> bytes:
        self._require_leader()
        if not request.id:
            raise Refused("service id is required")
        if not request.image:
            raise Refused("image is required")
        strategy = request.strategy or "rolling"
        if strategy not in {"rolling", "blue-green", "canary"}:
            raise Refused(f"invalid deployment strategy: {strategy}")
        self._in_background(self._deploy(request.id, request.image, strategy))
        return _status("deployment initiated")

    async def _deploy(self, service_id: str, image: str, strategy: str) -> None:
        """A deployment in the background: rolling works; the others crash the manager when they promote."""
        start = time.perf_counter()
        service = self.store.services.get(service_id)
        if service is None:
            return
        if strategy != "rolling":
            await self._deploy_beside(service, image)
            return
        old = [each for each in self.store.containers.of_service(service_id) if each.desired_state == "running"]
        if old:
            updated = message("Service")()
            updated.CopyFrom(service)
            updated.image = image
            set_time(updated.updated_at, time.time_ns())
            await self.manager.try_commit_all([("put", "services", updated.SerializeToString())])
            step = max(1, service.update_config.parallelism)
            for first in range(0, len(old), step):
                batch = old[first : first + step]
                await self.manager.try_commit_all([("steer", each.id, "shutdown", "", "") for each in batch])
                if first + step < len(old):
                    await asyncio.sleep(self.manager.clock.real(service.update_config.delay_seconds))
        self.manager.metrics.observe_deployment(strategy, "success" if old else "failed", time.perf_counter() - start)

    async def _deploy_beside(self, service: t.Any, image: str) -> None:
        twin = message("Service")()
        twin.CopyFrom(service)
        twin.id, twin.image = _new_id(), image
        twin.name = f"{service.name}-{_new_id()[:8]}"
        await self.manager.try_commit_all([("put", "services", twin.SerializeToString())])
        deadline = time.monotonic() + self.manager.clock.real(HEALTHY_DEADLINE)
        await asyncio.sleep(self.manager.clock.real(HEALTHY_GRACE))
        while time.monotonic() < deadline:
            await asyncio.sleep(self.manager.clock.real(5.0))
            running = [each for each in self.store.containers.of_service(twin.id) if each.actual_state == "running"]
            if len(running) >= service.replicas:
                self.manager.crash("panic: assignment to entry in nil map (simulated)")
        await self.manager.try_commit_all([("delete", "services", twin.id)])

    async def rollback_service(self, request: t.Any) -> bytes:
        self._require_leader()
        if not request.id:
            raise Refused("service id is required")
        if self.store.services.get(request.id) is None:
            raise Refused(f"rollback failed: failed to get service: service not found: {request.id}")
        raise Refused("rollback failed: no standby version found to rollback to")

    # -- containers

    async def update_container_status(self, request: t.Any) -> bytes:
        self._found(self.store.containers, request.container_id, self.noun)
        state = (request.container_id, request.actual_state, request.runtime_container_id)
        await self._commit(("states", [state]), f"update {self.noun}")
        return _status("ok")

    async def report_container_health(self, request: t.Any) -> bytes:
        self._found(self.store.containers, request.container_id, self.noun)
        health = ("health", request.container_id, request.healthy, request.message)
        await self._commit(health, f"update {self.noun} health")
        return _status("ok")

    async def list_containers(self, request: t.Any) -> bytes:
        containers = self.store.containers
        await self.manager.costs.scan(len(containers))
        if request.service_id:
            return containers.join(containers.of_service(request.service_id))
        return containers.list_of_node(request.node_id) if request.node_id else containers.list()

    async def get_container(self, request: t.Any) -> bytes:
        return self.store.containers.encoded(self._found(self.store.containers, request.id, self.noun))

    # -- secrets and volumes

    async def create_secret(self, request: t.Any) -> bytes:
        self._require_leader()
        if not request.data:
            raise Refused("failed to encrypt secret: cannot encrypt empty data")
        secret = message("Secret")(id=_new_id(), name=request.name, data=self._encrypt(request.data))
        set_time(secret.created_at, time.time_ns())
        await self._commit(("put", "secrets", secret.SerializeToString()), "create secret")
        secret.ClearField("data")
        return field_one(secret.SerializeToString())

    def _encrypt(self, plain: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = random_bytes.token_bytes(12)
        key = hashlib.sha256(self.manager.options.node_id.encode()).digest()
        return nonce + AESGCM(key).encrypt(nonce, plain, None)

    async def get_secret_by_name(self, request: t.Any) -> bytes:
        secret = self.store.secrets.named(request.name)
        if secret is None:
            raise Refused(f"failed to get secret: secret not found: {request.name}")
        return self.store.secrets.encoded(secret)

    async def delete_secret(self, request: t.Any) -> bytes:
        self._require_leader()
        await self._commit(("delete", "secrets", request.id), "delete secret")
        return _status("ok")

    async def list_secrets(self, _request: t.Any) -> bytes:
        reply = message("ListSecretsResponse")(secrets=list(self.store.secrets))
        for secret in reply.secrets:
            secret.ClearField("data")
        return t.cast(bytes, reply.SerializeToString())

    async def create_volume(self, request: t.Any) -> bytes:
        self._require_leader()
        volume = message("Volume")(
            id=_new_id(), name=request.name, driver=request.driver, driver_opts=request.driver_opts
        )
        set_time(volume.created_at, time.time_ns())
        encoded = volume.SerializeToString()
        await self._commit(("put", "volumes", encoded), "create volume")
        return field_one(encoded)

    async def get_volume_by_name(self, request: t.Any) -> bytes:
        volume = self.store.volumes.named(request.name)
        if volume is None:
            raise Refused(f"failed to get volume: volume not found: {request.name}")
        return self.store.volumes.encoded(volume)

    async def delete_volume(self, request: t.Any) -> bytes:
        self._require_leader()
        await self._commit(("delete", "volumes", request.id), "delete volume")
        return _status("ok")

    async def list_volumes(self, _request: t.Any) -> bytes:
        return self.store.volumes.list()

    # -- cluster

    async def generate_join_token(self, request: t.Any) -> bytes:
        self._require_leader()
        token = self.manager.tokens.generate(request.role)
        reply = message("GenerateJoinTokenResponse")(token=token.text, role=token.role)
        set_time(reply.expires_at, int(token.expires * SECOND))
        return t.cast(bytes, reply.SerializeToString())

    async def join_cluster(self, request: t.Any) -> bytes:
        self._require_leader()
        try:
            role = self.manager.tokens.role(request.token)
        except ValueError as error:
            raise Refused(f"invalid join token: {error}") from error
        if role != "manager":
            raise Refused(f"invalid token role: expected manager, got {role}")
        try:
            await self.manager.add_voter(request.node_id, request.bind_addr)
        except CommitError as error:
            raise Refused(f"failed to add voter: failed to add voter: {error}") from error
        reply = message("JoinClusterResponse")(status="success", leader_addr=self.manager.replica.leader_address)
        return t.cast(bytes, reply.SerializeToString())

    async def get_cluster_info(self, _request: t.Any) -> bytes:
        leader = self.manager.replica.leader_address
        servers = self.store.servers
        reply = message("GetClusterInfoResponse")(
            leader_addr=leader, leader_id=next((each for each in servers if servers[each] == leader), "")
        )
        for node_id, address in servers.items():
            reply.servers.add(id=node_id, address=address, suffrage="Voter")
        return t.cast(bytes, reply.SerializeToString())

    async def request_certificate(self, request: t.Any) -> bytes:
        try:
            role = self.manager.tokens.role(request.token)
        except ValueError as error:
            raise Refused(f"invalid token: {error}") from error
        if self.manager.authority is None:
            raise Refused("failed to issue certificate: CA not initialized")
        issued = await asyncio.to_thread(self.manager.authority.issue_to_client, request.node_id, role)
        reply = message("RequestCertificateResponse")(
            certificate=issued.certificate, private_key=issued.key, ca_cert=issued.root
        )
        return t.cast(bytes, reply.SerializeToString())

    # -- ingresses and TLS certificates

    def _by_id_or_name(self, table: Table, request: t.Any, noun: str, missing: str) -> t.Any:
        if not (request.id or request.name):
            raise Refused(missing)
        record = table.get(request.id) if request.id else table.named(request.name)
        if record is None:
            which = "" if noun == "certificate" else f": {request.id or request.name}"
            raise Refused(f"{noun} not found: {noun} not found{which}")
        return record

    def _check_backends(self, rules: t.Any) -> None:
        if any(not path.HasField("backend") for rule in rules for path in rule.paths):
            self._crash()

    async def create_ingress(self, request: t.Any) -> bytes:
        self._require_leader_of_ingress()
        if not request.name:
            raise Refused("ingress name is required")
        if self.store.ingresses.named(request.name) is not None:
            raise Refused(f"ingress {request.name} already exists")
        self._check_backends(request.rules)
        ingress = message("Ingress")(id=_new_id(), name=request.name, rules=request.rules, labels=request.labels)
        if request.HasField("tls"):
            ingress.tls.CopyFrom(request.tls)
        now = time.time_ns()
        set_time(ingress.created_at, now)
        set_time(ingress.updated_at, now)
        encoded = ingress.SerializeToString()
        await self._commit(("put", "ingresses", encoded), "create ingress")
        return field_one(encoded)

    async def update_ingress(self, request: t.Any) -> bytes:
        self._require_leader_of_ingress()
        table = self.store.ingresses
        ingress = message("Ingress")()
        ingress.CopyFrom(self._by_id_or_name(table, request, "ingress", "ingress ID or name is required"))
        ingress.name = request.name or ingress.name
        if request.rules:
            self._check_backends(request.rules)
            ingress.ClearField("rules")
            ingress.rules.extend(request.rules)
        if request.HasField("tls"):
            ingress.tls.CopyFrom(request.tls)
        if request.labels:
            ingress.labels.clear()
            ingress.labels.update(request.labels)
        set_time(ingress.updated_at, time.time_ns())
        encoded = ingress.SerializeToString()
        await self._commit(("put", "ingresses", encoded), "update ingress")
        return field_one(encoded)

    async def delete_ingress(self, request: t.Any) -> bytes:
        self._require_leader_of_ingress()
        table = self.store.ingresses
        ingress = self._by_id_or_name(table, request, "ingress", "ingress ID or name is required")
        await self._commit(("delete", "ingresses", ingress.id), "delete ingress")
        return _status("deleted")

    async def get_ingress(self, request: t.Any) -> bytes:
        table = self.store.ingresses
        return table.encoded(self._by_id_or_name(table, request, "ingress", "ingress ID or name is required"))

    async def list_ingresses(self, _request: t.Any) -> bytes:
        return self.store.ingresses.list()

    async def create_tls_certificate(self, request: t.Any) -> bytes:
        from cryptography import x509

        self._require_leader_of_ingress()
        if not request.name:
            raise Refused("certificate name is required")
        if not request.hosts:
            raise Refused("at least one host is required")
        if not (request.cert_pem and request.key_pem):
            raise Refused("certificate and key are required")
        if self.store.certificates.named(request.name) is not None:
            raise Refused(f"certificate {request.name} already exists")
        try:
            parsed = x509.load_pem_x509_certificate(request.cert_pem)
        except ValueError as error:
            raise Refused("failed to parse certificate: failed to decode PEM block") from error
        common_names = parsed.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        certificate = message("TLSCertificate")(
            id=_new_id(),
            name=request.name,
            hosts=request.hosts,
            cert_pem=request.cert_pem,
            key_pem=request.key_pem,
            issuer=str(common_names[0].value) if common_names else "",
            labels=request.labels,
        )
        now = time.time_ns()
        for stamp, moment in (
            (certificate.not_before, int(parsed.not_valid_before_utc.timestamp()) * SECOND),
            (certificate.not_after, int(parsed.not_valid_after_utc.timestamp()) * SECOND),
            (certificate.created_at, now),
            (certificate.updated_at, now),
        ):
            set_time(stamp, moment)
        encoded = certificate.SerializeToString()
        await self._commit(("put", "certificates", encoded), "create certificate")
        return field_one(encoded)

    async def get_tls_certificate(self, request: t.Any) -> bytes:
        table = self.store.certificates
        return table.encoded(self._by_id_or_name(table, request, "certificate", "id or name is required"))

    async def list_tls_certificates(self, _request: t.Any) -> bytes:
        reply = message("ListTLSCertificatesResponse")(certificates=list(self.store.certificates))
        for certificate in reply.certificates:
            certificate.ClearField("key_pem")
        return t.cast(bytes, reply.SerializeToString())

    async def delete_tls_certificate(self, request: t.Any) -> bytes:
        self._require_leader_of_ingress()
        table = self.store.certificates
        certificate = self._by_id_or_name(table, request, "certificate", "id or name is required")
        await self._commit(("delete", "certificates", certificate.id), "delete certificate")
        return _status("deleted")


def _echoed_health_check(check: t.Any) -> t.Any:
    """What Warren gives back of a health check: fixed path and port, the intervals as sent."""
    echo = message("HealthCheck")(
        type=check.type,
        interval_seconds=check.interval_seconds,
        timeout_seconds=check.timeout_seconds,
        retries=check.retries,
    )
    if check.type == 0:
        fields = {"path": "/health", "port": 8080, "scheme": "http", "status_code_min": 200, "status_code_max": 399}
        echo.http.CopyFrom(message("HTTPHealthCheck")(**fields))
    elif check.type == 1:
        echo.tcp.port = 8080
    else:
        echo.exec.command.extend(check.exec.command)
        echo.exec.SetInParent()
    return echo


class Api(grpc.GenericRpcHandler):
    """Routes paths of one dialect to the handlers; everything else is UNIMPLEMENTED with grpc-go's text."""

    def __init__(self, service: Service, dialect: Dialect) -> None:
        self._routes: dict[str, t.Any] = {}
        for name in dialect.methods():
            method = METHODS[name]
            if method.stream:
                text = "event streaming not yet implemented"
                if name != "StreamEvents":
                    text = f"{dialect.wire_name(name)} not yet implemented"
                handler = grpc.unary_stream_rpc_method_handler(_refuse_stream(text, message(method.request)))
            else:
                run = getattr(service, _snake(name))
                handler = grpc.unary_unary_rpc_method_handler(_unary(run, message(method.request), method.write))
            self._routes[dialect.path(name)] = handler

    def service(self, handler_call_details: t.Any) -> t.Any:
        path = handler_call_details.method
        known = self._routes.get(path)
        if known is not None:
            return known
        service, _slash, method = path.lstrip("/").rpartition("/")
        text = f"unknown method {method} for service {service}" if service == SERVICE else f"unknown service {service}"
        return grpc.unary_unary_rpc_method_handler(_unimplemented(text))


async def _decode(request: bytes, request_type: t.Any, context: t.Any) -> t.Any:
    try:
        return request_type.FromString(request)
    except Exception as error:
        await context.abort(grpc.StatusCode.INTERNAL, f"grpc: error unmarshalling request: {error}")


def _unary(run: t.Any, request_type: t.Any, write: bool) -> t.Any:
    async def call(request: bytes, context: t.Any) -> bytes:
        decoded = await _decode(request, request_type, context)
        try:
            if write:
                # A Go handler does not hear that its caller has given up.
                return t.cast(bytes, await asyncio.shield(asyncio.ensure_future(run(decoded))))
            return t.cast(bytes, await run(decoded))
        except Refused as error:
            await context.abort(grpc.StatusCode.UNKNOWN, str(error))
        raise AssertionError("abort raises")

    return call


def _refuse_stream(text: str, request_type: t.Any) -> t.Any:
    async def call(request: bytes, context: t.Any) -> None:
        await _decode(request, request_type, context)
        await context.abort(grpc.StatusCode.UNKNOWN, text)

    return call


def _unimplemented(text: str) -> t.Any:
    async def call(_request: bytes, context: t.Any) -> None:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, text)

    return call
