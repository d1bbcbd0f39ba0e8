# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lean client against a real gRPC server, held against gRPC's own client; and against what no server should say."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
import typing as t
from collections.abc import Awaitable, Callable

import hpack
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.warren.load.plugins.module_utils.api import lean_client
from ansible_collections.warren.load.plugins.module_utils.api.channel import PLAINTEXT, Resolved
from ansible_collections.warren.load.plugins.module_utils.api.client import Client
from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.plugins.module_utils.api.errors import (
    DeadlineExceeded,
    NoLeader,
    NotFound,
    NotLeader,
    OutcomeUnknown,
    Rejected,
    Unimplemented,
    Unreachable,
    WarrenError,
)
from ansible_collections.warren.load.plugins.module_utils.api.lean_client import LeanClient, _Connection, _frame
from ansible_collections.warren.load.plugins.module_utils.api.schema import message

from .conftest import Certificates, ScriptedManager, running

TIMEOUT = 30.0  # seconds; long enough never to matter where a call is answered


def _secret(data: bytes) -> t.Any:
    """A GetSecretByName reply, the one that carries bytes."""
    reply = message("GetSecretByNameResponse")()
    reply.secret.data = data
    return reply


def _echo(**keywords: t.Any) -> ScriptedManager:
    """A manager whose CreateSecret says how much it was sent, and GetSecretByName sends as much as its name says."""
    manager = ScriptedManager(**keywords)

    def create(request: t.Any) -> t.Any:
        reply = message("CreateSecretResponse")()
        reply.secret.name = f"{request.name} {len(request.data)} {sum(request.data)}"
        return reply

    manager.handlers["CreateSecret"] = create
    manager.handlers["GetSecretByName"] = lambda request: _secret(bytes(range(251)) * (int(request.name) // 251 + 1))
    return manager


def _asking(size: int) -> bytes:
    return message("GetSecretByNameRequest")(name=str(size)).SerializeToString()


def _lean(manager: ScriptedManager, resolved: Resolved = PLAINTEXT) -> LeanClient:
    return LeanClient(manager.address, resolved, Dialect.CONTAINERS)


async def _error(call: Callable[[bytes], Awaitable[bytes]], request: bytes = b"") -> WarrenError:
    with pytest.raises(WarrenError) as caught:
        await call(request)
    return caught.value


# --- the same as gRPC


@settings(deadline=None, max_examples=15)
@given(
    replies=st.lists(st.one_of(st.integers(0, 300_000), st.integers(1 << 20, 3 << 20)), max_size=6),
    requests=st.lists(st.integers(0, 16_000), max_size=40),
)
def test_the_same_bytes_as_grpc(replies: list[int], requests: list[int]) -> None:
    calls = [("GetSecretByName", _asking(size)) for size in replies]
    create = message("CreateSecretRequest")
    calls += [
        ("CreateSecret", create(name=str(i), data=b"\x01" * n).SerializeToString()) for i, n in enumerate(requests)
    ]

    async def scenario() -> None:
        manager = _echo()
        async with (
            running(manager),
            Client(manager.address, PLAINTEXT, Dialect.CONTAINERS) as client,
            _lean(manager) as lean,
        ):
            expected = [await client.raw(method)(request, timeout=TIMEOUT) for method, request in calls]
            assert await asyncio.gather(*(lean.raw(method, TIMEOUT)(request) for method, request in calls)) == expected

    asyncio.run(scenario())


def test_more_than_the_windows_hold_each_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """3 MB to the server, past its 64 KiB; and replies past the window we give, made small for it."""
    monkeypatch.setattr(lean_client, "WINDOW_MAX", 1 << 17)

    async def scenario() -> None:
        manager = _echo()
        async with running(manager), _lean(manager) as lean:
            for _turn in range(20):
                assert len(await lean.raw("GetSecretByName", TIMEOUT)(_asking(100_000))) > 100_000
            request = message("CreateSecretRequest")(name="x", data=b"\x01" * 16_000)
            create = lean.raw("CreateSecret", TIMEOUT)
            replies = await asyncio.gather(*(create(request.SerializeToString()) for _turn in range(200)))
            assert len(replies) == 200
            assert {message("CreateSecretResponse").FromString(reply).secret.name for reply in replies} == {
                "x 16000 16000"
            }

    asyncio.run(scenario())


@pytest.mark.parametrize("streams", [None, 3])
def test_two_hundred_calls_at_once(streams: int | None) -> None:
    """Each gets its own reply; a server that takes three at a time is never given a fourth."""
    most = 0

    async def scenario() -> None:
        manager = ScriptedManager(options=[("grpc.max_concurrent_streams", streams)] if streams else [])
        under_way = 0

        async def answer(request: t.Any) -> t.Any:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1
            return _secret(request.name.encode())

        manager.handlers["GetSecretByName"] = answer
        async with running(manager), _lean(manager) as lean:
            call = lean.raw("GetSecretByName", TIMEOUT)
            replies = await asyncio.gather(*(call(_asking(number)) for number in range(200)))
            assert replies == [_secret(str(number).encode()).SerializeToString() for number in range(200)]
            assert lean._connection.calls == {}

    asyncio.run(scenario())
    if streams:
        assert most <= streams


def test_a_server_that_takes_three_has_three_under_way() -> None:
    async def scenario() -> None:
        manager = ScriptedManager(options=[("grpc.max_concurrent_streams", 3)])
        release = asyncio.Event()

        async def answer(_request: t.Any) -> t.Any:
            await release.wait()
            return _secret(b"")

        manager.handlers["GetSecretByName"] = answer
        async with running(manager), _lean(manager) as lean:
            call = lean.raw("GetSecretByName", TIMEOUT)
            futures = [call(_asking(number)) for number in range(5)]
            assert (len(lean._connection.calls), len(lean._connection._waiting)) == (3, 2)
            release.set()
            await asyncio.gather(*futures)

    asyncio.run(scenario())


# --- refusals


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        ("UNKNOWN", "not the leader, current leader is at: 10.0.0.2:7946", NotLeader),
        ("UNKNOWN", "no leader elected yet", NoLeader),
        ("UNKNOWN", "service not found: größer 100 % – 容器\n\t%41", NotFound),
        ("UNKNOWN", "", Rejected),
        ("UNKNOWN", "x" * 4000, Rejected),
        ("INTERNAL", "stream broken", OutcomeUnknown),
        ("UNAUTHENTICATED", "no certificate", Rejected),
        ("UNAVAILABLE", "shutting down", Unreachable),
    ],
)
def test_a_refusal_is_the_error_that_grpc_gives(code: str, text: str, kind: type[WarrenError]) -> None:
    async def scenario() -> None:
        manager = ScriptedManager()

        def refuse(_request: t.Any) -> t.Any:
            raise WarrenError(text, code)

        manager.handlers["GetSecretByName"] = refuse
        async with (
            running(manager),
            Client(manager.address, PLAINTEXT, Dialect.CONTAINERS) as client,
            _lean(manager) as lean,
        ):
            error = await _error(lean.raw("GetSecretByName", TIMEOUT))
            with pytest.raises(WarrenError) as caught:
                await client.call("GetSecretByName")
            assert type(error) is type(caught.value) is kind
            assert (error.code, error.details, error.method) == (code, text, "GetSecretByName")
            assert vars(error) == vars(caught.value)
            assert await _error(lean.raw("GetSecretByName", TIMEOUT)) is not error  # from the headers already known

    asyncio.run(scenario())


