"""Refused requests and changes of keys, told to the workers, who write them down: few, however many there are."""

from collections.abc import Callable
from datetime import datetime

from lib.domain.ids import uuid7
from lib.domain.observations import SecurityEventKind
from lib.domain.security_event import CredentialEvent, Refusal
from lib.services.worker_notes import WorkerNotes

MESSAGE_KIND = "security_event"
MOST_A_MINUTE = 30
GROUP = "security"


class QueuedSecurityLog:
    """The `SecurityLog` over the queue of notes.

    Of each kind it tells `MOST_A_MINUTE` a minute and process, and counts the rest as `SecurityEventSuppressed`:
    an attacker fills neither the queue nor the table, and a flood of one kind hides none of another.
    """

    def __init__(self, notes: WorkerNotes, count: Callable[..., None], clock: Callable[[], datetime]) -> None:
        self._notes = notes
        self._count = count
        self._clock = clock
        self._told: dict[SecurityEventKind, tuple[datetime, int]] = {}

    def refused(self, refusal: Refusal) -> None:
        """See the port."""
        self._tell(refusal)

    def changed(self, event: CredentialEvent) -> None:
        """See the port."""
        self._tell(event)

    def _tell(self, seen: Refusal | CredentialEvent) -> None:
        now = self._clock()
        if not self._may_tell(seen.kind, now):
            self._count("SecurityEventSuppressed", kind=seen.kind.value)
            return
        self._notes.send({"kind": MESSAGE_KIND, "event": seen.as_json(str(uuid7(now)), now)}, group=GROUP)

    def _may_tell(self, kind: SecurityEventKind, now: datetime) -> bool:
        minute = now.replace(second=0, microsecond=0)
        begun, told = self._told.get(kind, (minute, 0))
        told = told + 1 if begun == minute else 1
        self._told[kind] = (minute, told)
        return told <= MOST_A_MINUTE
