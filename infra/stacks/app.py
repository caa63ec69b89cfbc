"""The application stack: functions, queues, HTTP API and schedule. It holds no state and can be rebuilt."""

from pathlib import Path

from aws_cdk import ArnFormat, CfnCondition, CfnOutput, CfnParameter, Duration, Fn, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra import names
from infra.constructs.gateway_function import GatewayFunction
from infra.constructs.http_api import HttpApi
from infra.constructs.migration import Migration
from infra.constructs.scheduled import Scheduled
from infra.constructs.stack_parameters import declare
from infra.constructs.worker_queue import WorkerQueue, dead_letter_queue, dead_letters_name
from infra.functions import FUNCTIONS
from infra.routes import DEFAULT_ROUTE, ROUTES
from infra.settings import InfraSettings
from infra.wiring import Resources, Wiring

_SWEEP = "check-replicate-status"
_MIGRATIONS = Path(__file__).parents[2] / "database" / "migrations"


class AppStack(Stack):
    """Composes the application: `functions` by name, `advance_queue`, `store_queue`, `submit_queue` and `api`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: InfraSettings,
        code_directory: Path,
        media_code_directory: Path,
    ) -> None:
        super().__init__(scope, construct_id, description=f"VSL media gateway, {settings.stage}: application")
        self._settings = settings
        self._parameters = declare(self, stage=settings.stage)
        self.advance_queue = WorkerQueue(
            self, "Advance", settings=settings, name="advance", visibility_seconds=90
        )
        self.store_queue = WorkerQueue(self, "Store", settings=settings, name="store", visibility_seconds=330)
        self.submit_queue = WorkerQueue(
            self, "Submit", settings=settings, name="submit", visibility_seconds=450
        )
        self.sweep_dead_letters = dead_letter_queue(self, "SweepDeadLetters", settings=settings, name=_SWEEP)
        self.api = self._http_api()
        self.functions = self._functions(Wiring(self._resources()), code_directory, media_code_directory)
        self._migrate_first()
        self._deliver()
        self._outputs()

    @property
    def function_names(self) -> list[str]:
        """The physical names of all functions."""
        return [gateway_function.name for gateway_function in self.functions.values()]

    @property
    def dead_letter_names(self) -> list[str]:
        """The physical names of all dead-letter queues."""
        return [
            self.advance_queue.dead_letters_name,
            self.store_queue.dead_letters_name,
            self.submit_queue.dead_letters_name,
            dead_letters_name(self._settings, _SWEEP),
        ]

    def _http_api(self) -> HttpApi:
        origins: CfnParameter = self._parameters["CORS_ALLOW_ORIGINS"]
        enabled = CfnCondition(
            self,
            "CorsEnabled",
            expression=Fn.condition_not(Fn.condition_equals(Fn.join(",", origins.value_as_list), "")),
        )
        return HttpApi(
            self,
            "HttpApi",
            settings=self._settings,
            cors_origins=origins.value_as_list,
            cors_enabled=enabled,
        )

    def _resources(self) -> Resources:
        named = self._settings.name
        return Resources(
            settings=self._settings,
            parameters=self._parameters,
            jobs_table=dynamodb.Table.from_table_name(self, "JobsTable", named(names.JOBS_TABLE)),
            cache_table=dynamodb.Table.from_table_name(self, "CacheTable", named(names.CACHE_TABLE)),
            media_bucket=s3.Bucket.from_bucket_name(self, "MediaBucket", names.media_bucket(self._settings)),
            token_key=self._secret("TokenKey", names.TOKEN_KEY_SECRET),
            database_secret=self._secret("DatabaseSecret", names.DATABASE_SECRET),
            database_worker_secret=self._secret("DatabaseWorkerSecret", names.DATABASE_WORKER_SECRET),
            database_migrator_secret=self._secret("DatabaseMigratorSecret", names.DATABASE_MIGRATOR_SECRET),
            database_replica_secret=self._secret("DatabaseReplicaSecret", names.DATABASE_REPLICA_SECRET),
            redis_secret=self._secret("RedisSecret", names.REDIS_SECRET),
            provider_secrets_arn=self.format_arn(
                service="secretsmanager",
                resource="secret",
                resource_name=f"{self._settings.secret_name(names.PROVIDER_SECRETS)}/*",
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
            kms_keys_arn=self.format_arn(service="kms", resource="key", resource_name="*"),
            advance_queue=self.advance_queue.queue,
            advance_dead_letters=self.advance_queue.dead_letters,
            store_queue=self.store_queue.queue,
            store_dead_letters=self.store_queue.dead_letters,
            submit_queue=self.submit_queue.queue,
            submit_dead_letters=self.submit_queue.dead_letters,
            api_endpoint=self.api.endpoint,
        )

    def _secret(self, construct_id: str, suffix: str) -> secretsmanager.ISecret:
        return secretsmanager.Secret.from_secret_name_v2(
            self, construct_id, self._settings.secret_name(suffix)
        )

    def _functions(self, wiring: Wiring, code: Path, media_code: Path) -> dict[str, GatewayFunction]:
        codes = {False: lambda_.Code.from_asset(str(code)), True: lambda_.Code.from_asset(str(media_code))}
        functions = {}
        for spec in FUNCTIONS:
            gateway_function = GatewayFunction(
                self,
                spec.construct_id,
                spec=spec,
                settings=self._settings,
                code=codes[spec.with_media],
                environment=wiring.environment(spec.needs),
                dead_letter_queue=self.sweep_dead_letters if spec.name == "check_replicate_status" else None,
            )
            wiring.grant(gateway_function.role, spec.needs)
            functions[spec.name] = gateway_function
        return functions

    def _migrate_first(self) -> None:
        migrate = self.functions["migrate_database"].function
        logins = CfnParameter(
            self,
            names.LOGINS_PARAMETER,
            default="",
            description="Changes with the secrets of the database's logins: the migrations, which make them, run again",
        )
        migration = Migration(
            self, "Migration", function=migrate, migrations=_MIGRATIONS, logins=logins.value_as_string
        )
        for name, gateway_function in self.functions.items():
            if name != "migrate_database":
                migration.hold_back(gateway_function.function)

    def _deliver(self) -> None:
        for route in (*ROUTES, DEFAULT_ROUTE):
            self.api.route(route, self.functions[route.function].function)
        self.advance_queue.feed(self.functions["advance_job"].function, batch_size=10, max_concurrency=20)
        self.store_queue.feed(self.functions["store_result"].function, batch_size=1, max_concurrency=20)
        self.submit_queue.feed(self.functions["submit_job"].function, batch_size=1, max_concurrency=20)
        Scheduled(
            self,
            "Sweep",
            settings=self._settings,
            name=_SWEEP,
            every=Duration.minutes(5),
            function=self.functions["check_replicate_status"].function,
            event={"source": "vsl.schedule", "task": "check_replicate_status"},
        )

    def _outputs(self) -> None:
        values = {
            "ApiEndpoint": self.api.endpoint,
            "AdvanceQueueUrl": self.advance_queue.queue.queue_url,
            "AdvanceDeadLettersUrl": self.advance_queue.dead_letters.queue_url,
            "StoreQueueUrl": self.store_queue.queue.queue_url,
            "StoreDeadLettersUrl": self.store_queue.dead_letters.queue_url,
            "SubmitQueueUrl": self.submit_queue.queue.queue_url,
            "SubmitDeadLettersUrl": self.submit_queue.dead_letters.queue_url,
            "SweepDeadLettersUrl": self.sweep_dead_letters.queue_url,
        }
        for name, value in values.items():
            CfnOutput(self, name, value=value)
