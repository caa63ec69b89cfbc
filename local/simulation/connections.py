"""Answers that are none: a connection held in silence, closed, or reset."""

import asyncio
import contextlib
import socket
import struct
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

TRANSPORT = "simulator.transport"
LINGER_ZERO = struct.pack("ii", 1, 0)


class TransportProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, which puts the connection's transport into each request's scope."""

    def connection_made(self, transport: Any) -> None:
        """Wraps the application for this connection."""
        super().connection_made(transport)
        application = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope[TRANSPORT] = transport
            await application(scope, receive, send)

        self.app = with_transport


async def client_gone(receive: Receive) -> None:
    """Returns once the connection is closed, by whichever side."""
    while (await receive())["type"] != "http.disconnect":
        pass


class NoAnswer(Response):
    """Says nothing until the client gives up, or closes the connection after ``hold_seconds``."""

    def __init__(self, hold_seconds: float) -> None:
        super().__init__()
        self._hold_seconds = hold_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent
        """Waits, then closes."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._hold_seconds):
                return await client_gone(receive)
        scope[TRANSPORT].close()
        return await client_gone(receive)


class Reset(Response):
    """Resets the TCP connection instead of answering."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent
        """Drops what is unsent and tells the client so at once."""
        transport: asyncio.Transport = scope[TRANSPORT]
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        transport.abort()
        await client_gone(receive)
