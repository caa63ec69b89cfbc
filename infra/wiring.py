"""Turns what a function needs into its environment variables and its permissions: one table for both."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from aws_cdk import CfnParameter
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs

from infra import names
from infra.constructs.object_grant import grant_objects
from infra.functions import Need
from infra.nag import acknowledge
from infra.parameters import RETENTION_VARIABLES
from infra.settings import InfraSettings
from lib.domain.envelope import PURPOSE

_UPLOAD_ACTIONS = (
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
)

Grant = Callable[[iam.IRole], object]


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What functions can be connected to; `parameters` by the variable that carries them."""

    settings: InfraSettings
    parameters: dict[str, CfnParameter]
    jobs_table: dynamodb.ITable
    cache_table: dynamodb.ITable
    media_bucket: s3.IBucket
    token_key: secretsmanager.ISecret
    database_secret: secretsmanager.ISecret
    database_worker_secret: secretsmanager.ISecret
    database_migrator_secret: secretsmanager.ISecret
    database_replica_secret: secretsmanager.ISecret
    redis_secret: secretsmanager.ISecret
    provider_secrets_arn: str
    kms_keys_arn: str
    advance_queue: sqs.IQueue
    advance_dead_letters: sqs.IQueue
    store_queue: sqs.IQueue
    store_dead_letters: sqs.IQueue
    submit_queue: sqs.IQueue
    submit_dead_letters: sqs.IQueue
    api_endpoint: str


@dataclass(frozen=True)
class Connection:
    """What one need gives a function."""

    variables: dict[str, str] = field(default_factory=dict)
    grant: Grant = lambda _: None


