"""News of a user's own account at a provider: it is asked, with the job's own key, and nothing else is believed."""

import psycopg
import pytest

from lib.domain.job import JobStatus
from lib.domain.provider import FailureKind, RemoteStatus
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


def given_up(world: World) -> str:
    """A job whose submit was never answered, over since its deadline; the provider runs it all the same."""
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    job_id = world.start_job()
    world.real_record.fail_job(job_id, code="submit_unknown", message="-", retryable=True, now=world.now)
    return job_id


def test_what_runs_for_a_job_that_is_over_is_canceled_there_when_a_hint_tells_of_it(world: World) -> None:
    job_id = given_up(world)
    before = world.job(job_id)
    hint(world, job_id, world.provider.latest)
    world.drain()
    assert world.provider.predictions[world.provider.latest].status is RemoteStatus.CANCELED
    assert world.job(job_id) == before


def test_a_hint_about_a_job_that_is_over_moves_no_other_users_prediction(world: World) -> None:
    theirs = world.start_job(user_id="alice")
    their_prediction = world.provider.latest
    hint(world, given_up(world), their_prediction)
    world.drain()
    assert not world.provider.predictions[their_prediction].status.final
    assert world.job(theirs).data["providerJobId"] == their_prediction


def test_a_provider_is_not_asked_about_an_attempt_that_has_ended(world: World) -> None:
    job_id = world.start_job()
    world.provider.fail_running(FailureKind.MODEL_ERROR, unbilled=False)
    hint(world, job_id, None)
    assert world.job(job_id).status is JobStatus.FAILED
    world.provider.refuses_key = True
    hint(world, job_id, world.provider.latest)
    assert world.refused_keys == []


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
