"""Runway's answers, as far as they are used.

Source: docs.dev.runwayml.com/api and its OpenAPI document; read November 2026.
"""

import math
import re
from typing import Annotated, Any

from pydantic import Field, StrictFloat, StrictInt

from lib.providers.answer_model import Answer, Items, Maybe, Text

TASK_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{7,63}")


class Created(Answer):
    """The task that was made; it has no status yet."""

    id: str = Field(pattern=rf"^{TASK_ID.pattern}$")


class Cost(Answer):
    """What a task was charged."""

    credits: Maybe[Annotated[StrictInt | StrictFloat, Field(ge=0, le=10**9)]] = None


class Task(Created):
    """A task as a poll shows it; `progress` is 0 to 1, and `output` are addresses."""

    status: Text = None
    output: str | Items[str] = ()
    # without a bound below, what is no number (NaN) would be one
    progress: Maybe[Annotated[float, Field(strict=True, ge=-math.inf)]] = None
    cost: Maybe[Cost] = None
    failure: Text = None
    failure_code: Text = Field(default=None, alias="failureCode")


class Issue(Answer):
    """What is wrong in a request, and where."""

    message: Text = None
    path: Items[Any] = ()


class Problem(Answer):
    """An error: an answer of 4xx or 5xx. Only a refused input has issues."""

    error: Text = None
    issues: Items[Issue] = ()


class Organization(Answer):
    """Whose key it is."""

    credit_balance: float = Field(alias="creditBalance", strict=True)
