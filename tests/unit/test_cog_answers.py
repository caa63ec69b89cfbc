"""What a Cog server's answers and webhooks mean: rows of the submit table, statuses, failures and outputs."""

import json
from datetime import UTC, datetime

import pytest

from lib.domain.errors import BadRequestError, UnauthenticatedError
from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import (
    FailureKind,
    OutputKind,
    ProviderOutput,
    ProviderUpdate,
    RemoteStatus,
    SubmitOutcome,
)
from lib.providers.cog import CogAdapter
from lib.providers.cog_meaning import update_from
from lib.providers.cog_models import Prediction
from tests.fakes.cog_answers import PREDICTION_ID, answer, webhook

NOW = datetime(2026, 11, 21, tzinfo=UTC)
KEY = f"temp/uploads/cog/{PREDICTION_ID}/0011223344556677-sketch.png"

adapter = CogAdapter()


def said_by(name: str, **changes: object) -> ProviderUpdate:
    headers, body = webhook(name, **changes)
    return adapter.parse_webhook(headers, body, (), NOW)


@pytest.mark.parametrize(
    ("name", "outcome", "kind"),
    [
        ("busy", SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED),
        ("old_busy", SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED),
        ("not_ready_starting", SubmitOutcome.DEFERRED, FailureKind.OUTAGE),
        ("not_ready_setup_failed", SubmitOutcome.DEFERRED, FailureKind.OUTAGE),
        ("invalid_input", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        ("old_invalid_input", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        ("other_id", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        ("bad_json", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        ("old_bad_json", SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        ("not_polled", SubmitOutcome.REFUSED, FailureKind.UNKNOWN),
    ],
)
def test_an_answer_that_is_no_success_is_judged(name: str, outcome: SubmitOutcome, kind: FailureKind) -> None:
    result = adapter.parse_submit(answer(name))

    assert result.outcome is outcome
    assert result.failure is not None
    assert result.failure.kind is kind
    assert result.failure.unbilled


@pytest.mark.parametrize(
    ("status", "outcome", "kind"),
    [
        (401, SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION),
        (403, SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION),
        (404, SubmitOutcome.REFUSED, FailureKind.NOT_FOUND),
        (413, SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        (429, SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED),
        (307, SubmitOutcome.REFUSED, FailureKind.UNKNOWN),
        (408, SubmitOutcome.UNKNOWN, FailureKind.UNKNOWN),
        (500, SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        (502, SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
    ],
)
def test_a_proxys_answer_is_judged_by_its_status(
    status: int, outcome: SubmitOutcome, kind: FailureKind
) -> None:
    result = adapter.parse_submit(HttpResponse(status, {}, b"<html>"))

    assert (result.outcome, result.failure and result.failure.kind) == (outcome, kind)


def test_a_busy_server_is_asked_again_soon_unless_it_says_when() -> None:
    assert _wait(answer("busy")) == 5.0
    assert _wait(HttpResponse(503, {"retry-after": "9"}, b"")) == 9.0


def test_the_servers_own_words_are_kept() -> None:
    assert _words("busy") == "At capacity - all prediction slots busy"
    assert _words("old_busy") == "Already running a prediction"
    assert (
        _words("invalid_input")
        == 'prompt: "" is shorter than 1 character; width: 9 is less than the minimum of 64'
    )
    assert _words("old_invalid_input") == "steps: Input should be less than or equal to 200"
    assert _words("bad_json").startswith("Failed to parse the request body as JSON")
    assert _words("not_polled") == "HTTP 405, with no readable reason"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("accepted", RemoteStatus.QUEUED),
        ("accepted_again", RemoteStatus.RUNNING),
        ("old_accepted", RemoteStatus.RUNNING),
        ("succeeded_synchronously", RemoteStatus.SUCCEEDED),
        ("failed_synchronously", RemoteStatus.FAILED),
    ],
)
def test_a_prediction_in_the_answer_was_accepted_even_if_it_has_ended(
    name: str, status: RemoteStatus
) -> None:
    result = adapter.parse_submit(answer(name))

    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.update is not None
    assert (result.update.provider_job_id, result.update.status) == (PREDICTION_ID, status)


@pytest.mark.parametrize("body", [b"", b"ok", b"[]", b"{}"])
def test_a_success_without_a_prediction_may_have_been_accepted(body: bytes) -> None:
    assert adapter.parse_submit(HttpResponse(202, {}, body)).outcome is SubmitOutcome.UNKNOWN


def test_a_start_tells_that_it_runs() -> None:
    update = said_by("webhook_start")

    assert (update.status, update.provider_job_id, update.outputs) == (
        RemoteStatus.RUNNING,
        PREDICTION_ID,
        (),
    )


def test_what_there_is_of_an_output_before_the_end_does_not_count() -> None:
    update = said_by("webhook_output")

    assert (update.status, update.outputs) == (RemoteStatus.RUNNING, ())
    assert update.progress == 0.95


def test_an_uploaded_file_is_an_object_of_our_bucket() -> None:
    update = said_by("webhook_succeeded")

    assert update.status is RemoteStatus.SUCCEEDED
    assert update.outputs == (ProviderOutput(OutputKind.OBJECT, KEY),)
    assert update.billed_seconds == pytest.approx(1.2, abs=0.2)


def test_several_files_are_several_objects() -> None:
    base = f"https://bucket.s3.us-east-1.amazonaws.com/temp/uploads/cog/{PREDICTION_ID}"

    update = said_by(
        "webhook_succeeded", output=[f"{base}/00-a.png", f"{base}/01-b%20c.png", f"{base}/02-%2520.png"]
    )

    leaves = [
        output.value.rpartition("/")[2] for output in update.outputs if output.kind is OutputKind.OBJECT
    ]
    assert leaves == ["00-a.png", "02-%20.png"]  # a space stands in no key of ours
    assert update.outputs[1].kind is OutputKind.URL


@pytest.mark.parametrize(
    "path",
    [
        "temp/uploads/cog/019aa3b2c4d57e8f9a0b1c2d3e4f5a6b-2/00-a.png",
        "temp/uploads/fal/019aa3b2c4d57e8f9a0b1c2d3e4f5a6b-1/00-a.png",
        "temp/uploads/cog/019aa3b2c4d57e8f9a0b1c2d3e4f5a6b-1/../../../media/u1/secret.png",
        "temp/uploads/cog/019aa3b2c4d57e8f9a0b1c2d3e4f5a6b-1/%2e%2e/x.png",
        "media/u1/image/2026/11/21/j/0.png",
    ],
)
def test_what_lies_elsewhere_is_no_object_of_this_attempts(path: str) -> None:
    update = said_by("webhook_succeeded", output=f"https://bucket.example/{path}")

    assert [output.kind for output in update.outputs] == [OutputKind.URL]


def test_a_data_url_is_an_output() -> None:
    assert [output.kind for output in said_by("webhook_data_url").outputs] == [OutputKind.DATA_URL]


def test_text_is_an_output_though_it_comes_in_pieces() -> None:
    update = said_by("webhook_succeeded", output=["a fox", " runs"])

    assert update.outputs == (ProviderOutput(OutputKind.TEXT, "a fox runs"),)


@pytest.mark.parametrize(
    "output", ["/tmp/tmp2x0w/out.png", "file:///tmp/x/out.png", ["/tmp/a.png", "/tmp/b.png"]]
)
def test_a_path_inside_the_container_is_a_failure_that_says_what_to_do(output: object) -> None:
    update = said_by("old_webhook_path", output=output)

    assert (update.status, update.outputs) == (RemoteStatus.FAILED, ())
    assert update.failure is not None
    assert "--upload-url" in update.failure.message


@pytest.mark.parametrize(
    ("name", "kind", "retryable", "words"),
    [
        ("webhook_failed", FailureKind.MODEL_ERROR, False, "ValueError: The prompt asked for a failure."),
        ("old_webhook_failed", FailureKind.MODEL_ERROR, False, "boom"),
        ("webhook_upload_too_large", FailureKind.OUTAGE, False, "413 Payload Too Large"),
        ("webhook_canceled", FailureKind.CANCELED, False, "canceled"),
    ],
)
def test_a_failure_is_told_in_the_models_words_and_nobody_billed_it(
    name: str, kind: FailureKind, retryable: bool, words: str
) -> None:
    failure = said_by(name).failure

    assert failure is not None
    assert (failure.kind, failure.retryable, failure.unbilled) == (kind, retryable, True)
    assert words in failure.message


@pytest.mark.parametrize("error", [None, "", " ", {"not": "text"}, ["boom"], 7])
def test_a_failure_without_words_is_the_servers_all_the_same(error: object) -> None:
    failure = said_by("webhook_failed", error=error).failure

    assert failure is not None
    assert (failure.kind, failure.message) == (FailureKind.MODEL_ERROR, "The Cog server gave no reason")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"detail": "no"}, "no"),
        (
            {"detail": [{"loc": ["body", "input", "seed"], "msg": "odd"}, "no", {"msg": "new"}]},
            "seed: odd; no; new",
        ),
        ({"detail": [{"loc": "input", "msg": 7, "type": "odd"}], "error": "broken"}, "broken"),
        ({"detail": {"why": "no"}}, '{"why": "no"}'),
        ({"detail": [], "error": "broken"}, "broken"),
        ({"detail": None, "error": "broken"}, "broken"),
        ({"detail": 0, "error": ["broken"]}, "HTTP 422, with no readable reason"),
    ],
)
def test_each_shape_of_an_error_keeps_its_words(said: dict[str, object], words: str) -> None:
    failure = adapter.parse_submit(HttpResponse(422, {}, json.dumps(said).encode())).failure

    assert failure is not None
    assert (failure.kind, failure.message) == (FailureKind.INVALID_INPUT, words)


def test_an_upload_that_failed_for_a_while_may_be_tried_again() -> None:
    failure = said_by("webhook_failed", error="Failed to upload output: upload request timed out").failure

    assert failure is not None
    assert failure.retryable


def test_a_refusal_of_content_is_moderation() -> None:
    failure = said_by("webhook_failed", error="Prediction failed: NSFW content detected").failure

    assert failure is not None
    assert failure.kind is FailureKind.MODERATION


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"status": "SUCCEEDED", "output": "x"}, RemoteStatus.SUCCEEDED),
        ({"status": "Processing"}, RemoteStatus.RUNNING),
        ({"status": "resting", "output": "x"}, RemoteStatus.UNKNOWN),
        ({"status": None, "id": 7, "metrics": [], "logs": {}, "extra": {}}, RemoteStatus.UNKNOWN),
        ({"status": "failed", "error": {"not": "text"}}, RemoteStatus.FAILED),
        ({}, RemoteStatus.UNKNOWN),
    ],
)
def test_other_letter_case_and_missing_surprising_and_extra_fields_break_nothing(
    said: dict[str, object], status: RemoteStatus
) -> None:
    assert update_from(Prediction.model_validate(said)).status is status