def test_a_follower_names_the_leader() -> None:
    async def scenario() -> None:
        manager = ScriptedManager()

        def refuse(_request: t.Any) -> t.Any:
            raise WarrenError("not the leader, current leader is at: 10.0.0.2:7946")

        manager.handlers["CreateSecret"] = refuse
        async with running(manager), _lean(manager) as lean:
            error = await _error(lean.raw("CreateSecret", TIMEOUT))
            assert isinstance(error, NotLeader)
            assert error.raft_address == "10.0.0.2:7946"

    asyncio.run(scenario())


def test_a_method_that_the_server_has_not() -> None:
    async def scenario() -> None:
        manager = _echo()
        async with running(manager), _lean(manager) as lean:
            assert isinstance(await _error(lean.raw("ListNodes", TIMEOUT)), Unimplemented)

    asyncio.run(scenario())


def test_a_request_that_fits_into_no_frame_is_refused_and_the_largest_that_fits_is_not() -> None:
    async def scenario() -> None:
        manager = _echo()
        async with running(manager), _lean(manager) as lean:
            create = lean.raw("CreateSecret", TIMEOUT)
            largest = message("CreateSecretRequest")(data=bytes(16384 - 5 - 3)).SerializeToString()
            assert len(largest) == 16384 - 5
            assert await create(largest)
            with pytest.raises(ValueError, match="does not fit into one frame of 16384"):
                create(largest + b"\x00")
            assert await create(b"")  # the connection is none the worse

    asyncio.run(scenario())


