"""A provider that echoes the key in its webhooks: nothing of it is kept or shown."""

import psycopg
import pytest

from lib.domain.provider import Failure, FailureKind, RemoteStatus
from lib.domain.provider_json import update_to_json
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.credentials import leaks
from tests.fakes.memory_queue import Message
from tests.fakes.tier import FakeTier
from tests.integration.world import CREDENTIAL, World

EVERYTHING = "select (select jsonb_agg(j) from jobs j)::text || (select jsonb_agg(a) from attempts a)::text"


@pytest.fixture
def world(record: PostgresRecord) -> World:
    return World(record, [FakeTier()])


def fail_with_an_echo(world: World, **changes: str) -> str:
    """The provider fails a new job and says so with the key in its words; the job's id."""
    answer = world.create()
    assert answer is not None
    prediction = world.provider.predictions[world.provider.latest]
    prediction.status = RemoteStatus.FAILED
    prediction.failure = Failure(FailureKind.MODEL_ERROR, f"could not use {CREDENTIAL.secret}")
    body = {
        "kind": "event",
        "provider": "replicate",
        "webhookId": "msg_1",
        "jobId": prediction.job_id,
        "attempt": 1,
        "credentialVersion": CREDENTIAL.version,
        "update": update_to_json(prediction.update()),
    }
    world.advance_queue.messages = [Message({**body, **changes}, world.clock())]
    world.drain()
    return prediction.job_id


def error_of(world: World, job_id: str) -> tuple[str, str]:
    found = world.real_record.find_job(job_id)
    assert found is not None
    return found.data["error"]["code"], found.data["error"]["message"]


def test_the_record_has_the_providers_words_without_the_key(world: World, superuser_url: str) -> None:
    job_id = fail_with_an_echo(world)
    assert error_of(world, job_id) == ("provider_model_error", "could not use ***")
    with psycopg.connect(superuser_url) as connection:
        (rows,) = connection.execute(EVERYTHING).fetchone() or ("",)
    assert job_id in rows
    assert leaks(rows, CREDENTIAL.secret) == []


def test_a_key_that_cannot_be_opened_any_more_costs_the_words_and_not_the_event(world: World) -> None:
    world.key_is_lost = True
    code, message = error_of(world, fail_with_an_echo(world, credentialVersion="own:wiped"))
    assert code == "provider_model_error"
    assert "is not told" in message
