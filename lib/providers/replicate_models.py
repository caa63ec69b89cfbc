"""Replicate's answers as pydantic models: only what we use, and tolerant, since a paid result hangs on it.

Source: Replicate's OpenAPI document (api.replicate.com/openapi.json), schemas.response.prediction. A field
that is missing or of a surprising type reads as absent; only the id decides whether it is a prediction.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

PREDICTION_ID = re.compile(r"[a-z0-9]{8,64}")


def _or_none(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Read a surprising value as absent rather than lose the whole answer."""
    try:
        return handler(value)
    except ValidationError:
        return None


def _aware(value: Any, handler: ValidatorFunctionWrapHandler) -> datetime | None:
    moment: datetime | None = _or_none(value, handler)
    if moment is None:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


Text = Annotated[str | None, WrapValidator(_or_none)]
Moment = Annotated[datetime | None, WrapValidator(_aware)]
Seconds = Annotated[float | None, Field(ge=0, le=1e7, allow_inf_nan=False), WrapValidator(_or_none)]
Flag = Annotated[bool | None, WrapValidator(_or_none)]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class Metrics(_Answer):
    """What Replicate measured; `predict_time` is what it bills for most models, in seconds."""

    predict_time: Seconds = None


class Prediction(_Answer):
    """A prediction as create, get, cancel, list and the webhook show it."""

    id: str = Field(pattern=rf"^{PREDICTION_ID.pattern}$")
    model: Text = None
    version: Text = None
    status: Text = None
    input: Annotated[dict[str, Any] | None, WrapValidator(_or_none)] = None
    output: Any = None
    data_removed: Flag = None
    error: Any = None
    logs: Text = None
    metrics: Annotated[Metrics | None, WrapValidator(_or_none)] = None
    created_at: Moment = None
    started_at: Moment = None
    completed_at: Moment = None
    webhook: Text = None


class Page(_Answer):
    """One page of a listing, newest first; `next` is a complete URL."""

    results: list[Any]
    next: Text = None


class Account(_Answer):
    """Whose key it is."""

    username: str


class WebhookSecret(_Answer):
    """The signing secret of the account's webhooks, `whsec_...`."""

    key: str = Field(pattern=r"^whsec_\S+$", repr=False)