# --- deadlines


def _never(cancelled: asyncio.Event) -> Callable[[t.Any], t.Any]:
    async def answer(_request: t.Any) -> t.Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    return answer


def test_a_handler_that_never_answers_ends_at_the_deadline() -> None:
    async def scenario() -> None:
        manager = _echo()
        cancelled = asyncio.Event()
        manager.handlers["GetSecretByName"] = _never(cancelled)
        async with running(manager), _lean(manager) as lean:
            error = await _error(lean.raw("GetSecretByName", 0.05))
            assert isinstance(error, DeadlineExceeded)
            assert error.method == "GetSecretByName"
            await cancelled.wait()
            assert await lean.raw("CreateSecret", TIMEOUT)(b"")  # the connection lives on
            assert lean._connection.calls == {}

    asyncio.run(scenario())


def test_a_call_given_up_is_cancelled_at_the_server_too() -> None:
    """Long before the deadline that the server knows of: only our RST_STREAM can tell it."""

    async def scenario() -> None:
        manager = _echo()
        cancelled = asyncio.Event()
        manager.handlers["GetSecretByName"] = _never(cancelled)
        async with running(manager), _lean(manager) as lean:
            future = lean.raw("GetSecretByName", 1000.0)(b"")
            await lean.raw("CreateSecret", TIMEOUT)(b"")  # the first has arrived, then
            future.cancel()
            await asyncio.wait_for(cancelled.wait(), 60)

    asyncio.run(scenario())


def test_a_call_that_still_waits_for_its_turn_ends_at_its_deadline() -> None:
    async def scenario() -> None:
        manager = ScriptedManager(options=[("grpc.max_concurrent_streams", 1)])
        manager.handlers["GetSecretByName"] = _never(asyncio.Event())
        async with running(manager), _lean(manager) as lean:
            first = lean.raw("GetSecretByName", 1000.0)(b"")
            error = await _error(lean.raw("GetSecretByName", 0.01))
            assert isinstance(error, DeadlineExceeded)
            assert "before it could be sent" in error.details
            assert len(manager.calls) <= 1
            assert not first.done()
            first.cancel()

    asyncio.run(scenario())


# --- TLS


def _over_tls(resolved: Resolved, certificates: Certificates, *, mutual: bool = False) -> None:
    async def scenario() -> None:
        manager = _echo(certificates=certificates, mutual=mutual)
        async with running(manager), _lean(manager, resolved) as lean:
            assert len(await lean.raw("GetSecretByName", TIMEOUT)(_asking(2 << 20))) > 2 << 20

    asyncio.run(scenario())


def test_tls_by_ca_file_under_any_name_the_certificate_has(certificates: Certificates) -> None:
    for name in ("localhost", "manager-manager-1"):
        _over_tls(Resolved(True, "ca file", name, certificates.ca_file.read_bytes()), certificates)


