# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to a manager: what its port speaks, whom it proves to be, and the gRPC channel to it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import socket
import ssl
import tempfile
import typing as t
from pathlib import Path

from .errors import SecurityError, Unreachable

if t.TYPE_CHECKING:
    from collections.abc import Sequence

try:
    import grpc
    import grpc.aio

    GRPC_IMPORT_ERROR: ImportError | None = None
except ImportError as error:
    GRPC_IMPORT_ERROR = error

MODES = ("auto", "plaintext", "tls")


@dataclasses.dataclass(frozen=True)
class Security:
    """How the managers are to be spoken to.

    ``mode``: one of MODES; ``auto`` takes what the port speaks. With TLS, ``ca_file`` (PEM) proves the server under the
    name ``server_name`` (Warren's certificates carry ``localhost`` and ``manager-<node id>``, facts/warren.md 3.2).
    Without it, the first certificate seen is trusted and its SHA-256 kept in ``pin_file`` for the next time.
    """

    mode: str = "auto"
    ca_file: str | None = None
    server_name: str = "localhost"
    client_cert_file: str | None = None
    client_key_file: str | None = None
    pin_file: str | None = None


@dataclasses.dataclass(frozen=True)
class Resolved:
    """What was agreed on with one address: ``how``: "plaintext", "ca file" or "pinned"; ``pin``: the leaf's SHA-256."""

    tls: bool
    how: str
    server_name: str = "localhost"
    root_pem: bytes | None = None
    client_pem: tuple[bytes, bytes] | None = None  # key, certificate
    pin: str | None = None
    pinned_now: bool = False


PLAINTEXT = Resolved(tls=False, how="plaintext")


def split_address(address: str) -> tuple[str, int]:
    """``("10.0.0.1", 8080)`` of ``"10.0.0.1:8080"`` or ``"[::1]:8080"``; ValueError with a plain sentence otherwise."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{address!r} is not an address: it must have the form HOST:PORT, such as 10.0.0.1:8080")
    return host.strip("[]"), int(port)


def _connect(address: str, timeout: float) -> socket.socket:
    host, port = split_address(address)
    try:
        return socket.create_connection((host, port), timeout)
    except OSError as error:
        reason = "no answer in time" if isinstance(error, TimeoutError) else (error.strerror or str(error))
        raise Unreachable(f"nobody answers at {address} ({reason})", sent=False) from error


def _silent(address: str, timeout: float) -> Unreachable:
    """What a server that stands still is to us, and a port that waits for something else than we say."""
    return Unreachable(
        f"{address} accepts connections, but is silent for {timeout:g} s: the manager there stands still, "
        "or it is not a manager's API port",
        sent=False,
    )


def _leaf(address: str, timeout: float) -> bytes | None:
    """The DER certificate the port shows, unverified; None where it does not speak TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with _connect(address, timeout) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as tls:
                return tls.getpeercert(binary_form=True)
        except TimeoutError as error:
            raise _silent(address, timeout) from error
        except (ssl.SSLError, OSError):
            return None


def _speaks_http2(address: str, timeout: float) -> bool:
    """Whether a plaintext port answers HTTP/2's preface with a SETTINGS frame (type 4), as any gRPC server does."""
    with _connect(address, timeout) as plain:
        try:
            plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
            header = b""
            while len(header) < 9 and (more := plain.recv(9 - len(header))):
                header += more
        except TimeoutError as error:
            raise _silent(address, timeout) from error
        except OSError:
            return False
    return len(header) == 9 and header[3] == 4


