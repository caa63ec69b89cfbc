"""Stability's answers, as far as they are used.

Source: platform.stability.ai/docs/api-reference (v1 and v2beta); read November 2026.
"""

import re
from typing import Annotated, Any

from pydantic import Field

from lib.providers.answer_model import Answer, Maybe, Text, Word

RESULT_ID = re.compile(r"[A-Za-z0-9_-]{8,128}")


class Result(Answer):
    """A result in JSON, where it was not asked for as bytes: one of the three media, as base64."""

    image: Text = None
    audio: Text = None
    video: Text = None
    finish_reason: Text = None
    seed: Maybe[int | str] = None


class Accepted(Answer):
    """A job that was started or still runs; `id` is what its result is asked for by."""

    id: Maybe[Annotated[str, Field(pattern=rf"^{RESULT_ID.pattern}$")]] = None
    status: Text = None


class Problem(Answer):
    """An error: its `name` and the reasons, which are `errors` in v2beta and a `message` in v1."""

    name: Word = ""
    errors: Maybe[tuple[Any, ...]] = None
    message: Text = None


class Balance(Answer):
    """What is left of an account's credits."""

    credits: float = Field(strict=True)