def test_tls_by_a_pinned_certificate_as_its_own_root(certificates: Certificates) -> None:
    _over_tls(Resolved(True, "pinned", "localhost", certificates.leaf), certificates)


def test_a_certificate_that_does_not_fit_is_refused(certificates: Certificates) -> None:
    for resolved in (
        Resolved(True, "ca file", "localhost", certificates.other_ca_file.read_bytes()),
        Resolved(True, "ca file", "manager-2", certificates.ca_file.read_bytes()),
    ):
        with pytest.raises(Unreachable, match="certificate verify failed") as caught:
            _over_tls(resolved, certificates)
        assert caught.value.sent is False


def test_the_client_certificate_is_sent_where_there_is_one(certificates: Certificates) -> None:
    root = certificates.ca_file.read_bytes()
    pair = (certificates.key, certificates.leaf)
    _over_tls(Resolved(True, "ca file", "localhost", root, client_pem=pair), certificates, mutual=True)
    with pytest.raises(Unreachable) as caught:  # the server asks for it after our side of the handshake is done
        _over_tls(Resolved(True, "ca file", "localhost", root), certificates, mutual=True)
    assert caught.value.sent is False


def test_plaintext_to_a_tls_server_and_the_reverse(certificates: Certificates) -> None:
    with pytest.raises(Unreachable) as caught:
        _over_tls(PLAINTEXT, certificates)
    assert caught.value.sent is False

    async def scenario() -> None:
        manager = _echo()
        async with running(manager), _lean(manager, Resolved(True, "pinned", root_pem=certificates.leaf)):
            pass

    with pytest.raises(Unreachable) as caught:
        asyncio.run(scenario())
    assert caught.value.sent is False


# --- connections that fail


