"""Where refused requests and changes of users' keys are told of."""

from typing import Protocol

from lib.domain.security_event import CredentialEvent, Refusal


class SecurityLog(Protocol):
    """Keeps what was seen. Telling never fails, and holds a request up by less than a second at the worst."""

    def refused(self, refusal: Refusal) -> None:
        """Keep it; in a flood, count it."""

    def changed(self, event: CredentialEvent) -> None:
        """Keep what happened to a user's key; in a flood, count it."""
