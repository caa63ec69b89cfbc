"""Starts and stops a simulator: two ports, one state, in this event loop or in a thread of its own."""

from contextlib import AbstractContextManager

from local.replicate.api import make_api_app
from local.replicate.engine import Engine
from local.replicate.media_host import make_media_app
from local.replicate.settings import Settings
from local.replicate.webhooks import Courier
from local.replicate.world import World
from local.simulation.serving import Ports, address, in_thread, listen_on


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
            api_socket, media_socket = listen_on(
                self.settings.host, self.settings.port, self.settings.media_port
            )
        except OSError:
            await self.world.close()
            raise
        self.api_base, self.media_base = address(api_socket), address(media_socket)
        self.world.api_base, self.world.media_base = self.api_base, self.media_base
        self._courier = Courier(self.world)
        engine = Engine(self.world, self._courier)
        self._ports = Ports()
        await self._ports.serve(
            [(make_api_app(self.world, engine), api_socket), (make_media_app(self.world), media_socket)]
        )

    async def stop(self) -> None:
        """Drops all connections, ends all predictions and removes the files."""
        await self._ports.close()
        await self.world.close()
        await self._courier.close()


def running(settings: Settings | None = None) -> AbstractContextManager[Simulator]:
    """A simulator in a thread of its own, ready when entered and gone when left."""
    return in_thread(Simulator(settings or Settings()), "replicate-simulator")
