"""The names that one stack owns and another refers to. Stacks know each other by name only.

CloudFormation would lock an exported value for as long as another stack imports it; a name can be moved,
restored from a backup, or brought by the operator.
"""

from aws_cdk import Aws

from infra.settings import InfraSettings

JOBS_TABLE = "realtime-jobs"
CACHE_TABLE = "gateway-cache"
TOKEN_KEY_SECRET = "webhook/token-key"  # noqa: S105  # the name of a secret, not a secret
DATABASE_SECRET = "database/main"  # noqa: S105  # the name of a secret, not a secret
DATABASE_WORKER_SECRET = "database/worker"  # noqa: S105  # the name of a secret, not a secret
DATABASE_MIGRATOR_SECRET = "database/migrator"  # noqa: S105  # the name of a secret, not a secret
DATABASE_REPLICA_SECRET = "database/replica"  # noqa: S105  # the name of a secret, not a secret
LOGINS_PARAMETER = "DatabaseLogins"
REDIS_SECRET = "redis/main"  # noqa: S105  # the name of a secret, not a secret
PROVIDER_SECRETS = "providers"  # the name of a group of secrets, not a secret
CREDENTIALS_KEY = "credentials"


def media_bucket(settings: InfraSettings) -> str:
    """The bucket's name; it holds the account's number, since bucket names are one for all of AWS."""
    return f"{settings.name('media')}-{Aws.ACCOUNT_ID}"


def credentials_key(settings: InfraSettings) -> str:
    """The alias of the KMS key under which users' own keys at providers are sealed."""
    return f"alias/{settings.name(CREDENTIALS_KEY)}"


def access_log_group(settings: InfraSettings) -> str:
    """The log group of the API's access log; AWS keeps a policy of its own for names that begin like this."""
    return f"/aws/vendedlogs/apigateway/{settings.name('api')}"
