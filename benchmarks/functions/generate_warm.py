"""A warm `generate_media`: at most eight round trips, and no server asked more often than planned."""

import json
from typing import Any

from benchmarks.bench import Bench
from benchmarks.callers import Caller, small_image
from benchmarks.figures import Figure, Measurement
from benchmarks.functions.counting import count_trips
from benchmarks.functions.invocation import endpoints_of, http_event

FUNCTION = "generate-media"
ROUTE = "POST /generate-media"
WARM_PAIRS = 4  # psycopg prepares a statement at its sixth use, once per connection: a round trip of its own
COUNTED_CALLS = 20
LIMITS = {"redis": 2, "postgres": 2, "dynamodb": 1, "provider": 1, "queue": 1}
TOTAL_LIMIT = 8


def measure(bench: Bench) -> Measurement:
    """Count the round trips of warm calls; half of them carry an Idempotency-Key."""
    cloud = bench.cloud()
    with Caller(endpoints_of(cloud)) as caller:
        caller.completed(small_image("warming up"))
        trips = count_trips(
            cloud,
            FUNCTION,
            warm=[_event(caller, keyed=keyed) for keyed in (False, True) * WARM_PAIRS],
            counted=[_event(caller, keyed=number % 2 == 0) for number in range(COUNTED_CALLS)],
        )
    figures = [
        Figure(f"generate, warm: round trips to {server}", trips.by_server.get(server, 0), limit)
        for server, limit in LIMITS.items()
    ]
    total = Figure("generate, warm: round trips in all", trips.in_all, TOTAL_LIMIT)
    return Measurement(
        "Generate, warm",
        [*figures, total],
        [f"The most of any of {COUNTED_CALLS} calls, half of them with an Idempotency-Key: {trips}."],
    )


def _event(caller: Caller, *, keyed: bool) -> dict[str, Any]:
    body = small_image("a harbour")
    key = {"Idempotency-Key": body["parameters"]["prompt"]} if keyed else {}
    headers = {**caller.headers, "Content-Type": "application/json", **key}
    return http_event(ROUTE, "/generate-media", headers=headers, body=json.dumps(body).encode())
