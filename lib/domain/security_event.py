"""What somebody tried and was refused, and what changed of a user's keys, as it is told to those who keep it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lib.domain.caller import Origin
from lib.domain.observations import SecurityEventKind
from lib.domain.snapshot import format_time


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One refused request: who asked, as far as that is known, and about what. It holds no key, token or prompt.

    `output_id` is given instead of `job_id` where an output was asked for; whose it is, the keeper finds out.
    """

    kind: SecurityEventKind
    user_id: str | None = None
    job_id: str | None = None
    output_id: str | None = None
    origin: Origin = field(default_factory=Origin)
    request_id: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    def as_json(self, event_id: str, at: datetime) -> dict[str, Any]:
        """The event as `JobRecord.log_security_event` takes it, with `outputId` beside."""
        return {
            "eventId": event_id,
            "kind": self.kind.value,
            "userId": self.user_id,
            "jobId": self.job_id,
            "outputId": self.output_id,
            "clientIp": self.origin.client_ip,
            "userAgent": self.origin.user_agent,
            "requestId": self.request_id,
            "details": dict(self.details),
            "at": format_time(at),
        }


@dataclass(frozen=True, kw_only=True)
class CredentialEvent:
    """A user's key was put, taken away, or refused by its provider: who, where, which version; never the key.

    `version` is the one that jobs are pinned to, `own:{id}`.
    """

    kind: SecurityEventKind
    user_id: str | None
    provider: str
    version: str
    origin: Origin = field(default_factory=Origin)
    request_id: str | None = None

    def as_json(self, event_id: str, at: datetime) -> dict[str, Any]:
        """The event as `JobRecord.log_security_event` takes it."""
        return {
            "eventId": event_id,
            "kind": self.kind.value,
            "userId": self.user_id,
            "clientIp": self.origin.client_ip,
            "userAgent": self.origin.user_agent,
            "requestId": self.request_id,
            "details": {"provider": self.provider, "credential": self.version},
            "at": format_time(at),
        }
