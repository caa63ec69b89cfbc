"""The stack parameters: values that an operator changes at a deployment without a new synth."""

from dataclasses import dataclass

from aws_cdk import Acknowledgment, CfnParameter, Stack, Validations


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One CloudFormation parameter and the environment variable that carries it into a function."""

    name: str
    variable: str
    default: str
    description: str
    pattern: str
    type: str = "String"


_NUMBER = "[1-9][0-9]*"
_ORIGIN = r"(|\*|https?://[^\s,/]+)"

PARAMETERS = (
    Parameter(
        name="ReplicateBaseUrl",
        variable="REPLICATE_BASE_URL",
        default="https://api.replicate.com",
        description="Address of Replicate's API, without /v1",
        pattern=r"https?://[^\s?#]*[^\s?#/]",
    ),
    Parameter(
        name="OutputHostException",
        variable="OUTPUT_HOST_EXCEPTION",
        default="",
        description="One host:port that outputs may be fetched from over plain http; empty on AWS",
        pattern=r"(|[^\s/:]+:[0-9]+)",
    ),
    Parameter(
        name="ProviderWebhooks",
        variable="PROVIDER_WEBHOOKS",
        default="enabled",
        description="Whether providers are asked to call back; without it jobs are polled",
        pattern="(enabled|disabled)",
    ),
    Parameter(
        name="RateLimitPerHour",
        variable="RATE_LIMIT_PER_HOUR",
        default="100",
        description="Jobs that one user may create in an hour",
        pattern=_NUMBER,
    ),
    Parameter(
        name="PollAfterSeconds",
        variable="POLL_AFTER_SECONDS",
        default="30",
        description="Seconds without news after which the provider is asked",
        pattern=_NUMBER,
    ),
    Parameter(
        name="JobDeadlineSeconds",
        variable="JOB_DEADLINE_SECONDS",
        default="3600",
        description="Seconds after which a job that has not ended is given up",
        pattern=_NUMBER,
    ),
    Parameter(
        name="MaxOutputBytes",
        variable="MAX_OUTPUT_BYTES",
        default="2147483648",
        description="Largest output that is stored, in bytes",
        pattern=_NUMBER,
    ),
    Parameter(
        name="ModelsConfig",
        variable="MODELS_CONFIG",
        default="config/models.json",
        description="Model catalogue: path in the bundle, JSON, or s3:// URI in the bucket's config/",
        pattern=r"[\s\S]+",
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
)


def declare(stack: Stack, *, stage: str) -> dict[str, CfnParameter]:
    """Add every parameter to `stack`; returns them by environment variable."""
    declared = {
        parameter.variable: CfnParameter(
            stack,
            parameter.name,
            type=parameter.type,
            default=parameter.default,
            description=parameter.description,
            allowed_pattern=f"^{parameter.pattern.replace('{stage}', stage)}$",
        )
        for parameter in PARAMETERS
    }
    Validations.of(stack).acknowledge(
        Acknowledgment(
            id="CloudFormation-Validate::W2509",
            reason="RedisSecretName holds the name of a secret; findings on parameters belong to the stack.",
        )
    )
    return declared
