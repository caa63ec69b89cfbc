"""Says in words how one catalog differs from another."""

from collections.abc import Iterator
from typing import Any

from lib.stores.postgres.catalog import Catalog

_KINDS = {
    "roles": "role",
    "default_privileges": "default privileges of",
    "types": "type",
    "sequences": "sequence",
    "tables": "table",
    "views": "view",
    "functions": "function",
    "columns": "column",
    "constraints": "constraint",
    "indexes": "index",
    "triggers": "trigger",
    "policies": "policy",
    "grants": "grant to",
}
_HASHES = frozenset({"definition", "deparsed"})
_HASHED_KINDS = ("function ", "view ")


def differences(expected: Catalog, found: Catalog) -> list[str]:
    """One sentence for each difference, such as `table jobs: column user_agent is missing`; none if they are equal.

    Between two major versions of Postgres the hashes of what it writes itself are left out (`read_catalog`).
    """
    same_version = expected.get("postgres") == found.get("postgres")
    skipped = frozenset({"postgres"} if same_version else {"postgres", "deparsed"})
    return list(_compare("", expected, found, skipped))


def _compare(
    path: str, expected: dict[str, Any], found: dict[str, Any], skipped: frozenset[str]
) -> Iterator[str]:
    for key in [*expected, *(key for key in found if key not in expected)]:
        if key in skipped:
            continue
        one, other = expected.get(key), found.get(key)
        if key in _KINDS:
            yield from _members(path, _KINDS[key], one or {}, other or {}, skipped)
        elif one != other:
            yield f"{path}: {_scalar(path, key, one, other)}"


def _members(
    path: str, kind: str, expected: dict[str, Any], found: dict[str, Any], skipped: frozenset[str]
) -> Iterator[str]:
    for name in [*expected, *(name for name in found if name not in expected)]:
        where = f"{path}: {kind} {name}" if path else f"{kind} {name}"
        if name not in found:
            yield f"{where} is missing"
        elif name not in expected:
            yield f"{where} should not be there"
        elif isinstance(expected[name], dict):
            yield from _compare(where, expected[name], found[name], skipped)
        elif expected[name] != found[name]:
            yield f"{where} is {_said(found[name])} and should be {_said(expected[name])}"


def _scalar(path: str, key: str, expected: Any, found: Any) -> str:
    if key in _HASHES and path.startswith(_HASHED_KINDS) and ": " not in path:
        return "its definition differs"
    return f"{key} is {_said(found)} and should be {_said(expected)}"


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "nothing" if value is None else str(value)
