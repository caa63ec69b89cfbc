"""A job to record, as the use case of `POST /generate-media` would give it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from lib.domain.ids import short_id, uuid7
from lib.ports.record import NewJob


def new_job(now: datetime, user_id: str = "alice", **changes: Any) -> NewJob:
    """An image of `user_id`'s that was asked for at `now`, under a lease of a minute; with these changes."""
    job = NewJob(
        job_id=str(uuid7(now)),
        short_id=short_id(),
        user_id=user_id,
        media_type="image",
        model_id="flux-schnell",
        provider="replicate",
        model_ref="black-forest-labs/flux-schnell",
        credentials="platform",
        estimated_time_seconds=5,
        estimated_cost="0.003",
        deadline_at=now + timedelta(minutes=10),
        lease_until=now + timedelta(minutes=1),
        parameters={"prompt": "a lighthouse"},
        input={"prompt": "a lighthouse"},
    )
    return replace(job, **changes)
