"""The stored answers of Replicate, as the transport would hand them over."""

import json
from pathlib import Path
from typing import Any

from lib.domain.provider import HttpResponse

FOLDER = Path(__file__).parents[1] / "fixtures" / "replicate"
PREDICTION_ID = "gm3qorzdhgbfurvjtvhg6dckhu"


def answer(name: str, **changes: Any) -> HttpResponse:
    """Return `tests/fixtures/replicate/{name}.json`; `changes` replace members of its body."""
    stored = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    body = stored["text"] if "text" in stored else json.dumps(stored["body"] | changes)
    return HttpResponse(stored["status"], stored["headers"], body.encode())


def body_of(name: str, **changes: Any) -> dict[str, Any]:
    """Return only the body of a stored answer."""
    body: dict[str, Any] = json.loads(answer(name, **changes).body)
    return body
