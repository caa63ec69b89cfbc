"""What Replicate's answer to a create means, given that a create must not be repeated on a guess.

| answer | outcome | why |
|---|---|---|
| 2xx with a prediction | accepted | |
| 2xx with anything else | unknown | it was taken, and we do not know under which id |
| anything else | as in `submit_judgement` | a problem JSON is in Replicate's own words |
"""

from dataclasses import replace
from http import HTTPStatus

from lib.domain.http_exchange import HttpResponse
from lib.domain.provider import Failure, SubmitOutcome, SubmitResult
from lib.providers.replicate_meaning import failure_in_http, update_from
from lib.providers.replicate_models import Prediction, Problem
from lib.providers.submit_judgement import MOVED, outcome_of, unread


def judge_submit(response: HttpResponse) -> SubmitResult:
    """Return what became of a create; never raises, whatever the answer is."""
    if response.is_success:
        return _accepted(response)
    failure = failure_in_http(response)
    if response.status in MOVED:
        failure = Failure(
            failure.kind, f"HTTP {response.status}: Replicate's base URL redirects; it must not"
        )
    outcome = outcome_of(response, in_own_words=_is_problem(response))
    # what was not taken made no prediction, and only predictions are billed; of an error inside that is no proof
    unbilled = outcome is not SubmitOutcome.UNKNOWN and response.status != HTTPStatus.INTERNAL_SERVER_ERROR
    return SubmitResult(outcome, failure=replace(failure, unbilled=unbilled))


def _accepted(response: HttpResponse) -> SubmitResult:
    prediction = Prediction.find(response.body)
    if prediction is None:
        return unread(response, "is no prediction")
    return SubmitResult(SubmitOutcome.ACCEPTED, update=update_from(prediction))


def _is_problem(response: HttpResponse) -> bool:
    """Whether the body is a problem JSON, as only Replicate writes it."""
    problem = Problem.of(response.body)
    return isinstance(problem.title, str) or isinstance(problem.detail, str)
