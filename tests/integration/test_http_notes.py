"""What functions tell of is written down by the workers: once, and only where there was something to be refused."""

from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from lib.domain.caller import Origin
from lib.domain.errors import GatewayError
from lib.domain.ids import uuid7
from lib.domain.observations import SecurityEventKind
from lib.domain.security_event import Refusal
from lib.services.keep_note import KeepNote
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.tier import FakeTier
from tests.integration.world import START, World

HOSTILE = "'; drop table security_events; --\x00\ud800"


@dataclass(frozen=True)
class Finished:
    """A finished job of alice's, and its one output."""

    job_id: str
    output_id: str


@pytest.fixture
def world(record: PostgresRecord) -> World:
    """A gateway."""
    return World(record, [FakeTier("dynamodb")])


@pytest.fixture
def finished(world: World) -> Finished:
    """A job that the gateway has seen to its end."""
    answer = world.create()
    assert answer is not None
    job_id = str(answer.body["jobId"])
    (prediction,) = world.provider.predictions
    for _ in range(2):
        world.provider.work(prediction)
        world.webhook(prediction)
    world.drain()
    job = world.real_record.find_job(job_id)
    return Finished(job_id, str(job.data["outputs"][0]["outputId"]))


def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(sql.encode()).fetchall()


def event(**changes: Any) -> dict[str, Any]:
    refusal = Refusal(kind=SecurityEventKind.ACCESS_REFUSED, user_id="mallory", **changes)
    return {"kind": "security_event", "event": refusal.as_json(str(uuid7(START)), START)}


def test_a_note_that_is_delivered_twice_is_kept_once(
    world: World, finished: Finished, superuser_url: str
) -> None:
    access = {
        "accessId": str(uuid7(START)),
        "outputId": finished.output_id,
        "jobId": finished.job_id,
        "userId": "alice",
        "accessType": "redirect",
        "clientIp": "203.0.113.7",
        "userAgent": HOSTILE,
        "requestId": "r-1",
        "at": "2026-11-20T12:30:00.000Z",
    }
    refused = event(job_id=finished.job_id, origin=Origin("2001:db8::1", HOSTILE))
    for _ in range(2):
        world.handle({"kind": "url_access", "access": access})
        world.handle(refused)
    seen = rows(
        superuser_url, "select user_id, access_type, host(client_ip), request_id from url_access_logs"
    )
    assert seen == [("alice", "redirect", "203.0.113.7", "r-1")]
    assert rows(superuser_url, "select user_id, host(client_ip) from security_events") == [
        ("mallory", "2001:db8::1")
    ]


def test_what_was_refused_of_an_output_is_kept_with_its_job(
    world: World, finished: Finished, superuser_url: str
) -> None:
    world.handle(event(output_id=finished.output_id, details={"operation": "getMedia"}))
    ((job, details),) = rows(superuser_url, "select job_id::text, details from security_events")
    assert (job, details) == (finished.job_id, {"operation": "getMedia", "outputId": finished.output_id})


def test_what_never_was_and_what_is_ones_own_is_not_kept(
    world: World, finished: Finished, superuser_url: str
) -> None:
    world.handle(event(job_id=str(uuid7(START))))
    world.handle(event(output_id=str(uuid7(START))))
    own = event(job_id=finished.job_id)
    world.handle({**own, "event": {**own["event"], "userId": "alice"}})
    assert rows(superuser_url, "select * from security_events") == []


@pytest.mark.parametrize(
    "message",
    [
        {"kind": "url_access"},
        {"kind": "url_access", "access": {}},
        {"kind": "url_access", "access": {"accessId": "1 or 1=1"}},
        {"kind": "security_event"},
        {"kind": "security_event", "event": {"kind": "nonsense", "eventId": str(uuid7(START))}},
        {"kind": "security_event", "event": {"outputId": "nonsense"}},
        {"kind": "security_event", "event": "text"},
    ],
)
def test_a_note_that_cannot_be_read_fails_and_goes_to_the_dead_letters(
    record: PostgresRecord, message: dict[str, Any]
) -> None:
    keep = KeepNote(record)
    act = keep.url_access if message["kind"] == "url_access" else keep.security_event
    with pytest.raises((KeyError, ValueError, TypeError, GatewayError)) as caught:
        act(message)
    assert getattr(caught.value, "code", "") not in ("record_unavailable", "unavailable")