def _verify(address: str, security: Security, timeout: float) -> None:
    """Prove the server against ``security.ca_file``; SecurityError says what is wrong and what to do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["h2"])
    try:
        context.load_verify_locations(security.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SecurityError(
            f"the CA file {security.ca_file} (warren_load_ca_file) cannot be read as PEM ({error})"
        ) from error
    with _connect(address, timeout) as plain:
        try:
            context.wrap_socket(plain, server_hostname=security.server_name).close()
        except ssl.SSLCertVerificationError as error:
            raise SecurityError(
                f"the certificate of {address} does not fit the CA file {security.ca_file} under the name "
                f"{security.server_name} ({error.verify_message}); fetch ca.crt from that manager's "
                "~/.warren/certs/manager-<node id>/ for warren_load_ca_file, "
                "or set warren_load_tls_name to a name it carries"
            ) from error
        except OSError as error:
            raise SecurityError(f"the TLS handshake with {address} failed ({error})") from error


def _read(path: str, what: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SecurityError(f"the {what} {path} cannot be read ({error.strerror})") from error


def _pins(pin_file: str) -> dict[str, str]:
    """The SHA-256 kept for each address."""
    if not Path(pin_file).exists():
        return {}
    try:
        return dict(json.loads(_read(pin_file, "pin file")))
    except (ValueError, TypeError) as error:
        raise SecurityError(f"the pin file {pin_file} is not a JSON object; remove it to trust anew") from error


def _pin(address: str, digest: str, pin_file: str) -> bool:
    """Check ``digest`` against the pin kept for ``address``, or keep it: True if it was kept just now."""
    pins = _pins(pin_file)
    if address in pins:
        if pins[address] != digest:
            raise SecurityError(
                f"the certificate of {address} has changed since it was first trusted (pinned {pins[address][:16]}…, "
                f"now {digest[:16]}…); if the cluster was made anew, remove the entry from {pin_file}"
            )
        return False
    pins[address] = digest
    folder = Path(pin_file).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=folder)  # 0600, and never a half-written pin file
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(pins, file, indent=1, sort_keys=True)
        Path(part).replace(pin_file)
    except OSError as error:
        raise SecurityError(
            f"the pin file {pin_file} cannot be written ({error.strerror}); set pin_file or warren_load_state_dir to a "
            "place that can be, or prove the server by warren_load_ca_file"
        ) from error
    return True


def resolve(address: str, security: Security, timeout: float = 5.0) -> Resolved:
    """Find out what ``address`` speaks and prove it as ``security`` asks; blocks for up to a few times ``timeout`` s.

    Raises Unreachable where nobody answers, SecurityError with the remedy where the two sides do not fit.
    """
    leaf = _leaf(address, timeout)
    if leaf is None:
        if not _speaks_http2(address, timeout):
            raise SecurityError(
                f"{address} speaks neither TLS nor plaintext gRPC: give the manager's API port (8080 by default), "
                "not its Raft port (7946) or HTTP port (9090)"
            )
        if security.mode == "tls":
            raise SecurityError(
                f"{address} speaks plaintext, but TLS was asked for: set warren_load_tls to plaintext or auto"
            )
        if security.mode == "auto" and security.pin_file and address in _pins(security.pin_file):
            raise SecurityError(
                f"{address} speaks plaintext, but spoke TLS when its certificate was first trusted: if the cluster was "
                f"made anew without TLS, set warren_load_tls to plaintext, or remove the entry from {security.pin_file}"
            )
        return PLAINTEXT
    if security.mode == "plaintext":
        raise SecurityError(f"{address} speaks TLS, but plaintext was asked for: set warren_load_tls to tls or auto")

    client_pem = None
    if security.client_cert_file or security.client_key_file:
        if not (security.client_cert_file and security.client_key_file):
            raise SecurityError("a client certificate needs both its certificate file and its key file")
        client_pem = (
            _read(security.client_key_file, "client key file"),
            _read(security.client_cert_file, "client certificate file"),
        )
    digest = hashlib.sha256(leaf).hexdigest()
    if security.ca_file:
        _verify(address, security, timeout)
        root = _read(security.ca_file, "CA file")
        return Resolved(True, "ca file", security.server_name, root, client_pem, digest)
    pinned_now = _pin(address, digest, security.pin_file) if security.pin_file else True
    root = ssl.DER_cert_to_PEM_cert(leaf).encode()
    return Resolved(True, "pinned", security.server_name, root, client_pem, digest, pinned_now)


def open_channel(address: str, resolved: Resolved, *, own_connection: bool = False) -> t.Any:
    """A ``grpc.aio.Channel`` to ``address``; call it inside a running event loop.

    gRPC's own retries are off (they would hide errors in latency), replies may have any size, and proxies of the
    environment are ignored. Channels with equal options share one TCP connection unless ``own_connection`` is set.
    """
    if GRPC_IMPORT_ERROR is not None:
        raise GRPC_IMPORT_ERROR
    options: Sequence[tuple[str, t.Any]] = (
        ("grpc.enable_retries", 0),
        ("grpc.enable_http_proxy", 0),
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
        ("grpc.use_local_subchannel_pool", int(own_connection)),
    )
    if not resolved.tls:
        return grpc.aio.insecure_channel(address, options=options)
    key, certificate = resolved.client_pem or (None, None)
    credentials = grpc.ssl_channel_credentials(resolved.root_pem, key, certificate)
    override = ("grpc.ssl_target_name_override", resolved.server_name)
    return grpc.aio.secure_channel(address, credentials, options=(*options, override))
