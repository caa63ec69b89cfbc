"""Answers that are kept for a while, for each actor apart: each may see other rows."""

import hashlib
from collections.abc import Callable
from dataclasses import astuple
from typing import Any, Protocol

from lib.ports.actor import current_actor


class RememberedAnswers(Protocol):
    """What keeps answers: `lib.services.query_cache.QueryCache`."""

    def get_or_set(self, key: str, compute: Callable[[], Any], ttl: float | None = None) -> Any:
        """The JSON that is kept under the key, else what `compute` gives, which is then kept for `ttl` seconds."""


def actor_segment() -> str:
    """The part of a key that belongs to the current actor alone; it tells nothing of the actor."""
    actor = current_actor()
    return digest(astuple(actor) if actor else None)


def digest(value: object) -> str:
    """A segment of a key for any value."""
    return hashlib.sha256(repr(value).encode("utf-8", "backslashreplace")).hexdigest()[:32]
