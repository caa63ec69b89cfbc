"""The stored answers of Cog's server, as the transport would hand them over."""

import json
from typing import Any

from lib.domain.http_exchange import HttpResponse
from tests.fakes.stored_answers import FIXTURES, stored_answer

JOB_ID = "019aa3b2-c4d5-7e8f-9a0b-1c2d3e4f5a6b"
PREDICTION_ID = "019aa3b2c4d57e8f9a0b1c2d3e4f5a6b-1"


def answer(name: str) -> HttpResponse:
    """Return the answer in `tests/fixtures/cog/{name}.json`."""
    return stored_answer("cog", name)


def webhook(name: str, **changes: Any) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of a stored webhook; `changes` replace members of the body."""
    stored = json.loads((FIXTURES / "cog" / f"{name}.json").read_text(encoding="utf-8"))
    return stored["headers"], json.dumps(stored["body"] | changes).encode()
