# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unary gRPC calls over one HTTP/2 connection, in Python alone: for measuring, where gRPC's own cost is in the way.

It speaks the part of HTTP/2 (RFC 9113) that unary calls of small requests need. The header table is switched off
(SETTINGS_HEADER_TABLE_SIZE 0), so equal header blocks mean equal headers and each is decoded once. Everything else in
the collection goes through gRPC itself; the tests hold the two against each other.
"""

from __future__ import annotations

import asyncio
import math
import os
import ssl
import struct
import tempfile
import typing as t
import urllib.parse
from pathlib import Path

from .channel import Resolved, split_address
from .errors import Unreachable, WarrenError, classify

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from .dialect import Dialect

try:
    import hpack

    HPACK_IMPORT_ERROR: ImportError | None = None
except ImportError as error:
    HPACK_IMPORT_ERROR = error

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 1, 2, 3, 4
REFUSED_STREAM, CANCEL = 7, 8
WINDOW_MAX = STREAM_MAX = 2**31 - 1
WINDOW_DEFAULT = 65535
FRAME_MAX = 16384  # bytes; a request must fit into one frame
SWEEP_PERIOD = 0.1  # seconds between two looks for calls past their deadline
RECONNECT_PAUSE = 0.1  # seconds
CONNECT_TIMEOUT = 5.0  # seconds

# gRPC's status codes by number.
CODES = (
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED "
    "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS "
    "UNAUTHENTICATED"
)
_CODES = CODES.split()
_FRAME = struct.Struct(">BHBBI")  # length (24 bits in two), type, flags, stream
_SETTING = struct.Struct(">HI")
_GOING = "the server is going away"


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return _FRAME.pack(len(payload) >> 16, len(payload) & 0xFFFF, kind, flags, stream) + payload


def _text(value: str) -> bytes:
    """A string of HPACK, not Huffman-coded; lengths of 127 and more take continuation bytes."""
    raw = value.encode()
    length = len(raw)
    if length < 127:
        return bytes((length,)) + raw
    length -= 127
    prefix = bytearray((127,))
    while length >= 128:
        prefix.append(length % 128 + 128)
        length //= 128
    prefix.append(length)
    return bytes(prefix) + raw


def _headers(path: str, authority: str, timeout: float, *, tls: bool) -> bytes:
    """The header block of a call: literals that are never indexed, so that it is the same for every call."""
    fields = {
        ":method": "POST",
        ":scheme": "https" if tls else "http",
        ":path": path,
        ":authority": authority,
        "te": "trailers",
        "content-type": "application/grpc",
        "user-agent": "warren.load",
        "grpc-timeout": f"{math.ceil(timeout * 1000)}m",
    }
    return b"".join(b"\x00" + _text(name) + _text(value) for name, value in fields.items())


class _Call:
    """One call: ``headers`` and framed ``message`` are to be sent, ``reply`` gathers the server's framed message."""

    __slots__ = ("deadline", "future", "headers", "message", "method", "reply")

    def __init__(
        self, future: asyncio.Future[bytes], method: str, headers: bytes, message: bytes, deadline: float
    ) -> None:
        self.future = future
        self.method = method
        self.headers = headers
        self.message = message
        self.deadline = deadline
        self.reply = bytearray()

    def fail(self, error: WarrenError) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class _Connection(asyncio.Protocol):
    """One HTTP/2 connection and the calls on it.

    ``answered`` is set once the server has sent its settings, which make it ``usable``, or the connection is lost;
    ``why`` says then what ended it.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self.calls: dict[int, _Call] = {}
        self.usable = False
        self.answered = asyncio.Event()
        self.why = ""
        self._next_stream = 1
        self._buffer = bytearray()
        self._out: list[bytes] = []
        self._waiting: list[_Call] = []  # for the peer's windows or stream limit
        self._window = WINDOW_DEFAULT  # what we may send on the connection, in bytes
        self._stream_window = WINDOW_DEFAULT
        self._max_streams = WINDOW_MAX
        self._unacknowledged = 0  # bytes received since the last WINDOW_UPDATE of ours
        self._block = b""  # of a HEADERS frame that CONTINUATION frames go on with
        self._block_flags = 0
        self._decoder = hpack.Decoder()
        self._decoder.header_table_size = 0
        self._decoder.max_allowed_table_size = 0
        self._known: dict[bytes, dict[str, str]] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._frames: dict[int, Callable[[int, int, bytes], None]] = {
            DATA: self._data,
            HEADERS: self._header_block,
            CONTINUATION: self._continuation,
            RST_STREAM: self._reset,
            SETTINGS: self._settings,
            PING: self._ping,
            GOAWAY: self._goaway,
            WINDOW_UPDATE: self._window_update,
        }

    # --- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = t.cast(asyncio.Transport, transport)
        settings = ((HEADER_TABLE_SIZE, 0), (ENABLE_PUSH, 0), (INITIAL_WINDOW_SIZE, WINDOW_MAX))
        self.transport.write(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + _frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*setting) for setting in settings))
            + _frame(WINDOW_UPDATE, 0, 0, (WINDOW_MAX - WINDOW_DEFAULT).to_bytes(4))
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(f"the connection was lost ({exc or 'closed by the server'})")

    def end(self, why: str) -> None:
        """Drop the connection and fail its calls; ``why`` is what they say. Does nothing the second time."""
        if self.why:
            return
        self.why = why
        self.usable = False
        self.answered.set()
        if self._sweeping:
            self._sweeping.cancel()
        if self.transport:
            self.transport.abort()
        calls, self.calls = self.calls, {}
        for call in calls.values():
            call.fail(Unreachable(why, method=call.method, sent=True))
        self._fail_waiting(why)

    def _fail_waiting(self, why: str) -> None:
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            call.fail(Unreachable(why, method=call.method, sent=False))

    def data_received(self, data: bytes) -> None:
        if self.why:
            return
        try:
            self._read(data)
        except Exception as error:  # whatever it was: what follows can no longer be told apart
            self.end(f"the server does not keep to HTTP/2 ({type(error).__name__}: {error})")

    def _read(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        position, end = 0, len(buffer)
        while end - position >= 9:
            high, low, kind, flags, stream = _FRAME.unpack_from(buffer, position)
            length = (high << 16) + low
            if length > FRAME_MAX:
                raise ValueError(f"a frame of {length} bytes")
            until = position + 9 + length
            if until > end:
                break
            handler = self._frames.get(kind)
            if handler:
                handler(flags, stream & STREAM_MAX, bytes(buffer[position + 9 : until]))
            position = until
        del buffer[:position]

    # --- calls

    def call(self, method: str, headers: bytes, message: bytes, timeout: float) -> asyncio.Future[bytes]:
        """Send a framed message under a header block; the future has the reply's bytes, or a WarrenError."""
        future: asyncio.Future[bytes] = self.loop.create_future()
        call = _Call(future, method, headers, message, self.loop.time() + timeout)
        if self._waiting or not self._may_send(len(message)):
            self._waiting.append(call)
        else:
            self._send(call)
        if self._sweeping is None:
            self._sweeping = self.loop.call_later(SWEEP_PERIOD, self._sweep)
        return future

    def _may_send(self, size: int) -> bool:
        return size <= self._window and size <= self._stream_window and len(self.calls) < self._max_streams

    def _send(self, call: _Call) -> None:
        headers, message = call.headers, call.message
        stream = self._next_stream
        self._next_stream += 2
        self.calls[stream] = call
        self._window -= len(message)
        self._write(
            _FRAME.pack(0, len(headers), HEADERS, END_HEADERS, stream)
            + headers
            + _FRAME.pack(0, len(message), DATA, END_STREAM, stream)
            + message
        )

    def _write(self, data: bytes) -> None:
        """Queue bytes; what one turn of the loop queues leaves in one system call."""
        if not self._out:
            self.loop.call_soon(self._flush)
        self._out.append(data)

    def _flush(self) -> None:
        if self.transport and self._out:
            self.transport.write(b"".join(self._out))
        self._out.clear()

    def _send_waiting(self) -> None:
        while self._waiting and self._may_send(len(self._waiting[0].message)):
            call = self._waiting.pop(0)
            if not call.future.done():
                self._send(call)

    def _sweep(self) -> None:
        """Fail the calls past their deadline, and tell the server to forget them."""
        now = self.loop.time()
        for stream in [
            stream for stream, call in self.calls.items() if call.deadline <= now or call.future.cancelled()
        ]:
            call = self.calls.pop(stream)
            call.fail(classify("DEADLINE_EXCEEDED", "Deadline Exceeded", call.method))
            self._write(_frame(RST_STREAM, 0, stream, CANCEL.to_bytes(4)))
        for call in [call for call in self._waiting if call.deadline <= now]:
            self._waiting.remove(call)
            call.fail(classify("DEADLINE_EXCEEDED", "Deadline Exceeded before it could be sent", call.method))
        self._send_waiting()
        busy = self.calls or self._waiting
        self._sweeping = self.loop.call_later(SWEEP_PERIOD, self._sweep) if busy else None

    def _finish(self, stream: int, trailers: dict[str, str]) -> None:
        call = self.calls.pop(stream, None)
        if call is None:
            return
        if self._waiting:
            self._send_waiting()
        if call.future.done():
            return
        status = trailers.get("grpc-status")
        if status == "0" and call.reply[:5] == b"\x00" + max(0, len(call.reply) - 5).to_bytes(4):  # one whole message
            call.future.set_result(bytes(call.reply[5:]))
        elif status is None or status == "0":
            call.fail(
                classify("INTERNAL", f"the reply is no gRPC reply (HTTP {trailers.get(':status', '?')})", call.method)
            )
        else:
            code = _CODES[int(status)] if status.isdecimal() and int(status) < len(_CODES) else "UNKNOWN"
            call.fail(classify(code, urllib.parse.unquote(trailers.get("grpc-message", "")), call.method))

    # --- frames

    def _data(self, flags: int, stream: int, payload: bytes) -> None:
        self._unacknowledged += len(payload)
        if self._unacknowledged > WINDOW_MAX // 2:
            self._write(_frame(WINDOW_UPDATE, 0, 0, self._unacknowledged.to_bytes(4)))
            self._unacknowledged = 0
        if flags & PADDED:
            payload = payload[1 : len(payload) - payload[0]]
        call = self.calls.get(stream)
        if call:
            call.reply += payload
            if flags & END_STREAM:
                self._finish(stream, {})

    def _header_block(self, flags: int, stream: int, payload: bytes) -> None:
        if flags & PADDED:
            payload = payload[1 : len(payload) - payload[0]]
        if flags & PRIORITY:
            payload = payload[5:]
        if not flags & END_HEADERS:
            self._block, self._block_flags = payload, flags
            return
        headers = self._known.get(payload)
        if headers is None:
            headers = {str(name): str(value) for name, value in self._decoder.decode(payload)}
            if len(self._known) < 1000:
                self._known[payload] = headers
        if flags & END_STREAM:
            self._finish(stream, headers)

    def _continuation(self, flags: int, stream: int, payload: bytes) -> None:
        self._block += payload
        if flags & END_HEADERS:
            self._header_block(self._block_flags & END_STREAM | END_HEADERS, stream, self._block)

    def _reset(self, _flags: int, stream: int, payload: bytes) -> None:
        call = self.calls.pop(stream, None)  # a server may reset a stream that has ended: nothing to do then
        if call is None:
            return
        code = int.from_bytes(payload)
        # Not begun (RFC 9113, 8.7), so it may go again, once another call ends or the sweep comes.
        if code == REFUSED_STREAM and self.usable:
            call.reply.clear()
            self._waiting.insert(0, call)
            return
        if code == CANCEL and call.deadline - self.loop.time() < SWEEP_PERIOD:  # the server keeps the deadline too
            call.fail(classify("DEADLINE_EXCEEDED", "Deadline Exceeded", call.method))
        else:
            call.fail(classify("UNAVAILABLE", f"the server reset the call (HTTP/2 code {code})", call.method))
        self._send_waiting()

    def _settings(self, flags: int, _stream: int, payload: bytes) -> None:
        if flags & ACK:
            return
        for name, value in _SETTING.iter_unpack(payload):
            if name == MAX_CONCURRENT_STREAMS:
                self._max_streams = value
            elif name == INITIAL_WINDOW_SIZE:
                self._stream_window = value
        self._write(_frame(SETTINGS, ACK, 0))
        if not self.answered.is_set():
            self.usable = True
            self.answered.set()
        self._send_waiting()

    def _ping(self, flags: int, _stream: int, payload: bytes) -> None:
        if not flags & ACK:
            self._write(_frame(PING, ACK, 0, payload))

    def _goaway(self, _flags: int, _stream: int, payload: bytes) -> None:
        self.usable = False
        last = int.from_bytes(payload[:4])
        for stream in [stream for stream in self.calls if stream > last]:
            call = self.calls.pop(stream)
            call.fail(Unreachable(_GOING, method=call.method, sent=False))
        self._fail_waiting(_GOING)

    def _window_update(self, _flags: int, stream: int, payload: bytes) -> None:
        if stream == 0:
            self._window += int.from_bytes(payload)
            self._send_waiting()


