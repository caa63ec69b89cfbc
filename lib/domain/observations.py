"""What the gateway noted beside its jobs: who was given an address, what was refused, and how it did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class AccessType(StrEnum):
    """How an output was given out."""

    REDIRECT = "redirect"
    DOWNLOAD = "download"
    THUMBNAIL = "thumbnail"


class SecurityEventKind(StrEnum):
    """What somebody tried and was refused, and what changed of a user's keys at providers."""

    ACCESS_REFUSED = "access_refused"
    RATE_LIMITED = "rate_limited"
    WRONG_KEY = "wrong_key"
    FORGED_WEBHOOK = "forged_webhook"
    CREDENTIAL_STORED = "credential_stored"
    CREDENTIAL_DELETED = "credential_deleted"
    CREDENTIAL_REFUSED = "credential_refused"


@dataclass(frozen=True, kw_only=True)
class UrlAccess:
    """A row of table `url_access_logs`; each field is the column of its name."""

    access_id: str
    output_id: str
    job_id: str
    user_id: str
    access_type: AccessType
    client_ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    accessed_at: datetime


@dataclass(frozen=True, kw_only=True)
class SecurityEvent:
    """A row of table `security_events`; each field is the column of its name."""

    event_id: str
    kind: SecurityEventKind
    user_id: str | None
    job_id: str | None
    client_ip: str | None
    user_agent: str | None
    request_id: str | None
    details: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, kw_only=True)
class SystemMetric:
    """A row of table `system_metrics`; each field is the column of its name."""

    metric_id: str
    name: str
    value: float
    unit: str
    dimensions: Mapping[str, Any]
    measured_at: datetime
