"""The query of `GET /jobs`."""

from collections.abc import Mapping

from lib.domain.errors import FieldError, InvalidError
from lib.services.list_jobs import JobQuery

_NAMES = {
    "status": "status",
    "mediaType": "media_type",
    "media_type": "media_type",
    "limit": "limit",
    "page": "page",
    "cursor": "cursor",
}
_NUMBERS = frozenset({"limit", "page"})


def read_job_query(query: Mapping[str, str]) -> JobQuery:
    """What to list. Raises InvalidError naming every unknown parameter and every number that is none."""
    errors: list[FieldError] = []
    texts: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for name, value in query.items():
        field = _NAMES.get(name)
        if field is None:
            errors.append(
                FieldError(name[:100], "is not known; known are status, mediaType, limit, page, cursor")
            )
        elif field not in _NUMBERS:
            texts[field] = value
        elif value.isascii() and value.isdigit() and len(value) <= 9:
            numbers[field] = int(value)
        else:
            errors.append(FieldError(name, "must be a whole number"))
    if errors:
        raise InvalidError("the query is wrong", errors=errors)
    return JobQuery(
        status=texts.get("status"),
        media_type=texts.get("media_type"),
        cursor=texts.get("cursor"),
        page=numbers.get("page"),
        limit=numbers.get("limit", JobQuery.limit),
    )
