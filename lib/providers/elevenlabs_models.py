"""ElevenLabs's answers, as far as they are used.

Sources: elevenlabs.io/docs (API reference, errors) and the official client 2.78.0; read November 2026.
"""

from lib.providers.answer_model import Answer, Items, Maybe, Text, Whole, Word


class Problem(Answer):
    """An error's `detail`; an older one has `status` for `code`, and no `type`."""

    type: Word = ""
    code: Word = ""
    status: Word = ""
    message: Text = None
    param: Text = None


class Invalid(Answer):
    """One item of FastAPI's validation: where it is, as in body, text, and what is wrong there."""

    loc: Items[str | int] = ()
    msg: Text = None


class Refusal(Answer):
    """An answer of 4xx or 5xx; `detail` is words, an object or FastAPI's list."""

    detail: Maybe[Problem | tuple[Maybe[Invalid], ...] | str] = None


class Subscription(Answer):
    """The plan of an account, and how many of its credits are used."""

    tier: str
    character_count: Whole = None
    character_limit: Whole = None
