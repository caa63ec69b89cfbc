# ruff: noqa: RUF009 - each of these calls only makes a dataclass field
"""The settings of all functions but `get_status`, and of the concerns that only they have."""

from dataclasses import dataclass

from lib.settings import BucketSettings, CacheSettings, DatabaseSettings, MirrorSettings, StateSettings
from lib.variables import Secret, choice, integer, secret, text, url


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

    poll_after_seconds: int = integer("POLL_AFTER_SECONDS", default=20, least=1)
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
    TimingSettings,
):
    """Of `advance_job`."""


@dataclass(frozen=True, kw_only=True)
class GenerateSettings(AdvanceSettings, ModelsSettings, LimitSettings):
    """Of `generate_media`."""

    log_prompts: str = choice("LOG_PROMPTS", ("true", "false"), default="false")


@dataclass(frozen=True, kw_only=True)
class WebhookSettings(AdvanceQueueSettings, BucketSettings, ReplicateSettings, TokenSettings):
    """Of `process_webhook`."""


@dataclass(frozen=True, kw_only=True)
class SweepSettings(MirrorSettings, QueueSettings):
    """Of `check_replicate_status`."""


@dataclass(frozen=True, kw_only=True)
class StoreSettings(MirrorSettings, BucketSettings, QueueSettings, OutputSettings, TimingSettings):
    """Of `store_result`."""


@dataclass(frozen=True, kw_only=True)
class MigrationSettings(DatabaseSettings):
    """Of `migrate_database`."""
