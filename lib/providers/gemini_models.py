"""The Gemini API's answers, as far as they are used.

Source: ai.google.dev/gemini-api/docs (interactions, omni, files) and google-genai 3.4.0; read November 2026.
"""

import re

from pydantic import Field

from lib.providers.answer_model import Answer, Items, Maybe, Moment, Text, Word
from lib.providers.google_models import Error, Named

INTERACTION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_=-]{0,511}")
FILE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_FILE = re.compile(rf"(?:^|/)files/(?P<id>{FILE_ID.pattern})(?=$|[:/?])")


class Content(Answer):
    """One piece of what the model made: a text, or a video as base64 or as the address of a file."""

    type: Text = None
    text: Text = None
    data: Text = None
    uri: Text = None
    mime_type: Text = None


class Step(Answer):
    """What one of the steps of an interaction brought."""

    type: Text = None
    content: Items[Content] = ()


class Interaction(Answer):
    """An interaction as create, get and cancel show it: its video is in a step's content, or in `output_video`."""

    id: str = Field(pattern=rf"^{INTERACTION_ID.pattern}$")
    status: Text = None
    created: Moment = None
    updated: Moment = None
    steps: Items[Step] = ()
    output_video: Maybe[Content] = None
    errors: Items[Error] = ()


class File(Answer):
    """How a file stands. What has neither name nor state is none: it may be the very content of one."""

    name: Text = None
    state: Word = ""
    error: Maybe[Error] = None


class Models(Answer):
    """A list of models."""

    models: Items[Named] = ()


def file_id_in(address: str | None) -> str:
    """The id of the file in a file's name or its URI; "" where there is none."""
    found = _FILE.search(address or "")
    return found["id"] if found else ""
