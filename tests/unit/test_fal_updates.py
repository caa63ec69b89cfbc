"""What fal's statuses, results and errors mean: every stored answer, and what is missing, odd or new."""

import json
from typing import Any

import pytest

from lib.domain.errors import ProviderError
from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import FailureKind, OutputKind, RemoteStatus, SubmitOutcome
from lib.providers.fal import FalAdapter
from tests.fakes.stored_answers import stored_answer

ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
IMAGES = ["https://v3.fal.media/files/lion/a1.png", "https://v3.fal.media/files/lion/a2.png"]

adapter = FalAdapter()


def answer(name: str, **changes: Any) -> HttpResponse:
    return stored_answer("fal", name, **changes)


def body(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, json.dumps(value).encode())


def test_a_submit_that_was_taken_is_queued_under_its_id() -> None:
    result = adapter.parse_submit(answer("accepted"))
    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.update is not None
    assert (result.update.status, result.update.provider_job_id) == (RemoteStatus.QUEUED, ID)


@pytest.mark.parametrize(
    ("name", "outcome", "kind", "unbilled"),
    [
        ("invalid_policy", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT, True),
        ("bad_request", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT, True),
        ("result_invalid", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT, True),
        ("result_moderated", SubmitOutcome.REFUSED, FailureKind.MODERATION, True),
        ("unauthenticated", SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION, True),
        ("payment_required", SubmitOutcome.REFUSED, FailureKind.BILLING, True),
        ("exhausted", SubmitOutcome.REFUSED, FailureKind.BILLING, True),
        ("forbidden", SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION, True),
        ("not_found", SubmitOutcome.REFUSED, FailureKind.NOT_FOUND, True),
        ("not_found_elsewhere", SubmitOutcome.REFUSED, FailureKind.UNKNOWN, False),
        ("throttled", SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED, True),
        ("internal_error", SubmitOutcome.DEFERRED, FailureKind.OUTAGE, True),
        ("scheduling_failure", SubmitOutcome.DEFERRED, FailureKind.OUTAGE, True),
        ("request_timeout", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE, True),
        ("bad_gateway", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE, False),
    ],
)
def test_each_refusal_of_a_submit_has_its_outcome(
    name: str, outcome: SubmitOutcome, kind: FailureKind, unbilled: bool
) -> None:
    result = adapter.parse_submit(answer(name))
    assert result.failure is not None
    assert (result.outcome, result.failure.kind, result.failure.unbilled) == (outcome, kind, unbilled)


def test_a_throttled_submit_says_when_to_come_back() -> None:
    failure = adapter.parse_submit(answer("throttled")).failure
    assert failure is not None
    assert (failure.retry_after_seconds, failure.retryable) == (12.0, True)


@pytest.mark.parametrize(
    "response",
    [
        body({"status": "IN_QUEUE"}),
        body({"request_id": "../../x"}),
        body({"request_id": 7}),
        HttpResponse(200, {}, b"<html>"),
        HttpResponse(302, {"location": "https://x"}, b""),
    ],
)
def test_a_submit_that_may_have_been_taken_is_unknown(response: HttpResponse) -> None:
    assert adapter.parse_submit(response).outcome is SubmitOutcome.UNKNOWN


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("in_queue", RemoteStatus.QUEUED),
        ("in_progress", RemoteStatus.RUNNING),
        ("completed", RemoteStatus.SUCCEEDED),
        ("completed_error", RemoteStatus.FAILED),
        ("completed_canceled", RemoteStatus.CANCELED),
        ("unknown_status", RemoteStatus.UNKNOWN),
    ],
)
def test_each_status_is_read(name: str, status: RemoteStatus) -> None:
    update = adapter.parse_poll(answer(name))
    assert (update.status, update.outputs) == (status, ())
    assert (update.failure is not None) == (status in (RemoteStatus.FAILED, RemoteStatus.CANCELED))


@pytest.mark.parametrize("word", ["completed", " Completed ", "COMPLETED"])
def test_letter_case_does_not_matter(word: str) -> None:
    assert adapter.parse_poll(answer("completed", status=word)).status is RemoteStatus.SUCCEEDED


def test_a_status_with_missing_and_surprising_fields_is_read_all_the_same() -> None:
    assert adapter.parse_poll(body({"status": "COMPLETED"})).status is RemoteStatus.SUCCEEDED
    odd = {"status": "COMPLETED", "metrics": "none", "error": None, "error_type": None, "x": 1}
    assert adapter.parse_poll(body(odd)).billed_seconds is None
    assert adapter.parse_poll(answer("completed")).billed_seconds == 1.743


