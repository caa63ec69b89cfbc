"""Runway's adapter: what is sent, and what every stored answer means."""

import json
from decimal import Decimal
from typing import Any

import pytest

from lib.domain.errors import ConfigurationError, InvalidError, ProviderError
from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import (
    Credential,
    FailureKind,
    OutputKind,
    RemoteJob,
    RemoteStatus,
    Submission,
    SubmitOutcome,
)
from lib.providers.runway import ROUTES, RunwayAdapter
from tests.fakes.stored_answers import stored_answer

KEY = Credential("runway", "key_secret")
HEADERS = {
    "Authorization": "Bearer key_secret",
    "Accept": "application/json",
    "X-Runway-Version": "2024-11-06",
}
ID = "17f20503-6c24-4c16-946b-35dbbce2af2f"
INPUT = {"promptText": "a red fox", "ratio": "1280:720", "duration": 5, "contentModeration": {"x": "low"}}

adapter = RunwayAdapter()


def answer(name: str, **changes: Any) -> HttpResponse:
    return stored_answer("runway", name, **changes)


def body(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, json.dumps(value).encode())


def test_a_submit_goes_to_the_models_route_with_the_model_in_the_body() -> None:
    submission = Submission("j1", 1, "text_to_video/gen4.5", INPUT, 600)
    request = adapter.submit_request(submission, KEY, "https://gateway.example/never-called")
    assert (request.method, request.url) == ("POST", "https://api.dev.runwayml.com/v1/text_to_video")
    assert request.json_body == {**INPUT, "model": "gen4.5"}
    assert request.headers == HEADERS


def test_the_input_does_not_choose_the_model() -> None:
    submission = Submission("j1", 1, "text_to_video/gen4.5", {"model": "veo3.1"}, 600)
    assert adapter.submit_request(submission, KEY, None).json_body == {"model": "gen4.5"}


@pytest.mark.parametrize(
    "model", ["gen4.5", "", "tasks/x", "text_to_video/", "text_to_video/../x", "/gen4.5"]
)
def test_a_model_that_is_no_route_and_model_is_refused_unsent(model: str) -> None:
    with pytest.raises(ConfigurationError, match="no model of Runway"):
        adapter.submit_request(Submission("j1", 1, model, {}, 60), KEY, None)


def test_a_task_is_asked_for_and_deleted_by_its_id() -> None:
    poll, cancel = adapter.poll_request(RemoteJob(ID), KEY), adapter.cancel_request(RemoteJob(ID), KEY)
    url = f"https://api.dev.runwayml.com/v1/tasks/{ID}"
    assert (poll.method, poll.url, poll.headers) == ("GET", url, HEADERS)
    assert (cancel.method, cancel.url, cancel.json_body) == ("DELETE", url, None)
    assert adapter.test_request(KEY).url == "https://api.dev.runwayml.com/v1/organization"


@pytest.mark.parametrize("task_id", ["", "../organization", f"{ID}?x=1", "a" * 100])
def test_an_impossible_id_is_refused_unsent(task_id: str) -> None:
    for build in (adapter.poll_request, adapter.cancel_request):
        with pytest.raises(InvalidError, match="not the id of a Runway task"):
            build(RemoteJob(task_id), KEY)


def test_requests_do_not_show_the_key() -> None:
    assert "key_secret" not in repr([adapter.test_request(KEY), adapter.poll_request(RemoteJob(ID), KEY)])
    assert len(ROUTES) == 13


@pytest.mark.parametrize("name", ["created", "created_plain"])
def test_a_submit_that_was_taken_is_queued_under_its_id(name: str) -> None:
    result = adapter.parse_submit(answer(name))
    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.update is not None
    assert (result.update.status, result.update.provider_job_id) == (RemoteStatus.QUEUED, ID)


@pytest.mark.parametrize(
    ("name", "outcome", "kind", "unbilled"),
    [
        ("invalid", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT, True),
        ("no_credits", SubmitOutcome.REFUSED, FailureKind.BILLING, True),
        ("unauthenticated", SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION, True),
        ("not_found", SubmitOutcome.REFUSED, FailureKind.NOT_FOUND, True),
        ("not_found_elsewhere", SubmitOutcome.REFUSED, FailureKind.UNKNOWN, False),
        ("daily_limit", SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED, True),
        ("internal_error", SubmitOutcome.DEFERRED, FailureKind.OUTAGE, False),
        ("overloaded", SubmitOutcome.DEFERRED, FailureKind.OUTAGE, True),
        ("bad_gateway", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE, False),
        ("gateway_timeout", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE, True),
    ],
)
def test_each_refusal_of_a_submit_has_its_outcome(
    name: str, outcome: SubmitOutcome, kind: FailureKind, unbilled: bool
) -> None:
    result = adapter.parse_submit(answer(name))
    assert result.failure is not None
    assert (result.outcome, result.failure.kind, result.failure.unbilled) == (outcome, kind, unbilled)


