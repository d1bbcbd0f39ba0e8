# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a port speaks and proves, found out on real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.api.channel import Resolved, Security, resolve, split_address
from ansible_collections.warren.load.plugins.module_utils.api.client import Client, detect_dialect
from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.errors import SecurityError, Unreachable
from ansible_collections.warren.load.plugins.module_utils.api.schema import message

from .conftest import Certificates, ScriptedManager, running


def _resolve(security: Security, certificates: Certificates | None) -> Resolved:
    async def scenario() -> Resolved:
        manager = ScriptedManager(certificates)
        manager.handlers["ListContainers"] = lambda _request: message("ListContainersResponse")()
        async with running(manager):
            resolved = await asyncio.to_thread(resolve, manager.address, security)
            assert await detect_dialect(manager.address, resolved) is Dialect.CONTAINERS  # the channel works with it
            return resolved

    return asyncio.run(scenario())


def test_plaintext_is_detected() -> None:
    assert _resolve(Security(), None) == Resolved(tls=False, how="plaintext")


def test_a_ca_file_proves_the_server_under_any_name_it_carries(certificates: Certificates) -> None:
    for name in ("localhost", "manager-manager-1"):
        resolved = _resolve(Security(ca_file=str(certificates.ca_file), server_name=name), certificates)
        assert (resolved.tls, resolved.how) == (True, "ca file")


@pytest.mark.parametrize(
    ("security", "sentence"),
    [
        (Security(mode="plaintext"), "speaks TLS, but plaintext was asked for: set warren_load_tls"),
        (Security(ca_file="{other}"), "does not fit the CA file"),
        (Security(ca_file="{ca}", server_name="manager-1"), "under the name manager-1"),
        (Security(ca_file="/no/such/ca.crt"), "cannot be read"),
        (Security(client_cert_file="/x"), "both its certificate file and its key file"),
    ],
)
def test_each_misfit_on_a_tls_server_has_its_sentence(
    security: Security, sentence: str, certificates: Certificates
) -> None:
    ca_file = (security.ca_file or "").format(ca=certificates.ca_file, other=certificates.other_ca_file)
    asked = Security(**{**vars(security), "ca_file": ca_file or None})
    with pytest.raises(SecurityError, match=sentence):
        _resolve(asked, certificates)


def test_tls_asked_of_a_plaintext_server() -> None:
    with pytest.raises(SecurityError, match="speaks plaintext, but TLS was asked for"):
        _resolve(Security(mode="tls"), None)


def test_the_first_certificate_is_pinned_and_a_changed_one_refused(certificates: Certificates, tmp_path: Path) -> None:
    async def scenario() -> None:
        manager = ScriptedManager(certificates)
        security = Security(pin_file=str(tmp_path / "new" / "pins.json"))
        async with running(manager):
            first = await asyncio.to_thread(resolve, manager.address, security)
            again = await asyncio.to_thread(resolve, manager.address, security)
            assert (first.how, first.pinned_now, again.pinned_now) == ("pinned", True, False)
            pin_file = Path(str(security.pin_file))
            assert json.loads(pin_file.read_text()) == {manager.address: first.pin}
            assert pin_file.stat().st_mode & 0o777 == 0o600
            pin_file.write_text(json.dumps({manager.address: "0" * 64}))
            with pytest.raises(SecurityError, match="has changed since it was first trusted"):
                await asyncio.to_thread(resolve, manager.address, security)

    asyncio.run(scenario())


def test_a_pinned_server_that_speaks_plaintext_now_is_refused_unless_asked_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        manager = ScriptedManager()
        async with running(manager):
            pin_file = tmp_path / "pins.json"
            pin_file.write_text(json.dumps({manager.address: "0" * 64}))
            with pytest.raises(SecurityError, match="speaks plaintext, but spoke TLS when"):
                await asyncio.to_thread(resolve, manager.address, Security(pin_file=str(pin_file)))
            asked = Security(mode="plaintext", pin_file=str(pin_file))
            assert (await asyncio.to_thread(resolve, manager.address, asked)).how == "plaintext"

    asyncio.run(scenario())


@pytest.mark.parametrize("content", ["", "[1]", "3", "null"])
def test_a_broken_pin_file_is_a_sentence(certificates: Certificates, tmp_path: Path, content: str) -> None:
    (tmp_path / "pins.json").write_text(content)
    with pytest.raises(SecurityError, match="is not a JSON object; remove it to trust anew"):
        _resolve(Security(pin_file=str(tmp_path / "pins.json")), certificates)


def test_a_pin_that_cannot_be_kept_is_a_sentence(certificates: Certificates, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SecurityError, match="cannot be written"):
        _resolve(Security(pin_file=str(tmp_path / "file" / "pins.json")), certificates)


def test_another_service_on_the_port_is_named_as_such() -> None:
    def answer(server: socket.socket) -> None:
        for _connection in range(2):
            with server.accept()[0] as client:
                client.recv(1000)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, args=(server,)).start()
        port = server.getsockname()[1]
        with pytest.raises(SecurityError, match="neither TLS nor plaintext gRPC"):
            resolve(f"127.0.0.1:{port}", Security(), timeout=5.0)


def test_a_server_that_stands_still_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Unreachable, match=f"127.0.0.1:{port} accepts connections, but is silent for 0.2 s"):
            resolve(f"127.0.0.1:{port}", Security(), timeout=0.2)


def test_a_closed_port_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unreachable, match=f"nobody answers at 127.0.0.1:{port}") as caught:
        resolve(f"127.0.0.1:{port}", Security())
    assert caught.value.sent is False


@given(st.text(max_size=30))
def test_an_address_is_understood_or_refused_in_a_sentence(text: str) -> None:
    try:
        host, port = split_address(text)
    except ValueError as error:
        assert "must have the form HOST:PORT" in str(error)
    else:
        assert host
        assert 0 < port < 65536


def test_dialect_tasks_is_detected_and_names_are_translated() -> None:
    async def scenario() -> None:
        manager = ScriptedManager()
        manager.handlers["ListNodes"] = lambda _request: message("ListNodesResponse")()
        async with running(manager):
            resolved = resolve(manager.address, Security())
            assert await detect_dialect(manager.address, resolved) is Dialect.TASKS
            async with Client(manager.address, resolved, Dialect.TASKS) as client:
                reply = await client.raw("ListNodes")(b"", timeout=5)
                assert reply == b""

    asyncio.run(scenario())
