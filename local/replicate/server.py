"""Starts and stops a simulator: two ports, one state, in this event loop or in a thread of its own."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.applications import Starlette

from local.replicate.api import make_api_app
from local.replicate.connections import TransportProtocol
from local.replicate.engine import Engine
from local.replicate.media_host import make_media_app
from local.replicate.settings import Settings
from local.replicate.webhooks import Courier
from local.replicate.world import World

KEEP_ALIVE_SECONDS = 75
BACKLOG = 2048


class QuietServer(uvicorn.Server):
    """uvicorn without its own signal handling: whoever runs the simulator decides when it stops."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Captures none."""
        yield


class Simulator:
    """One simulated Replicate. ``api_base`` (without ``/v1``) and ``media_base`` are set once it has started."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.api_base = ""
        self.media_base = ""

    async def start(self) -> None:
        """Binds both ports and serves; raises OSError if one of them is in use, ValueError for faults that are none."""
        self.world = World(self.settings)
        try:
            api_socket, media_socket = _listen_on(
                self.settings.host, self.settings.port, self.settings.media_port
            )
        except OSError:
            await self.world.close()
            raise
        self.api_base, self.media_base = _address(api_socket), _address(media_socket)
        self.world.api_base, self.world.media_base = self.api_base, self.media_base
        self._courier = Courier(self.world)
        engine = Engine(self.world, self._courier)
        apps = (make_api_app(self.world, engine), api_socket), (make_media_app(self.world), media_socket)
        self._servers = [_server(app) for app, _ in apps]
        self._serving = [
            asyncio.create_task(server.serve([sock]))
            for server, (_, sock) in zip(self._servers, apps, strict=True)
        ]
        while not all(server.started for server in self._servers):
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Drops all connections, ends all predictions and removes the files."""
        for server in self._servers:
            server.should_exit = True
            for connection in list(server.server_state.connections):
                connection.transport.abort()
        await asyncio.gather(*self._serving)
        await self.world.close()
        await self._courier.close()


@contextlib.contextmanager
def running(settings: Settings | None = None) -> Iterator[Simulator]:
    """A simulator in a thread of its own, ready when entered and gone when left."""
    simulator = Simulator(settings or Settings())
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

    thread = threading.Thread(target=run, name="replicate-simulator", daemon=True)
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


def _listen_on(host: str, *ports: int) -> list[socket.socket]:
    """All of the ports or none."""
    with contextlib.ExitStack() as undo:
        sockets = []
        for port in ports:
            sockets.append(_listen(host, port))
            undo.callback(sockets[-1].close)
        undo.pop_all()
    return sockets


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


def _address(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _server(app: Starlette) -> QuietServer:
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
