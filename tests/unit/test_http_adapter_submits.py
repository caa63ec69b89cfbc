"""A provider that is all data: what its answer to a submit means, also where a code in an envelope says more."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import FailureKind, OutputKind, RemoteStatus, SubmitOutcome
from tests.fakes.http_answers import KEY, answer, job, kling, luma, submission, task
from tests.fakes.http_entries import adapter_of, luma_entry


@pytest.mark.parametrize(
    ("status", "body", "outcome", "kind"),
    [
        (201, job("queued"), SubmitOutcome.ACCEPTED, None),
        (200, job("queued"), SubmitOutcome.ACCEPTED, None),
        (201, {"state": "queued"}, SubmitOutcome.UNKNOWN, FailureKind.UNKNOWN),
        (201, b"<html>", SubmitOutcome.UNKNOWN, FailureKind.UNKNOWN),
        (201, job("queued", id="../../x"), SubmitOutcome.UNKNOWN, FailureKind.UNKNOWN),
        (400, {"detail": "prompt: too long"}, SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        (400, {"detail": "Failed moderation"}, SubmitOutcome.REFUSED, FailureKind.MODERATION),
        (400, {"detail": "Insufficient credits"}, SubmitOutcome.REFUSED, FailureKind.BILLING),
        (401, {"detail": "Not authenticated"}, SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION),
        (402, {"detail": "Pay"}, SubmitOutcome.REFUSED, FailureKind.BILLING),
        (403, {"detail": "No"}, SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION),
        (404, {"detail": "Not Found"}, SubmitOutcome.REFUSED, FailureKind.NOT_FOUND),
        (404, b"<html>", SubmitOutcome.REFUSED, FailureKind.UNKNOWN),
        (422, {"detail": [{"msg": "x"}]}, SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        (429, {"detail": "Slow down"}, SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED),
        (408, None, SubmitOutcome.UNKNOWN, FailureKind.UNKNOWN),
        (307, None, SubmitOutcome.REFUSED, FailureKind.UNKNOWN),
        (303, None, SubmitOutcome.UNKNOWN, FailureKind.UNKNOWN),
        (500, {"detail": "oops"}, SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        (502, b"<html>", SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        (503, None, SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
    ],
)
def test_the_answer_to_a_submit_is_judged(
    status: int, body: Any, outcome: SubmitOutcome, kind: FailureKind | None
) -> None:
    result = luma.parse_submit(answer(status, body))

    assert result.outcome is outcome
    assert (result.failure.kind if result.failure else None) is kind
    if outcome is SubmitOutcome.REFUSED:
        assert result.failure is not None
        assert result.failure.unbilled


def test_what_is_documented_as_said_before_any_work_may_be_sent_again() -> None:
    rule = {"http": [503], "kind": "outage", "beforeWork": True}
    shaped = adapter_of(luma_entry() | {"failure": {"rules": [rule]}})

    result = shaped.parse_submit(answer(503, None, **{"retry-after": "7"}))

    assert result.outcome is SubmitOutcome.DEFERRED
    assert result.failure is not None
    assert result.failure.retry_after_seconds == 7


@pytest.mark.parametrize(
    ("http", "code", "outcome", "kind"),
    [
        (200, 1200, SubmitOutcome.REFUSED, FailureKind.INVALID_INPUT),
        (200, 1302, SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED),
        (401, 1004, SubmitOutcome.REFUSED, FailureKind.AUTHENTICATION),
        (429, 1101, SubmitOutcome.REFUSED, FailureKind.BILLING),
        (429, 1303, SubmitOutcome.DEFERRED, FailureKind.RATE_LIMITED),
        (400, 1301, SubmitOutcome.REFUSED, FailureKind.MODERATION),
        (404, 1203, SubmitOutcome.REFUSED, FailureKind.NOT_FOUND),
        (500, 5000, SubmitOutcome.UNKNOWN, FailureKind.OUTAGE),
        (200, 9999, SubmitOutcome.REFUSED, FailureKind.UNKNOWN),
    ],
)
def test_codes_in_an_envelope_say_more_than_the_http_status(
    http: int, code: int, outcome: SubmitOutcome, kind: FailureKind
) -> None:
    result = kling.parse_submit(answer(http, {"code": code, "message": "their words", "data": None}))

    assert result.outcome is outcome
    assert result.failure is not None
    assert (result.failure.kind, result.failure.message) == (kind, "their words")


@pytest.mark.parametrize(
    ("http", "code", "outcome", "unbilled"),
    [
        (200, 1302, SubmitOutcome.DEFERRED, True),
        (200, 1200, SubmitOutcome.REFUSED, False),
        (200, 5000, SubmitOutcome.REFUSED, False),
        (400, 1200, SubmitOutcome.REFUSED, True),
    ],
)
def test_an_error_under_a_200_may_have_been_work_and_is_neither_sent_again_nor_called_free(
    http: int, code: int, outcome: SubmitOutcome, *, unbilled: bool
) -> None:
    result = kling.parse_submit(answer(http, {"code": code, "message": "their words", "data": None}))
    assert result.failure is not None
    assert (result.outcome, result.failure.unbilled) == (outcome, unbilled)


@pytest.mark.parametrize("code", [0, "0"])
def test_a_code_of_success_is_one_as_number_or_text(code: Any) -> None:
    result = kling.parse_submit(answer(200, {**task("submitted"), "code": code}))

    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.update is not None
    assert (result.update.provider_job_id, result.update.status) == ("8313", RemoteStatus.QUEUED)


def test_a_synchronous_answer_is_the_result() -> None:
    entry = {
        "baseUrl": "https://api.example",
        "synchronous": True,
        "submit": {"path": "/draw", "model": "model"},
        "outputs": [{"body": True}],
    }
    shaped = adapter_of(entry)

    assert shaped.submit_request(submission("sketch"), KEY, None).media_answer
    result = shaped.parse_submit(HttpResponse(200, {"content-type": "image/png"}, b"\x89PNG"))
    assert result.outcome is SubmitOutcome.ACCEPTED
    assert result.update is not None
    assert result.update.status is RemoteStatus.SUCCEEDED
    assert [output.kind for output in result.update.outputs] == [OutputKind.DATA_URL]


@given(
    status=st.integers(200, 599),
    body=st.binary(max_size=40) | st.sampled_from([b"{}", b'{"code":1}', b"null"]),
)
def test_no_answer_to_a_submit_raises(status: int, body: bytes) -> None:
    for adapter in (luma, kling):
        adapter.parse_submit(HttpResponse(status, {}, body))
