"""A page of a list that goes on by cursor."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from lib.domain.errors import FieldError, InvalidError

LARGEST_PAGE = 100

ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class Page(Generic[ItemT]):
    """Some items in order; `next_cursor` goes on after the last of them, None if there are no more."""

    items: tuple[ItemT, ...]
    next_cursor: str | None = None


def limit_problems(limit: object, path: str = "limit") -> list[FieldError]:
    """What is wrong with the size of a page: nothing if it is a whole number of 1 to 100."""
    if isinstance(limit, int) and not isinstance(limit, bool) and 1 <= limit <= LARGEST_PAGE:
        return []
    return [FieldError(path, f"must be a whole number of 1 to {LARGEST_PAGE}")]


def check_limit(limit: object, path: str = "limit") -> None:
    """Raises InvalidError unless `limit` is the size of a page, 1 to 100."""
    errors = limit_problems(limit, path)
    if errors:
        raise InvalidError(f"{errors[0].path} {errors[0].message}", errors=errors)
