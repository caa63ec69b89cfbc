"""What simulators are served with: ports that are bound before anything runs, a quiet uvicorn, a thread for tests."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeVar

import uvicorn
from starlette.types import ASGIApp

from local.simulation.connections import TransportProtocol

KEEP_ALIVE_SECONDS = 75
BACKLOG = 2048


class QuietServer(uvicorn.Server):
    """uvicorn without its own signal handling: whoever runs the simulator decides when it stops."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Captures none."""
        yield


class Startable(Protocol):
    """What `in_thread` runs."""

    async def start(self) -> None:
        """Returns once it serves."""

    async def stop(self) -> None:
        """Drops all connections and ends what runs."""


class Ports:
    """Applications on sockets that are bound already, served until they are closed."""

    def __init__(self) -> None:
        self._servers: list[QuietServer] = []
        self._serving: list[asyncio.Task[None]] = []

    async def serve(self, apps: Sequence[tuple[ASGIApp, socket.socket]]) -> None:
        """Returns once all of them answer."""
        self._servers = [_server(app) for app, _ in apps]
        self._serving = [
            asyncio.create_task(server.serve([sock]))
            for server, (_, sock) in zip(self._servers, apps, strict=True)
        ]
        while not all(server.started for server in self._servers):
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        """Drops all connections."""
        for server in self._servers:
            server.should_exit = True
            for connection in list(server.server_state.connections):
                connection.transport.abort()
        await asyncio.gather(*self._serving)


S = TypeVar("S", bound=Startable)


@contextlib.contextmanager
def in_thread(simulator: S, name: str) -> Iterator[S]:
    """The simulator in a thread of its own, ready when entered and gone when left."""
    ready, leave = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    failures: list[BaseException] = []

    async def serve() -> None:
        try:
            await simulator.start()
        except (OSError, ValueError) as error:
            failures.append(error)
            return
        finally:
            ready.set()
        await leave.wait()
        await simulator.stop()

    def run() -> None:
        with contextlib.closing(loop):
            loop.run_until_complete(serve())

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    ready.wait()
    if failures:
        thread.join()
        raise failures[0]
    try:
        yield simulator
    finally:
        loop.call_soon_threadsafe(leave.set)
        thread.join()


def listen_on(host: str, *ports: int) -> list[socket.socket]:
    """All of the ports (0: a free one) or none; OSError for one that is in use."""
    with contextlib.ExitStack() as undo:
        sockets = []
        for port in ports:
            sockets.append(_listen(host, port))
            undo.callback(sockets[-1].close)
        undo.pop_all()
    return sockets


def address(sock: socket.socket) -> str:
    """The http address of a bound socket."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    # Without the protocol's number asyncio leaves Nagle's algorithm on, which costs 40 ms per answer.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _server(app: ASGIApp) -> QuietServer:
    config = uvicorn.Config(
        app,
        http=TransportProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    return QuietServer(config)
