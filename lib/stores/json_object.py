"""JSON documents that were too large for a row or a message, kept in the bucket by reference."""

import json
from typing import Any

from lib.domain.errors import NotFoundError
from lib.ports.storage import MediaBucket


def read_json_object(bucket: MediaBucket, key: str) -> dict[str, Any]:
    """The JSON object at this key.

    Raises NotFoundError if it is gone, ValueError if it is none, UnavailableError when the bucket is away.
    """
    info = bucket.head(key)
    if info is None:
        raise NotFoundError(f"there is no object {key} in the bucket")
    value = json.loads(bucket.read(key, 0, info.size))
    if not isinstance(value, dict):
        raise ValueError(f"{key} holds no JSON object")
    return value
