"""Another model is tried where a failure provably cost nothing, and only there; the record says what was tried."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from lib.domain.errors import ProviderError, RecordUnavailableError
from lib.domain.fallback import PATIENCE
from lib.domain.job import JobStatus
from lib.domain.provider import Failure, FailureKind, ProviderUpdate, RemoteStatus
from lib.ports.record import Answer, PlannedAttempt, Transition
from lib.services.submit_attempt import NOT_SENT_SECONDS
from tests.fakes.provider import OnSubmit
from tests.integration.world import CREDENTIAL, World

OTHER = PlannedAttempt(
    model_id="other-model",
    provider="replicate",
    model_ref="someone/other-model",
    credentials="platform",
    synchronous=False,
    estimated_time_seconds=7,
    estimated_cost="0.002",
    input={"prompt": "a lighthouse", "size": "small"},
    warnings=("size: small is what other-model makes",),
)


@pytest.fixture
def world(world: World) -> World:
    world.fallbacks = (OTHER,)
    return world


def attempts(url: str, job_id: str) -> list[dict[str, object]]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(
            "select attempt, state, model_id, failure_kind from attempts where job_id = %s order by attempt",
            (job_id,),
        ).fetchall()


@pytest.mark.parametrize("kind", [FailureKind.OUTAGE, FailureKind.NOT_FOUND, FailureKind.BILLING])
def test_a_refusal_that_cost_nothing_is_followed_by_the_planned_model(
    world: World, superuser_url: str, kind: FailureKind
) -> None:
    world.provider.refuse_once(kind, unbilled=True)
    job_id = world.start_job()
    fallen = world.job(job_id)
    assert fallen.data["attempt"] == 2
    assert fallen.data["modelId"] == "other-model"
    assert fallen.data["estimatedTime"] == 7
    assert fallen.data["estimatedCost"] == 0.003  # what was told before it began still holds
    assert fallen.data["warnings"] == [
        "size: small is what other-model makes",
        f"flux-schnell failed ({kind.value}): other-model is tried instead",
    ]
    world.settle_with_provider(job_id)
    assert world.job(job_id).status is JobStatus.COMPLETED
    assert world.provider.received == [(job_id, 1), (job_id, 2)]
    assert world.provider.users == [fallen.user_id] * 2
    assert world.provider.last_input == OTHER.input
    states = [(row["state"], row["model_id"], row["failure_kind"]) for row in attempts(superuser_url, job_id)]
    assert states == [("refused", "flux-schnell", kind.value), ("succeeded", "other-model", None)]


@pytest.mark.parametrize("kind", [FailureKind.MODERATION, FailureKind.INVALID_INPUT])
def test_what_the_caller_asked_for_is_not_offered_to_another(world: World, kind: FailureKind) -> None:
    world.provider.refuse_once(kind, unbilled=True)
    assert world.create() is None
    assert len(world.provider.received) == 1


@pytest.mark.parametrize("kind", [FailureKind.AUTHENTICATION, FailureKind.BILLING])
def test_trouble_with_a_key_of_ones_own_is_told_and_not_paid_for_by_another(
    world: World, kind: FailureKind
) -> None:
    world.credential = replace(CREDENTIAL, version="own:01a1fbb0-cf23-747a-9d00-dfe374a9d28b")
    world.provider.refuse_once(kind, unbilled=True)
    assert world.create() is None
    assert len(world.provider.received) == 1


def test_a_failure_that_may_have_been_billed_is_not_followed(world: World) -> None:
    world.provider.refuse_once(FailureKind.OUTAGE, unbilled=False)
    assert world.create() is None
    assert len(world.provider.received) == 1


def test_an_unknown_submit_is_not_followed(world: World) -> None:
    world.provider.on_submit = OnSubmit.LOSE
    job_id = world.start_job()
    world.provider.on_submit = OnSubmit.ACCEPT
    world.settle([job_id])
    ended = world.job(job_id)
    assert ended.status is JobStatus.FAILED
    assert ended.data["attempt"] == 1
    assert ended.data["error"]["code"] == "submit_unknown"


def start_unrecorded(world: World, call: str) -> tuple[str, Answer | None]:
    """A job whose record is away when what came of its submit is to be written down, and what its caller was told."""

    def away(where: str) -> None:
        if where == f"before record.{call}":
            message = "away"
            raise RecordUnavailableError(message)

    world.seam.decide = away
    answer = world.create()
    world.seam.decide = lambda _where: None
    return str(world.advance_queue.messages[-1].body["jobId"]), answer


@pytest.mark.parametrize("unbilled", [True, False])
def test_a_refusal_that_the_record_missed_is_followed_only_where_it_cost_nothing(
    world: World, *, unbilled: bool
) -> None:
    world.provider.refuse_once(FailureKind.OUTAGE, unbilled=unbilled)
    job_id, answer = start_unrecorded(world, "fail_job")
    assert (answer is not None and answer.status_code == 202) is unbilled, (
        "who may yet pay is not told of a refusal"
    )
    world.pass_time(NOT_SENT_SECONDS)
    world.work(world.advance_queue)
    assert world.job(job_id).data["attempt"] == (2 if unbilled else 1)
    assert world.job(job_id).final is not unbilled


def test_what_may_have_been_taken_is_never_tried_elsewhere_though_the_record_missed_it(world: World) -> None:
    world.provider.on_submit = OnSubmit.SAFE_SILENCE
    job_id, _ = start_unrecorded(world, "defer_submit")
    world.provider.on_submit, world.provider.retry_after = OnSubmit.THROTTLE, 3600
    for _ in range(3):
        world.pass_time(100)
        world.drain()
    assert world.job(job_id).data["attempt"] == 1


def test_a_failure_inside_the_provider_that_cost_nothing_is_followed(world: World) -> None:
    job_id = world.start_job()
    world.provider.fail_running(FailureKind.ABORTED, unbilled=True)
    world.webhook(world.provider.latest)
    world.drain()
    assert world.job(job_id).data["attempt"] == 2
    world.settle_with_provider(job_id)
    assert world.job(job_id).status is JobStatus.COMPLETED


@pytest.mark.parametrize(
    ("version", "attempt"), [("platform", 2), ("own:01a1fbb0-cf23-747a-9d00-dfe374a9d28b", 1)]
)
def test_a_running_job_that_fails_by_its_key_is_followed_unless_the_user_brought_the_key(
    world: World, superuser_url: str, version: str, attempt: int
) -> None:
    job_id = world.start_job()
    with psycopg.connect(superuser_url) as connection:
        connection.execute("update attempts set credential_version = %s where job_id = %s", (version, job_id))
    now = world.clock()
    update = ProviderUpdate(
        RemoteStatus.FAILED,
        world.prediction,
        failure=Failure(FailureKind.BILLING, "no credit is left", unbilled=True),
    )
    world.real_record.apply_update(
        *(job_id, 1, update),
        source="poll",
        now=now,
        due_at=now,
        storing_deadline_at=now,
        storing_due_at=now,
    )
    assert world.job(job_id).data["attempt"] == attempt
    assert world.job(job_id).final is (attempt == 1)


def test_a_failure_inside_the_provider_that_may_have_been_billed_is_not_followed(world: World) -> None:
    job_id = world.start_job()
    world.provider.fail_running(FailureKind.OUTAGE, unbilled=False)
    world.webhook(world.provider.latest)
    world.drain()
    assert world.job(job_id).data["attempt"] == 1
    assert world.job(job_id).status is JobStatus.FAILED


def test_a_job_whose_time_is_up_is_not_tried_again(world: World) -> None:
    job_id = world.start_job()
    world.provider.fail_running(FailureKind.ABORTED, unbilled=True)
    world.pass_time(world.timing.job_deadline)
    world.webhook(world.provider.latest)
    world.work(world.advance_queue)
    assert world.job(job_id).data["attempt"] == 1
    assert world.job(job_id).status is JobStatus.FAILED


def test_a_job_that_was_to_be_canceled_is_not_tried_again(world: World) -> None:
    job_id = world.start_job()
    world.request_cancel(job_id)
    world.provider.fail_running(FailureKind.ABORTED, unbilled=True)
    world.webhook(world.provider.latest)
    world.drain()
    assert world.job(job_id).data["attempt"] == 1
    assert world.job(job_id).final


def test_a_provider_that_takes_nothing_gives_way_after_a_while(world: World) -> None:
    world.provider.on_submit = OnSubmit.THROTTLE
    world.provider.retry_after = 30
    job_id = world.start_job()
    waiting = world.job(job_id).data["waiting"]
    assert waiting["code"] == "provider_rate_limited"
    for _ in range(3):
        world.pass_time(40)
        world.drain()
        if world.job(job_id).data["attempt"] == 2:
            break
    world.provider.on_submit = OnSubmit.ACCEPT
    world.settle_with_provider(job_id)
    done = world.job(job_id)
    assert done.status is JobStatus.COMPLETED
    assert done.data["modelId"] == "other-model"
    assert done.data["waiting"] is None


def test_a_long_pause_gives_way_at_once(world: World) -> None:
    world.provider.on_submit = OnSubmit.THROTTLE
    world.provider.retry_after = 3600
    assert world.job(world.start_job()).data["attempt"] == 2


def test_a_late_webhook_of_the_first_attempt_changes_nothing_and_is_canceled_there(world: World) -> None:
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    job_id = world.start_job()
    first = world.provider.latest
    transition = world.real_record.fail_job(  # as if the refusal of another submit of it had come first
        job_id,
        code="provider_outage",
        message="away",
        retryable=True,
        now=world.now,
        refused=True,
        unbilled=True,
    )
    assert transition.outcome == "failed"  # an attempt that may be running is never followed
    world.webhook(first)
    world.drain()
    assert world.provider.predictions[first].status.final


def test_the_first_answer_is_given_again_for_the_same_key(world: World) -> None:
    world.provider.refuse_once(FailureKind.OUTAGE, unbilled=True)
    job_id = world.start_job(key="k1")
    assert world.start_job(key="k1") == job_id
    assert world.provider.received == [(job_id, 1)]


def test_the_first_answer_is_given_again_when_the_model_that_was_tried_instead_has_failed_too(
    world: World,
) -> None:
    world.provider.refuse_once(FailureKind.OUTAGE, unbilled=True)
    job_id = world.start_job(key="k2")
    world.provider.refuse_once(FailureKind.BILLING, unbilled=True)
    world.drain()
    assert world.job(job_id).status is JobStatus.FAILED
    assert world.start_job(key="k2") == job_id


def test_a_refusal_that_is_told_twice_does_not_strike_the_attempt_that_followed(world: World) -> None:
    world.provider.refuse_once(FailureKind.OUTAGE, unbilled=True)
    job_id = world.start_job()
    refusal = {
        "code": "provider_outage",
        "message": "away",
        "retryable": True,
        "refused": True,
        "unbilled": True,
    }
    message = {"kind": "not_sent", "jobId": job_id, "attempt": 1, "failure": refusal}
    world.advance_queue.messages.clear()
    world.advance_queue.send(message, group="alice")  # the record was away when it was told first
    world.work(world.advance_queue)
    assert world.job(job_id).data["attempt"] == 2
    world.pass_time(120)
    world.run_sweep()
    world.settle_with_provider(job_id)
    assert world.job(job_id).status is JobStatus.COMPLETED


def test_who_asked_is_told_of_the_job_when_its_fallback_was_recorded_and_that_answer_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.provider.refuse_once(FailureKind.OUTAGE, unbilled=True)
    real = world.real_record.fail_job

    def told_twice(job_id: str, **refusal: Any) -> Transition:
        real(job_id, **refusal)
        again: Transition = real(job_id, **refusal)
        return again

    monkeypatch.setattr(world.real_record, "fail_job", told_twice)  # a connection that breaks asks again
    job_id = world.start_job()
    assert world.job(job_id).data["attempt"] == 2


def test_what_may_have_been_taken_is_sent_again_where_that_is_safe_and_never_tried_elsewhere(
    world: World,
) -> None:
    sent: list[None] = []
    world.provider.on_submit, world.provider.during_answer = OnSubmit.SAFE_SILENCE, lambda: sent.append(None)
    job_id = world.start_job()
    for _ in range(5):
        world.pass_time(40)
        world.drain()
    assert len(sent) > PATIENCE
    world.provider.on_submit = OnSubmit.THROTTLE  # and no later word makes it certain that it was not taken
    world.provider.retry_after = 3600
    for _ in range(3):
        world.pass_time(100)
        world.drain()
    assert world.job(job_id).data["attempt"] == 1


def test_what_was_refused_and_runs_all_the_same_is_canceled_there(world: World, superuser_url: str) -> None:
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    job_id = world.start_job()
    first = world.provider.latest
    refused = {"code": "provider_outage", "message": "no", "retryable": True, "now": world.now}
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(
            "update attempts set state = 'submitting', lease_until = now() where job_id = %s", (job_id,)
        )
    world.real_record.fail_job(job_id, **refused, refused=True, unbilled=True, attempt=1)
    assert world.job(job_id).data["attempt"] == 2
    world.provider.on_submit = OnSubmit.ACCEPT
    world.webhook(first)
    world.drain()
    assert world.provider.predictions[first].status is RemoteStatus.CANCELED
    assert world.job(job_id).data["attempt"] == 2
    with psycopg.connect(superuser_url) as connection:
        kept = "select provider_job_id, state from attempts where job_id = %s and attempt = 1"
        assert connection.execute(kept, (job_id,)).fetchone() == (first, "refused")


def test_when_all_planned_models_fail_the_last_reason_is_told(world: World) -> None:
    world.provider.refuse_once(FailureKind.OUTAGE, unbilled=True)
    job_id = world.start_job()
    world.provider.refuse_once(FailureKind.NOT_FOUND, unbilled=True)
    world.drain()
    ended = world.job(job_id)
    assert ended.status is JobStatus.FAILED
    assert ended.data["error"]["code"] == "provider_not_found"


def test_refusals_are_told_to_who_asks_where_nothing_else_is_planned(world: World) -> None:
    world.fallbacks = ()
    world.provider.refuse_once(FailureKind.OUTAGE, unbilled=True)
    with pytest.raises(ProviderError):
        world.create_or_raise()
