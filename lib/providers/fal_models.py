"""fal's answers, as far as they are used.

Source: fal.ai/docs/documentation/model-apis (inference/queue, inference/webhooks, errors); read November 2026. What a
model makes is no part of it: each has fields of its own.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import Field

from lib.providers.answer_model import Answer, Items, Maybe, Seconds, Text
from lib.providers.fastapi_models import Detail

REQUEST_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{7,127}")

_RequestId = Annotated[str, Field(pattern=rf"^{REQUEST_ID.pattern}$")]


class Request(Answer):
    """Which request is spoken of: the answer to a submit, and part of a webhook's body."""

    request_id: _RequestId


class Problem(Answer):
    """An error: an answer of 4xx or 5xx, or what stands beside a status. `error` is a text or has a `message`."""

    error: Any = None
    error_type: Text = None
    detail: Detail = None


class Metrics(Answer):
    """What fal measured, in seconds."""

    inference_time: Seconds = None


class Status(Problem):
    """How a request stands; of one that has failed the error may be here, or be its result."""

    status: str = Field(pattern=r"\S")
    metrics: Maybe[Metrics] = None


class Event(Problem):
    """A webhook's body; `payload` is the model's result or its own error."""

    request_id: _RequestId
    status: str
    payload: Maybe[dict[str, Any]] = None
    payload_error: Any = None


class CancelAnswer(Answer):
    """What a cancel came to, in a word."""

    status: Text = None


class Prices(Answer):
    """The prices of models."""

    prices: list[Any]


class PublicKey(Answer):
    """An Ed25519 key (RFC 8037); `x` is its 32 bytes in base64url."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str = Field(pattern=r"^[A-Za-z0-9_-]{43}=?$")


class KeySet(Answer):
    """The keys that sign webhooks (RFC 7517); those of other kinds are left out."""

    keys: Items[PublicKey] = ()
