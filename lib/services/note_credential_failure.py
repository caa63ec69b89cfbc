"""A key that its provider refuses in use makes no more jobs, until its owner has put or tested another."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lib.domain.credential import own_credential_id
from lib.domain.errors import GatewayError
from lib.domain.observations import SecurityEventKind
from lib.domain.provider import FailureKind
from lib.domain.security_event import CredentialEvent
from lib.ports.credentials import Credentials
from lib.ports.journal import Journal
from lib.ports.security_log import SecurityLog


@dataclass(frozen=True)
class NoteCredentialFailure:
    """Marks the very version that was refused; of a version that was replaced meanwhile nothing is noted."""

    stored: Credentials
    journal: Journal
    log: SecurityLog
    clock: Callable[[], datetime]

    def __call__(self, version: str, code: str, *, user_id: str | None = None, provider: str = "") -> bool:
        """Whether it was marked; only an authentication failure says anything of a key. Never raises."""
        credential_id = own_credential_id(version)
        if credential_id is None or code != FailureKind.AUTHENTICATION.value:
            return False
        try:
            marked = self.stored.mark(
                credential_id, is_valid=False, code=code, account=None, now=self.clock()
            )
        except GatewayError as error:
            self.journal.count("CredentialNotMarked")
            self.journal.note("credential_not_marked", reason=error.code)
            return False
        if marked:
            kind = SecurityEventKind.CREDENTIAL_REFUSED
            self.log.changed(CredentialEvent(kind=kind, user_id=user_id, provider=provider, version=version))
        return marked
