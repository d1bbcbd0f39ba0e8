# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS of dialect `containers`: certificates, names, pins, tokens (3.2)."""

from __future__ import annotations

import ssl
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from ansible_collections.warren.load.plugins.module_utils.api.channel import Resolved, Security, resolve
from ansible_collections.warren.load.plugins.module_utils.api.client import Client
from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.errors import InvalidToken, SecurityError, Unreachable
from ansible_collections.warren.load.plugins.module_utils.api.schema import message
from ansible_collections.warren.load.tests.support.worlds import World, refusal

pytestmark = pytest.mark.containers


def common_name(name: x509.Name) -> str:
    return str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def organisation(name: x509.Name) -> str:
    return str(name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value)


def purposes(certificate: x509.Certificate) -> set[x509.ObjectIdentifier]:
    extension = certificate.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE)
    assert isinstance(extension.value, x509.ExtendedKeyUsage)
    return set(extension.value)


def days(certificate: x509.Certificate) -> float:
    return (certificate.not_valid_after_utc - certificate.not_valid_before_utc).total_seconds() / 86400


def shake_hands(world: World, **limits: ssl.TLSVersion) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    for name, version in limits.items():
        setattr(context, name, version)
    return context.wrap_socket(world.first.connect(world.first.api_address), server_hostname="localhost")


def ask(world: World, resolved: Resolved) -> object:
    """One call over a connection with ``resolved``."""

    async def call() -> object:
        async with Client(world.first.api_address, resolved, Dialect.CONTAINERS, own_connection=True) as client:
            return await client.call("ListNodes", timeout=5)

    return world.api.run(call())


def test_the_servers_certificate(world: World) -> None:
    with shake_hands(world) as tls:
        assert tls.version() == "TLSv1.3"
        assert tls.selected_alpn_protocol() == "h2"
        der = tls.getpeercert(binary_form=True)
    assert der
    leaf = x509.load_der_x509_certificate(der)
    assert common_name(leaf.subject) == f"manager-{world.first.name}"
    assert organisation(leaf.subject) == "Warren Cluster"
    assert common_name(leaf.issuer) == "Warren Root CA"
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {f"manager-{world.first.name}", "localhost"}
    bind_ip = world.first.raft_address.rpartition(":")[0]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == [bind_ip]
    assert purposes(leaf) == {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH}
    assert 89 < days(leaf) < 91


def test_the_root(world: World) -> None:
    root = x509.load_pem_x509_certificate(world.first.ca_file.read_bytes())
    assert common_name(root.subject) == common_name(root.issuer) == "Warren Root CA"
    constraints = root.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 1)
    assert isinstance(root.public_key(), rsa.RSAPublicKey)
    assert 3600 < days(root) < 3700


