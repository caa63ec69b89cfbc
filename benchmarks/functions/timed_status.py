"""Times warm status calls, an empty Powertools route and a bare round trip, in turns, in a process like the function's.

Standard input has the event; the last line of standard output is `{"wall", "cpu": {"ours", "bare", "empty": seconds}}`:
medians by the clock on the wall and by the time that the processor worked for this thread.
"""

import json
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from hiredis import pack_command

from benchmarks.functions.context import FunctionContext
from benchmarks.timing import interleave, timed
from handlers.get_status import handler
from lib.api.incoming import presented_key
from lib.domain.api_key import cache_key, hash_key
from lib.domain.progress import progress_key
from lib.stores.redis_tier import status_key

WARM_TURNS = 200
TURNS = 2000
_MOST_BYTES = 64 * 1024

empty = APIGatewayHttpResolver()


@empty.get("/status/<job_id>")
def nothing(job_id: str) -> dict[str, Any]:
    """The least that a route can do."""
    return {"jobId": job_id}


class BareRoundTrip:
    """The status's one command to Redis on a socket: sent, and its answer received, with nothing made of it."""

    def __init__(self, event: dict[str, Any]) -> None:
        job_id, key_hash = event["pathParameters"]["jobId"], hash_key(presented_key(event)) or ""
        parts = ("MGET", cache_key(key_hash), status_key(job_id), progress_key(job_id))
        self._command = pack_command(parts)  # type: ignore[arg-type] # its stub knows tuples of one part only
        address = urlsplit(os.environ["REDIS_URL"])
        self._socket = socket.create_connection((address.hostname or "", address.port or 6379))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(self._command)
        self._answer = self._socket.recv(_MOST_BYTES)

    def __call__(self) -> None:
        """Ask once. An answer of another length would be another answer."""
        self._socket.sendall(self._command)
        if len(self._socket.recv(_MOST_BYTES)) != len(self._answer):
            raise SystemExit("Redis does not answer as before")


def main() -> None:
    """Warm all three up, then take turns."""
    event, context = json.load(sys.stdin), FunctionContext()
    for answer in (handler(event, context), empty.resolve(event, context)):  # type: ignore[arg-type] # our own
        if answer["statusCode"] != 200:
            raise SystemExit(f"answered {answer}")
    sides = (
        lambda: handler(event, context),
        BareRoundTrip(event),
        lambda: empty.resolve(event, context),  # type: ignore[arg-type] # as above
    )
    print(
        json.dumps({"wall": _measured(time.perf_counter, sides), "cpu": _measured(time.thread_time, sides)})
    )


def _measured(clock: Callable[[], float], sides: Sequence[Callable[[], object]]) -> dict[str, float]:
    """The median of each side, in seconds of the clock."""
    clocked = [timed(side, clock) for side in sides]
    interleave(WARM_TURNS, *clocked)
    medians = map(statistics.median, interleave(TURNS, *clocked))
    return dict(zip(("ours", "bare", "empty"), medians, strict=True))


if __name__ == "__main__":
    main()
