"""One task at a simulated provider: what was asked for, how far it is, what came of it."""

import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from local.replicate.catalogue import Kind
from local.simulation.faults import FaultSet
from local.simulation.media_items import MediaItem


class Status(StrEnum):
    """A task's life, in no provider's words; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        """True once nothing can change it any more."""
        return self not in (Status.QUEUED, Status.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be made. ``format`` is png, jpg, jpeg or webp; mp4; wav, mp3, flac, opus, aac or pcm.

    ``rate`` is an audio file's samples a second, ``limit`` a text's number of tokens.
    """

    kind: Kind
    prompt: str
    seed: int
    count: int = 1
    width: int = 1024
    height: int = 1024
    seconds: float = 4.0
    format: str = ""
    rate: int | None = None
    limit: int = 256


@dataclass(eq=False)
class Task:
    """The whole state of one task. ``facts`` belong to the provider's module; ``deliveries`` tell of its webhooks."""

    provider: str
    account: str
    wish: Wish
    faults: FaultSet
    created_at: datetime
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    facts: dict[str, Any] = field(default_factory=dict)
    status: Status = Status.QUEUED
    progress: float = 0.0
    files: list[MediaItem] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    error: str | None = None
    refused: bool = False
    started_at: datetime | None = None
    completed_at: datetime | None = None
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def text(self) -> str:
        """What a text task has written so far."""
        return "".join(self.tokens)

    @property
    def is_odd(self) -> bool:
        """True while the provider is to show a status that nobody knows (``[sim:unknown-status]``)."""
        return "unknown-status" in self.faults and self.status is Status.RUNNING

    @property
    def run_seconds(self) -> float:
        """How long it ran, 0 if it never did or runs still."""
        if self.started_at is None or self.completed_at is None:
            return 0.0
        return (self.completed_at - self.started_at).total_seconds()

    async def done(self) -> None:
        """Returns once it is final."""
        await self._ended.wait()

    def finish(
        self, status: Status, now: datetime, error: str | None = None, *, refused: bool = False
    ) -> bool:
        """Makes it final; false, and nothing changes, if it is final already. ``refused``: by moderation."""
        if self.status.is_final:
            return False
        self.status, self.error, self.refused, self.completed_at = status, error, refused, now
        self.progress = 1.0 if status is Status.SUCCEEDED else self.progress
        self._ended.set()
        return True

    def show(self) -> dict[str, Any]:
        """The task from inside, for tests."""
        return {
            "id": self.id,
            "provider": self.provider,
            "status": self.status.value,
            "prompt": self.wish.prompt,
            "faults": self.faults.described(),
            "error": self.error,
            "files": [file.url for file in self.files],
            "deliveries": self.deliveries,
        }