def test_only_the_leaf_is_sent(world: World) -> None:
    """Anyone who pins the leaf can trust it; nobody can learn the CA from the chain."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to"):
        context.wrap_socket(world.first.connect(world.first.api_address))
    with shake_hands(world) as tls:
        chain = tls._sslobj.get_unverified_chain()  # type: ignore[attr-defined]  # public from Python 3.13 on
    assert len(chain) == 1


def test_tls_1_2_is_refused(world: World) -> None:
    with pytest.raises((ssl.SSLError, OSError)):
        shake_hands(world, maximum_version=ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize("name", ["localhost", "manager-{node}", "{ip}"])
def test_names_that_the_certificate_covers(world: World, name: str) -> None:
    ip = world.first.api_address.rpartition(":")[0]
    name = name.format(node=world.first.name, ip=ip)
    resolved = resolve(world.first.api_address, Security(ca_file=str(world.first.ca_file), server_name=name))
    assert (resolved.tls, resolved.how) == (True, "ca file")
    assert ask(world, resolved) is not None  # and no client certificate was needed


@pytest.mark.parametrize("name", ["{node}", "example.org", "10.255.255.1"])
def test_names_that_it_does_not_cover(world: World, name: str) -> None:
    name = name.format(node=world.first.name)
    with pytest.raises(SecurityError, match="warren_load_tls_name"):
        resolve(world.first.api_address, Security(ca_file=str(world.first.ca_file), server_name=name))
    # Nor does gRPC itself take it.
    wrong = Resolved(True, "ca file", name, world.first.ca_file.read_bytes())
    assert isinstance(refusal(lambda: ask(world, wrong)), Unreachable)


def test_the_wrong_ca(world: World, tmp_path: Path) -> None:
    leaf = resolve(world.first.api_address, Security()).root_pem
    assert leaf
    other = tmp_path / "other.crt"
    reply = world.api.call("manager-1", "RequestCertificate", node_id="x", token=world.tokens["worker"])
    other.write_bytes(reply.certificate)
    with pytest.raises(SecurityError, match="warren_load_ca_file"):
        resolve(world.first.api_address, Security(ca_file=str(other)))


def test_trust_on_first_use(world: World, tmp_path: Path) -> None:
    pins = str(tmp_path / "pins.json")
    first = resolve(world.first.api_address, Security(pin_file=pins))
    again = resolve(world.first.api_address, Security(pin_file=pins))
    assert (first.how, first.pinned_now, again.pinned_now) == ("pinned", True, False)
    assert first.pin == again.pin
    assert ask(world, again) is not None
    Path(pins).write_text(Path(pins).read_text().replace(str(first.pin), "0" * 64))
    with pytest.raises(SecurityError, match="changed"):
        resolve(world.first.api_address, Security(pin_file=pins))


def test_plaintext_to_a_tls_port_is_unavailable(world: World) -> None:
    assert isinstance(refusal(lambda: ask(world, Resolved(False, "plaintext"))), Unreachable)
    with world.first.connect(world.first.api_address) as plain:
        plain.settimeout(5)
        plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
        answer = b""
        try:
            answer = plain.recv(64)
        except (TimeoutError, ConnectionError):
            pass
        assert answer[3:4] != b"\x04"  # no SETTINGS frame


def test_request_certificate(world: World) -> None:
    def request(node_id: str, token: str) -> object:
        return world.api.call("manager-1", "RequestCertificate", node_id=node_id, token=token)

    error = refusal(lambda: request("x", "0" * 64))
    assert isinstance(error, InvalidToken)
    assert (error.code, error.details) == ("UNKNOWN", "invalid token: invalid token")
    for role in ("worker", "manager"):
        reply = world.api.call("manager-1", "RequestCertificate", node_id="cli", token=world.tokens[role])
        leaf = x509.load_pem_x509_certificate(reply.certificate)
        assert common_name(leaf.subject) == f"{role}-cli"
        assert organisation(leaf.subject) == "Warren Cluster"
        assert purposes(leaf) == {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH}
        assert not [each for each in leaf.extensions if each.oid == ExtensionOID.SUBJECT_ALTERNATIVE_NAME]
        key = leaf.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        assert key.key_size == 2048
        assert 89 < days(leaf) < 91
        assert reply.private_key.startswith(b"-----BEGIN RSA PRIVATE KEY-----")  # PKCS#1
        assert reply.ca_cert == world.first.ca_file.read_bytes()


def test_a_client_certificate_is_welcome_and_never_checked(world: World, tmp_path: Path) -> None:
    token = world.api.write("GenerateJoinToken", role="worker").token  # a token of an RPC serves as well
    reply = world.api.call("manager-1", "RequestCertificate", node_id="client", token=token)
    (tmp_path / "c.crt").write_bytes(reply.certificate)
    (tmp_path / "c.key").write_bytes(reply.private_key)
    files = {"client_cert_file": str(tmp_path / "c.crt"), "client_key_file": str(tmp_path / "c.key")}
    resolved = resolve(world.first.api_address, Security(ca_file=str(world.first.ca_file), **files))
    assert ask(world, resolved) is not None


def test_the_system_s_roots_do_not_know_it(world: World) -> None:
    async def call() -> None:
        async with grpc.aio.secure_channel(world.first.api_address, grpc.ssl_channel_credentials()) as channel:
            await channel.unary_unary("/warren.v1.WarrenAPI/ListNodes")(
                message("ListNodesRequest")().SerializeToString(), timeout=3
            )

    with pytest.raises(grpc.RpcError) as caught:
        world.api.run(call())
    assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