class Wiring:
    """Connects functions to `resources`."""

    def __init__(self, resources: Resources) -> None:
        self._parameters = resources.parameters
        self._stage = resources.settings.stage
        self._connections = {
            **self._databases(resources),
            **self._secrets(resources),
            **self._tables(resources),
            **self._objects(resources.media_bucket),
            **self._queues(resources),
            **self._choices(resources),
        }

    def environment(self, needs: Iterable[Need]) -> dict[str, str]:
        """The variables of a function with these needs, beside those that every function has."""
        variables = {
            "STAGE": self._stage,
            "POWERTOOLS_SERVICE_NAME": "vsl-gateway",
            "POWERTOOLS_METRICS_NAMESPACE": "VSL/Gateway",
            **self._chosen("LOG_LEVEL"),
        }
        for need in sorted(needs):
            variables |= self._connections[need].variables
        return variables

    def grant(self, role: iam.IRole, needs: Iterable[Need]) -> None:
        """Allow `role` exactly what these needs take."""
        for need in sorted(needs):
            self._connections[need].grant(role)

    def _chosen(self, *variables: str) -> dict[str, str]:
        return {name: self._parameters[name].value_as_string for name in variables}

    def _databases(self, resources: Resources) -> dict[Need, Connection]:
        """The record, by the login whose rights a function has there: one variable, whoever reads it."""
        named = resources.settings.secret_name
        main, worker = named(names.DATABASE_SECRET), named(names.DATABASE_WORKER_SECRET)
        migrator, replica = resources.database_migrator_secret, resources.database_replica_secret
        slow = self._chosen("SLOW_QUERY_MS")
        return {
            Need.DATABASE: Connection(
                {"DATABASE_SECRET_NAME": main, **slow}, _read(resources.database_secret)
            ),
            Need.DATABASE_WORKER: Connection(
                {"DATABASE_SECRET_NAME": worker, **slow}, _read(resources.database_worker_secret)
            ),
            # It makes the two other logins, with the passwords of their secrets.
            Need.DATABASE_MIGRATOR: Connection(
                {
                    "DATABASE_SECRET_NAME": named(names.DATABASE_MIGRATOR_SECRET),
                    "API_DATABASE_SECRET_NAME": main,
                    "WORKER_DATABASE_SECRET_NAME": worker,
                },
                _read(migrator, resources.database_secret, resources.database_worker_secret),
            ),
            Need.DATABASE_REPLICA: Connection(self._chosen("DATABASE_REPLICA_SECRET_NAME"), _read(replica)),
        }

    def _secrets(self, resources: Resources) -> dict[Need, Connection]:
        named = resources.settings.secret_name
        sealing = {"CREDENTIAL_KMS_KEY_ID": names.credentials_key(resources.settings)}
        return {
            Need.REDIS: Connection(self._chosen("REDIS_SECRET_NAME"), _read(resources.redis_secret)),
            Need.PROVIDERS: Connection(
                self._chosen("PROVIDER_ADDRESSES", "PROVIDERS_CONFIG"),
                lambda role: grant_providers(role, resources),
            ),
            Need.CREDENTIALS_OPEN: Connection(sealing, _use_key(resources, "kms:Decrypt")),
            Need.CREDENTIALS_SEAL: Connection(sealing, _use_key(resources, "kms:GenerateDataKey")),
            Need.WEBHOOK_TOKEN: Connection(
                {"WEBHOOK_TOKEN_SECRET_NAME": named(names.TOKEN_KEY_SECRET)}, _read(resources.token_key)
            ),
        }

    @staticmethod
    def _tables(resources: Resources) -> dict[Need, Connection]:
        jobs, cache = resources.jobs_table.table_arn, resources.cache_table.table_arn
        jobs_name = {"DYNAMODB_TABLE": resources.jobs_table.table_name}
        cache_name = {"CACHE_TABLE": resources.cache_table.table_name}
        return {
            Need.JOBS_READ: Connection(jobs_name, _allow(jobs, "dynamodb:GetItem")),
            Need.JOBS_WRITE: Connection(jobs_name, _allow(jobs, "dynamodb:PutItem")),
            Need.JOBS_IN_FLIGHT: Connection(
                jobs_name, _allow(f"{jobs}/index/InFlightIndex", "dynamodb:Query")
            ),
            Need.CACHE_TABLE: Connection(cache_name, _allow(cache, "dynamodb:GetItem", "dynamodb:PutItem")),
            Need.CACHE_FORGET: Connection(cache_name, _allow(cache, "dynamodb:DeleteItem")),
            Need.CACHE_COUNT: Connection(cache_name, _allow(cache, "dynamodb:UpdateItem")),
        }

    def _objects(self, bucket: s3.IBucket) -> dict[Need, Connection]:
        variables = {"S3_BUCKET": bucket.bucket_name}

        def under(prefix: str, *actions: str) -> Grant:
            return lambda role: grant_objects(bucket, role, prefix=prefix, actions=actions)

        return {
            Need.MEDIA_READ: Connection(variables, under("media", "s3:GetObject")),
            Need.MEDIA_WRITE: Connection(variables, under("media", *_UPLOAD_ACTIONS)),
            Need.UPLOADS_LIST: Connection(
                variables, _allow(bucket.bucket_arn, "s3:ListBucketMultipartUploads")
            ),
            # Without it S3 answers 403, and not 404, for an object that is gone.
            Need.BUCKET_LIST: Connection(variables, _allow(bucket.bucket_arn, "s3:ListBucket")),
            Need.REQUESTS_READ: Connection(variables, under("requests", "s3:GetObject")),
            Need.REQUESTS_WRITE: Connection(variables, under("requests", "s3:PutObject")),
            Need.TEMP_READ: Connection(variables, under("temp", "s3:GetObject")),
            Need.TEMP_WRITE: Connection(variables, under("temp", "s3:PutObject")),
            Need.TEMP_PARK: Connection(variables, under("temp", *_UPLOAD_ACTIONS)),
            Need.MODELS: Connection(
                self._chosen("MODELS_CONFIG", "UNPRICED_MODELS"), under("config", "s3:GetObject")
            ),
        }

    @staticmethod
    def _queues(resources: Resources) -> dict[Need, Connection]:
        advance, store, submit = resources.advance_queue, resources.store_queue, resources.submit_queue
        observed = {
            "ADVANCE_QUEUE_URL": advance,
            "STORE_QUEUE_URL": store,
            "SUBMIT_QUEUE_URL": submit,
            "ADVANCE_DEAD_LETTERS_URL": resources.advance_dead_letters,
            "STORE_DEAD_LETTERS_URL": resources.store_dead_letters,
            "SUBMIT_DEAD_LETTERS_URL": resources.submit_dead_letters,
        }
        return {
            Need.ADVANCE_SEND: Connection(
                {"ADVANCE_QUEUE_URL": advance.queue_url}, _allow(advance.queue_arn, "sqs:SendMessage")
            ),
            Need.STORE_SEND: Connection(
                {"STORE_QUEUE_URL": store.queue_url}, _allow(store.queue_arn, "sqs:SendMessage")
            ),
            Need.SUBMIT_SEND: Connection(
                {"SUBMIT_QUEUE_URL": submit.queue_url}, _allow(submit.queue_arn, "sqs:SendMessage")
            ),
            Need.QUEUES_OBSERVE: Connection(
                {variable: queue.queue_url for variable, queue in observed.items()},
                _allow_on([queue.queue_arn for queue in observed.values()], "sqs:GetQueueAttributes"),
            ),
        }

    def _choices(self, resources: Resources) -> dict[Need, Connection]:
        return {
            Need.CALLBACK: Connection(
                {"WEBHOOK_BASE_URL": resources.api_endpoint, **self._chosen("PROVIDER_WEBHOOKS")}
            ),
            Need.LIMITS: Connection(self._chosen("RATE_LIMIT_PER_HOUR")),
            Need.SCHEDULING: Connection(self._chosen("POLL_AFTER_SECONDS", "JOB_DEADLINE_SECONDS")),
            Need.CIRCUITS: Connection(self._chosen("CIRCUIT_FAILURES", "CIRCUIT_OPEN_SECONDS")),
            Need.OUTPUTS: Connection(self._chosen("MAX_OUTPUT_BYTES", "OUTPUT_HOST_EXCEPTION")),
            Need.PROMPT_LOGGING: Connection(self._chosen("LOG_PROMPTS")),
            Need.RETENTION: Connection(self._chosen(*RETENTION_VARIABLES)),
            Need.QUERY_CACHE: Connection(self._chosen("CACHE_TTL_SECONDS", "CACHE_MAX_SIZE")),
        }


