"""Google's errors: each row of the table, for both of its APIs, and what became of a create."""

from dataclasses import replace

import pytest

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, SubmitOutcome
from lib.providers.answers import MAX_WAIT_SECONDS
from lib.providers.gemini import GeminiAdapter
from lib.providers.google_errors import failure_in_error, failure_in_http
from lib.providers.google_models import Error
from lib.providers.google_veo import GoogleVeoAdapter
from tests.fakes.stored_answers import stored_answer

REFUSED, DEFERRED, UNKNOWN = SubmitOutcome.REFUSED, SubmitOutcome.DEFERRED, SubmitOutcome.UNKNOWN
ROWS = [
    ("google_veo", "invalid_argument", FailureKind.INVALID_INPUT, REFUSED),
    ("google_veo", "prompt_refused", FailureKind.MODERATION, REFUSED),
    ("google_veo", "failed_precondition", FailureKind.INVALID_INPUT, REFUSED),
    ("google_veo", "unauthenticated", FailureKind.AUTHENTICATION, REFUSED),
    ("google_veo", "permission_denied", FailureKind.AUTHENTICATION, REFUSED),
    ("google_veo", "billing_disabled", FailureKind.BILLING, REFUSED),
    ("google_veo", "not_found", FailureKind.NOT_FOUND, REFUSED),
    ("google_veo", "not_found_page", FailureKind.UNKNOWN, REFUSED),
    ("google_veo", "exhausted", FailureKind.RATE_LIMITED, DEFERRED),
    ("google_veo", "exhausted_in_a_list", FailureKind.RATE_LIMITED, DEFERRED),
    ("google_veo", "canceled", FailureKind.CANCELED, REFUSED),
    ("google_veo", "internal", FailureKind.OUTAGE, UNKNOWN),
    ("google_veo", "bad_gateway", FailureKind.OUTAGE, UNKNOWN),
    ("google_veo", "unavailable", FailureKind.OUTAGE, DEFERRED),
    ("google_veo", "unavailable_page", FailureKind.OUTAGE, UNKNOWN),
    ("google_veo", "deadline_exceeded", FailureKind.OUTAGE, UNKNOWN),
    ("gemini", "invalid_request", FailureKind.INVALID_INPUT, REFUSED),
    ("gemini", "prompt_refused", FailureKind.MODERATION, REFUSED),
    ("gemini", "invalid_key", FailureKind.AUTHENTICATION, REFUSED),
    ("gemini", "no_free_tier", FailureKind.BILLING, REFUSED),
    ("gemini", "no_key", FailureKind.AUTHENTICATION, REFUSED),
    ("gemini", "not_found", FailureKind.NOT_FOUND, REFUSED),
    ("gemini", "exhausted", FailureKind.RATE_LIMITED, DEFERRED),
    ("gemini", "internal", FailureKind.OUTAGE, UNKNOWN),
    ("gemini", "overloaded", FailureKind.OUTAGE, DEFERRED),
    ("gemini", "bad_gateway", FailureKind.OUTAGE, UNKNOWN),
]


@pytest.mark.parametrize(("provider", "name", "kind", "outcome"), ROWS)
def test_each_error_has_a_kind_and_an_outcome_and_keeps_its_words(
    provider: str, name: str, kind: FailureKind, outcome: SubmitOutcome
) -> None:
    answer = stored_answer(provider, name)
    adapter = GoogleVeoAdapter() if provider == "google_veo" else GeminiAdapter()

    result = adapter.parse_submit(answer)

    assert result.outcome is outcome
    assert result.failure is not None
    assert result.failure.kind is kind
    assert result.failure.retryable is (kind in (FailureKind.RATE_LIMITED, FailureKind.OUTAGE))
    assert result.failure.unbilled is (outcome is not UNKNOWN)
    words = result.failure.message
    assert words.startswith("HTTP ") or words.encode() in answer.body


def test_the_wait_that_google_asks_for_is_kept() -> None:
    assert failure_in_http(stored_answer("google_veo", "exhausted")).retry_after_seconds == 30
    assert failure_in_http(stored_answer("gemini", "exhausted")).retry_after_seconds == 12.5
    by_header = replace(stored_answer("google_veo", "unavailable"), headers={"retry-after": "7"})
    assert failure_in_http(by_header).retry_after_seconds == 7
    assert failure_in_http(stored_answer("google_veo", "unavailable")).retry_after_seconds is None
    years = Error.model_validate({"code": 8, "details": [{"retryDelay": "99999999s"}]})
    assert failure_in_error(years).retry_after_seconds == MAX_WAIT_SECONDS


@pytest.mark.parametrize("delay", ["", "soon", "-3s", 30, None, "1e9s"])
def test_a_wait_that_is_none_is_not_kept(delay: object) -> None:
    error = Error.model_validate({"code": 8, "details": [{"retryDelay": delay}, 5]})
    assert failure_in_error(error).retry_after_seconds is None


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(301, REFUSED), (302, UNKNOWN), (308, REFUSED), (408, UNKNOWN), (418, REFUSED), (520, UNKNOWN)],
)
def test_statuses_without_a_body_are_judged_too(status: int, outcome: SubmitOutcome) -> None:
    result = GoogleVeoAdapter().parse_submit(HttpResponse(status, {}, b""))
    assert result.outcome is outcome
    assert result.failure is not None
    assert result.failure.message == f"HTTP {status}, with no readable reason"


@pytest.mark.parametrize("error", [None, {}, "gone", 5, [{"message": "gone"}], {"reason": "gone"}])
def test_a_404_without_google_s_own_words_does_not_prove_that_a_job_is_lost(error: object) -> None:
    answer = stored_answer("google_veo", "not_found", error=error)
    assert failure_in_http(answer) == Failure(FailureKind.UNKNOWN, "HTTP 404, with no readable reason")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({}, FailureKind.UNKNOWN),
        ({"code": 99}, FailureKind.UNKNOWN),
        ({"code": True}, FailureKind.UNKNOWN),
        ({"status": "permission_denied"}, FailureKind.AUTHENTICATION),
        ({"code": "https://example.com/errors/NOT_FOUND"}, FailureKind.NOT_FOUND),
        ({"code": "prohibited_content"}, FailureKind.MODERATION),
        ({"code": 7, "details": [{"reason": "BILLING_DISABLED"}]}, FailureKind.BILLING),
        ({"message": ["a"], "details": "b"}, FailureKind.UNKNOWN),
        ({"status": 5, "code": 16, "message": None}, FailureKind.AUTHENTICATION),
        (
            {"code": 3, "details": [None, {"reason": 7}, {"reason": "api_key_invalid"}]},
            FailureKind.AUTHENTICATION,
        ),
    ],
)
def test_errors_of_odd_shapes_are_read_as_far_as_they_go(error: dict[str, object], kind: FailureKind) -> None:
    assert failure_in_error(Error.model_validate(error)).kind is kind
