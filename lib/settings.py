# ruff: noqa: RUF009 - each of these calls only makes a dataclass field
"""Settings: the environment as frozen dataclasses, one for each function, made of one for each concern.

`load` reads a class, and names every variable that is missing or wrong at once. Nothing is read at import.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from lib.domain.errors import ConfigurationError, FieldError
from lib.variables import Secret, choice, integer, present, secret, text, url

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
    """Where the record is."""

    database: Secret = secret("DATABASE_URL", "DATABASE_SECRET_NAME")


@dataclass(frozen=True, kw_only=True)
class RedisSettings:
    """Where Redis is; None for none."""

    redis: Secret | None = secret("REDIS_URL", "REDIS_SECRET_NAME", optional=True)


@dataclass(frozen=True, kw_only=True)
class CacheSettings(RedisSettings):
    """Where small shared facts live."""

    cache_table: str = text("CACHE_TABLE")


@dataclass(frozen=True, kw_only=True)
class StateSettings(DatabaseSettings, CacheSettings):
    """The record and its mirrors."""

    jobs_table: str = text("DYNAMODB_TABLE")


@dataclass(frozen=True, kw_only=True)
class BucketSettings:
    """Where media is kept."""

    bucket: str = text("S3_BUCKET")


@dataclass(frozen=True, kw_only=True)
class AdvanceQueueSettings:
    """The queue of work on jobs."""

    advance_queue_url: str = url("ADVANCE_QUEUE_URL")


@dataclass(frozen=True, kw_only=True)
class QueueSettings(AdvanceQueueSettings):
    """Both work queues."""

    store_queue_url: str = url("STORE_QUEUE_URL")


@dataclass(frozen=True, kw_only=True)
class ReplicateSettings:
    """How to reach Replicate."""

    replicate: Secret = secret("REPLICATE_API_TOKEN", "REPLICATE_SECRET_NAME")
    replicate_base_url: str = url("REPLICATE_BASE_URL", default="https://api.replicate.com")


@dataclass(frozen=True, kw_only=True)
class TokenSettings:
    """The key of the tokens in callback addresses."""

    webhook_token_key: Secret = secret("WEBHOOK_TOKEN_KEY", "WEBHOOK_TOKEN_SECRET_NAME")


@dataclass(frozen=True, kw_only=True)
class CallbackSettings(TokenSettings):
    """At which address providers call back, and whether they are asked to."""

    webhook_base_url: str = url("WEBHOOK_BASE_URL")
    provider_webhooks: str = choice("PROVIDER_WEBHOOKS", ("enabled", "disabled"), default="enabled")


@dataclass(frozen=True, kw_only=True)
class ModelsSettings:
    """Inline JSON, a path in the bundle or an s3:// address."""

    models_config: str = text("MODELS_CONFIG", default="config/models.json")


@dataclass(frozen=True, kw_only=True)
class TimingSettings:
    """When jobs are looked after, and when they must have ended; seconds."""

    poll_after_seconds: int = integer("POLL_AFTER_SECONDS", default=60, least=1)
    job_deadline_seconds: int = integer("JOB_DEADLINE_SECONDS", default=1800, least=5)


@dataclass(frozen=True, kw_only=True)
class LimitSettings:
    """How often a user may ask, unless the key says otherwise."""

    rate_limit_per_hour: int = integer("RATE_LIMIT_PER_HOUR", default=1000, least=1)


@dataclass(frozen=True, kw_only=True)
class OutputSettings:
    """What may be fetched and stored; the exception is one exact host:port, or empty."""

    max_output_bytes: int = integer("MAX_OUTPUT_BYTES", default=5 * 1024**3, least=1)
    output_host_exception: str = text("OUTPUT_HOST_EXCEPTION", default="")


@dataclass(frozen=True, kw_only=True)
class StatusSettings(StateSettings, BucketSettings):
    """Of `get_status`."""


@dataclass(frozen=True, kw_only=True)
class JobsSettings(StateSettings, BucketSettings, QueueSettings):
    """Of `manage_jobs`."""


@dataclass(frozen=True, kw_only=True)
class DescribeSettings(DatabaseSettings, CacheSettings, ModelsSettings):
    """Of `describe_api`."""


@dataclass(frozen=True, kw_only=True)
class AdvanceSettings(
    StateSettings,
    BucketSettings,
    QueueSettings,
    ReplicateSettings,
    CallbackSettings,
    ModelsSettings,
    TimingSettings,
):
    """Of `advance_job`."""


@dataclass(frozen=True, kw_only=True)
class GenerateSettings(AdvanceSettings, LimitSettings):
    """Of `generate_media`."""

    log_prompts: str = choice("LOG_PROMPTS", ("true", "false"), default="false")


@dataclass(frozen=True, kw_only=True)
class WebhookSettings(AdvanceQueueSettings, BucketSettings, ReplicateSettings, TokenSettings):
    """Of `process_webhook`."""


@dataclass(frozen=True, kw_only=True)
class SweepSettings(StateSettings, QueueSettings, TimingSettings):
    """Of `check_replicate_status`."""


@dataclass(frozen=True, kw_only=True)
class StoreSettings(StateSettings, BucketSettings, QueueSettings, OutputSettings, TimingSettings):
    """Of `store_result`."""


@dataclass(frozen=True, kw_only=True)
class MigrationSettings(DatabaseSettings):
    """Of `migrate_database`."""
