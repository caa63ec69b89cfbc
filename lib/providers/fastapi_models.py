"""FastAPI's errors, as fal's models and Cog's older servers answer them.

Source: fastapi.tiangolo.com/tutorial/handling-errors; read November 2026.
"""

import json
from collections.abc import Collection
from typing import Annotated, Any

from pydantic import Field

from lib.providers.answer_model import Answer, Items, Text

_MOST_FAULTS = 20


class Fault(Answer):
    """One thing that is wrong with a request: where, what, and a word for it that does not change."""

    loc: Items[Any] = ()
    msg: Text = None
    type: Text = None


_FIRST = Field(union_mode="left_to_right")
Detail = Annotated[str | tuple[Annotated[Fault | Any, _FIRST], ...] | Any, _FIRST]
"""A text, a tuple of faults, or whatever else a server gives as its reason."""


def faults_in(detail: Detail) -> list[Fault]:
    """What is wrong, as far as it is written as FastAPI does."""
    found = detail[:_MOST_FAULTS] if isinstance(detail, tuple) else ()
    return [fault for fault in found if isinstance(fault, Fault)]


def words_of(detail: Detail, unsaid: Collection[str] = ()) -> str:
    """What is wrong where, as in `body.prompt: too long`; places that are `unsaid` are left out."""
    if isinstance(detail, tuple):
        said = (_words_of_one(fault, unsaid) for fault in detail[:_MOST_FAULTS])
        return "; ".join(dict.fromkeys(filter(None, said)))
    if isinstance(detail, str):
        return detail
    return json.dumps(detail, ensure_ascii=False) if detail else ""


def _words_of_one(fault: Fault | Any, unsaid: Collection[str]) -> str:
    if not isinstance(fault, Fault):
        return str(fault)
    where = ".".join(str(place) for place in fault.loc if place not in unsaid)
    return ": ".join(filter(None, (where, fault.msg)))