@pytest.mark.parametrize("wrong", ["not-ours", "../etc", "", 7])
def test_an_id_that_is_none_of_ours_is_not_taken(wrong: object) -> None:
    assert said_by("webhook_start", id=wrong).provider_job_id is None


def test_a_servers_token_is_checked_where_the_operator_set_one() -> None:
    headers, body = webhook("webhook_start")

    assert (
        adapter.parse_webhook(headers, body, ("other", "server-secret"), NOW).status is RemoteStatus.RUNNING
    )
    for wrong in ({}, {"authorization": "Bearer other"}, {"authorization": "server-secret"}):
        with pytest.raises(UnauthenticatedError, match="WEBHOOK_AUTH_TOKEN"):
            adapter.parse_webhook(wrong, body, ("server-secret",), NOW)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id": "x"}', b"\xff"])
def test_a_webhook_that_is_no_prediction_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequestError, match="is not a Cog prediction"):
        adapter.parse_webhook({}, body, (), NOW)


def test_redeliveries_are_told_apart_by_nothing() -> None:
    assert adapter.webhook_id({"x-request-id": "1"}) is None


def _wait(response: HttpResponse) -> float | None:
    failure = adapter.parse_submit(response).failure
    return failure.retry_after_seconds if failure else None


def _words(name: str) -> str:
    failure = adapter.parse_submit(answer(name)).failure
    return failure.message if failure else ""
