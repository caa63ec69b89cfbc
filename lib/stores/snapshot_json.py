"""Snapshots as the mirrors keep them: compact JSON."""

import json
from typing import Any

from lib.domain.snapshot import JobSnapshot


def encode_json(value: Any) -> str:
    """Compact JSON, as all stores write it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def decode_object(text: object) -> dict[str, Any] | None:
    """The JSON object, or None where there is nothing or something else: rubbish counts as a miss."""
    if not isinstance(text, bytes | str):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def decode_snapshot(text: object) -> JobSnapshot | None:
    """The snapshot, or None where there is nothing, or nothing that this version can read."""
    data = decode_object(text)
    if data is None or not {"jobId", "userId", "version", "status"} <= data.keys():
        return None
    return JobSnapshot(data)
