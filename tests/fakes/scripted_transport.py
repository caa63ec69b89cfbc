"""A transport that gives prepared answers."""

from dataclasses import dataclass, field

from lib.domain.http_exchange import HttpRequest, HttpResponse
from lib.ports.provider import Operation


@dataclass
class ScriptedTransport:
    """Gives the answers in turn; an exception is raised. `sent` keeps the requests."""

    script: list[HttpResponse | Exception]
    sent: list[HttpRequest] = field(default_factory=list)

    def send(self, request: HttpRequest, *, provider: str, operation: Operation) -> HttpResponse:
        """See the port."""
        self.sent.append(request)
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step
