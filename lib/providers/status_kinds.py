"""What kind of failure an HTTP status tells of, for providers that follow HTTP's own meanings."""

from collections.abc import Mapping

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import FailureKind

PASSING_KINDS = frozenset({FailureKind.RATE_LIMITED, FailureKind.OUTAGE})
"""What is over after a while: asking again may help."""

_KINDS: Mapping[int, FailureKind] = {
    400: FailureKind.INVALID_INPUT,
    401: FailureKind.AUTHENTICATION,
    402: FailureKind.BILLING,
    403: FailureKind.AUTHENTICATION,
    404: FailureKind.NOT_FOUND,
    408: FailureKind.OUTAGE,
    413: FailureKind.INVALID_INPUT,
    422: FailureKind.INVALID_INPUT,
    429: FailureKind.RATE_LIMITED,
}


def kind_of_status(status: int, own: Mapping[int, FailureKind] | None = None) -> FailureKind:
    """The kind that `status` tells of where the body tells no more; `own` are a provider's own meanings.

    Every 5xx is an outage, every other status that is not named unknown.
    """
    by_default = FailureKind.OUTAGE if status >= 500 else FailureKind.UNKNOWN
    return (own or {}).get(status) or _KINDS.get(status, by_default)


def silence(response: HttpResponse) -> str:
    """The words for an error whose body has none that can be read."""
    return f"HTTP {response.status}, with no readable reason"
