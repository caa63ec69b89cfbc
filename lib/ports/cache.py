"""Small shared facts that live briefly: cached API keys, rate limits, progress, markers of processed webhooks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True)
class RateDecision:
    """What the limiter says: `reset_seconds` until a full window, `retry_after_seconds` when refused."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int

    @property
    def retry_after_seconds(self) -> int:
        """How long a refused caller should wait."""
        return max(1, self.reset_seconds)


class SharedCache(Protocol):
    """Key and value with a life in seconds, shared by all functions. Values are JSON objects.

    Redis where there is one, else DynamoDB. Raises TierUnavailableError when it is away; callers fail open.
    """

    name: str

    def get(self, key: str, now: datetime) -> Mapping[str, Any] | None:
        """The value, or None if there is none or its life is over."""

    def put(self, key: str, value: Mapping[str, Any], life_seconds: float, now: datetime) -> None:
        """Keep the value for so long."""

    def put_if_absent(self, key: str, value: Mapping[str, Any], life_seconds: float, now: datetime) -> bool:
        """Keep the value unless the key is there; whether it was kept. Atomic."""

    def delete(self, key: str) -> None:
        """Forget the key; nothing happens if it is not there."""

    def count(self, key: str, limit: int, window_seconds: int, now: datetime) -> RateDecision:
        """Count one use of `key` in the fixed window that `now` lies in; refused uses are not counted. Atomic."""
