"""The stack parameters: values that an operator changes at a deployment without a new synth."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One CloudFormation parameter and the environment variable that carries it into a function."""

    name: str
    variable: str
    default: str
    description: str
    pattern: str
    type: str = "String"

    def pattern_of(self, stage: str) -> str:
        """The regular expression that a value must match as a whole in `stage`; in a list each element."""
        return self.pattern.replace("{stage}", stage)

    def parts(self, value: str) -> list[str]:
        """The elements of `value` where the parameter is a list, else `value` alone."""
        return value.split(",") if self.type == "CommaDelimitedList" else [value]


_NUMBER = "[1-9][0-9]*"
_ORIGIN = r"(|\*|https?://[^\s,/]+)"

PARAMETERS = (
    Parameter(
        name="ProviderAddresses",
        variable="PROVIDER_ADDRESSES",
        default="{}",
        description="Other addresses of providers, as JSON of provider -> field of its adapter -> address",
        pattern=r"\{[\s\S]*\}",
    ),
    Parameter(
        name="ProvidersConfig",
        variable="PROVIDERS_CONFIG",
        default="config/providers.json",
        description="Providers that are all data: file in the bundle, JSON, or s3:// URI in the bucket's config/",
        pattern=r"[\s\S]+",
    ),
    Parameter(
        name="OutputHostException",
        variable="OUTPUT_HOST_EXCEPTION",
        default="",
        description="Each host:port, with commas, that outputs may be fetched from over plain http; empty on AWS",
        pattern=r"(|[^\s/:,]+:[0-9]+(,[^\s/:,]+:[0-9]+)*)",
    ),
    Parameter(
        name="ProviderWebhooks",
        variable="PROVIDER_WEBHOOKS",
        default="enabled",
        description="Whether providers are asked to call back, or which are not; without it jobs are polled",
        pattern="(enabled|disabled|except:[a-z0-9_,]+)",
    ),
    Parameter(
        name="RateLimitPerHour",
        variable="RATE_LIMIT_PER_HOUR",
        default="1000",
        description="Jobs that one user may create in an hour",
        pattern=_NUMBER,
    ),
    Parameter(
        name="PollAfterSeconds",
        variable="POLL_AFTER_SECONDS",
        default="20",
        description="Seconds without news after which the provider is asked",
        pattern=_NUMBER,
    ),
    Parameter(
        name="JobDeadlineSeconds",
        variable="JOB_DEADLINE_SECONDS",
        default="1800",
        description="Seconds after which a job that has not ended is given up",
        pattern=_NUMBER,
    ),
    Parameter(
        name="CircuitFailures",
        variable="CIRCUIT_FAILURES",
        default="5",
        description="Calls on end without an answer after which a provider is left alone",
        pattern=_NUMBER,
    ),
    Parameter(
        name="CircuitOpenSeconds",
        variable="CIRCUIT_OPEN_SECONDS",
        default="30",
        description="Seconds for which a provider that does not answer is left alone",
        pattern=_NUMBER,
    ),
    Parameter(
        name="MaxOutputBytes",
        variable="MAX_OUTPUT_BYTES",
        default="5368709120",
        description="Largest output that is stored, in bytes",
        pattern=_NUMBER,
    ),
    Parameter(
        name="ModelsConfig",
        variable="MODELS_CONFIG",
        default="config/models",
        description="Model catalogue: file or directory in the bundle, JSON, or s3:// URI in the bucket's config/",
        pattern=r"[\s\S]+",
    ),
    Parameter(
        name="UnpricedModels",
        variable="UNPRICED_MODELS",
        default="refused",
        description="Whether models whose price is not set may be used, at an unknown cost",
        pattern="(refused|allowed)",
    ),
    Parameter(
        name="LogLevel",
        variable="LOG_LEVEL",
        default="INFO",
        description="Least severe level that is logged",
        pattern="(DEBUG|INFO|WARNING|ERROR)",
    ),
    Parameter(
        name="LogPrompts",
        variable="LOG_PROMPTS",
        default="false",
        description="Whether prompts may be logged",
        pattern="(true|false)",
    ),
    Parameter(
        name="CorsAllowOrigins",
        variable="CORS_ALLOW_ORIGINS",
        default="*",
        description="Origins whose pages may call the API, separated by commas; empty for none",
        pattern=_ORIGIN,
        type="CommaDelimitedList",
    ),
    Parameter(
        name="RedisSecretName",
        variable="REDIS_SECRET_NAME",
        default="",
        description="vsl/{stage}/redis/main where there is a Redis; empty where there is none",
        pattern="(|vsl/{stage}/redis/main)",
    ),
    Parameter(
        name="DatabaseReplicaSecretName",
        variable="DATABASE_REPLICA_SECRET_NAME",
        default="",
        description="vsl/{stage}/database/replica where there is a read replica; empty where there is none",
        pattern="(|vsl/{stage}/database/replica)",
    ),
    Parameter(
        name="SlowQueryMs",
        variable="SLOW_QUERY_MS",
        default="500",
        description="Milliseconds from which a statement is logged as slow; 0 for none",
        pattern=f"(0|{_NUMBER})",
    ),
    Parameter(
        name="CacheTtlSeconds",
        variable="CACHE_TTL_SECONDS",
        default="300",
        description="Seconds that the answer of an expensive query is kept",
        pattern=_NUMBER,
    ),
    Parameter(
        name="CacheMaxSize",
        variable="CACHE_MAX_SIZE",
        default="1000",
        description="Answers of queries that one process keeps",
        pattern=_NUMBER,
    ),
    Parameter(
        name="RetentionTimelineDays",
        variable="RETENTION_TIMELINE_DAYS",
        default="90",
        description="Days that the processing steps of ended jobs are kept",
        pattern=_NUMBER,
    ),
    Parameter(
        name="RetentionStorageDays",
        variable="RETENTION_STORAGE_DAYS",
        default="90",
        description="Days that the log of storage operations is kept",
        pattern=_NUMBER,
    ),
    Parameter(
        name="RetentionAccessDays",
        variable="RETENTION_ACCESS_DAYS",
        default="90",
        description="Days that the log of accesses to media is kept",
        pattern=_NUMBER,
    ),
    Parameter(
        name="RetentionMetricsDays",
        variable="RETENTION_METRICS_DAYS",
        default="30",
        description="Days that the figures of the system are kept",
        pattern=_NUMBER,
    ),
    Parameter(
        name="RetentionSecurityDays",
        variable="RETENTION_SECURITY_DAYS",
        default="365",
        description="Days that security events are kept",
        pattern=_NUMBER,
    ),
    Parameter(
        name="RetentionJobsDays",
        variable="RETENTION_JOBS_DAYS",
        default="0",
        description="Days that ended jobs are kept; 0 for ever",
        pattern=f"(0|{_NUMBER})",
    ),
)
RETENTION_VARIABLES: tuple[str, ...] = tuple(
    p.variable for p in PARAMETERS if p.variable.startswith("RETENTION_")
)


def values(environment: Mapping[str, str], *, stage: str) -> dict[str, str]:
    """The value of every parameter by name: from its variable in `environment`, else its default.

    Raises ValueError naming every value that its pattern refuses.
    """
    chosen = {p.name: environment.get(p.variable) or p.default for p in PARAMETERS}
    wrong = [
        f"{p.variable}={chosen[p.name]!r} must match {p.pattern_of(stage)} ({p.description})"
        for p in PARAMETERS
        if not all(re.fullmatch(p.pattern_of(stage), part) for part in p.parts(chosen[p.name]))
    ]
    if wrong:
        raise ValueError("\n".join(wrong))
    return chosen
