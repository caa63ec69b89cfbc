"""Reading a provider's HTTP answers: JSON by shape, the wait it asks for, and the error to raise."""

import json
import math
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from lib.domain.errors import ProviderError
from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind

MAX_WAIT_SECONDS = 86_400.0
MAX_MESSAGE_CHARACTERS = 2_000
LONGEST_INTEGER = 300


def json_object(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object in `body`; an empty one for anything else, whatever its content type."""
    try:
        value = json.loads(body, parse_int=_integer)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def retry_after_seconds(response: HttpResponse) -> float | None:
    """Return how long the provider asks us to wait: `retry_after` in the body, or the `Retry-After` header.

    The header may be seconds or an HTTP date (RFC 9110, 10.2.3); a date is measured against the answer's own
    `Date`, so that neither a clock nor its skew comes in. At most a day; None where nothing usable is said.
    """
    in_body = json_object(response.body).get("retry_after")
    header = response.headers.get("retry-after", "").strip()
    for said in (in_body, header):
        seconds = _seconds(said)
        if seconds is not None:
            return seconds
    return _until(header, response.headers.get("date", ""))


def clipped(message: str) -> str:
    """Return a message of a length fit for a record."""
    return message.strip()[:MAX_MESSAGE_CHARACTERS]


def error_of(failure: Failure) -> ProviderError:
    """Return the failure as an error to raise."""
    error = ProviderError(
        failure.message, code=failure.kind.value, retry_after_seconds=failure.retry_after_seconds
    )
    error.retryable = failure.retryable
    return error


def raise_unless_success(response: HttpResponse, failure_in: Callable[[HttpResponse], Failure]) -> None:
    """Raises `ProviderError` for an answer that is no 2xx, as the provider's `failure_in` reads it."""
    if not response.is_success:
        raise error_of(failure_in(response))


def unreadable(response: HttpResponse, provider: str, expected: str) -> ProviderError:
    """The error for a success whose body is not the `expected`; asking again may help."""
    words = f"HTTP {response.status} from {provider}, but its body is no {expected}"
    return error_of(Failure(FailureKind.OUTAGE, words, retryable=True))


def _integer(digits: str) -> int | float:
    """The number, that float() can take: one beyond all floats is infinite."""
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str) or value == "":
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return min(seconds, MAX_WAIT_SECONDS) if math.isfinite(seconds) and seconds >= 0 else None


def _until(moment: str, now: str) -> float | None:
    try:
        wait = parsedate_to_datetime(moment) - parsedate_to_datetime(now)
    except (ValueError, TypeError):  # no date, or one with a zone and one without
        return None
    return min(max(wait.total_seconds(), 0.0), MAX_WAIT_SECONDS)
