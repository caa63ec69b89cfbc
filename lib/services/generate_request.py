"""A request for media, as it was read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.domain.caller import Origin
from lib.domain.standard_request import StandardRequest


@dataclass(frozen=True)
class GenerateRequest:
    """A request for media as it was read; `raw_hash` identifies its body for the Idempotency-Key.

    `warnings` are those of the translation that made the parameters of the `standard` request; of the latter other
    models' parameters are made where one is tried instead, which `fallback` False forbids.
    """

    media_type: str
    model_id: str
    parameters: Mapping[str, Any]
    prompt: str | None = None
    user_id: str | None = None
    idempotency_key: str | None = None
    raw_hash: str = ""
    origin: Origin = field(default_factory=Origin)
    warnings: tuple[str, ...] = ()
    standard: StandardRequest | None = None
    fallback: bool = True