def _tls_context(resolved: Resolved) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a pinned certificate is its own root
    context.load_verify_locations(cadata=(resolved.root_pem or b"").decode())
    context.set_alpn_protocols(["h2"])
    if resolved.client_pem:
        handle, path = tempfile.mkstemp()  # 0600; ssl reads certificates from files only
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(b"\n".join(resolved.client_pem))
            context.load_cert_chain(path)
        finally:
            Path(path).unlink()
    return context


class LeanClient:
    """Raw unary calls to one manager; use it as ``async with LeanClient(…) as client``.

    A lost connection is opened again by the next call, which fails, as do those that come before it is open.
    """

    def __init__(self, address: str, resolved: Resolved, dialect: Dialect) -> None:
        if HPACK_IMPORT_ERROR is not None:
            raise HPACK_IMPORT_ERROR
        self.address = address
        self.dialect = dialect
        self._resolved = resolved
        self._context = _tls_context(resolved) if resolved.tls else None
        self._connection: _Connection | None = None
        self._opening: asyncio.Task[None] | None = None
        self._why = f"no connection to {address} yet"

    async def __aenter__(self) -> LeanClient:
        await self.open()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._opening:
            self._opening.cancel()
        if self._connection:
            self._connection.end("the connection was closed")
        await asyncio.sleep(0)

    async def open(self) -> None:
        """Connect; raises Unreachable where nobody answers, or the two sides do not fit."""
        host, port = split_address(self.address)
        name = self._resolved.server_name if self._context else None
        connection = _Connection()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await connection.loop.create_connection(
                    lambda: connection, host, port, ssl=self._context, server_hostname=name
                )
                await connection.answered.wait()  # its settings limit what may be sent
            if not connection.usable:
                raise ConnectionError(connection.why)
            self._connection = connection
            self._why = f"the connection to {self.address} was lost"
        except OSError as error:  # a TimeoutError and an ssl.SSLError are OSErrors too
            self._why = f"failed to connect to {self.address} ({str(error) or 'no answer in time'})"
            raise Unreachable(self._why, sent=False) from error
        finally:
            if self._connection is not connection:
                connection.end(self._why)

    async def _reopen(self) -> None:
        try:
            await self.open()
        except Unreachable:
            await asyncio.sleep(RECONNECT_PAUSE)

    def raw(self, method: str, timeout: float) -> Callable[[bytes], asyncio.Future[bytes]]:
        """``method`` (canonical name) as a callable: encoded request in, future of the encoded reply out.

        ``timeout`` in s. Refusals are raised as the WarrenError that fits. A request must fit into 16 KiB.
        """
        headers = _headers(self.dialect.path(method), self.address, timeout, tls=self._context is not None)

        def call(request: bytes) -> asyncio.Future[bytes]:
            connection = self._connection
            if connection is None or not connection.usable:
                if self._opening is None or self._opening.done():
                    self._opening = asyncio.ensure_future(self._reopen())
                raise Unreachable(self._why, method=method, sent=False)
            message = b"\x00" + len(request).to_bytes(4) + request
            if len(message) > FRAME_MAX:
                raise ValueError(f"a request of {len(request)} bytes does not fit into one frame of {FRAME_MAX}")
            return connection.call(method, headers, message, timeout)

        return call
