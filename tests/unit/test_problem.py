"""Every error is a problem of the right status, and none tells more than it should."""

import pytest

from lib.api.problem import MOST_ERRORS, as_gateway_error, problem_body, problem_headers, status_of
from lib.domain import errors as e
from lib.domain.http_exchange import Delivery
from lib.domain.provider import FailureKind
from lib.ports.provider import TransportError
from lib.ports.tier import TierUnavailableError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (e.BadRequestError("x"), 400),
        (e.UnauthenticatedError("x"), 401),
        (e.ForbiddenError("x"), 403),
        (e.NotFoundError("x"), 404),
        (e.ConflictError("x"), 409),
        (e.StillRunningError("x"), 409),
        (e.TooLargeError("x"), 413),
        (e.InvalidError("x"), 422),
        (e.UnknownModelError("x"), 422),
        (e.InvalidParametersError("x"), 422),
        (e.UnknownPriceError("x"), 422),
        (e.IdempotencyMismatchError("x"), 422),
        (e.RateLimitedError("x"), 429),
        (e.UnavailableError("x"), 503),
        (e.RecordUnavailableError("x"), 503),
        (e.ProviderError("x", code=FailureKind.MODERATION.value), 422),
        (e.ProviderError("x", code=FailureKind.INVALID_INPUT.value), 422),
        (e.ProviderError("x", code=FailureKind.AUTHENTICATION.value), 503),
        (e.ProviderError("x", code=FailureKind.BILLING.value), 503),
        (TransportError("x", delivery=Delivery.UNKNOWN), 503),
        (e.ConfigurationError("x"), 500),
        (e.OutputError("x", code="output_empty"), 500),
        (e.GatewayError("x"), 500),
    ],
)
def test_each_error_has_its_status(error: e.GatewayError, status: int) -> None:
    assert status_of(error) == status


def test_a_problem_says_what_is_wrong_where() -> None:
    error = e.InvalidParametersError(
        "two are wrong", errors=[e.FieldError("parameters.seed", "must be a number")]
    )
    assert problem_body(error, "request-1") == {
        "type": "/docs#problem-invalid_parameters",
        "title": "Read, but wrong",
        "status": 422,
        "detail": "two are wrong",
        "code": "invalid_parameters",
        "success": False,
        "retryable": False,
        "errors": [{"path": "parameters.seed", "message": "must be a number"}],
        "requestId": "request-1",
    }


def test_a_problem_of_very_many_errors_says_how_many_more_there_are() -> None:
    """All of them would not fit into an answer of Lambda's, and the caller would be told of a failure of ours."""
    errors = [e.FieldError(f"k{number}", "is not known") for number in range(110_000)]
    told = problem_body(e.InvalidError("the request is wrong", errors=errors), "request-1")["errors"]
    assert len(told) == MOST_ERRORS + 1
    assert told[MOST_ERRORS - 1]["path"] == f"k{MOST_ERRORS - 1}"
    assert told[-1] == {"path": "", "message": f"and {110_000 - MOST_ERRORS} more"}
    exact = e.InvalidError("the request is wrong", errors=errors[:MOST_ERRORS])
    assert len(problem_body(exact, "request-1")["errors"]) == MOST_ERRORS


def test_a_problem_names_the_job_that_was_recorded_all_the_same() -> None:
    error = e.ProviderError("refused", code=FailureKind.MODERATION.value)
    error.job_id = "job-1"
    assert problem_body(error, "r")["jobId"] == "job-1"


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (e.RateLimitedError("x", retry_after_seconds=1800), "1800"),
        (e.RecordUnavailableError("x", retry_after_seconds=0.2), "1"),
        (e.UnavailableError("x"), "5"),
        (e.StillRunningError("x", retry_after_seconds=1), "1"),
        (e.NotFoundError("x"), None),
    ],
)
def test_retry_after_is_whole_seconds_where_waiting_helps(error: e.GatewayError, seconds: str | None) -> None:
    assert problem_headers(error).get("Retry-After") == seconds


def test_who_is_not_known_is_told_how_to_say_it() -> None:
    assert problem_headers(e.UnauthenticatedError("x"))["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("postgresql://user:password@host"),
        e.ConfigurationError("the secret vsl/prod/database/main cannot be read"),
        KeyError("internal"),
    ],
)
def test_the_unexpected_says_nothing_of_our_insides(error: Exception) -> None:
    shown = as_gateway_error(error)
    assert status_of(shown) == 500
    assert str(error) not in problem_body(shown, "r")["detail"]


def test_a_store_that_is_away_is_worth_another_try() -> None:
    shown = as_gateway_error(TierUnavailableError("redis: 10.0.0.7 refused"))
    assert (status_of(shown), shown.retryable) == (503, True)
    assert "10.0.0.7" not in shown.message
