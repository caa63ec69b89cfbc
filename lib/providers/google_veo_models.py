"""Veo's answers, as far as they are used.

Source: docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation and google-genai
3.4.0 in its Vertex mode; read November 2026.
"""

import re
from typing import Any

from pydantic import Field, StrictBool

from lib.providers.answer_model import Answer, Items, Maybe, Text, Whole
from lib.providers.google_models import Error

PROJECT = r"(?:[a-z0-9.-]+:)?[a-z0-9][a-z0-9-]{4,28}[a-z0-9]"
LOCATION = r"[a-z]+-[a-z]+[0-9]{1,2}|global"
MODEL = r"[a-z0-9][a-z0-9.-]{0,63}"
OPERATION = re.compile(
    rf"projects/(?P<project>{PROJECT})/locations/(?P<location>{LOCATION})/publishers/google"
    rf"/models/(?P<model>{MODEL})/operations/[A-Za-z0-9-]{{1,128}}"
)


class Video(Answer):
    """A video that was made; `data` is base64, and missing where a bucket has it."""

    data: Text = Field(None, alias="bytesBase64Encoded")
    content_type: Text = Field(None, alias="mimeType")


class Made(Answer):
    """What came of the request: the videos, how many the filter held back, and why."""

    videos: Items[Video] = ()
    filtered: Whole = Field(None, alias="raiMediaFilteredCount")
    reasons: Any = Field(None, alias="raiMediaFilteredReasons")


class Operation(Answer):
    """A long-running operation of a publisher's model; only one that is done has an error or a response."""

    name: str = Field(pattern=rf"^{OPERATION.pattern}$")
    done: Maybe[StrictBool] = None
    error: Maybe[Error] = None
    response: Maybe[Made] = None
