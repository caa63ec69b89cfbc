"""The stored answers of Replicate, as the transport would hand them over."""

import json
from typing import Any

from lib.domain.http_exchange import HttpResponse
from tests.fakes.stored_answers import stored_answer

PREDICTION_ID = "gm3qorzdhgbfurvjtvhg6dckhu"


def answer(name: str, **changes: Any) -> HttpResponse:
    """Return `tests/fixtures/replicate/{name}.json`; `changes` replace members of its body."""
    return stored_answer("replicate", name, **changes)


def body_of(name: str, **changes: Any) -> dict[str, Any]:
    """Return only the body of a stored answer."""
    body: dict[str, Any] = json.loads(answer(name, **changes).body)
    return body
