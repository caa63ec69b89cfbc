"""The steps of every job's work up to its result, as the gateway itself writes them."""

from datetime import timedelta

import pytest

from lib.domain.ids import uuid7
from lib.ports.work_report import Usage
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.provider import OnSubmit
from tests.integration.work_log import Step, generate, rows, steps, store
from tests.integration.world import World


def test_a_job_that_goes_well_has_each_step_once_and_nothing_open(world: World, postgres_url: str) -> None:
    generate(world)
    world.pass_time(2)
    store(world)
    found = rows(postgres_url, "processing_timeline")
    assert [(row["step"], row["step_order"], row["success"]) for row in found] == [
        ("submitting", 0, True),
        ("generating", 1, True),
        ("downloading", 2, True),
        ("uploading", 3, True),
    ]
    assert all(row["ended_at"] >= row["started_at"] for row in found)
    ours = [row for row in found if row["step"] != "generating"]
    assert all(row["cpu_usage"] >= 0 and row["memory_usage"] > 1_000_000 for row in ours)
    assert [row["progress"] for row in found if row["step_order"] > 1] == [95, 100]


def test_a_deferred_submit_ends_its_step_with_the_reason_and_the_next_claim_opens_another(
    world: World, postgres_url: str
) -> None:
    world.provider.on_submit = OnSubmit.THROTTLE
    world.start_job()
    assert steps(postgres_url) == [Step("submitting", False, {"reason": "throttled"})]
    world.provider.on_submit = OnSubmit.ACCEPT
    world.pass_time(4)
    world.drain()
    assert [(step.step, step.success) for step in steps(postgres_url)] == [
        ("submitting", False),
        ("submitting", True),
        ("generating", None),
    ]


def test_a_submit_that_nobody_answered_ends_its_step_and_is_claimed_by_the_generating_one(
    world: World, postgres_url: str
) -> None:
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    world.start_job()
    assert steps(postgres_url) == [Step("submitting", False, {"reason": "nobody answered"})]
    world.webhook(*world.provider.predictions)
    world.drain()
    assert [(step.step, step.success) for step in steps(postgres_url)] == [
        ("submitting", False),
        ("generating", None),
    ]


def test_a_refused_submit_ends_its_step_with_the_code_and_what_it_cost_us(
    world: World, postgres_url: str
) -> None:
    world.provider.on_submit = OnSubmit.REFUSE
    world.create()
    (row,) = rows(postgres_url, "processing_timeline")
    assert (row["step"], row["success"]) == ("submitting", False)
    assert row["details"] == {"code": "provider_invalid_input"}
    assert row["memory_usage"] > 0


def test_a_webhook_that_is_faster_than_the_answer_ends_the_submit_well(
    world: World, postgres_url: str
) -> None:
    def meanwhile(where: str) -> None:
        if where == "after provider.submit":
            (prediction,) = world.provider.predictions
            world.provider.work(prediction)
            world.webhook(prediction)
            world.seam.decide = lambda _where: None
            world.work(world.advance_queue)

    world.seam.decide = meanwhile
    world.start_job()
    assert [(step.step, step.success) for step in steps(postgres_url)] == [
        ("submitting", True),
        ("generating", None),
    ]


@pytest.mark.parametrize("cancel", [False, True])
def test_a_provider_that_fails_or_is_canceled_ends_generating_without_success(
    world: World, postgres_url: str, *, cancel: bool
) -> None:
    job_id = world.start_job()
    (prediction,) = world.provider.predictions
    world.provider.work(prediction)
    if cancel:
        world.request_cancel(job_id)
    else:
        world.provider.work(prediction, fail=True)
        world.webhook(prediction)
    world.drain()
    last = steps(postgres_url)[-1]
    assert (last.step, last.success) == ("generating", False)
    assert last.details["status"] == ("canceled" if cancel else "failed")


def test_a_job_that_is_canceled_before_its_submit_has_nothing_open(world: World, postgres_url: str) -> None:
    world.provider.on_submit = OnSubmit.THROTTLE
    world.request_cancel(world.start_job())
    assert [step.success for step in steps(postgres_url)] == [False]


def test_the_first_word_of_a_provider_may_be_its_last_and_still_has_its_step(
    world: World, postgres_url: str
) -> None:
    world.provider.on_submit = OnSubmit.ACCEPT_SILENTLY
    world.start_job()
    (prediction,) = world.provider.predictions
    world.provider.work(prediction)
    world.provider.work(prediction, fail=True)
    world.pass_time(5)
    world.webhook(prediction)
    world.drain()
    generating = rows(postgres_url, "processing_timeline")[-1]
    assert (generating["step"], generating["success"]) == ("generating", False)


def test_usage_is_kept_with_the_step_that_it_belongs_to(
    world: World, record: PostgresRecord, postgres_url: str
) -> None:
    world.provider.on_submit = OnSubmit.THROTTLE
    job_id = world.start_job()
    now = world.now + timedelta(seconds=5)
    record.claim_attempt(job_id, 1, claim=str(uuid7()), lease_until=now + timedelta(minutes=1), now=now)
    record.mark_submit_unknown(job_id, 1, due_at=now, now=now, usage=Usage(12.25, 1_000_000))
    row = rows(postgres_url, "processing_timeline")[-1]
    assert (float(row["cpu_usage"]), row["memory_usage"]) == (12.25, 1_000_000)
