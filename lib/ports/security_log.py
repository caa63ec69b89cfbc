"""Where refused requests are told of."""

from typing import Protocol

from lib.domain.security_event import Refusal


class SecurityLog(Protocol):
    """Keeps what was refused. Telling never fails, and holds a request up by less than a second at the worst."""

    def refused(self, refusal: Refusal) -> None:
        """Keep it; in a flood, count it."""
