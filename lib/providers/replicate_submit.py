"""What Replicate's answer to a create means, given that a create must not be repeated on a guess.

| answer | outcome | why |
|---|---|---|
| 2xx with a prediction | accepted | |
| 2xx with anything else | unknown | it was taken, and we do not know under which id |
| 429 | deferred | it was refused, and says when to come back |
| 408 | unknown | a proxy may have given up waiting for an answer, not for our request |
| other 4xx | refused | the request was judged and not taken |
| 301, 307, 308 | refused | nothing was done at this address; the base URL is wrong |
| other 3xx | unknown | 302 and 303 may follow a request that was carried out |
| 502, 504, 520 and above | unknown | a proxy before Replicate speaks: it may have passed it on |
| other 5xx with Replicate's problem JSON | deferred | Replicate itself says that it did not do it |
| 503 with `Retry-After` or without any body | deferred | a refusal by load, before the application |
| other 5xx | unknown | a page that a proxy made up; it proves nothing |
"""

from dataclasses import replace

from pydantic import ValidationError

from lib.domain.provider import Failure, FailureKind, HttpResponse, SubmitOutcome, SubmitResult
from lib.providers.answers import json_object
from lib.providers.replicate_meaning import failure_in_http, update_from
from lib.providers.replicate_models import Prediction

_MOVED = (301, 307, 308)
_PROXY_ONLY = (502, 504)
_FIRST_CLOUDFLARE_STATUS = 520


def judge_submit(response: HttpResponse) -> SubmitResult:
    """Return what became of a create; never raises, whatever the answer is."""
    if 200 <= response.status < 300:
        return _accepted(response)
    failure = failure_in_http(response)
    if response.status in _MOVED:
        failure = Failure(
            failure.kind, f"HTTP {response.status}: Replicate's base URL redirects; it must not"
        )
    outcome = _outcome(response)
    # what was not taken made no prediction, and only predictions are billed
    return SubmitResult(outcome, failure=replace(failure, unbilled=outcome is not SubmitOutcome.UNKNOWN))


def _accepted(response: HttpResponse) -> SubmitResult:
    try:
        prediction = Prediction.model_validate_json(response.body)
    except ValidationError:
        message = f"HTTP {response.status}, but the body is no prediction: it may have been accepted"
        return SubmitResult(SubmitOutcome.UNKNOWN, failure=Failure(FailureKind.UNKNOWN, message))
    return SubmitResult(SubmitOutcome.ACCEPTED, update=update_from(prediction))


def _outcome(response: HttpResponse) -> SubmitOutcome:
    status = response.status
    if status == 429:
        return SubmitOutcome.DEFERRED
    if status in _MOVED or (400 <= status < 500 and status != 408):
        return SubmitOutcome.REFUSED
    return SubmitOutcome.DEFERRED if _refused_before_work(response) else SubmitOutcome.UNKNOWN


def _refused_before_work(response: HttpResponse) -> bool:
    status = response.status
    if status < 500 or status in _PROXY_ONLY or status >= _FIRST_CLOUDFLARE_STATUS:
        return False
    problem = json_object(response.body)
    if any(isinstance(problem.get(name), str) for name in ("title", "detail")):
        return True
    return status == 503 and ("retry-after" in response.headers or not response.body.strip())
