"""News of a user's own account at a provider: it is asked, with the job's own key, and nothing else is believed."""

import psycopg
import pytest

from lib.domain.job import JobStatus
from tests.fakes.provider import OnSubmit
from tests.integration.world import World


def hint(world: World, job_id: str, provider_job_id: str | None, attempt: int = 1) -> None:
    world.advance_queue.messages.clear()
    message = {"kind": "hint", "provider": "replicate", "jobId": job_id, "attempt": attempt}
    world.advance_queue.send({**message, "providerJobId": provider_job_id}, group=job_id)
    world.work(world.advance_queue)


def test_a_hint_makes_us_ask_and_the_answer_counts(world: World) -> None:
    job_id = world.start_job()
    for _ in range(2):
        world.provider.work(world.provider.latest)
    hint(world, job_id, None)
    world.drain()
    assert world.job(job_id).status is JobStatus.COMPLETED


def test_a_hint_that_names_another_users_prediction_moves_neither_job(world: World) -> None:
    mine = world.start_job(user_id="mallory")
    theirs = world.start_job(user_id="alice")
    their_prediction = world.provider.latest
    before = world.job(mine).version, world.job(theirs).version
    for _ in range(2):
        world.provider.work(their_prediction)
    hint(world, mine, their_prediction)
    assert (world.job(mine).version, world.job(theirs).version) == before


def test_a_hint_claims_a_submit_that_nobody_answered_if_the_key_can_see_it(world: World) -> None:
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    job_id = world.start_job()
    hint(world, job_id, world.provider.latest)
    assert world.job(job_id).data["providerJobId"] == world.provider.latest


def test_a_hint_that_names_what_the_key_cannot_see_changes_nothing(world: World) -> None:
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    job_id = world.start_job()
    before = world.job(job_id).version
    hint(world, job_id, "somebodyelsesprediction")
    assert world.job(job_id).version == before


def test_a_hint_cannot_claim_a_prediction_that_belongs_to_another_attempt(world: World) -> None:
    theirs = world.start_job(user_id="alice")
    their_prediction = world.provider.latest
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    mine = world.start_job(user_id="mallory")
    hint(world, mine, their_prediction)
    assert world.job(mine).data["providerJobId"] is None
    assert world.job(theirs).data["providerJobId"] == their_prediction


def test_a_hint_about_an_attempt_that_is_over_changes_nothing(world: World) -> None:
    job_id = world.start_job()
    before = world.job(job_id).version
    hint(world, job_id, None, attempt=2)
    assert world.job(job_id).version == before


def test_a_hint_that_comes_late_leaves_the_job_looked_after(world: World) -> None:
    job_id = world.start_job()
    hint(world, job_id, None, attempt=2)
    for _ in range(2):
        world.provider.work(world.provider.latest)
    world.pass_time(60)
    world.drain()
    assert world.job(job_id).status is JobStatus.COMPLETED


def planned(world: World) -> list[str]:
    return [str(message.body["kind"]) for message in world.advance_queue.messages]


@pytest.mark.parametrize("names", ["somebodyelsesprediction", "its own"])
def test_a_hint_about_a_submit_of_unknown_fate_leaves_the_job_looked_after(world: World, names: str) -> None:
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    job_id = world.start_job()
    hint(world, job_id, world.provider.latest if names == "its own" else names)
    assert planned(world) == ["check"]


def test_hints_do_not_keep_a_job_alive_beyond_its_deadline(world: World) -> None:
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    job_id = world.start_job()
    for _ in range(20):
        world.pass_time(50)
        hint(world, job_id, "somebodyelsesprediction")
    assert world.job(job_id).final


def test_a_hint_about_a_job_whose_key_is_lost_waits_for_the_key(world: World) -> None:
    job_id = world.start_job()
    world.key_is_lost = True
    hint(world, job_id, None)
    assert planned(world) == ["check"]
    assert not world.job(job_id).final


def test_a_webhook_without_a_token_finds_no_job_of_a_users_own_account(
    world: World, superuser_url: str
) -> None:
    job_id = world.start_job()
    prediction = world.provider.latest
    assert world.real_record.find_job_by_provider("replicate", prediction) == (job_id, 1)
    with psycopg.connect(superuser_url) as connection:
        connection.execute("update attempts set credential_version = 'own:x' where job_id = %s", (job_id,))
    assert world.real_record.find_job_by_provider("replicate", prediction) is None
