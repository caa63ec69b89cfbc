"""Counts the round trips of warm calls, server by server, in a process that is set up like the function."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from benchmarks.bench import run_child
from benchmarks.functions.invocation import endpoints_of, environment_of
from local.cloud import LocalCloud


@dataclass(frozen=True)
class Trips:
    """The most round trips that any counted call made.

    `by_server` has questions and answers only; `opened` the connections that were opened, one round trip each
    and over TLS one more; `in_all` is the most of any one call, its connections included.
    """

    by_server: Mapping[str, int]
    opened: Mapping[str, int]
    in_all: int

    @classmethod
    def of(cls, calls: Sequence[Mapping[str, Sequence[int]]]) -> Self:
        """From `{server: (turns, opened)}` of each call."""

        def most(place: int) -> dict[str, int]:
            found = {server: max(call[server][place] for call in calls) for server in calls[0]}
            return {server: number for server, number in found.items() if number}

        return cls(most(0), most(1), max(sum(map(sum, call.values())) for call in calls))

    def __str__(self) -> str:
        """`redis 2, postgres 2; connections opened: provider 1`."""
        opened = f"; connections opened: {_listed(self.opened.items())}" if self.opened else ""
        return _listed(self.by_server.items()) + opened


def count_trips(cloud: LocalCloud, function: str, *, warm: Sequence[Any], counted: Sequence[Any]) -> Trips:
    """The round trips of the counted events to redis, postgres, dynamodb, queue, s3, aws (the rest) and provider.

    Raises BenchmarkError unless every call succeeds.
    """
    there = endpoints_of(cloud)
    aws = {
        "dynamodb": "AWS_ENDPOINT_URL_DYNAMODB",
        "queue": "AWS_ENDPOINT_URL_SQS",
        "s3": "AWS_ENDPOINT_URL_S3",
        "aws": "AWS_ENDPOINT_URL",
    }
    upstreams = {
        "redis": ("REDIS_URL", there.redis_url),
        "postgres": ("DATABASE_URL", there.postgres_api_url),
        "provider": ("PROVIDER_ADDRESSES", there.replicate_url),
        **{name: (variable, there.aws_endpoint_url) for name, variable in aws.items()},
    }
    given = {
        "module": f"handlers.{function.replace('-', '_')}",
        "warm": list(warm),
        "counted": list(counted),
        "upstreams": upstreams,
        "aws": list(aws),
    }
    environment = environment_of(cloud, function)
    return Trips.of(run_child("benchmarks.functions.counted_calls", environment=environment, given=given))


def _listed(numbers: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{server} {number}" for server, number in numbers)
