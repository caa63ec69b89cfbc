# ruff: noqa: RUF009 - each of these calls only makes a dataclass field
"""Settings: the environment as frozen dataclasses, one for each function, made of one for each concern.

`load` reads a class, and names every variable that is missing or wrong at once. Nothing is read at import.
Here is what reading a status needs; the rest is in `work_settings.py`, which that function need not load.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from lib.domain.errors import ConfigurationError, FieldError
from lib.variables import Secret, database, integer, present, secret, text, url

SettingsT = TypeVar("SettingsT")


def load(kind: type[SettingsT], environ: Mapping[str, str]) -> SettingsT:
    """The settings of this class, or ConfigurationError naming every wrong variable with what would be right."""
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, variable in present(kind).items():
        try:
            values[name] = variable.read(environ)
        except ValueError as problem:
            errors.append(FieldError(variable.name, str(problem)))
    if errors:
        listed = "; ".join(f"{error.path} {error.message}" for error in errors)
        raise ConfigurationError(f"The environment is wrong: {listed}.", errors=errors)
    return kind(**values)


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """Where the record is, as the login that this function may use; how many ms make a statement slow, 0 none."""

    database: Secret = database("DATABASE_URL", "DATABASE_SECRET_NAME")
    slow_query_ms: int = integer("SLOW_QUERY_MS", default=500, least=0)


@dataclass(frozen=True, kw_only=True)
class RedisSettings:
    """Where Redis is; None for none."""

    redis: Secret | None = secret("REDIS_URL", "REDIS_SECRET_NAME", optional=True)


@dataclass(frozen=True, kw_only=True)
class CacheSettings(RedisSettings):
    """Where small shared facts live."""

    cache_table: str = text("CACHE_TABLE")


@dataclass(frozen=True, kw_only=True)
class MirrorSettings(DatabaseSettings, RedisSettings):
    """The record and its mirrors."""

    jobs_table: str = text("DYNAMODB_TABLE")


@dataclass(frozen=True, kw_only=True)
class StateSettings(MirrorSettings, CacheSettings):
    """The record, its mirrors, and the small shared facts."""


@dataclass(frozen=True, kw_only=True)
class BucketSettings:
    """Where media is kept."""

    bucket: str = text("S3_BUCKET")


@dataclass(frozen=True, kw_only=True)
class AdvanceQueueSettings:
    """The queue of work on jobs, and of what happened that the workers write down."""

    advance_queue_url: str = url("ADVANCE_QUEUE_URL")


@dataclass(frozen=True, kw_only=True)
class StatusSettings(StateSettings, BucketSettings, AdvanceQueueSettings):
    """Of `get_status`."""