@contextlib.asynccontextmanager
async def _raw_server(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> t.Any:
    """The address of a server that says what ``answer`` writes, and then hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_nobody_listens() -> None:
    async def scenario() -> None:
        async with _raw_server(_hang_up) as address:
            pass
        lean = LeanClient(address, PLAINTEXT, Dialect.CONTAINERS)
        for call in (lean.open(), lean.__aenter__()):
            with pytest.raises(Unreachable, match=f"failed to connect to {address}") as caught:
                await call
            assert caught.value.sent is False
        with pytest.raises(Unreachable, match=f"failed to connect to {address}") as caught:
            lean.raw("ListNodes", TIMEOUT)(b"")
        assert (caught.value.sent, caught.value.method) == (False, "ListNodes")
        await lean.__aexit__()

    asyncio.run(scenario())


async def _hang_up(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    return


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes((0, 0, 0, 6, 0, 0, 0, 0, 0))])
def test_a_server_that_does_not_speak_http2_is_unreachable(answer: bytes) -> None:
    async def say(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    async def scenario() -> None:
        async with _raw_server(say) as address:
            with pytest.raises(Unreachable, match="failed to connect") as caught:
                await LeanClient(address, PLAINTEXT, Dialect.CONTAINERS).open()
            assert caught.value.sent is False

    asyncio.run(scenario())


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean_client, "CONNECT_TIMEOUT", 0.01)
    closed = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while await reader.read(100):
                pass
        closed.set()

    async def scenario() -> None:
        async with _raw_server(listen) as address:
            with pytest.raises(Unreachable, match="no answer in time"):
                await LeanClient(address, PLAINTEXT, Dialect.CONTAINERS).open()
            await asyncio.wait_for(closed.wait(), 60)  # and the socket is not left behind

    asyncio.run(scenario())


def test_a_connection_lost_under_a_call_leaves_its_outcome_open() -> None:
    async def hang_up_on_a_call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        settings_frame = struct.pack(">HI", lean_client.MAX_CONCURRENT_STREAMS, 1)
        writer.write(_frame(lean_client.SETTINGS, 0, 0, settings_frame))
        await reader.readuntil(b"/warren.v1.WarrenAPI/ListNodes")

    async def scenario() -> None:
        async with (
            _raw_server(hang_up_on_a_call) as address,
            LeanClient(address, PLAINTEXT, Dialect.CONTAINERS) as lean,
        ):
            call = lean.raw("ListNodes", TIMEOUT)
            under_way, waiting = await asyncio.gather(call(b""), call(b""), return_exceptions=True)
            for error, sent in ((under_way, True), (waiting, False)):
                assert isinstance(error, Unreachable)
                assert "the connection was lost" in error.details
                assert (error.sent, error.method) == (sent, "ListNodes")
            with pytest.raises(Unreachable, match="was lost") as caught:
                call(b"")
            assert caught.value.sent is False

    asyncio.run(scenario())


def test_the_connection_is_opened_again_when_the_server_is_back() -> None:
    async def scenario() -> None:
        manager = _echo()
        await manager.start()
        async with _lean(manager) as lean:
            call = lean.raw("GetSecretByName", TIMEOUT)
            first = await call(_asking(1))
            await manager.stop()
            with pytest.raises(Unreachable):
                [await call(_asking(1)) for _turn in range(1000)]
            await manager.start()
            failed = 0
            while True:
                try:
                    again = await call(_asking(1))
                    break
                except Unreachable as error:
                    assert error.sent is False
                    failed += 1
                    await asyncio.sleep(0.01)
                assert failed < 3000
            assert again == first
        await manager.stop()

    asyncio.run(scenario())


def test_leaving_fails_the_calls_under_way() -> None:
    async def scenario() -> None:
        manager = ScriptedManager()
        manager.handlers["GetSecretByName"] = _never(asyncio.Event())
        async with running(manager):
            async with _lean(manager) as lean:
                future = lean.raw("GetSecretByName", TIMEOUT)(b"")
            with pytest.raises(Unreachable, match="the connection was closed"):
                await future

    asyncio.run(scenario())


# --- frames, without a socket


class Wire(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.aborted = False

    def write(self, data: t.Any) -> None:
        self.written += bytes(data)

    def abort(self) -> None:
        self.aborted = True


def _connected(calls: int = 2, timeout: float = 1000.0) -> tuple[_Connection, Wire, list[asyncio.Future[bytes]]]:
    """A connection with that many calls under way, on streams 1, 3, …"""
    connection, wire = _Connection(), Wire()
    connection.connection_made(wire)
    return connection, wire, [connection.call("ListNodes", b"", b"", timeout) for _number in range(calls)]


async def _outcome(chunks: t.Iterable[bytes], calls: int) -> tuple[list[t.Any], bytes]:
    """What the calls ended in, and what was written, when the server's bytes arrive in these chunks."""
    connection, wire, futures = _connected(calls)
    for chunk in chunks:
        connection.data_received(chunk)
    await asyncio.sleep(0)
    outcomes = [
        "pending" if not future.done() else repr(future.exception() or future.result().hex()) for future in futures
    ]
    connection.end("the test is over")
    for future in futures:
        future.exception()  # looked at, so that asyncio does not complain
    return outcomes, wire.written


async def _recorded() -> bytes:
    """What gRPC's server says on three calls: a reply, a refusal, a long reply."""
    manager = _echo()
    del manager.handlers["CreateSecret"]
    heard = bytearray()
    async with running(manager), _lean(manager) as lean:
        connection = lean._connection
        listen = connection._read
        connection._read = lambda data: (heard.extend(data), listen(data))[1]  # type: ignore[method-assign, func-returns-value]
        await lean.raw("GetSecretByName", TIMEOUT)(_asking(5))
        await _error(lean.raw("CreateSecret", TIMEOUT))
        await lean.raw("GetSecretByName", TIMEOUT)(_asking(600))
    return bytes(heard)


def _odd() -> bytes:
    """What a server may say but gRPC's does not: padding, priorities, continuations, unknown frames and settings."""
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    head = encoder.encode([(":status", "200"), ("content-type", "application/grpc")])
    tail = encoder.encode([("grpc-status", "0"), ("grpc-message", "")])
    refusal = encoder.encode([(":status", "200"), ("grpc-status", "2"), ("grpc-message", "service not found: %C3%A9%")])
    reply = b"\x00\x00\x00\x00\x05hello"
    padded = bytes((3,)) + reply[4:] + bytes(3)
    frames = (
        (lean_client.SETTINGS, 0, 0, struct.pack(">HIHI", lean_client.INITIAL_WINDOW_SIZE, 70000, 99, 1)),
        (lean_client.SETTINGS, lean_client.ACK, 0, b""),
        (lean_client.PING, 0, 0, b"12345678"),
        (lean_client.PING, lean_client.ACK, 0, b"87654321"),
        (200, 255, 77, b"of no known type"),
        (
            lean_client.HEADERS,
            lean_client.PADDED | lean_client.PRIORITY,
            1,
            bytes((2, 0, 0, 0, 0, 9)) + head[:3] + b"\0\0",
        ),
        (lean_client.CONTINUATION, 0, 1, head[3:5]),
        (lean_client.CONTINUATION, lean_client.END_HEADERS, 1, head[5:]),
        (lean_client.DATA, 0, 1, reply[:4]),
        (lean_client.HEADERS, lean_client.END_HEADERS | lean_client.END_STREAM, 3, refusal),
        (lean_client.DATA, lean_client.PADDED, 1, padded),
        (lean_client.WINDOW_UPDATE, 0, 0, (1000).to_bytes(4)),
        (lean_client.WINDOW_UPDATE, 0, 1, (1000).to_bytes(4)),
        (lean_client.HEADERS, lean_client.END_STREAM, 1, tail[:2]),
        (lean_client.CONTINUATION, lean_client.END_HEADERS, 1, tail[2:]),
        (lean_client.RST_STREAM, 0, 1, (0).to_bytes(4)),
        (lean_client.RST_STREAM, 0, 5, (11).to_bytes(4)),
    )
    return b"".join(_frame(*frame) for frame in frames)


@pytest.mark.parametrize("source", ["grpc", "odd"])
def test_the_same_wherever_the_stream_is_cut(source: str) -> None:
    async def scenario() -> None:
        stream = await _recorded() if source == "grpc" else _odd()
        whole = await _outcome([stream], 3)
        if source == "odd":
            assert whole[0] == [
                repr(b"hello".hex()),
                "NotFound('service not found: é%')",
                "Unreachable('the server reset the call (HTTP/2 code 11)')",
            ]
            assert _frame(lean_client.PING, lean_client.ACK, 0, b"12345678") in whole[1]
            assert b"87654321" not in whole[1]
            assert whole[1].count(_frame(lean_client.SETTINGS, lean_client.ACK, 0)) == 1
        else:
            assert "pending" not in whole[0]
            assert whole[0][0] == repr(_secret(bytes(range(251))).SerializeToString().hex())
            assert whole[0][1].startswith("Unimplemented(")
        assert await _outcome([stream[i : i + 1] for i in range(len(stream))], 3) == whole
        for cut in range(len(stream)):
            assert await _outcome([stream[:cut], stream[cut:]], 3) == whole

    asyncio.run(scenario())


_FRAMES = st.builds(
    _frame,
    st.integers(0, 10),
    st.integers(0, 255),
    st.integers(0, 6),
    st.one_of(st.binary(max_size=40), st.sampled_from([b"\x88", b"\x3f\xe1\x1f", b"\x00\x0bgrpc-status\x02\xc2\xb2"])),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.one_of(_FRAMES, st.binary(max_size=60)), max_size=12))
