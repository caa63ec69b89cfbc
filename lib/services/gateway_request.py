"""A request for media as a caller wrote it: in a model's own words, or in standard ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.domain.caller import Origin


@dataclass(frozen=True)
class GatewayRequest:
    """What was asked for.

    With `request`, or without `model_id`, it is a standard request; without `model_id` the gateway chooses, at
    `provider` if that is given. Else `parameters` are the model's own. `prompt` is short for the prompt of either.
    `fallback` False: no other model is tried. `raw_hash` identifies the body for the Idempotency-Key.
    """

    media_type: str
    model_id: str | None = None
    provider: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    request: Mapping[str, Any] | None = None
    prompt: str | None = None
    user_id: str | None = None
    idempotency_key: str | None = None
    raw_hash: str = ""
    origin: Origin = field(default_factory=Origin)
    fallback: bool = True
