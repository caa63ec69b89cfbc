"""One submit of a job to a provider, as the record tells of it: nothing of its input or its key."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from lib.domain.job import AttemptState


@dataclass(frozen=True, kw_only=True)
class AttemptRow:
    """A row of table `attempts`; each field is the column of its name. Money is USD.

    `credential_version` is `platform` or `own:{id}`. `cost` is what the provider said, None where it says nothing.
    """

    attempt: int
    state: AttemptState
    provider: str
    model_id: str
    provider_job_id: str | None
    credential_version: str
    submits: int
    created_at: datetime
    submitted_at: datetime | None
    ended_at: datetime | None
    failure_kind: str | None
    failure_message: str | None
    billed_seconds: float | None
    estimated_cost: Decimal
    cost: Decimal | None
