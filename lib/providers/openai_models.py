"""OpenAI's answers, as far as they are used.

Source: openai 3.52.0 (types/images_response.py, types/image.py, types/shared/error_object.py); read November 2026.
"""

from lib.providers.answer_model import Answer, Maybe, Text, Word


class Image(Answer):
    """A picture: its base64, which gpt-image models answer with, or its address."""

    b64_json: Text = None
    url: Text = None


class Images(Answer):
    """What was made from a prompt; without the list `data` it is some other answer."""

    data: tuple[Maybe[Image], ...]
    output_format: Text = None


class Problem(Answer):
    """What went wrong. `code` is the finer word of the two; either may be null."""

    message: Text = None
    type: Word = ""
    code: Word = ""


class Refusal(Answer):
    """An answer of 4xx or 5xx."""

    error: Maybe[Problem] = None
