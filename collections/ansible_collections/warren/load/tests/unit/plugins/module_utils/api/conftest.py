# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates with the profile of facts/warren.md 3.2, and a scripted manager that stands in for a real one."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import typing as t
from pathlib import Path

import grpc.aio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from ansible_collections.warren.load.plugins.module_utils.api.errors import WarrenError
from ansible_collections.warren.load.plugins.module_utils.api.schema import METHODS, SERVICE, message


class Certificates(t.NamedTuple):
    ca_file: Path
    other_ca_file: Path
    key: bytes
    leaf: bytes


def _pem_key(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _certificate(
    name: str, key: rsa.RSAPrivateKey, issuer: str, signer: rsa.RSAPrivateKey, sans: list[x509.GeneralName]
) -> x509.Certificate:
    def named(common_name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])

    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=not sans, path_length=None), critical=True)
    )
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False)
    return builder.sign(signer, hashes.SHA256())


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    authorities = {name: rsa.generate_private_key(65537, 2048) for name in ("Warren Root CA", "Another CA")}
    for name, key in authorities.items():
        ca = _certificate(name, key, name, key, [])
        (folder / f"{name}.crt").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    leaf_key = rsa.generate_private_key(65537, 2048)
    sans: list[x509.GeneralName] = [
        x509.DNSName("manager-manager-1"),
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("10.9.9.9")),  # the bind address, not the one we connect to
    ]
    leaf = _certificate("manager-manager-1", leaf_key, "Warren Root CA", authorities["Warren Root CA"], sans)
    return Certificates(
        folder / "Warren Root CA.crt",
        folder / "Another CA.crt",
        _pem_key(leaf_key),
        leaf.public_bytes(serialization.Encoding.PEM),
    )


Handler = t.Callable[[t.Any], t.Any]


class ScriptedManager:
    """A double: a real grpc.aio server whose answers a test writes; it follows no facts beyond those the test gives.

    ``options`` are gRPC's own, for the server; with ``mutual``, it asks for a client certificate of its own CA. Started
    again, it listens where it did before.
    """

    def __init__(
        self,
        certificates: Certificates | None = None,
        options: t.Sequence[tuple[str, t.Any]] = (),
        *,
        mutual: bool = False,
    ) -> None:
        self.handlers: dict[str, Handler] = {}
        self.calls: list[tuple[str, t.Any]] = []
        self.address = ""
        self._certificates = certificates
        self._options = options
        self._mutual = mutual
        self._server: t.Any = None

    async def _answer(self, method: str, request: t.Any, context: t.Any) -> t.Any:
        self.calls.append((method, request))
        try:
            reply = self.handlers[method](request)
            return await reply if asyncio.iscoroutine(reply) else reply
        except WarrenError as error:
            await context.abort(grpc.StatusCode[error.code], error.details)

    def _handler(self, method: str) -> t.Any:
        async def answer(request: t.Any, context: t.Any) -> t.Any:
            return await self._answer(method, request, context)

        return grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=message(METHODS[method].request).FromString,
            response_serializer=message(METHODS[method].response).SerializeToString,
        )

    async def start(self) -> None:
        self._server = grpc.aio.server(options=self._options)
        handlers = {method: self._handler(method) for method in self.handlers}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        if self._certificates is None:
            port = self._server.add_insecure_port(self.address or "127.0.0.1:0")
        else:
            pair = (self._certificates.key, self._certificates.leaf)
            root = self._certificates.ca_file.read_bytes() if self._mutual else None
            credentials = grpc.ssl_server_credentials([pair], root, self._mutual)
            port = self._server.add_secure_port(self.address or "127.0.0.1:0", credentials)
        self.address = f"127.0.0.1:{port}"
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(None)


@contextlib.asynccontextmanager
async def running(*managers: ScriptedManager) -> t.AsyncIterator[None]:
    """The managers' servers, started and in the end stopped."""
    for manager in managers:
        await manager.start()
    try:
        yield
    finally:
        for manager in managers:
            await manager.stop()


def info_of(leader: ScriptedManager | None, leader_id: str = "manager-1", raft: str = "10.0.0.1:7946") -> Handler:
    """A GetClusterInfo handler that names ``leader_id`` at ``raft``; no leader where ``leader`` is None."""

    def answer(_request: t.Any) -> t.Any:
        reply = message("GetClusterInfoResponse")()
        if leader is not None:
            reply.leader_id, reply.leader_addr = leader_id, raft
        return reply

    return answer