def test_a_refused_input_says_what_is_wrong_where() -> None:
    failure = adapter.parse_submit(answer("invalid")).failure
    assert failure is not None
    assert failure.message == (
        "Validation of body failed; ratio: Invalid enum value; promptImage.0.uri: Invalid asset URL"
    )


@pytest.mark.parametrize(
    "response", [body({}), body({"id": "../x"}), body({"id": 7}), HttpResponse(200, {}, b"<html>")]
)
def test_a_submit_that_may_have_been_taken_is_unknown(response: HttpResponse) -> None:
    assert adapter.parse_submit(response).outcome is SubmitOutcome.UNKNOWN


@pytest.mark.parametrize(
    ("name", "status", "progress"),
    [
        ("pending", RemoteStatus.QUEUED, None),
        ("throttled", RemoteStatus.QUEUED, None),
        ("running", RemoteStatus.RUNNING, 0.42),
        ("succeeded", RemoteStatus.SUCCEEDED, 1.0),
        ("canceled", RemoteStatus.CANCELED, None),
        ("unknown_status", RemoteStatus.UNKNOWN, None),
    ],
)
def test_each_status_is_read(name: str, status: RemoteStatus, progress: float | None) -> None:
    update = adapter.parse_poll(answer(name))
    assert (update.status, update.provider_job_id, update.progress) == (status, ID, progress)


def test_a_success_has_its_files_and_what_it_cost() -> None:
    update = adapter.parse_poll(answer("succeeded"))
    assert [output.kind for output in update.outputs] == [OutputKind.URL, OutputKind.URL]
    assert update.outputs[0].value.endswith("/a.mp4?_jwt=x")
    assert update.cost_usd == Decimal("0.60")


@pytest.mark.parametrize("word", ["succeeded", " Succeeded", "SUCCEEDED"])
def test_letter_case_does_not_matter(word: str) -> None:
    assert adapter.parse_poll(answer("succeeded", status=word)).status is RemoteStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("changes", "progress", "cost"),
    [
        ({"progress": "half", "cost": None}, 1.0, None),
        ({"progress": None, "cost": {"credits": -1}}, 1.0, None),
        ({"output": "https://x.example/a.mp4", "cost": {"credits": True}}, 1.0, None),
        ({"output": [None, 7, "file:///etc/passwd"], "cost": "5"}, 1.0, None),
        ({"extra": {"field": 1}, "cost": {"credits": 2.5}}, 1.0, Decimal("0.025")),
    ],
)
def test_missing_and_surprising_fields_do_not_break_a_task(
    changes: dict[str, Any], progress: float, cost: Decimal | None
) -> None:
    update = adapter.parse_poll(answer("succeeded", **changes))
    assert (update.status, update.progress, update.cost_usd) == (RemoteStatus.SUCCEEDED, progress, cost)
    assert all(output.value.startswith("https://") for output in update.outputs)


def test_a_canceled_task_says_so_and_what_it_was_charged() -> None:
    for credits_, unbilled in ((0, True), (12, False), (None, False)):
        failure = adapter.parse_poll(answer("canceled", cost={"credits": credits_})).failure
        assert failure is not None
        assert (failure.kind, failure.unbilled) == (FailureKind.CANCELED, unbilled)


def test_an_input_that_speaks_of_credits_is_no_lack_of_them() -> None:
    issues = [{"path": ["promptText"], "message": "there are not enough credits in this film"}]
    refused = answer("no_credits", issues=issues)
    failure = adapter.parse_submit(refused).failure
    assert failure is not None
    assert failure.kind is FailureKind.INVALID_INPUT


@pytest.mark.parametrize(
    ("issues", "words"),
    [
        ([{"path": ["a", 0], "message": "odd"}, {"message": "new"}], "; a.0: odd; new"),
        ([{"path": "a", "message": "odd"}, "text", None, {"path": ["b"], "message": 7}], "; odd; b"),
        ({"path": ["a"], "message": "odd"}, ""),
        (None, ""),
        ([{"message": "x"}] * 30, "; x" * 20),
    ],
)
def test_an_issue_is_told_as_far_as_it_can_be_read(issues: Any, words: str) -> None:
    failure = adapter.parse_submit(answer("invalid", issues=issues)).failure
    assert failure is not None
    assert (failure.kind, failure.message) == (FailureKind.INVALID_INPUT, f"Validation of body failed{words}")


@pytest.mark.parametrize("error", [None, 7, ["no"], {"message": "no"}])
def test_an_error_that_is_no_text_is_not_in_runways_own_words(error: Any) -> None:
    failure = adapter.parse_submit(answer("not_found", error=error)).failure
    assert failure is not None
    assert (failure.kind, failure.unbilled) == (FailureKind.UNKNOWN, False)


