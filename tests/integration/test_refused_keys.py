"""A key that its provider refuses is told of, whatever it was used for; a guess of somebody else's tells nothing."""

import pytest

from lib.domain.provider import FailureKind
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.provider import OnSubmit
from tests.fakes.tier import FakeTier
from tests.integration.world import CREDENTIAL, World

REFUSED = (CREDENTIAL.version, "alice")
"""What is told: which key, and whose job it was to make."""


@pytest.fixture
def world(record: PostgresRecord) -> World:
    return World(record, [FakeTier()])


def create(world: World) -> str:
    answer = world.create()
    assert answer is not None
    return str(answer.body["jobId"])


def tell(world: World, message: dict[str, object]) -> None:
    world.advance_queue.messages.clear()
    world.advance_queue.send(message, group="alice")
    world.work(world.advance_queue)


def test_a_refused_submit_tells_of_the_key(world: World) -> None:
    world.provider.refuse_once(FailureKind.AUTHENTICATION, unbilled=True)
    world.create()
    assert world.refused_keys == [REFUSED]


@pytest.mark.parametrize("kind", [FailureKind.BILLING, FailureKind.MODERATION, FailureKind.INVALID_INPUT])
def test_a_submit_that_is_refused_for_another_reason_tells_nothing_of_the_key(
    world: World, kind: FailureKind
) -> None:
    world.provider.refuse_once(kind, unbilled=True)
    world.create()
    assert world.refused_keys == []


def test_a_refused_poll_tells_of_the_key(world: World) -> None:
    create(world)
    world.provider.refuses_key = True
    world.pass_time(60)
    world.drain()
    assert world.refused_keys == [REFUSED]


def test_a_refused_cancel_tells_of_the_key(world: World) -> None:
    job_id = create(world)
    world.provider.refuses_key = True
    world.request_cancel(job_id)
    world.drain()
    assert REFUSED in world.refused_keys


def test_a_refused_search_for_a_lost_submit_tells_of_the_key(world: World) -> None:
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    create(world)
    world.provider.refuses_key = True
    world.pass_time(60)
    world.drain()
    assert world.refused_keys == [REFUSED]


def test_a_refused_cancel_of_what_nobody_waits_for_tells_of_the_key(world: World) -> None:
    job_id = create(world)
    world.provider.refuses_key = True
    remote = {"jobId": job_id, "attempt": 1, "providerJobId": world.provider.latest}
    tell(world, {"kind": "cancel_remote", **remote, "provider": "replicate"})
    assert world.refused_keys == [REFUSED]


def test_a_hint_that_names_what_the_provider_does_not_show_tells_nothing_of_the_key(world: World) -> None:
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    job_id = create(world)
    world.provider.refuses_key = True
    hint = {"kind": "hint", "provider": "replicate", "jobId": job_id, "attempt": 1}
    tell(world, {**hint, "providerJobId": "somebodyelsesprediction"})
    assert world.refused_keys == []
