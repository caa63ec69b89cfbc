"""The stateful stack: tables, media bucket, and the secret and the key that the gateway makes for itself."""

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra import names
from infra.nag import acknowledge
from infra.settings import InfraSettings

_STRING = dynamodb.AttributeType.STRING
_NUMBER = dynamodb.AttributeType.NUMBER


class DataStack(Stack):
    """Owns what must not be lost; production keeps it when the stack goes. `infra/names.py` has the names."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: InfraSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"VSL media gateway, {settings.stage}: state",
            termination_protection=settings.is_production,
        )
        self._settings = settings
        self._removal = RemovalPolicy.RETAIN if settings.is_production else RemovalPolicy.DESTROY
        CfnOutput(self, "JobsTableName", value=self._jobs_table().table_name)
        CfnOutput(self, "CacheTableName", value=self._cache_table().table_name)
        CfnOutput(self, "MediaBucketName", value=self._media_bucket().bucket_name)
        self._token_key()
        self._credentials_key()

    def _jobs_table(self) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "JobsTable",
            table_name=self._settings.name(names.JOBS_TABLE),
            partition_key=dynamodb.Attribute(name="jobId", type=_STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="ttl",
            deletion_protection=self._settings.is_production,
            removal_policy=self._removal,
        )
        table.add_global_secondary_index(
            index_name="UserIdIndex",
            partition_key=dynamodb.Attribute(name="userId", type=_STRING),
            sort_key=dynamodb.Attribute(name="createdAt", type=_STRING),
        )
        table.add_global_secondary_index(
            index_name="ReplicateIdIndex",
            partition_key=dynamodb.Attribute(name="providerKey", type=_STRING),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        # Sparse: an item is in it only while its job is not final and carries both attributes.
        table.add_global_secondary_index(
            index_name="InFlightIndex",
            partition_key=dynamodb.Attribute(name="pollShard", type=_STRING),
            sort_key=dynamodb.Attribute(name="nextPollAt", type=_NUMBER),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        return table

    def _cache_table(self) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "CacheTable",
            table_name=self._settings.name(names.CACHE_TABLE),
            partition_key=dynamodb.Attribute(name="pk", type=_STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="ttl",
            removal_policy=self._removal,
        )
        acknowledge(table, "DDB3", reason="A cache of at most an hour: there is nothing in it to recover.")
        return table

    def _media_bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "MediaBucket",
            bucket_name=names.media_bucket(self._settings),
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=[
                s3.LifecycleRule(id="temp", prefix="temp/", expiration=Duration.days(1)),
                s3.LifecycleRule(
                    id="old-media",
                    prefix="media/",
                    transitions=[
                        s3.Transition(
                            storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL,
                            transition_after=Duration.days(90),
                        )
                    ],
                ),
                s3.LifecycleRule(
                    id="unfinished-uploads", abort_incomplete_multipart_upload_after=Duration.days(1)
                ),
            ],
            removal_policy=self._removal,
        )
        acknowledge(
            bucket,
            "S1",
            reason="Only the gateway's roles, and addresses they signed, can read it; a log bucket would "
            "bill each read a second time. Operators who must audit reads use CloudTrail.",
        )
        return bucket

    def _credentials_key(self) -> None:
        """It stays whatever happens to the stack: without it no stored key of a user ever opens again."""
        kms.Key(
            self,
            "CredentialsKey",
            alias=names.credentials_key(self._settings),
            description=f"Seals users' own keys at providers, {self._settings.stage}",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _token_key(self) -> None:
        secret = secretsmanager.Secret(
            self,
            "WebhookTokenKey",
            secret_name=self._settings.secret_name(names.TOKEN_KEY_SECRET),
            description="Key of the HMAC in webhook addresses",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
            removal_policy=self._removal,
        )
        acknowledge(
            secret,
            "SMG4",
            reason="Callback addresses of running jobs are signed with it: a rotation on a timer would turn "
            "their webhooks away. It is changed by hand; jobs in flight are then found by polling.",
        )