@example([_frame(1, 5, 1, b"\x00\x0bgrpc-status\x02\xc2\xb2")])  # a digit to isdigit(), none to int()
def test_no_bytes_make_it_raise(chunks: list[bytes]) -> None:
    """Whatever the server says, each call has ended in an outcome of ours by the time the connection has."""
    problems: list[t.Any] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: problems.append(context))
        connection, wire, futures = _connected()
        for chunk in chunks:
            connection.data_received(chunk)
            ended = bool(connection.why)
            assert wire.aborted is ended
            assert not (ended and (connection.usable or connection.calls))
            assert all(future.done() for future in futures) or not ended
        connection.connection_lost(None)
        for future in futures:
            assert future.exception() is None or isinstance(future.exception(), WarrenError)
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert problems == []


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        _frame(lean_client.HEADERS, lean_client.END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff"),
        _frame(lean_client.HEADERS, lean_client.END_HEADERS | lean_client.PADDED, 1, b""),
        _frame(lean_client.DATA, lean_client.PADDED, 1, b""),
        _frame(lean_client.SETTINGS, 0, 0, b"12345"),
        _frame(lean_client.DATA, 0, 1, bytes(16385)),
    ],
)
def test_a_server_that_breaks_the_protocol_loses_the_connection(said: bytes) -> None:
    async def scenario() -> None:
        connection, wire, futures = _connected()
        connection.data_received(_frame(lean_client.SETTINGS, 0, 0))
        assert connection.usable
        connection.data_received(said)
        assert (wire.aborted, connection.usable) == (True, False)
        for future in futures:
            error = future.exception()
            assert isinstance(error, Unreachable)
            assert (error.sent, error.method) == (True, "ListNodes")
            assert "does not keep to HTTP/2" in error.details
        connection.data_received(_frame(lean_client.SETTINGS, 0, 0))  # the rest of it is not heard any more
        assert not connection.usable

    asyncio.run(scenario())


