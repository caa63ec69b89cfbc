"""What becomes of a submit that was answered with an error, for providers that follow HTTP's own meanings.

| answer | outcome | why |
|---|---|---|
| 429 | deferred | it was refused, and may say when to come back |
| 408 | unknown | a proxy may have given up waiting for an answer, not for our request |
| other 4xx | refused | the request was judged and not taken |
| 301, 307, 308 | refused | nothing was done at this address; the base URL is wrong |
| other 3xx | unknown | 302 and 303 may follow a request that was carried out |
| 502, 504, 520 and above | unknown | a proxy before the provider speaks: it may have passed it on |
| other 5xx in the provider's own words | deferred | the provider itself says that it did not do it |
| 503 with `Retry-After` or without any body | deferred | a refusal by load, before the application |
| other 5xx | unknown | a page that a proxy made up; it proves nothing |
"""

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, FailureKind, SubmitOutcome, SubmitResult

MOVED = (301, 307, 308)
_PROXY_ONLY = (502, 504)
_FIRST_CLOUDFLARE_STATUS = 520


def outcome_of(response: HttpResponse, *, in_own_words: bool) -> SubmitOutcome:
    """Return the row of the table; `in_own_words`: the body is an error as only the provider writes it."""
    status = response.status
    if status == 429:
        return SubmitOutcome.DEFERRED
    if is_judged(status):
        return SubmitOutcome.REFUSED
    if status < 500 or status in _PROXY_ONLY or status >= _FIRST_CLOUDFLARE_STATUS:
        return SubmitOutcome.UNKNOWN
    if in_own_words or (status == 503 and ("retry-after" in response.headers or not response.body.strip())):
        return SubmitOutcome.DEFERRED
    return SubmitOutcome.UNKNOWN


def is_judged(status: int) -> bool:
    """Whether the request was looked at and not taken, or cannot have been: nothing is at a redirected address."""
    return status in MOVED or (400 <= status < 500 and status != 408)


def unread(response: HttpResponse, lack: str, *, may_be: str = "accepted") -> SubmitResult:
    """A 2xx that does not say what was made of the request; `lack` as in `names no task`."""
    words = f"HTTP {response.status}, but the body {lack}: it may have been {may_be}"
    return SubmitResult(SubmitOutcome.UNKNOWN, failure=Failure(FailureKind.UNKNOWN, words))
