"""A composed job in the record, made by its own function."""

from datetime import datetime, timedelta

import psycopg
from psycopg.types.json import Jsonb

from lib.domain.ids import short_id, uuid7

ELEMENTS = 2


def compose(url: str, now: datetime, deadline_seconds: float) -> str:
    """The id of a job of alice's that is put together from two texts until its deadline."""
    job_id = str(uuid7(now))
    job = {
        "jobId": job_id,
        "shortId": short_id(),
        "userId": "alice",
        "mediaType": "video",
        "modelId": "composition",
        "provider": "gateway",
        "parameters": {},
        "estimatedTime": 5,
        "estimatedCost": "0",
        "deadlineAt": (now + timedelta(seconds=deadline_seconds)).isoformat(),
        "elements": [
            {"type": "text", "content": "hello", "elementOrder": order} for order in range(ELEMENTS)
        ],
    }
    with psycopg.connect(url) as connection:
        connection.execute("select create_job(%s, %s)", (Jsonb(job), now))
    return job_id
