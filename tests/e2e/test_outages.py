"""Each store killed and frozen in turn, on the running cloud: reads answer right within a second, nothing is lost."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.caller import Caller
from tests.e2e.door import Door, Mode

LIMIT_SECONDS = 1.0
HARM = ["killed", "frozen"]


class Stores:
    """What can be taken away from the running cloud."""

    def __init__(self, caller: Caller, dynamodb: Door) -> None:
        self._caller = caller
        self._dynamodb = dynamodb

    @contextmanager
    def without(self, harm: str, *stores: str) -> Iterator[None]:
        """These stores are `killed` or `frozen`, and come back at the end."""
        for store in stores:
            self._strike(harm, store)
        try:
            yield
        finally:
            for store in stores:
                self._mend(harm, store)

    def _strike(self, harm: str, store: str) -> None:
        if store == "dynamodb":
            self._dynamodb.turn(Mode.SHUT if harm == "killed" else Mode.FROZEN)
        else:
            self._caller.cloud.backing(store, "kill" if harm == "killed" else "freeze")

    def _mend(self, harm: str, store: str) -> None:
        if store == "dynamodb":
            self._dynamodb.turn(Mode.OPEN)
        else:
            self._caller.cloud.backing(store, "start" if harm == "killed" else "thaw")


@pytest.fixture
def stores(caller: Caller, dynamodb_door: Door) -> Iterator[Stores]:
    """All stores, well before the test and after it."""
    well(caller)
    yield Stores(caller, dynamodb_door)
    well(caller)


def well(caller: Caller) -> None:
    """Every tier answers again and has the caller's key: nothing of an earlier outage is left."""

    def look() -> bool:
        return caller.api.get("/health").status_code == 200 and caller.key_is_cached()

    caller.until(look, bool, pause=0.2)


def quick_status(caller: Caller, job_id: str) -> dict[str, Any]:
    """The status, which must have taken less than a second."""
    began = time.monotonic()
    status = caller.status(job_id)
    taken = time.monotonic() - began
    assert taken < LIMIT_SECONDS, f"{taken:.2f} s"
    return status


def mirrors_agree(caller: Caller, job_id: str) -> None:
    """Redis and DynamoDB hold the record's last word."""
    ((version, status),) = caller.query("select version, status from jobs where job_id = %s", job_id)

    def look() -> list[tuple[int, str]]:
        caller.status(job_id)
        return caller.mirrored(job_id)

    caller.until(
        look, lambda seen: all(entry == (version, status) for entry in seen) and len(seen) == 2, 90, pause=0.5
    )


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize(
    "away", [("redis",), ("dynamodb",), ("redis", "dynamodb"), ("postgres",)], ids="+".join
)
def test_a_known_job_is_answered_while_stores_are_away(
    caller: Caller, stores: Stores, harm: str, away: tuple[str, ...]
) -> None:
    done = caller.start("a finished job")
    caller.ended(done)
    running = caller.start("[sim:never-finishes] [sim:lost-webhook]")
    for job_id in (done, running):
        mirrors_agree(caller, job_id)
    with stores.without(harm, *away):
        for _ in range(3):
            assert quick_status(caller, done)["status"] == "completed"
            assert quick_status(caller, running)["status"] in ("pending", "processing")
    for job_id in (done, running):
        mirrors_agree(caller, job_id)
    caller.until(
        lambda: caller.api.post(f"/jobs/{running}/cancel").status_code, lambda status: status in (200, 202)
    )
    assert caller.swept(running)["status"] == "canceled"
    mirrors_agree(caller, running)


@pytest.mark.parametrize("harm", HARM)
def test_without_the_record_nothing_is_started_and_what_a_provider_says_is_applied_later(
    caller: Caller, stores: Stores, harm: str
) -> None:
    waiting = caller.start("[sim:slow=3s]")
    remote_id = caller.status(waiting)["providerJobId"]
    with stores.without(harm, "postgres"):
        began = time.monotonic()
        answer = caller.generate("too late")
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["retry-after"]) >= 1
        assert time.monotonic() - began < 15
        caller.until(
            lambda: caller.replicate.get(f"/_sim/predictions/{remote_id}").json(),
            lambda seen: "succeeded" in str(seen),
        )
        assert caller.status(waiting)["status"] != "completed"
    assert caller.ended(waiting)["status"] == "completed"


def test_jobs_created_without_mirrors_are_seen_through_and_mirrored_later(
    caller: Caller, stores: Stores
) -> None:
    with stores.without("frozen", "redis"):
        job_id = caller.start("no cache today")
        assert caller.ended(job_id)["status"] == "completed"
    mirrors_agree(caller, job_id)
