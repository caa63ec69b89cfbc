# ruff: noqa: RUF009 - each of these calls only makes a dataclass field
"""The settings of all functions but `get_status`, and of the concerns that only they have."""

from collections.abc import Mapping
from dataclasses import dataclass

from lib.settings import (
    AdvanceQueueSettings,
    BucketSettings,
    CacheSettings,
    DatabaseSettings,
    MirrorSettings,
    StateSettings,
)
from lib.variables import Secret, choice, database, integer, mapping, pattern, secret, text, url


@dataclass(frozen=True, kw_only=True)
class QueueSettings(AdvanceQueueSettings):
    """The work queues."""

    store_queue_url: str = url("STORE_QUEUE_URL")
    submit_queue_url: str = url("SUBMIT_QUEUE_URL")


@dataclass(frozen=True, kw_only=True)
class ObservedQueueSettings(QueueSettings):
    """The work queues, and where their failed messages are kept."""

    advance_dead_letters_url: str = url("ADVANCE_DEAD_LETTERS_URL")
    store_dead_letters_url: str = url("STORE_DEAD_LETTERS_URL")
    submit_dead_letters_url: str = url("SUBMIT_DEAD_LETTERS_URL")


@dataclass(frozen=True, kw_only=True)
class ReplicaSettings:
    """A read-only copy of the record for what may be a little old; None for none."""

    replica: Secret | None = secret("DATABASE_REPLICA_URL", "DATABASE_REPLICA_SECRET_NAME", optional=True)


@dataclass(frozen=True, kw_only=True)
class QueryCacheSettings:
    """How long answers of expensive queries are kept, in seconds, and how many of them in this process."""

    cache_ttl_seconds: int = integer("CACHE_TTL_SECONDS", default=300, least=1)
    cache_max_size: int = integer("CACHE_MAX_SIZE", default=1000, least=1)


@dataclass(frozen=True, kw_only=True)
class RealtimeSettings:
    """How often a process that listens reads what is new, at most; each reading brings all of it."""

    realtime_events_per_second: int = integer("REALTIME_EVENTS_PER_SECOND", default=10, least=1)


@dataclass(frozen=True, kw_only=True)
class RetentionSettings:
    """After how many days the sweep removes what; 0 keeps it for ever."""

    retention_timeline_days: int = integer("RETENTION_TIMELINE_DAYS", default=90, least=0)
    retention_storage_days: int = integer("RETENTION_STORAGE_DAYS", default=90, least=0)
    retention_access_days: int = integer("RETENTION_ACCESS_DAYS", default=90, least=0)
    retention_metrics_days: int = integer("RETENTION_METRICS_DAYS", default=30, least=0)
    retention_security_days: int = integer("RETENTION_SECURITY_DAYS", default=365, least=0)
    retention_jobs_days: int = integer("RETENTION_JOBS_DAYS", default=0, least=0)


@dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """How to reach the providers: their keys are secrets `vsl/{stage}/providers/{name}`.

    `provider_addresses` replaces addresses: `{"runway": {"base_url": "http://127.0.0.1:8123"}}`, by the names of the
    adapters' fields. `providers_config` describes providers that are all data: inline JSON, a file or an s3:// address.
    """

    stage: str = text("STAGE")
    providers_config: str = text("PROVIDERS_CONFIG", default="config/providers.json")
    provider_addresses: Mapping[str, Mapping[str, str]] = mapping("PROVIDER_ADDRESSES")


@dataclass(frozen=True, kw_only=True)
class TokenSettings:
    """The key of the tokens in callback addresses."""

    webhook_token_key: Secret = secret("WEBHOOK_TOKEN_KEY", "WEBHOOK_TOKEN_SECRET_NAME")


@dataclass(frozen=True, kw_only=True)
class CallbackSettings(TokenSettings):
    """At which address providers call back, and whether they are asked to."""

    webhook_base_url: str = url("WEBHOOK_BASE_URL")
    provider_webhooks: str = pattern(
        "PROVIDER_WEBHOOKS",
        r"enabled|disabled|except:[a-z0-9_,]+",
        default="enabled",
        right="enabled or disabled, or except: and providers with commas",
    )

    def asks_for_webhooks(self, provider: str) -> bool:
        """Whether this provider is asked to call back."""
        without = self.provider_webhooks.removeprefix("except:").split(",")
        return self.provider_webhooks != "disabled" and provider not in without


