"""Starts and stops the simulators: a port per provider and one for files, one state, in this event loop or a thread."""

from collections.abc import Iterable
from contextlib import AbstractContextManager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from local.providers.control import CONTROL_ROUTES
from local.providers.media_host import make_media_app
from local.providers.registry import MODULES, load
from local.providers.request_log import RequestLog
from local.providers.settings import Settings
from local.providers.world import World
from local.simulation.faults import UnknownFaultError
from local.simulation.serving import Ports, address, in_thread, listen_on


class Providers:
    """The simulated providers of these names. ``urls`` (by name) and ``media_base`` are set once they have started."""

    def __init__(self, settings: Settings, names: Iterable[str]) -> None:
        self.settings = settings
        self.names = tuple(names)
        self.urls: dict[str, str] = {}
        self.media_base = ""

    async def start(self) -> None:
        """Binds all ports and serves; raises OSError if one is in use, ValueError for faults that are none."""
        wanted = [self.settings.ports.get(name, 0) for name in self.names]
        media_socket, *sockets = listen_on(self.settings.host, self.settings.media_port, *wanted)
        try:
            self.world = World(self.settings)
        except ValueError:
            for sock in (media_socket, *sockets):
                sock.close()
            raise
        self.world.media_base = self.media_base = address(media_socket)
        self.urls = {name: address(sock) for name, sock in zip(self.names, sockets, strict=True)}
        apps = [make_app(self.world, name) for name in self.names]
        self._ports = Ports()
        await self._ports.serve(
            [(make_media_app(self.world), media_socket), *zip(apps, sockets, strict=True)]
        )

    async def stop(self) -> None:
        """Drops all connections, ends all tasks and removes the files."""
        await self._ports.close()
        await self.world.close()


def running(*names: str, settings: Settings | None = None) -> AbstractContextManager[Providers]:
    """The simulators of these providers (all without a name) in a thread, ready when entered and gone when left."""
    return in_thread(Providers(settings or Settings(), names or MODULES), "provider-simulators")


def make_app(world: World, name: str) -> ASGIApp:
    """One provider's port as an ASGI application; every request to it is noted."""
    app = Starlette(
        routes=[*CONTROL_ROUTES, *load(name).routes(world)],
        exception_handlers={UnknownFaultError: _show_unknown_fault},
    )
    app.state.world, app.state.provider = world, name
    return RequestLog(app, world, name)


async def _show_unknown_fault(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)
