"""Models of answers that are rows or figures, made of the dataclasses that `wire_json` writes."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import Field, create_model

from lib.api.answer_model import Answer
from lib.domain.wire_json import wire_name


@cache
def wire_model(kind: type, *, without: tuple[str, ...] = ()) -> type[Answer]:
    """The model of what `wire_json` makes of this dataclass, `without` some of its fields."""
    hints = get_type_hints(kind)
    named: dict[str, Any] = {
        field.name: (_wire_type(hints[field.name]), Field(alias=wire_name(field.name)))
        for field in fields(kind)
        if field.name not in without
    }
    text = " ".join((kind.__doc__ or "").split())
    made: type[Answer] = create_model(kind.__name__, __base__=Answer, __doc__=text, **named)
    return made


def _wire_type(hint: Any) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is tuple:
        return list[_wire_type(inner[0])]  # type: ignore[misc]
    if origin in (Union, UnionType):
        kinds = [each if each is NoneType else _wire_type(each) for each in inner]
        return Union[tuple(kinds)]  # noqa: UP007 - of a list that is known at run time only
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict[str, Any]
    if hint is Decimal:
        return float
    return wire_model(hint) if is_dataclass(hint) and isinstance(hint, type) else hint
