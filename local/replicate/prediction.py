"""One prediction: its state, and how Replicate shows it."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from local.replicate.catalogue import Model
from local.simulation.faults import FaultSet
from local.simulation.media_items import MediaItem

ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
UNKNOWN_STATUS = "hibernating"


class Status(StrEnum):
    """Replicate's statuses; the last four are final."""

    STARTING = "starting"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    ABORTED = "aborted"

    @property
    def is_final(self) -> bool:
        """True once nothing can change it any more."""
        return self not in (Status.STARTING, Status.PROCESSING)


def new_id() -> str:
    """26 characters of lowercase base32, as Replicate's newer ids."""
    return "".join(secrets.choice(ID_ALPHABET) for _ in range(26))


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 with microseconds and ``Z``, or None."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else None


@dataclass(eq=False)
class Prediction:
    """The whole state of one prediction. ``sequence`` orders predictions of the same microsecond."""

    model: Model
    version: str
    input: Mapping[str, Any]
    account: str
    api_base: str
    sequence: int
    faults: FaultSet
    created_at: datetime
    cancel_after: timedelta | None = None
    webhook: str | None = None
    webhook_events: tuple[str, ...] | None = None
    id: str = field(default_factory=new_id)
    status: Status = Status.STARTING
    output: list[MediaItem] | list[str] | None = None
    logs: str = ""
    error: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    started_at: datetime | None = None
    completed_at: datetime | None = None
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def deadline(self) -> datetime | None:
        """When ``Cancel-After`` ends it."""
        return self.created_at + self.cancel_after if self.cancel_after else None

    def touch(self) -> None:
        """Wakes whoever waits for a change."""
        self.changed.set()
        self.changed = asyncio.Event()

    def start(self, now: datetime) -> None:
        """starting -> processing."""
        self.status, self.started_at = Status.PROCESSING, now
        self.touch()

    def finish(self, status: Status, now: datetime, error: str | None = None) -> bool:
        """Makes it final; false, and nothing changes, if it is final already."""
        if self.status.is_final:
            return False
        self.status, self.error, self.completed_at = status, error, now
        if self.started_at:
            self.metrics["predict_time"] = round((now - self.started_at).total_seconds(), 6)
        self.metrics["total_time"] = round((now - self.created_at).total_seconds(), 6)
        self.answered.set()
        self.touch()
        return True

    def is_purged(self, now: datetime, retention_seconds: float) -> bool:
        """True once input, output and logs are gone: an hour after the end, or at once if the fault says so."""
        if self.completed_at is None:
            return False
        return "purged" in self.faults or now >= self.completed_at + timedelta(seconds=retention_seconds)

    def show(self, *, now: datetime, retention_seconds: float, inline: bool = False) -> dict[str, Any]:
        """The prediction object. ``inline`` shows files as ``data:`` URLs, as wait mode does."""
        purged = self.is_purged(now, retention_seconds)
        body: dict[str, Any] = {
            "id": self.id,
            "model": self.model.slug,
            "version": self.version,
            "input": {} if purged else dict(self.input),
            "logs": "" if purged else self.logs,
            "output": None if purged else self._show_output(inline=inline),
            "data_removed": purged,
            "error": self.error,
            "source": "api",
            "status": self._show_status(),
            "created_at": iso(self.created_at),
            "started_at": iso(self.started_at),
            "completed_at": iso(self.completed_at),
            "metrics": dict(self.metrics),
            "urls": self._urls(),
        }
        if self.deadline:
            body["deadline"] = iso(self.deadline)
        if self.webhook and "hide-webhook" not in self.faults:
            body["webhook"] = self.webhook
        if self.webhook_events is not None and "hide-webhook" not in self.faults:
            body["webhook_events_filter"] = list(self.webhook_events)
        return body

    def _show_status(self) -> str:
        if "unknown-status" in self.faults and self.status is Status.PROCESSING:
            return UNKNOWN_STATUS
        return self.status.value

    def _show_output(self, *, inline: bool) -> Any:
        if self.output is None:
            return None
        inline = inline or "data-url" in self.faults
        shown = [item.show(inline=inline) if isinstance(item, MediaItem) else item for item in self.output]
        return shown if self.model.has_output_list else shown[0]

    def _urls(self) -> dict[str, str]:
        get = f"{self.api_base}/v1/predictions/{self.id}"
        urls = {"get": get, "cancel": f"{get}/cancel", "web": f"https://replicate.com/p/{self.id}"}
        if self.model.streams:
            urls["stream"] = f"{self.api_base}/v1/streams/{self.id}"
        return urls
