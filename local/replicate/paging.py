"""Pages of a list, newest first, with complete URLs that hold an opaque cursor."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

from local.replicate.access import base_of
from local.replicate.problems import bad_request

PAGE_SIZE = 100

T = TypeVar("T")


def page(
    request: Request, items: Sequence[T], position: Callable[[T], int], show: Callable[[T], Any]
) -> dict[str, Any]:
    """``{next, previous, results}`` of items that come newest first; ``position`` falls from item to item.

    A cursor points between two items, so that items made meanwhile shift no page.
    """
    direction, mark = _decode(request.query_params.get("cursor"))
    if direction == "r":
        shown = [item for item in items if position(item) > mark][-PAGE_SIZE:]
    else:
        shown = [item for item in items if mark < 0 or position(item) < mark][:PAGE_SIZE]
    newer = shown and position(items[0]) > position(shown[0])
    older = shown and position(items[-1]) < position(shown[-1])
    return {
        "previous": _url(request, "r", position(shown[0])) if newer else None,
        "next": _url(request, "p", position(shown[-1])) if older else None,
        "results": [show(item) for item in shown],
    }


def _url(request: Request, direction: str, mark: int) -> str:
    cursor = base64.urlsafe_b64encode(f"{direction}={mark}".encode()).decode()
    query = {**request.query_params, "cursor": cursor}
    return f"{base_of(request)}{request.url.path}?{urlencode(query)}"


def _decode(cursor: str | None) -> tuple[str, int]:
    if cursor is None:
        return "p", -1
    try:
        direction, _, mark = base64.urlsafe_b64decode(cursor).decode().partition("=")
        return direction, int(mark)
    except (ValueError, binascii.Error) as error:
        raise bad_request("Invalid cursor") from error
