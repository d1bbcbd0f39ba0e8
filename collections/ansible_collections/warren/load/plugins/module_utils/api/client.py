# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One manager's API as a Python object, in either dialect."""

from __future__ import annotations

import typing as t

from .channel import GRPC_IMPORT_ERROR, Resolved, open_channel
from .dialect import Dialect
from .errors import Unimplemented, from_rpc
from .lean_client import LeanClient
from .schema import METHODS, message

if GRPC_IMPORT_ERROR is None:
    import grpc

CALL_TIMEOUT = 10.0  # seconds; what Warren's own command line allows a call


class Client:
    """Calls to one manager over one connection; use it as ``async with Client(…) as client``.

    ``address`` is ``host:port`` of the API, ``resolved`` what channel.resolve() agreed on, ``name`` the manager's name
    in messages to the user.
    """

    def __init__(
        self, address: str, resolved: Resolved, dialect: Dialect, *, name: str = "", own_connection: bool = False
    ) -> None:
        self.address = address
        self.dialect = dialect
        self.name = name or address
        self._resolved = resolved
        self.channel = open_channel(address, resolved, own_connection=own_connection)
        self._calls: dict[str, t.Any] = {}

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; calls under way end as cancelled."""
        await self.channel.close()

    async def call(self, method: str, request: t.Any = None, timeout: float = CALL_TIMEOUT) -> t.Any:
        """The response message of ``method`` (canonical name); ``request`` None sends an empty one; ``timeout`` in s.

        Raises the WarrenError that fits the server's refusal.
        """
        if method not in self._calls:
            rpc = METHODS[method]
            if not self.dialect.supports(method):
                raise Unimplemented(
                    f"servers of dialect {self.dialect.value} have no {method}", "UNIMPLEMENTED", method
                )
            self._calls[method] = self.channel.unary_unary(
                self.dialect.path(method),
                request_serializer=message(rpc.request).SerializeToString,
                response_deserializer=message(rpc.response).FromString,
            )
        if request is None:
            request = message(METHODS[method].request)()
        try:
            return await self._calls[method](request, timeout=timeout)
        except grpc.RpcError as error:
            raise from_rpc(error, method) from error

    def raw(self, method: str) -> t.Any:
        """``method`` as a callable on encoded bytes: ``await call(request_bytes, timeout=…)`` gives the reply's bytes.

        It raises grpc's own errors (errors.from_rpc() makes them ours): nothing but gRPC runs while the clock does.
        """
        return self.channel.unary_unary(self.dialect.path(method))

    def lean(self) -> LeanClient:
        """A client of the same manager for measuring, on a connection of its own; to be used with ``async with``."""
        return LeanClient(self.address, self._resolved, self.dialect)

    def stream(self, method: str, request: t.Any) -> t.Any:
        """The server stream ``method`` as an async iterator of messages (it raises grpc's own errors)."""
        rpc = METHODS[method]
        open_stream = self.channel.unary_stream(
            self.dialect.path(method),
            request_serializer=message(rpc.request).SerializeToString,
            response_deserializer=message(rpc.response).FromString,
        )
        return open_stream(request)


async def detect_dialect(address: str, resolved: Resolved, timeout: float = CALL_TIMEOUT) -> Dialect:
    """Which dialect the manager at ``address`` has: only one of the two lists containers under that name."""
    async with Client(address, resolved, Dialect.CONTAINERS) as client:
        try:
            # No node has this id: the reply is empty however many containers there are.
            await client.call("ListContainers", message("ListContainersRequest")(node_id="-"), timeout)
        except Unimplemented:
            return Dialect.TASKS
        return Dialect.CONTAINERS
