"""The listening side of the gateway: one port, taken early and served late."""

import asyncio
import socket

import uvicorn

from local.backing import PortInUseError
from local.backing.ports import LOOPBACK
from local.gateway import Gateway


def take_port(port: int) -> socket.socket:
    """A socket bound to 127.0.0.1:port that does not listen yet; PortInUseError if the port is taken."""
    # The protocol is named because asyncio turns Nagle's algorithm off only where it is: 40 ms per answer.
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((LOOPBACK, port))
    except OSError as error:
        taken.close()
        raise PortInUseError("the API", port) from error
    return taken


class HttpFront:
    """Serves a gateway on a bound socket."""

    def __init__(self, gateway: Gateway, bound: socket.socket) -> None:
        config = uvicorn.Config(
            gateway,
            lifespan="off",
            ws="none",
            http="h11",
            loop="asyncio",
            log_level="error",
            access_log=False,
            proxy_headers=False,  # API Gateway goes by the connection, whatever a header says
            server_header=False,
            timeout_graceful_shutdown=1,
            log_config=None,
        )
        self._server = uvicorn.Server(config)
        self._socket = bound

    async def start(self) -> "asyncio.Task[None]":
        """Return when requests are answered; the task ends with the server."""
        task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started and not task.done():
            await asyncio.sleep(0.01)
        return task

    def stop(self) -> None:
        """Let it end: no new connections, a second for those that are open."""
        self._server.should_exit = True