@dataclass(frozen=True, kw_only=True)
class ModelsSettings:
    """The catalogue: inline JSON, a file or directory in the bundle, or an s3:// address; and if its price may lack."""

    models_config: str = text("MODELS_CONFIG", default="config/models")
    unpriced_models: str = choice("UNPRICED_MODELS", ("refused", "allowed"), default="refused")


@dataclass(frozen=True, kw_only=True)
class TimingSettings:
    """When jobs are looked after, and when they must have ended; seconds."""

    poll_after_seconds: int = integer("POLL_AFTER_SECONDS", default=20, least=1)
    job_deadline_seconds: int = integer("JOB_DEADLINE_SECONDS", default=1800, least=5)


@dataclass(frozen=True, kw_only=True)
class CredentialSettings:
    """The KMS key under which users' keys are sealed; on a laptop ENCRYPTION_KEY takes its place."""

    credential_kms_key_id: str = text("CREDENTIAL_KMS_KEY_ID", default="")


@dataclass(frozen=True, kw_only=True)
class FlowSettings(CacheSettings):
    """After how many calls on end that a provider did not answer it is left alone, and for how many seconds."""

    circuit_failures: int = integer("CIRCUIT_FAILURES", default=5, least=1)
    circuit_open_seconds: int = integer("CIRCUIT_OPEN_SECONDS", default=30, least=1)


@dataclass(frozen=True, kw_only=True)
class LimitSettings:
    """How often a user may ask, unless the key says otherwise."""

    rate_limit_per_hour: int = integer("RATE_LIMIT_PER_HOUR", default=1000, least=1)


@dataclass(frozen=True, kw_only=True)
class OutputSettings:
    """What may be fetched and stored; the exception is exact host:port pairs with commas, or empty."""

    max_output_bytes: int = integer("MAX_OUTPUT_BYTES", default=5 * 1024**3, least=1)
    output_host_exception: str = text("OUTPUT_HOST_EXCEPTION", default="")


@dataclass(frozen=True, kw_only=True)
class JobsSettings(StateSettings, BucketSettings, QueueSettings, QueryCacheSettings):
    """Of `manage_jobs`."""


@dataclass(frozen=True, kw_only=True)
class DescribeSettings(StateSettings, ModelsSettings, ObservedQueueSettings):
    """Of `describe_api`."""


@dataclass(frozen=True, kw_only=True)
class AnalyticsSettings(
    DatabaseSettings, CacheSettings, ReplicaSettings, QueryCacheSettings, AdvanceQueueSettings
):
    """Of `read_analytics`."""


@dataclass(frozen=True, kw_only=True)
class AdvanceSettings(
    StateSettings,
    BucketSettings,
    QueueSettings,
    ProviderSettings,
    CredentialSettings,
    CallbackSettings,
    TimingSettings,
    FlowSettings,
):
    """Of `advance_job`."""


@dataclass(frozen=True, kw_only=True)
class GenerateSettings(AdvanceSettings, ModelsSettings, LimitSettings):
    """Of `generate_media`."""

    log_prompts: str = choice("LOG_PROMPTS", ("true", "false"), default="false")


@dataclass(frozen=True, kw_only=True)
class ProvidersSettings(
    DatabaseSettings,
    CacheSettings,
    AdvanceQueueSettings,
    ProviderSettings,
    CredentialSettings,
    ModelsSettings,
):
    """Of `manage_providers`."""


@dataclass(frozen=True, kw_only=True)
class WebhookSettings(AdvanceQueueSettings, BucketSettings, ProviderSettings, TokenSettings):
    """Of `process_webhook`."""


@dataclass(frozen=True, kw_only=True)
class UploadSettings(AdvanceQueueSettings, BucketSettings, TokenSettings):
    """Of `receive_upload`."""


@dataclass(frozen=True, kw_only=True)
class SweepSettings(MirrorSettings, QueueSettings, RetentionSettings):
    """Of `check_replicate_status`."""


@dataclass(frozen=True, kw_only=True)
class StoreSettings(MirrorSettings, BucketSettings, QueueSettings, OutputSettings, TimingSettings):
    """Of `store_result`."""


@dataclass(frozen=True, kw_only=True)
class MigrationSettings:
    """Of `migrate_database`: the migrator's login, and the two that it makes where they are missing."""

    database: Secret = database("DATABASE_URL", "DATABASE_SECRET_NAME")
    api_database: Secret | None = secret("API_DATABASE_URL", "API_DATABASE_SECRET_NAME", optional=True)
    worker_database: Secret | None = secret(
        "WORKER_DATABASE_URL", "WORKER_DATABASE_SECRET_NAME", optional=True
    )
