"""Replicate's answers, as far as they are used.

Source: Replicate's OpenAPI document (api.replicate.com/openapi.json), schemas.response.prediction.
"""

import re
from typing import Any

from pydantic import Field

from lib.providers.answer_model import Answer, Flag, Items, Maybe, Moment, Seconds, Text

PREDICTION_ID = re.compile(r"[a-z0-9]{8,64}")


class Metrics(Answer):
    """What Replicate measured; `predict_time` is what it bills for most models, in seconds."""

    predict_time: Seconds = None


class Prediction(Answer):
    """A prediction as create, get, cancel, list and the webhook show it."""

    id: str = Field(pattern=rf"^{PREDICTION_ID.pattern}$")
    model: Text = None
    version: Text = None
    status: Text = None
    input: Maybe[dict[str, Any]] = None
    output: Any = None
    data_removed: Flag = None
    error: Any = None
    logs: Text = None
    metrics: Maybe[Metrics] = None
    created_at: Moment = None
    started_at: Moment = None
    completed_at: Moment = None
    webhook: Text = None


class Problem(Answer):
    """An error: an answer of 4xx or 5xx."""

    title: Any = None
    detail: Any = None


class Page(Answer):
    """One page of a listing, newest first; `next` is a complete URL."""

    results: Items[Prediction]
    next: Text = None


class Account(Answer):
    """Whose key it is."""

    username: str


class WebhookSecret(Answer):
    """The signing secret of the account's webhooks, `whsec_...`."""

    key: str = Field(pattern=r"^whsec_\S+$", repr=False)