@pytest.mark.parametrize(("timeout", "kind"), [(0.0, DeadlineExceeded), (1000.0, Unreachable)])
def test_a_server_that_keeps_the_deadline_itself(timeout: float, kind: type[WarrenError]) -> None:
    """gRPC's servers reset a call at its deadline, maybe before we have looked; at other times a reset is a failure."""

    async def scenario() -> None:
        connection, _wire, (future,) = _connected(1, timeout)
        connection.data_received(_frame(lean_client.RST_STREAM, 0, 1, lean_client.CANCEL.to_bytes(4)))
        assert isinstance(future.exception(), kind)
        connection.end("the test is over")

    asyncio.run(scenario())


@pytest.mark.parametrize("stream_window", [65535, 10_000])
def test_no_more_is_sent_than_the_windows_let(stream_window: int) -> None:
    """65535 bytes on the connection until the server adds to them, and what its settings say on each stream."""

    async def scenario() -> None:
        connection, _wire, futures = _connected(0)
        window = struct.pack(">HI", lean_client.INITIAL_WINDOW_SIZE, stream_window)
        connection.data_received(_frame(lean_client.SETTINGS, 0, 0, window))
        futures += [connection.call("ListNodes", b"", bytes(16_384), 1000.0) for _turn in range(6)]
        assert len(connection.calls) == (3 if stream_window > 16_384 else 0)
        connection.data_received(_frame(lean_client.WINDOW_UPDATE, 0, 0, (1).to_bytes(4)))
        assert len(connection.calls) == (4 if stream_window > 16_384 else 0)
        connection.end("the test is over")
        assert all(isinstance(future.exception(), Unreachable) for future in futures)

    asyncio.run(scenario())