@pytest.mark.parametrize("value", [{}, [], "x", {"status": None}, {"status": 3}])
def test_an_answer_that_is_no_status_may_be_asked_for_again(value: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        adapter.parse_poll(body(value))
    assert (caught.value.code, caught.value.retryable) == (FailureKind.OUTAGE, True)


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("result_images", [(OutputKind.URL, url) for url in IMAGES]),
        ("result_video", [(OutputKind.URL, "https://v3.fal.media/files/zebra/out.mp4")]),
        ("result_audio", [(OutputKind.URL, "https://v3.fal.media/files/owl/out.wav")]),
        ("result_text", [(OutputKind.TEXT, "Once upon a time")]),
        ("result_unusual", [(OutputKind.URL, "https://v3.fal.media/files/ant/world.splat")]),
    ],
)
def test_each_shape_of_result_gives_its_outputs(name: str, outputs: list[tuple[OutputKind, str]]) -> None:
    update = adapter.parse_result(answer(name))
    assert update.status is RemoteStatus.SUCCEEDED
    assert [(output.kind, output.value) for output in update.outputs] == outputs


def test_a_result_without_any_media_has_no_outputs() -> None:
    empty: list[Any] = [{}, {"seed": 1}, {"images": []}, {"images": [{"width": 1}], "image": None}, []]
    for value in empty:
        assert adapter.parse_result(body(value)).outputs == ()


def test_a_data_url_is_an_output_too() -> None:
    [output] = adapter.parse_result(body({"image": {"url": "data:image/png;base64,iVBO"}})).outputs
    assert output.kind is OutputKind.DATA_URL


@pytest.mark.parametrize(
    ("name", "kind", "retryable", "words"),
    [
        (
            "result_moderated",
            FailureKind.MODERATION,
            False,
            "body.prompt: The content could not be processed",
        ),
        ("result_invalid", FailureKind.INVALID_INPUT, False, "body.num_images: Input should be less than"),
        ("result_file_error", FailureKind.INVALID_INPUT, False, "body.image_url: Failed to download"),
        ("result_no_media", FailureKind.MODEL_ERROR, False, "No media was generated"),
        ("result_generation_timeout", FailureKind.OUTAGE, True, "Generation timeout"),
        ("result_downstream", FailureKind.OUTAGE, True, "Downstream service error"),
        ("result_runner_error", FailureKind.OUTAGE, True, "Runner returned an error"),
        ("result_canceled", FailureKind.CANCELED, False, "cancelled by the client"),
        ("request_timeout", FailureKind.OUTAGE, True, "Request timed out"),
        ("startup_timeout", FailureKind.OUTAGE, True, "Runner startup timed out"),
    ],
)
def test_a_result_that_is_an_error_is_the_jobs_failure_in_fals_words(
    name: str, kind: FailureKind, retryable: bool, words: str
) -> None:
    update = adapter.parse_result(answer(name))
    canceled = kind is FailureKind.CANCELED
    assert update.status is (RemoteStatus.CANCELED if canceled else RemoteStatus.FAILED)
    assert update.failure is not None
    assert (update.failure.kind, update.failure.retryable) == (kind, retryable)
    assert update.failure.unbilled is (kind is FailureKind.OUTAGE)  # server errors are never charged
    assert words in update.failure.message


@pytest.mark.parametrize(
    ("error_type", "kind"),
    [
        ("request_timeout", FailureKind.OUTAGE),
        ("startup_timeout", FailureKind.OUTAGE),
        ("runner_scheduling_failure", FailureKind.OUTAGE),
        ("runner_connection_timeout", FailureKind.OUTAGE),
        ("runner_disconnected", FailureKind.OUTAGE),
        ("runner_connection_refused", FailureKind.OUTAGE),
        ("runner_connection_error", FailureKind.OUTAGE),
        ("runner_incomplete_response", FailureKind.OUTAGE),
        ("runner_server_error", FailureKind.OUTAGE),
        ("Runner_Server_Error", FailureKind.OUTAGE),
        ("internal_error", FailureKind.OUTAGE),
        ("client_disconnected", FailureKind.CANCELED),
        ("client_cancelled", FailureKind.CANCELED),
        ("bad_request", FailureKind.INVALID_INPUT),
        ("one_that_came_later", FailureKind.MODEL_ERROR),
    ],
)
def test_each_error_type_of_the_platform_has_its_kind(error_type: str, kind: FailureKind) -> None:
    update = adapter.parse_poll(answer("completed_error", error_type=error_type))
    assert update.failure is not None
    assert (update.failure.kind, update.failure.retryable) == (kind, kind is FailureKind.OUTAGE)
    assert update.status.final


