"""Guests share a user and an address; what one token made, another does not see, cancel or replay."""

from collections.abc import Iterator
from typing import Any

import pytest

from handlers import generate_media, get_status, manage_jobs
from lib import bootstrap
from lib.domain.api_key import hash_key
from lib.domain.snapshot import JobSnapshot
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.events import Context, body_of, request
from tests.fakes.wired import forget_everything
from tests.integration.http_house import House, build

BODY = {"mediaType": "image", "modelId": "flux-schnell", "prompt": "a lighthouse"}


@pytest.fixture
def house(
    monkeypatch: pytest.MonkeyPatch, record: PostgresRecord, api_url: str, superuser_url: str
) -> Iterator[House]:
    """The functions over the record, and a provider that they can reach."""
    house = build(monkeypatch, record, api_url=api_url, owner_url=superuser_url)
    monkeypatch.setattr(bootstrap, "provider", lambda _name: house.world.provider)
    yield house
    bootstrap.record_connection().close()
    monkeypatch.undo()
    forget_everything()


def post(house: House, who: str, *, agent: str = "curl/8.7.1", **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    event = request("generate_media", key=house.key(who), headers=named, body=BODY)
    event["requestContext"]["http"]["userAgent"] = agent
    return generate_media.handler(event, Context())


def status(house: House, who: str, job_id: str) -> int:
    event = request("get_status", key=house.key(who), path=f"/status/{job_id}")
    return int(get_status.handler(event, Context())["statusCode"])


def cancel(house: House, who: str, job_id: str) -> int:
    event = request("cancel_job", key=house.key(who), path=f"/jobs/{job_id}/cancel")
    return int(manage_jobs.handler(event, Context())["statusCode"])


def test_a_job_is_recorded_with_where_it_came_from_and_a_guests_with_the_token(house: House) -> None:
    mine = body_of(post(house, "alice"))["jobId"]
    theirs = body_of(post(house, "guest-1", agent="x" * 600 + "\x00"))["jobId"]
    rows = house.run(
        "select job_id::text, user_id, guest_token, host(client_ip), length(user_agent) from jobs"
    )
    token = hash_key(house.key("guest-1"))
    assert sorted(rows) == sorted(
        [(mine, "alice", None, "203.0.113.7", 10), (theirs, "guests", token, "203.0.113.7", 500)]
    )


def test_an_address_that_is_none_stops_nobody(house: House) -> None:
    event = request("generate_media", key=house.key("alice"), body=BODY)
    event["requestContext"]["http"] |= {"sourceIp": "'; drop table jobs; --", "userAgent": "\x00\ud800'; --"}
    assert generate_media.handler(event, Context())["statusCode"] == 202
    assert house.run("select client_ip from jobs") == [(None,)]


@pytest.mark.parametrize("mirrored", [True, False])
def test_another_guest_of_the_same_address_sees_no_status(house: House, mirrored: bool) -> None:
    job_id = body_of(post(house, "guest-1"))["jobId"]
    found = house.world.real_record.find_job(job_id)
    assert isinstance(found, JobSnapshot)
    if mirrored:
        house.wired.mirror.write(found, house.world.now)
    else:
        house.wired.record_tier.write(found, house.world.now)
    assert [status(house, who, job_id) for who in ("guest-1", "guest-2", "alice")] == [200, 404, 404]


def test_another_guest_cancels_nothing(house: House) -> None:
    job_id = body_of(post(house, "guest-1"))["jobId"]
    assert cancel(house, "guest-2", job_id) == 404
    assert house.run("select cancel_requested from jobs") == [(False,)]
    assert cancel(house, "guest-1", job_id) == 202


def test_an_idempotency_key_is_a_guests_own(house: House) -> None:
    first = body_of(post(house, "guest-1", idempotency_key="order 66"))["jobId"]
    other = body_of(post(house, "guest-2", idempotency_key="order 66"))["jobId"]
    again = body_of(post(house, "guest-1", idempotency_key="order 66"))["jobId"]
    assert (first == again, first == other) == (True, False)
