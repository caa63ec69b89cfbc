"""What a provider's answers are written down as: pydantic models that forgive, since a paid result hangs on them.

Each provider's `*_models.py` names the fields that are used, and no other. A field that is missing or of a surprising
type reads as absent, and such an item of a list as not there; only a field without a default must be right.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from lib.providers.answers import json_object

ValueT = TypeVar("ValueT")


class Answer(BaseModel):
    """An object in a provider's answer, or the whole of it."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    @classmethod
    def read(cls, value: object) -> Self | None:
        """The answer that `value` is; None if it lacks what it must have."""
        try:
            return cls.model_validate(value)
        except ValidationError:
            return None

    @classmethod
    def find(cls, body: bytes) -> Self | None:
        """The answer in the body of an HTTP message; None where it lacks what it must have."""
        return cls.read(json_object(body))

    @classmethod
    def of(cls, body: bytes) -> Self:
        """The same for an answer that need not have anything: a body that is no JSON object reads as an empty one."""
        return cls.model_validate(json_object(body))


def _or_none(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    try:
        return handler(value)
    except ValidationError:
        return None


def _those_that_are_right(value: Any, handler: ValidatorFunctionWrapHandler) -> tuple[Any, ...]:
    found: Iterable[Any] = _or_none(value, handler) or ()
    return tuple(item for item in found if item is not None)


def _aware(value: Any, handler: ValidatorFunctionWrapHandler) -> datetime | None:
    moment: datetime | None = _or_none(value, handler)
    if moment is None:
        return None
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:  # before the year 1 or after 9999 in UTC
        return None


def _lower(value: Any, handler: ValidatorFunctionWrapHandler) -> str:
    text: str | None = _or_none(value, handler)
    return (text or "").strip().lower()


Maybe = Annotated[ValueT | None, WrapValidator(_or_none)]
"""`Maybe[X]`: an X, or None for anything else."""
Items = Annotated[
    tuple[Annotated[ValueT, WrapValidator(_or_none)], ...], WrapValidator(_those_that_are_right)
]
"""`Items[X]`: those items of a list that are an X; () for what is no list."""

Text = Maybe[str]
Word = Annotated[str, WrapValidator(_lower)]
"""A word that a table of ours has, which is compared in lower case; "" for what is no text."""
Flag = Maybe[bool]
Moment = Annotated[datetime | None, WrapValidator(_aware)]
"""A time in UTC, which is also what one without a zone is taken for."""
Seconds = Maybe[Annotated[float, Field(strict=True, ge=0, le=1e7, allow_inf_nan=False)]]
Whole = Maybe[Annotated[int, Field(strict=True)]]
