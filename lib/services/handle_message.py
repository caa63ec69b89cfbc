"""What a message of the advance queue asks for, done at most once where that matters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from lib.domain.errors import UnavailableError
from lib.domain.provider import ProviderUpdate
from lib.domain.snapshot import parse_time
from lib.ports.journal import Journal
from lib.services.advance import AdvanceJob
from lib.services.keep_note import KeepNote
from lib.services.waiting import TryLaterError, backoff_seconds, tried_again, waits_for_record

MAX_TRIES_TO_HEAL = 40  # over an hour, after which reads and the sweep heal what is left


class ProcessedEvents(Protocol):
    """Remembers which webhooks were worked through. Fails open: what is forgotten is applied again, harmlessly."""

    def seen(self, provider: str, webhook_id: str, now: datetime) -> bool:
        """Whether this webhook was worked through before."""

    def mark(self, provider: str, webhook_id: str, now: datetime) -> None:
        """It was worked through now."""


class ReadUpdate(Protocol):
    """Reads the update of an event message, from the message or from the object it refers to."""

    def __call__(self, message: Mapping[str, Any]) -> ProviderUpdate:
        """The update; raises UnavailableError when the bucket is away."""


@dataclass(frozen=True)
class HandleMessage:
    """The use case of the advance queue."""

    advance: AdvanceJob
    processed: ProcessedEvents
    read_update: ReadUpdate
    heal: Callable[[str, datetime], bool]
    journal: Journal
    clock: Callable[[], datetime]
    keep: KeepNote

    def __call__(self, message: Mapping[str, Any]) -> None:
        """Do what the message says.

        Raises:
            TryLaterError: something that is needed is away; the message must come back.
            KeyError, ValueError, InvalidError: the message is none of ours; it belongs to the dead letters.
        """
        try:
            match message["kind"]:
                case "check":
                    self.advance.check(message)
                case "submit":
                    self.advance.submit_and_wait(message)
                case "event":
                    self._event(message)
                case "hint":
                    self.advance.hint(message)
                case "not_sent":
                    self.advance.not_sent(message)
                case "cancel_remote":
                    self.advance.cancel_remote(message)
                case "heal":
                    self._heal(message)
                case "url_access":
                    self.keep.url_access(message)
                case "security_event":
                    self.keep.security_event(message)
                case other:
                    msg = f"no such kind of message: {other!r}"
                    raise ValueError(msg)
        except UnavailableError as error:
            raise waits_for_record(error, message) from error

    def _event(self, message: Mapping[str, Any]) -> None:
        """Apply a webhook, and mark it only after the work: applied twice it changes nothing, lost it would."""
        provider, webhook_id = str(message["provider"]), message.get("webhookId")
        if webhook_id and self.processed.seen(provider, webhook_id, self.clock()):
            self.journal.count("WebhookRepeated", provider=provider)
            return
        update = self.read_update(message)
        if message.get("credentialVersion"):  # a webhook; of an answer that is told later this was done
            update = self.advance.without_key(provider, str(message["credentialVersion"]), update)
        place = self._place(message, provider, update)
        if place is None:
            self.journal.count("WebhookWithoutJob", provider=provider)
            return
        transition = self.advance.event(*place, update)
        if transition.snapshot is None:
            self.journal.count("WebhookWithoutJob", provider=provider)
        elif update.completed_at is not None and message.get("receivedAt"):
            late = parse_time(message["receivedAt"]) - update.completed_at
            self.journal.webhook_latency(transition.snapshot, late.total_seconds())
        if webhook_id:
            self.processed.mark(provider, webhook_id, self.clock())

    def _heal(self, message: Mapping[str, Any]) -> None:
        """Bring the mirrors that missed a transition up to date; a mirror that is still away is waited for."""
        tries = int(message.get("tries", 0))
        if self.heal(str(message["jobId"]), self.clock()) or tries >= MAX_TRIES_TO_HEAL:
            return
        raise TryLaterError(backoff_seconds(tries), "a mirror is still away", tried_again(message))

    def _place(
        self, message: Mapping[str, Any], provider: str, update: ProviderUpdate
    ) -> tuple[str, int] | None:
        if message.get("jobId"):
            return str(message["jobId"]), int(message["attempt"])
        if update.provider_job_id is None:
            return None
        return self.advance.place(provider, update.provider_job_id, message)
