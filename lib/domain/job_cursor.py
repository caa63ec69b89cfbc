"""Where a list of jobs goes on: the last row seen, as opaque text."""

import base64
import binascii
import json
from datetime import datetime

from lib.domain.errors import FieldError, InvalidError
from lib.domain.ids import parse_job_id
from lib.domain.snapshot import JobSnapshot, parse_time


def encode_cursor(last: JobSnapshot) -> str:
    """The cursor that goes on after this job."""
    text = json.dumps([last.data["createdAt"], last.job_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> tuple[datetime, str]:
    """(createdAt, jobId) of the last row seen. Raises InvalidError for anything that we did not give out."""
    try:
        text = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True)
        created_at, job_id = json.loads(text)
        canonical = parse_job_id(job_id)
        if canonical is not None:
            return parse_time(created_at), canonical
    except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError, OverflowError):
        pass
    problem = "must be the nextCursor of an earlier answer"
    raise InvalidError(f"cursor {problem}", errors=[FieldError("cursor", problem)])
