"""A Cog server's answers and webhooks, as far as they are used, of both generations (0.16 and 0.17 on).

Source: cog 0.23.1 and 0.16.12, tried in November 2026; github.com/replicate/cog, docs/http.md.
"""

from typing import Annotated, Any

from pydantic import Field

from lib.domain.direct_upload import OWN_ID
from lib.providers.answer_model import Answer, Maybe, Text
from lib.providers.fastapi_models import Detail
from lib.providers.replicate_models import Metrics


class Prediction(Answer):
    """A prediction of an answer or a webhook; `id` is the one that we gave, or None."""

    id: Maybe[Annotated[str, Field(pattern=rf"^{OWN_ID.pattern}$")]] = None
    status: Text = None
    output: Any = None
    error: Text = None
    logs: Text = None
    metrics: Maybe[Metrics] = None


class Problem(Answer):
    """An error: an answer of 4xx or 5xx. Old servers write `detail`, new ones either."""

    error: Text = None
    detail: Detail = None


class Version(Answer):
    """Of what the server is made."""

    coglet: Text = None


class Setup(Answer):
    """How the model's setup went."""

    logs: Text = None


class Health(Answer):
    """Whether the server works, in a word."""

    status: Text = None
    version: Maybe[Version] = None
    setup: Maybe[Setup] = None