@pytest.mark.parametrize(
    ("value", "progress"),
    [(7, 1.0), (-1, 0.0), (0.5, 0.5), (float("inf"), 1.0), (float("nan"), None)]
    + [(odd, None) for odd in ("0.5", True, None, [0.5])],
)
def test_progress_is_a_number_between_0_and_1(value: Any, progress: float | None) -> None:
    assert adapter.parse_poll(answer("running", progress=value)).progress == progress


@pytest.mark.parametrize(
    ("name", "kind", "retryable", "unbilled", "shown"),
    [
        ("failed_safety_input", FailureKind.MODERATION, False, False, "(SAFETY.INPUT)"),
        ("failed_safety_output", FailureKind.MODERATION, False, False, "(SAFETY.OUTPUT)"),
        ("failed_preprocessing_safety", FailureKind.MODERATION, False, True, "(INPUT_PREPROCESSING.SAFETY)"),
        ("failed_preprocessing", FailureKind.OUTAGE, True, True, "(INPUT_PREPROCESSING.INTERNAL)"),
        ("failed_bad_output", FailureKind.MODEL_ERROR, True, True, "(INTERNAL.BAD_OUTPUT.CODE01)"),
        ("failed_asset", FailureKind.INVALID_INPUT, False, True, "(ASSET.INVALID)"),
        ("failed_third_party", FailureKind.OUTAGE, True, True, "(THIRD_PARTY.UNAVAILABLE)"),
        ("failed_new_code", FailureKind.MODEL_ERROR, False, False, "(GREMLINS.MANY)"),
        ("failed_without_code", FailureKind.OUTAGE, True, True, "An unexpected error occurred."),
    ],
)
def test_each_family_of_failures_has_its_kind(
    name: str, kind: FailureKind, retryable: bool, unbilled: bool, shown: str
) -> None:
    update = adapter.parse_poll(answer(name))
    assert update.status is RemoteStatus.FAILED
    assert update.failure is not None
    assert (update.failure.kind, update.failure.retryable) == (kind, retryable)
    assert update.failure.unbilled is unbilled
    assert update.failure.message.endswith(shown)


def test_what_was_moderated_is_not_shown_by_its_third_part() -> None:
    for name, part in (("failed_safety_input", "TEXT"), ("failed_safety_output", "VIDEO")):
        failure = adapter.parse_poll(answer(name)).failure
        assert failure is not None
        assert part not in failure.message


def test_a_failure_in_lower_case_or_without_words_is_one_all_the_same() -> None:
    changed = answer("failed_safety_input", failureCode="safety.input.text", failure=None)
    failure = adapter.parse_poll(changed).failure
    assert failure is not None
    assert failure.kind is FailureKind.MODERATION
    assert failure.message == "Runway gave no reason (safety.input)"


def test_only_a_charge_of_nothing_proves_that_nothing_was_charged() -> None:
    for cost in (None, {}, {"credits": None}, {"credits": "0"}):
        failure = adapter.parse_poll(answer("failed_without_code", cost=cost)).failure
        assert failure is not None
        assert not failure.unbilled


@pytest.mark.parametrize(
    ("name", "kind", "retryable"),
    [
        ("not_found", FailureKind.NOT_FOUND, False),
        ("not_found_elsewhere", FailureKind.UNKNOWN, False),
        ("unauthenticated", FailureKind.AUTHENTICATION, False),
        ("overloaded", FailureKind.OUTAGE, True),
        ("bad_gateway", FailureKind.OUTAGE, True),
    ],
)
def test_an_answer_that_is_no_task_is_an_error(name: str, kind: FailureKind, retryable: bool) -> None:
    with pytest.raises(ProviderError) as caught:
        adapter.parse_poll(answer(name))
    assert (caught.value.code, caught.value.retryable) == (kind, retryable)


@pytest.mark.parametrize("value", [{}, [], "x", {"id": "!", "status": "PENDING"}])
def test_a_success_without_a_task_may_be_asked_for_again(value: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        adapter.parse_poll(body(value))
    assert caught.value.retryable


@pytest.mark.parametrize("name", ["deleted", "not_found"])
def test_a_deleted_task_is_canceled_and_so_is_one_that_is_deleted_twice(name: str) -> None:
    update = adapter.parse_cancel(answer(name))
    assert update.status is RemoteStatus.CANCELED
    assert update.failure is not None
    assert not update.failure.unbilled


@pytest.mark.parametrize("name", ["not_found_elsewhere", "overloaded", "unauthenticated"])
def test_a_cancel_that_was_not_carried_out_is_an_error(name: str) -> None:
    with pytest.raises(ProviderError):
        adapter.parse_cancel(answer(name))


def test_a_key_is_proved_by_its_organization() -> None:
    assert adapter.parse_test(answer("organization")) == "an organization with 1234 credits"
    with pytest.raises(ProviderError) as caught:
        adapter.parse_test(answer("unauthenticated"))
    assert caught.value.code == FailureKind.AUTHENTICATION
    with pytest.raises(ProviderError):
        adapter.parse_test(body({"creditBalance": True}))
