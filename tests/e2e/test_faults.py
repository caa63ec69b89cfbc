"""The fault dial, over HTTP: nothing is lost, nothing happens twice, every job ends with its reason."""

from uuid import uuid4

import pytest

from tests.e2e.caller import Caller


def final_transitions(caller: Caller, job_id: str) -> int:
    rows = caller.query(
        "select count(*) from job_transitions where job_id = %s and status in ('completed', 'failed', 'canceled')",
        job_id,
    )
    return int(rows[0][0])


def test_a_lost_webhook_ends_by_the_sweep(caller: Caller) -> None:
    """With all messages lost too, the schedule alone brings the job to its end."""
    job_id = caller.start("[sim:lost-webhook]")
    caller.lose_messages()
    assert caller.status(job_id)["status"] == "pending"
    caller.make_due(job_id)
    assert caller.swept(job_id)["status"] == "completed"


def test_a_lost_webhook_is_noticed_without_the_sweep(caller: Caller) -> None:
    assert caller.ended(caller.start("[sim:lost-webhook]"))["status"] == "completed"


@pytest.mark.parametrize(
    "fault",
    ["duplicate-webhook=3", "late-webhook=1s", "shuffle-webhooks", "late-webhook=1s] [sim:shuffle-webhooks"],
)
def test_disturbed_webhooks_end_in_one_set_of_objects_and_one_final_transition(
    caller: Caller, fault: str
) -> None:
    job_id = caller.start(f"[sim:{fault}]")
    assert caller.swept(job_id)["status"] == "completed"
    assert final_transitions(caller, job_id) == 1
    assert [key.rpartition("/")[2] for key in caller.objects(job_id)] == ["0-thumb.webp", "0.webp"]


def test_a_submit_that_is_never_answered_is_sent_once_and_claimed_by_its_start_webhook(
    caller: Caller,
) -> None:
    job_id = caller.start("[sim:accept-no-answer]")
    assert caller.swept(job_id)["status"] == "completed"
    assert len(caller.submits(job_id)) == 1


def test_a_submit_that_is_never_answered_and_never_heard_of_is_found_by_recover(caller: Caller) -> None:
    job_id = caller.start("[sim:accept-no-answer] [sim:lost-webhook]")
    caller.make_due(job_id)
    assert caller.swept(job_id, seconds=120)["status"] == "completed"
    assert len(caller.submits(job_id)) == 1


@pytest.mark.parametrize("fault", ["502-html", "no-answer", "reset"])
def test_garbage_or_nothing_may_have_been_an_order_and_is_not_sent_again(caller: Caller, fault: str) -> None:
    answer = caller.generate(f"[sim:{fault}] {uuid4().hex}")
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["jobId"]
    assert answer.json()["providerJobId"] is None
    caller.make_due(job_id)
    caller.sweep()
    assert caller.status(job_id)["status"] == "pending"
    assert len(caller.submits(job_id)) == 1


def test_a_throttled_submit_is_waited_out(caller: Caller) -> None:
    job_id = caller.start("[sim:429=1sx2]")
    assert caller.status(job_id)["status"] == "pending"
    assert caller.ended(job_id)["status"] == "completed"
    accepted = [entry for entry in caller.submits(job_id) if entry["accepted"]]
    assert len(accepted) == 1


@pytest.mark.parametrize("fault", ["503=x1", "500=x1"])
def test_an_explicit_refusal_to_take_it_now_is_waited_out(caller: Caller, fault: str) -> None:
    assert caller.ended(caller.start(f"[sim:{fault}]"))["status"] == "completed"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("401", 503, "provider_authentication"),
        ("402", 503, "provider_billing"),
        ("422", 422, "provider_invalid_input"),
    ],
)
def test_a_refusal_is_a_problem_that_names_the_failed_job(
    caller: Caller, fault: str, status: int, code: str
) -> None:
    answer = caller.generate(f"[sim:{fault}]")
    assert answer.status_code == status
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["code"] == code
    assert caller.status(problem["jobId"])["status"] == "failed"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("fail=no paint left", "provider_model_error"),
        ("nsfw", "moderation_refused"),
        ("aborted", "provider_aborted"),
        ("purged", "provider_data_expired"),
        ("expired-output", "output_expired"),
        ("wrong-type", "output_wrong_type"),
        ("empty-output", "output_empty"),
        ("huge-output=30MB", "output_too_large"),
        ("redirect-inside", "output_forbidden_address"),
        ("redirect-inside=http://169.254.169.254/", "output_forbidden_address"),
    ],
)
def test_what_cannot_succeed_fails_with_its_reason(caller: Caller, fault: str, code: str) -> None:
    status = caller.ended(caller.start(f"[sim:{fault}]"))
    assert (status["status"], status["errorCode"]) == ("failed", code), status
    assert status["error"]


@pytest.mark.parametrize(
    "fault",
    ["slow-output=2s", "truncated-output", "redirect-output", "data-url", "unknown-status", "forged-webhook"],
)
def test_what_can_be_overcome_completes(caller: Caller, fault: str) -> None:
    assert caller.ended(caller.start(f"[sim:{fault}]"))["status"] == "completed"


def test_a_stale_webhook_alone_changes_nothing_until_the_sweep(caller: Caller) -> None:
    job_id = caller.start("[sim:stale-webhook] [sim:lost-webhook]")
    assert caller.swept(job_id)["status"] == "completed"


def test_a_running_job_is_canceled_at_the_provider(caller: Caller) -> None:
    job_id = caller.start("[sim:never-finishes]")
    caller.until(lambda: caller.status(job_id), lambda now: now["status"] == "processing")
    answer = caller.api.post(f"/jobs/{job_id}/cancel")
    assert answer.status_code in (200, 202), answer.text
    status = caller.ended(job_id)
    assert status["status"] == "canceled"
    remote = caller.replicate.get(f"/_sim/predictions/{status['providerJobId']}").json()
    assert "canceled" in str(remote)


def test_a_worker_that_is_killed_while_it_stores_loses_nothing(caller: Caller) -> None:
    job_id = caller.start("[sim:slow-output=3s]")
    caller.until(lambda: caller.status(job_id), lambda now: now["step"] == "storing")
    assert caller.cloud.kill_workers("vsl-local-store-result") >= 1
    caller.make_due(job_id)
    assert caller.swept(job_id)["status"] == "completed"
    assert final_transitions(caller, job_id) == 1


def test_no_key_reaches_another_host(caller: Caller) -> None:
    caller.ended(caller.start("a courier"))
    seen = caller.replicate.get("/_sim/leaks").json()
    assert seen["requests"] > 0
    assert seen["leaks"] == []
