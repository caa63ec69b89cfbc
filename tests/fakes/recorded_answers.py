"""The stored answers of a provider, as the transport would hand them over."""

import json
from pathlib import Path
from typing import Any

from lib.domain.provider import HttpResponse

FIXTURES = Path(__file__).parents[1] / "fixtures"


def recorded(provider: str, name: str, /, **changes: Any) -> HttpResponse:
    """Return `tests/fixtures/{provider}/{name}.json`; `changes` replace members of its body."""
    stored = json.loads((FIXTURES / provider / f"{name}.json").read_text(encoding="utf-8"))
    body = stored["text"] if "text" in stored else json.dumps(stored["body"] | changes)
    return HttpResponse(stored["status"], stored["headers"], body.encode())