@pytest.mark.parametrize(
    ("name", "kind", "retryable"),
    [
        ("result_not_yet", FailureKind.OUTAGE, True),
        ("unauthenticated", FailureKind.AUTHENTICATION, False),
        ("exhausted", FailureKind.BILLING, False),
        ("not_found", FailureKind.NOT_FOUND, False),
        ("throttled", FailureKind.RATE_LIMITED, True),
        ("bad_gateway", FailureKind.OUTAGE, True),
    ],
)
def test_an_answer_about_the_question_is_no_end_of_the_job(
    name: str, kind: FailureKind, retryable: bool
) -> None:
    with pytest.raises(ProviderError) as caught:
        adapter.parse_result(answer(name))
    assert (caught.value.code, caught.value.retryable) == (kind, retryable)


def test_an_error_beside_the_status_is_the_jobs_failure() -> None:
    failed = adapter.parse_poll(answer("completed_error")).failure
    assert failed is not None
    assert (failed.kind, failed.message) == (FailureKind.OUTAGE, "Runner returned an error")


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ({"error": "broken"}, "broken"),
        ({"error": {"message": "broken", "type": "odd"}}, "broken"),
        ({"error": {"type": "odd"}}, '{"type": "odd"}'),
        ({"error": ["broken", 7]}, '["broken", 7]'),
        ({"error": 7, "error_type": None}, "7"),
        ({"error": True, "detail": {"why": "broken"}}, 'true; {"why": "broken"}'),
        ({"error": "broken", "detail": "broken", "error_type": 7}, "broken"),
        ({"error_type": "new", "detail": None}, "fal gave no reason"),
        ({"error": "broken", "detail": {}}, "broken"),
    ],
)
def test_an_error_is_one_whatever_its_shape_and_its_words_are_kept(odd: dict[str, Any], words: str) -> None:
    failure = adapter.parse_poll(body({"status": "COMPLETED", **odd})).failure
    assert failure is not None
    assert (failure.kind, failure.message) == (FailureKind.MODEL_ERROR, words)


@pytest.mark.parametrize("nothing", [None, "", [], {}, False])
def test_an_empty_error_beside_a_success_is_none(nothing: Any) -> None:
    for name in ("error", "error_type"):
        assert adapter.parse_poll(body({"status": "COMPLETED", name: nothing})).failure is None


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        (
            [{"loc": ["body", "prompt"], "msg": "too long"}, "no", {"msg": "odd"}],
            "body.prompt: too long; no; odd",
        ),
        ([{"loc": "body", "msg": "too long", "type": 3}], "too long"),
        ([{"loc": ["body", "images", 0], "msg": None}], "body.images.0"),
        ([7, [], "no"], "7; []; no"),
        ([{"msg": "no"}] * 3, "no"),
        ([{"msg": f"no. {n}"} for n in range(30)], "; ".join(f"no. {n}" for n in range(20))),
    ],
)
def test_each_shape_of_detail_is_an_invalid_input_in_fals_words(detail: list[Any], words: str) -> None:
    failure = adapter.parse_submit(body({"detail": detail}, 422)).failure
    assert failure is not None
    assert (failure.kind, failure.message) == (FailureKind.INVALID_INPUT, words)


@pytest.mark.parametrize("name", ["cancel_requested", "cancel_too_late"])
def test_a_cancel_is_a_request_whose_outcome_the_status_tells(name: str) -> None:
    assert adapter.parse_cancel(answer(name)).status is RemoteStatus.UNKNOWN


def test_a_cancel_of_what_fal_does_not_know_is_not_found() -> None:
    with pytest.raises(ProviderError) as caught:
        adapter.parse_cancel(answer("cancel_not_found"))
    assert caught.value.code == FailureKind.NOT_FOUND
    with pytest.raises(ProviderError) as caught:
        adapter.parse_cancel(answer("not_found_elsewhere"))
    assert caught.value.code == FailureKind.UNKNOWN


def test_a_key_is_proved_by_prices_and_refused_in_the_platforms_words() -> None:
    assert adapter.parse_test(answer("prices"))
    with pytest.raises(ProviderError, match="Invalid or missing authentication") as caught:
        adapter.parse_test(answer("platform_unauthenticated"))
    assert caught.value.code == FailureKind.AUTHENTICATION
    with pytest.raises(ProviderError):
        adapter.parse_test(body({"hello": "world"}))