def _use_key(resources: Resources, action: str) -> Grant:
    return lambda role: grant_credentials_key(role, resources, action)


def grant_credentials_key(role: iam.IRole, resources: Resources, action: str) -> None:
    """The key by its alias, and for what it is there: a policy cannot know the id that KMS gives a key.

    The alias with `-retired` lets a former key open what it wrapped until all is wrapped anew (docs/security.md).
    """
    alias = names.credentials_key(resources.settings)
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=[action],
            resources=[resources.kms_keys_arn],
            conditions={
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": [alias, f"{alias}-retired"]},
                "StringEquals": {"kms:EncryptionContext:purpose": PURPOSE},
            },
        )
    )
    acknowledge(
        role,
        "IAM5[Resource::arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*]",
        reason="The condition names the one key by its alias, which stays when the key behind it is replaced.",
    )


def grant_provider_keys(role: iam.IRole, resources: Resources) -> None:
    """Which providers there are is the operator's choice at any time: the keys of all of the stage's, and no others."""
    arn = resources.provider_secrets_arn
    iam.Grant.add_to_principal(grantee=role, actions=["secretsmanager:GetSecretValue"], resource_arns=[arn])
    prefix = resources.settings.secret_name(names.PROVIDER_SECRETS)
    where = "arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret"
    acknowledge(
        role,
        f"IAM5[Resource::{where}:{prefix}/*]",
        reason="Operators add providers, and so secrets below this prefix, without a new deployment.",
    )


def grant_providers(role: iam.IRole, resources: Resources) -> None:
    """Reading the providers' keys, and what the operator put below `config/` of the bucket on further ones."""
    grant_provider_keys(role, resources)
    grant_objects(resources.media_bucket, role, prefix="config", actions=("s3:GetObject",))


def _allow(arn: str, *actions: str) -> Grant:
    return _allow_on([arn], *actions)


def _allow_on(arns: Sequence[str], *actions: str) -> Grant:
    return lambda role: iam.Grant.add_to_principal(grantee=role, actions=[*actions], resource_arns=[*arns])


def _read(*secrets: secretsmanager.ISecret) -> Grant:
    """Reading their values, and not, as `grant_read` would add, their descriptions."""
    arns = [f"{secret.secret_arn}-??????" for secret in secrets]
    return _allow_on(arns, "secretsmanager:GetSecretValue")
