"""``python -m local.replicate --port N --media-port M``: serves until it is interrupted."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence

from local.replicate.server import Simulator
from local.replicate.settings import Settings, settings_from


def main(arguments: Sequence[str]) -> int:
    """Prints one line ``ready api=... media=...`` and serves; 1 with a reason if a port or a setting will not do."""
    parser = argparse.ArgumentParser(prog="python -m local.replicate", description="A simulated Replicate.")
    parser.add_argument("--host", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="the API's port (0: a free one)")
    parser.add_argument("--media-port", type=int, help="the output files' port (0: a free one)")
    given = parser.parse_args(arguments)
    try:
        settings = settings_from(os.environ, **vars(given))
        asyncio.run(_serve(settings))
    except (OSError, ValueError) as error:
        print(f"the Replicate simulator cannot start: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(settings: Settings) -> None:
    simulator, leave = Simulator(settings), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, leave.set)
    await simulator.start()
    print(f"ready api={simulator.api_base} media={simulator.media_base}", flush=True)
    await leave.wait()
    await simulator.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