def test_a_call_that_the_server_refuses_to_begin_is_sent_again_when_another_has_ended() -> None:
    """As gRPC's server does with one sent right after a reply, while it still counts the stream that ended."""

    async def scenario() -> None:
        connection, wire, futures = _connected(2)
        connection.data_received(_frame(lean_client.SETTINGS, 0, 0))
        refused = _frame(lean_client.RST_STREAM, 0, 1, lean_client.REFUSED_STREAM.to_bytes(4))
        connection.data_received(refused)
        await asyncio.sleep(0)
        request = _frame(lean_client.HEADERS, lean_client.END_HEADERS, 5)
        assert request not in wire.written
        tail = hpack.Encoder().encode([("grpc-status", "0")])
        ends = lean_client.END_HEADERS | lean_client.END_STREAM
        for stream, reply in ((3, b"second"), (5, b"first")):
            data = b"\x00" + len(reply).to_bytes(4) + reply
            connection.data_received(
                _frame(lean_client.DATA, 0, stream, data) + _frame(lean_client.HEADERS, ends, stream, tail)
            )
        assert [future.result() for future in futures] == [b"first", b"second"]
        await asyncio.sleep(0)
        assert request in wire.written
        connection.end("the test is over")

    asyncio.run(scenario())


def test_a_server_that_goes_away_ends_what_it_has_not_taken() -> None:
    async def scenario() -> None:
        connection, _wire, futures = _connected(2)
        one_more = struct.pack(">HI", lean_client.MAX_CONCURRENT_STREAMS, 2)
        connection.data_received(_frame(lean_client.SETTINGS, 0, 0, one_more))
        futures.append(connection.call("ListNodes", b"", b"", 1000.0))
        connection.data_received(_frame(lean_client.GOAWAY, 0, 0, (1).to_bytes(4) + bytes(4)))
        assert not connection.usable
        assert not futures[0].done()
        for future in futures[1:]:
            error = future.exception()
            assert isinstance(error, Unreachable)
            assert (error.sent, error.method) == (False, "ListNodes")
        refusal = hpack.Encoder().encode([(":status", "200"), ("grpc-status", "5"), ("grpc-message", "gone")])
        ends = lean_client.END_HEADERS | lean_client.END_STREAM
        connection.data_received(_frame(lean_client.HEADERS, ends, 1, refusal))
        assert isinstance(futures[0].exception(), WarrenError)
        assert "gone" in str(futures[0].exception())
        connection.end("the test is over")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("reply", "trailers"),
    [
        (b"\x00\x00\x00\x00\x05hell", [("grpc-status", "0")]),
        (b"\x01\x00\x00\x00\x05hello", [("grpc-status", "0")]),
        (b"", [("grpc-status", "0")]),
        (b"\x00\x00\x00\x00\x05hello", [(":status", "502")]),
    ],
)
def test_a_reply_that_is_no_grpc_reply_leaves_the_outcome_open(reply: bytes, trailers: list[tuple[str, str]]) -> None:
    """Cut short, compressed, missing, or without a status, as a proxy gives."""

    async def scenario() -> None:
        connection, _wire, (future,) = _connected(1)
        encoder = hpack.Encoder()
        encoder.header_table_size = 0
        connection.data_received(_frame(lean_client.DATA, 0, 1, reply))
        ends = lean_client.END_HEADERS | lean_client.END_STREAM
        connection.data_received(_frame(lean_client.HEADERS, ends, 1, encoder.encode(trailers)))
        assert isinstance(future.exception(), OutcomeUnknown)
        connection.end("the test is over")

    asyncio.run(scenario())


@given(st.text(max_size=300).filter(lambda text: text.isascii()), st.sampled_from([0.0004, 0.25, 1.0, 3600.0]))
def test_the_headers_are_read_back_by_hpack(name: str, timeout: float) -> None:
    block = lean_client._headers(f"/{name}", "a" * 127, timeout, tls=True)
    headers = {str(key): str(value) for key, value in hpack.Decoder().decode(block)}
    assert (headers[":path"], headers[":authority"], headers[":scheme"]) == (f"/{name}", "a" * 127, "https")
    assert int(headers["grpc-timeout"].removesuffix("m")) >= max(1, timeout * 1000)


def test_no_tls_before_1_3(certificates: Certificates) -> None:
    context = lean_client._tls_context(Resolved(True, "pinned", root_pem=certificates.leaf))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
