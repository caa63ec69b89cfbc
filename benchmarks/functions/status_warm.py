"""A warm status that Redis can answer: one round trip, and little time beside what Powertools itself takes."""

from typing import Any

from benchmarks.bench import Bench, run_child
from benchmarks.callers import Caller, small_image
from benchmarks.figures import Figure, Measurement
from benchmarks.functions.counting import count_trips
from benchmarks.functions.invocation import endpoints_of, environment_of, http_event
from local.cloud import LocalCloud

FUNCTION = "get-status"
ROUTE = "GET /status/{jobId}"
COUNTED_CALLS = 20
TIME_LIMIT = 2.0


def measure(bench: Bench) -> Measurement:
    """Count the round trips of warm calls, then time them beside an empty route."""
    cloud = bench.cloud()
    event = status_event(cloud)
    trips = count_trips(cloud, FUNCTION, warm=[event] * 2, counted=[event] * COUNTED_CALLS)
    there = endpoints_of(cloud)
    environment = {**environment_of(cloud, FUNCTION), "REDIS_URL": there.redis_url}
    times = run_child("benchmarks.functions.timed_status", environment=environment, given=event)
    cpu, wall = times["cpu"], times["wall"]
    own = cpu["ours"] - cpu["bare"]
    return Measurement(
        "Status, warm, answered by Redis",
        [
            Figure("status, warm: round trips", trips.in_all, 1),
            Figure(
                "status, warm: own time to that of an empty route",
                own / cpu["empty"],
                TIME_LIMIT,
            ),
        ],
        [
            f"Round trips of {COUNTED_CALLS} calls, the most of any: {trips}.",
            f"Processor time, medians: {_split(cpu)}.",
            f"By the clock on the wall: {_split(wall)}.",
            f"With the wait for Redis that is {wall['ours'] / wall['empty']:.1f} times the empty route.",
            "The round trip has its own budget, so the budget of time is for what the handler does itself.",
            "The job is completed and asked for again and again, as by a poller: its addresses are signed already.",
        ],
    )


def status_event(cloud: LocalCloud) -> dict[str, Any]:
    """The event of a status request for a job that is completed and stands in Redis, by a key that does too."""
    with Caller(endpoints_of(cloud)) as caller:
        job = caller.completed(small_image("a lighthouse"))
        caller.status(job["jobId"])
        return http_event(ROUTE, f"/status/{job['jobId']}", headers=caller.headers)


def _split(times: dict[str, float]) -> str:
    ours, bare, empty = (1e6 * times[side] for side in ("ours", "bare", "empty"))
    return f"{ours:.0f} µs, of which {bare:.0f} for the bare round trip; an empty Powertools route {empty:.0f} µs"
