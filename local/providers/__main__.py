"""``python -m local.providers --ports '{"fal": N}' --media-port M``: serves until it is interrupted."""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence

from local.providers.registry import MODULES
from local.providers.server import Providers
from local.providers.settings import settings_from


def main(arguments: Sequence[str]) -> int:
    """Prints one line ``ready {"fal": url, ..., "media": url}`` and serves; 1 with a reason if it cannot."""
    parser = argparse.ArgumentParser(prog="python -m local.providers", description="Simulated providers.")
    parser.add_argument("--host", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--ports", type=json.loads, help="JSON: provider -> port; others get a free one")
    parser.add_argument("--media-port", type=int, help="the output files' port (0: a free one)")
    parser.add_argument("--only", help="names with commas; all without it")
    given = vars(parser.parse_args(arguments))
    names = (given.pop("only") or ",".join(MODULES)).split(",")
    try:
        asyncio.run(_serve(Providers(settings_from(os.environ, **given), names)))
    except (OSError, OverflowError, ValueError, KeyError) as error:
        print(f"the provider simulators cannot start: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(providers: Providers) -> None:
    leave = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, leave.set)
    await providers.start()
    print(f"ready {json.dumps({**providers.urls, 'media': providers.media_base})}", flush=True)
    await leave.wait()
    await providers.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
