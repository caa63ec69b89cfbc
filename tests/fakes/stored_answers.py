"""The stored answers of any provider, as the transport would hand them over."""

import base64
import json
from pathlib import Path
from typing import Any

from lib.domain.http_exchange import HttpResponse

FIXTURES = Path(__file__).parents[1] / "fixtures"


def stored_answer(provider: str, name: str, /, **changes: Any) -> HttpResponse:
    """Return `tests/fixtures/{provider}/{name}.json`; `changes` replace members of its JSON body."""
    stored = json.loads((FIXTURES / provider / f"{name}.json").read_text(encoding="utf-8"))
    if "base64" in stored:
        body = base64.b64decode(stored["base64"])
    elif "text" in stored:
        body = stored["text"].encode()
    else:
        body = json.dumps(stored["body"] | changes).encode()
    return HttpResponse(stored["status"], stored["headers"], body)
