"""How long what is kept: after these periods the sweep removes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FOR_EVER = 0


class Expiring(StrEnum):
    """The tables whose rows are removed with age; the words of the record's `remove_expired`."""

    PROCESSING_TIMELINE = "processing_timeline"
    JOB_TRANSITIONS = "job_transitions"
    STORAGE_OPERATIONS = "storage_operations"
    URL_ACCESS_LOGS = "url_access_logs"
    SYSTEM_METRICS = "system_metrics"
    SECURITY_EVENTS = "security_events"
    IDEMPOTENCY_KEYS = "idempotency_keys"
    PROVIDER_CREDENTIALS = "provider_credentials"
    JOBS = "jobs"


@dataclass(frozen=True)
class RetentionPeriods:
    """Days after which rows are removed; 0 keeps them for ever.

    What belongs to a job is as old as the job. A job that is removed takes with it all that the record has of it,
    but for the log of accesses to its outputs; its files in the bucket stay. Jobs are never removed before they are
    final. Idempotency keys carry their own end; of users' keys at providers, what was replaced or deleted is wiped
    once no job needs it.
    """

    timeline_days: int = 90
    storage_days: int = 90
    access_days: int = 90
    metrics_days: int = 30
    security_days: int = 365
    jobs_days: int = FOR_EVER


@dataclass(frozen=True)
class Expiry:
    """Of this table, what is from before that moment is removed."""

    table: Expiring
    before: datetime


def expiries(periods: RetentionPeriods, now: datetime) -> list[Expiry]:
    """What is removed at this moment."""
    return list(_expiries(periods, now))


def _expiries(periods: RetentionPeriods, now: datetime) -> Iterator[Expiry]:
    days = {
        Expiring.PROCESSING_TIMELINE: periods.timeline_days,
        Expiring.JOB_TRANSITIONS: periods.timeline_days,
        Expiring.STORAGE_OPERATIONS: periods.storage_days,
        Expiring.URL_ACCESS_LOGS: periods.access_days,
        Expiring.SYSTEM_METRICS: periods.metrics_days,
        Expiring.SECURITY_EVENTS: periods.security_days,
        Expiring.JOBS: periods.jobs_days,
    }
    yield Expiry(Expiring.IDEMPOTENCY_KEYS, now)
    yield Expiry(Expiring.PROVIDER_CREDENTIALS, now)
    for table, kept in days.items():
        if kept != FOR_EVER:
            yield Expiry(table, now - timedelta(days=kept))
