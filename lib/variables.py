"""Environment variables as dataclass fields: each knows its name, how it is read, and what would be right."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

_KEY = "variable"


@dataclass(frozen=True)
class Secret:
    """A secret given directly, on a laptop, or the name under which Secrets Manager has it."""

    name: str
    direct: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Variable:
    """One variable; `read` raises ValueError saying what would be right, and never quotes a secret."""

    name: str
    read: Callable[[Mapping[str, str]], Any]


def present(kind: type) -> dict[str, Variable]:
    """The variables of a settings class, by field."""
    return {item.name: item.metadata[_KEY] for item in fields(kind)}


def text(name: str, *, default: str | None = None) -> Any:
    """Any text; one that is not empty where there is no default."""
    return _field(name, default, str)


def integer(name: str, *, default: int, least: int) -> Any:
    """A whole number."""

    def convert(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = least - 1
        if number < least:
            raise ValueError(f"must be a whole number of at least {least}, not {value!r}")
        return number

    return _field(name, str(default), convert)


def pattern(name: str, allowed: str, *, default: str, right: str) -> Any:
    """A text that a regular expression fits as a whole; `right` says in words what would."""

    def convert(value: str) -> str:
        import re  # noqa: PLC0415 - reading a status needs none

        if not re.fullmatch(allowed, value):
            raise ValueError(f"must be {right}, not {value!r}")
        return value

    return _field(name, default, convert)


def choice(name: str, allowed: Sequence[str], *, default: str) -> Any:
    """One of a few words."""

    def convert(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"must be {' or '.join(allowed)}, not {value!r}")
        return value

    return _field(name, default, convert)


def mapping(name: str) -> Any:
    """A JSON object; an empty one where nothing is set."""

    def convert(value: str) -> Mapping[str, Any]:
        import json  # noqa: PLC0415 - reading a status needs none

        try:
            found = json.loads(value)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ValueError("must be a JSON object")
        return found

    return _field(name, "{}", convert)


def url(name: str, *, default: str | None = None) -> Any:
    """An http or https address, without a trailing slash."""

    def convert(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"must be an http or https address, not {value!r}")
        return value.rstrip("/")

    return _field(name, default, convert)


def secret(direct: str, by_name: str, *, optional: bool = False) -> Any:
    """A `Secret`; None only if it is optional and neither variable has a value."""

    def read(environ: Mapping[str, str]) -> Secret | None:
        value, name = environ.get(direct, ""), environ.get(by_name, "")
        if value or name:
            return Secret(name or direct, value or None)
        if optional:
            return None
        raise ValueError(f"(the name of a secret), or else {direct}, must be set")

    return field(metadata={_KEY: Variable(by_name, read)})


def database(direct: str, by_name: str) -> Any:
    """The `Secret` with the address of a database; else a direct one made of libpq's variables, such as PGHOST."""
    given: Variable = secret(direct, by_name, optional=True).metadata[_KEY]

    def read(environ: Mapping[str, str]) -> Secret:
        found: Secret | None = given.read(environ)
        if found is not None:
            return found
        if not environ.get("PGHOST"):
            raise ValueError(f"(the name of a secret), or else {direct} or PGHOST, must be set")
        from lib.domain.database import credentials_from_variables  # noqa: PLC0415 - seldom used, and not by Lambda
        from lib.domain.errors import ConfigurationError  # noqa: PLC0415 - as above

        try:
            return Secret("PGHOST", credentials_from_variables(environ).url)
        except ConfigurationError as wrong:
            raise ValueError(f"is not set, and the variables of libpq are wrong: {wrong.message}") from None

    return field(metadata={_KEY: Variable(by_name, read)})


def _field(name: str, default: str | None, convert: Callable[[str], Any]) -> Any:
    def read(environ: Mapping[str, str]) -> Any:
        value = environ.get(name, "").strip() or default
        if value is None:
            raise ValueError("must be set")
        return convert(value)

    return field(metadata={_KEY: Variable(name, read)})
