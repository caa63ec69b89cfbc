"""Builds the concrete adapters: the only module that does. Each part is built when first asked for, and kept.

Imports stand inside the functions, so that each Lambda function loads only what its path uses. A test replaces
a part by replacing its function here.
"""
# ruff: noqa: PLC0415 - see above

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from lib import settings as s
from lib.ports.correlation import CorrelatedQueue

if TYPE_CHECKING:
    from lib.api.views import JobView
    from lib.aws.journal import LoggedJournal
    from lib.aws.metrics import EmfMetrics
    from lib.aws.secrets import Secrets
    from lib.aws.signed_urls import UrlSigner
    from lib.domain.caller import Caller
    from lib.domain.catalogue import Catalogue
    from lib.domain.provider import Credential, ProviderUpdate
    from lib.domain.security_event import Refusal
    from lib.domain.timing import Timing
    from lib.ports.provider import ProviderAdapter, ProviderClient
    from lib.ports.record import JobRecord
    from lib.ports.security_log import SecurityLog
    from lib.ports.storage import MediaBucket
    from lib.ports.tier import Tier
    from lib.providers.transport import RequestsTransport
    from lib.services.accept_webhook import AcceptWebhook
    from lib.services.admit_caller import AdmitCaller
    from lib.services.after_commit import AfterCommit
    from lib.services.analytics import Analytics
    from lib.services.authenticate import Authenticator
    from lib.services.cancel import CancelJob
    from lib.services.check_details import CheckDetails
    from lib.services.check_health import CheckHealth
    from lib.services.fallback_cache import FallbackCache
    from lib.services.generate import GenerateMedia
    from lib.services.handle_message import HandleMessage
    from lib.services.heal_mirrors import MirrorHealer
    from lib.services.job_details import ReadJobDetails
    from lib.services.list_jobs import ListJobs
    from lib.services.look_up_status import LookUpStatus
    from lib.services.progress import ProgressStore
    from lib.services.publish import Mirrors
    from lib.services.query_cache import QueryCache
    from lib.services.read_media import ReadMedia
    from lib.services.store_result import StoreResult
    from lib.services.submit_attempt import SubmitAttempt
    from lib.services.sweep import Sweep
    from lib.services.video_jobs import VideoJobService
    from lib.services.worker_notes import WorkerNotes
    from lib.stores.dynamodb_client import DynamoDB
    from lib.stores.dynamodb_tier import DynamoDBTier
    from lib.stores.outage import Outage
    from lib.stores.postgres.api_keys import PostgresApiKeys
    from lib.stores.postgres.connection import RecordConnection
    from lib.stores.postgres.roles import Group
    from lib.stores.postgres.slow_queries import SlowQueryLog
    from lib.stores.redis_client import RedisClient
    from lib.stores.redis_status import StatusFastPath
    from lib.variables import Secret

READ_CONNECT_SECONDS = 0.5
READ_STATEMENT_SECONDS = 0.4
"""How long a status waits for the record; it answers within a second whatever happens."""

NOTE_CONNECT_SECONDS, NOTE_READ_SECONDS = 0.3, 0.5

S3_CONNECT_SECONDS, S3_ATTEMPTS = 1.0, 2
DOCUMENT_READ_SECONDS = 2.0
MEDIA_READ_SECONDS = 10.0
"""A call that was begun when storing was told that its time is up must end within what is left then."""

PROVIDER_CALLS_PER_MINUTE = 3000.0
PROVIDER_BURST = 300

SettingsT = TypeVar("SettingsT")

# --- the process itself


def settings(kind: type[SettingsT]) -> SettingsT:
    """The settings of this class, read from the environment once."""
    hashable: Any = kind
    return cast("SettingsT", _settings(hashable))


@cache
def _settings(kind: type) -> object:
    return s.load(kind, os.environ)


def clock() -> datetime:
    """Now, in whole milliseconds: what is recorded is what the wire shows, and a cursor loses nothing."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@cache
def secrets() -> "Secrets":
    """The secrets of this function."""
    from lib.aws.secrets import Secrets

    return Secrets()


@cache
def metrics() -> "EmfMetrics":
    """Where figures go."""
    from lib.aws.metrics import EmfMetrics

    return EmfMetrics()


@cache
def journal() -> "LoggedJournal":
    """Where services tell what they do."""
    from lib.aws.journal import LoggedJournal

    return LoggedJournal(metrics())


def on_outage(name: str) -> None:
    """A store that could be done without was away."""
    metrics().count("StoreUnavailable", store=name)


# --- the record


@cache
def record_connection() -> "RecordConnection":
    """The connection of transitions."""
    from lib.stores.postgres.connection import RecordConnection

    return RecordConnection(_address_of_record, on_slow=_slow_queries())


@cache
def reading_connection() -> "RecordConnection":
    """The connection of reads that have another answer when the record is slow."""
    from lib.stores.postgres.connection import RecordConnection

    return RecordConnection(
        _address_of_record,
        connect_seconds=READ_CONNECT_SECONDS,
        statement_seconds=READ_STATEMENT_SECONDS,
        on_slow=_slow_queries(),
    )


@cache
def replica_connection() -> "RecordConnection":
    """The connection of reads that may be a little old: to the replica, or to the record if there is none."""
    from lib import work_settings as w
    from lib.stores.postgres.connection import RecordConnection

    def address() -> str:
        replica = settings(w.ReplicaSettings).replica
        return _address(replica, read_only=True) if replica else _address_of_record()

    return RecordConnection(address, read_only=True, on_slow=_slow_queries())


def _address_of_record() -> str:
    return _address(settings(s.DatabaseSettings).database)


def _address(database: "Secret", *, read_only: bool = False) -> str:
    """The connection string, which asks for TLS off this machine; read anew, as secrets are rotated."""
    from lib.stores.postgres.sources import SecretSource

    source = SecretSource(
        lambda: secrets().text(database), database.name, read_only=read_only, environ=os.environ
    )
    return source.url()


@cache
def _slow_queries() -> "SlowQueryLog | None":
    """Where slow statements are told of."""
    from lib.stores.postgres.slow_queries import slow_query_log

    return slow_query_log(settings(s.DatabaseSettings).slow_query_ms)


@cache
def record() -> "JobRecord":
    """The record of jobs."""
    from lib.stores.postgres.record import PostgresRecord

    return PostgresRecord(record_connection())


@cache
def reading_outage() -> "Outage":
    """What key checks and status reads know of the record's being away."""
    from lib.stores.outage import Outage

    return Outage("postgres")


@cache
def api_keys() -> "PostgresApiKeys":
    """The record of API keys, for creating and listing jobs."""
    from lib.stores.postgres.api_keys import PostgresApiKeys

    return PostgresApiKeys(record_connection)


@cache
def quick_api_keys() -> "PostgresApiKeys":
    """The record of API keys, for reading a status."""
    from lib.stores.postgres.api_keys import PostgresApiKeys

    return PostgresApiKeys(reading_connection, outage=reading_outage())


@cache
def record_tier() -> "Tier":
    """The record as the last tier of the status."""
    from lib.stores.record_tier import RecordTier

    def finder() -> "JobRecord":
        from lib.stores.postgres.record import PostgresRecord

        return PostgresRecord(reading_connection())

    return RecordTier(finder, outage=reading_outage())


# --- Redis and DynamoDB


@cache
def redis() -> "RedisClient | None":
    """Redis, or None where there is none by setting."""
    from lib.stores.redis_client import RedisClient

    secret = settings(s.RedisSettings).redis
    return RedisClient(secrets().get(secret)) if secret else None


@cache
def fast_path(default_limit_per_hour: int = 1) -> "StatusFastPath | None":
    """The one-trip path through Redis; the limit matters only to those who count."""
    from lib.stores.redis_status import StatusFastPath

    client = redis()
    return StatusFastPath(client, default_limit_per_hour=default_limit_per_hour) if client else None


@cache
def dynamodb() -> "DynamoDB":
    """The client of both tables."""
    from lib.stores.dynamodb_client import DynamoDB

    return DynamoDB()


@cache
def dynamodb_tier() -> "DynamoDBTier":
    """The table of jobs."""
    from lib.stores.dynamodb_tier import DynamoDBTier

    return DynamoDBTier(dynamodb(), settings(s.MirrorSettings).jobs_table)


@cache
def mirror_tiers() -> "tuple[Tier, ...]":
    """The mirrors, fastest first."""
    from lib.stores.redis_tier import RedisTier

    client = redis()
    return (RedisTier(client), dynamodb_tier()) if client else (dynamodb_tier(),)


@cache
def mirrors() -> "Mirrors":
    """All mirrors, to publish to."""
    from lib.services.publish import Mirrors

    return Mirrors(mirror_tiers(), on_outage=on_outage)


@cache
def mirror_healer() -> "MirrorHealer":
    """Tells mirrors again what they missed."""
    from lib.services.heal_mirrors import MirrorHealer

    return MirrorHealer(record_tier(), mirrors())


@cache
def shared_cache() -> "FallbackCache":
    """Redis, then DynamoDB, then (for counting) this process."""
    from lib.services.fallback_cache import FallbackCache
    from lib.stores.dynamodb_cache import DynamoDBCache
    from lib.stores.local_limiter import LocalLimiter
    from lib.stores.redis_cache import RedisCache

    client = redis()
    table = DynamoDBCache(dynamodb(), settings(s.CacheSettings).cache_table)
    caches = (RedisCache(client), table) if client else (table,)
    return FallbackCache(caches, LocalLimiter(), on_outage=on_outage)


@cache
def progress_store() -> "ProgressStore":
    """The progress of running jobs."""
    from lib.services.progress import ProgressStore

    return ProgressStore(shared_cache(), on_outage=on_outage)


# --- queues and bucket


@cache
def advance_queue() -> CorrelatedQueue:
    """The queue of work on jobs."""
    from lib.aws.sqs import SqsQueue

    return CorrelatedQueue(SqsQueue(settings(s.AdvanceQueueSettings).advance_queue_url))


@cache
def note_queue() -> CorrelatedQueue:
    """The queue of work on jobs, for notes: nobody's request waits long for them to be taken."""
    from lib.aws.sqs import SqsQueue

    url = settings(s.AdvanceQueueSettings).advance_queue_url
    connect, read = NOTE_CONNECT_SECONDS, NOTE_READ_SECONDS
    return CorrelatedQueue(SqsQueue(url, connect_seconds=connect, read_seconds=read, attempts=1))


@cache
def worker_notes() -> "WorkerNotes":
    """Tells workers what they are to write down."""
    from lib.services.worker_notes import WorkerNotes

    return WorkerNotes(note_queue, metrics().count, clock)


@cache
def security_log() -> "SecurityLog":
    """Where refused requests are told of."""
    from lib.services.security_log import QueuedSecurityLog

    return QueuedSecurityLog(worker_notes(), metrics().count, clock)


def report(refusal: "Refusal") -> None:
    """Tell of a refused request."""
    security_log().refused(refusal)


@cache
def store_queue() -> CorrelatedQueue:
    """The queue of outputs to store."""
    from lib import work_settings as w
    from lib.aws.sqs import SqsQueue

    return CorrelatedQueue(SqsQueue(settings(w.QueueSettings).store_queue_url))


@cache
def s3_client(read_seconds: float = DOCUMENT_READ_SECONDS) -> Any:
    """boto3's S3; the only retry is its own, so that a call takes twice the limits at most."""
    import boto3
    from botocore.config import Config

    config = Config(
        signature_version="s3v4",
        connect_timeout=S3_CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"total_max_attempts": S3_ATTEMPTS, "mode": "standard"},
        max_pool_connections=10,
    )
    return boto3.Session().client("s3", config=config)


@cache
def bucket() -> "MediaBucket":
    """The operator's bucket, for documents that somebody waits for."""
    from lib.stores.bucket import S3MediaBucket

    return S3MediaBucket(s3_client(), settings(s.BucketSettings).bucket)


@cache
def media_bucket() -> "MediaBucket":
    """The operator's bucket, for media."""
    from lib.stores.bucket import S3MediaBucket

    return S3MediaBucket(s3_client(MEDIA_READ_SECONDS), settings(s.BucketSettings).bucket)


@cache
def url_signer() -> "UrlSigner":
    """Signs addresses of outputs."""
    from lib.aws.signed_urls import UrlSigner

    return UrlSigner(settings(s.BucketSettings).bucket)


# --- models and providers


@cache
def catalogue() -> "Catalogue":
    """The models."""
    from lib import work_settings as w
    from lib.stores.models_source import load_catalogue

    def read_object(bucket_name: str, key: str) -> bytes:
        body: bytes = s3_client().get_object(Bucket=bucket_name, Key=key)["Body"].read()
        return body

    return load_catalogue(settings(w.ModelsSettings).models_config, read_object=read_object)


@cache
def adapter(name: str) -> "ProviderAdapter":
    """A provider's words. Raises NotFoundError for a provider that we do not know."""
    from lib import work_settings as w
    from lib.domain.errors import NotFoundError
    from lib.providers.registry import ADAPTERS, load_adapter

    if name not in ADAPTERS:
        raise NotFoundError(f"there is no provider {name[:100]!r}")
    return load_adapter(name, settings(w.ReplicateSettings).replicate_base_url)


@cache
def transport() -> "RequestsTransport":
    """The only socket to providers."""
    from lib.ports.provider import Operation
    from lib.providers.transport import RequestsTransport

    def count_failures(provider: str, operation: Operation, status: int | None, _seconds: float) -> None:
        if status is None or status >= 500 or status == 429:
            answer = str(status) if status else "none"
            metrics().count("ProviderCallFailed", provider=provider, operation=operation.value, answer=answer)

    return RequestsTransport(on_call=count_failures)


@cache
def provider(name: str) -> "ProviderClient":
    """A provider, ready to be asked."""
    from lib.providers.client import HttpProviderClient
    from lib.providers.rate_gate import RateGate

    gate = RateGate(per_minute=PROVIDER_CALLS_PER_MINUTE, burst=PROVIDER_BURST, monotonic=time.monotonic)
    return HttpProviderClient(adapter(name), transport(), gate)


def credential(name: str, version: str = "platform") -> "Credential":
    """The operator's key at a provider; asked for anew each time, so that a rotated one is taken."""
    from lib import work_settings as w
    from lib.domain.provider import Credential

    return Credential(name, secrets().get(settings(w.ReplicateSettings).replicate), version)


def webhook_token_key() -> str:
    """The key of the tokens in callback addresses."""
    from lib import work_settings as w

    return secrets().get(settings(w.TokenSettings).webhook_token_key)


def callback(provider: str, job_id: str, attempt: int, credential_version: str) -> str | None:
    """The address at which a provider calls back; None where webhooks are switched off."""
    from lib import work_settings as w
    from lib.domain.webhook_token import CallbackTarget, callback_url

    chosen = settings(w.CallbackSettings)
    if chosen.provider_webhooks == "disabled":
        return None
    target = CallbackTarget(provider, job_id, attempt, credential_version)
    return callback_url(chosen.webhook_base_url, webhook_token_key(), target)


# --- use cases


@cache
def timing() -> "Timing":
    """The deadlines that the operator chose."""
    from lib import work_settings as w
    from lib.domain.timing import Timing

    chosen = settings(w.TimingSettings)
    return Timing(job_deadline=chosen.job_deadline_seconds, poll_after=chosen.poll_after_seconds)


@cache
def authenticator() -> "Authenticator":
    """Checks keys for what needs the record anyway."""
    from lib.services.authenticate import Authenticator

    return Authenticator(shared_cache(), api_keys(), clock, on_outage=on_outage)


def identify(presented: str | None, *, allow_stale: bool = False) -> "Caller":
    """Who presents this key; see `Authenticator.identify`."""
    return authenticator().identify(presented, allow_stale=allow_stale)


@cache
def after_commit() -> "AfterCommit":
    """What follows each transition."""
    from lib.services.after_commit import AfterCommit

    queues = {"advance": advance_queue(), "store": store_queue()}
    return AfterCommit(record(), mirrors().publish, queues, journal())


@cache
def submit_attempt() -> "SubmitAttempt":
    """Sends attempts."""
    from lib.services.submit_attempt import SubmitAttempt

    return SubmitAttempt(
        record=record(),
        after_commit=after_commit(),
        callback=callback,
        advance_queue=advance_queue(),
        journal=journal(),
        clock=clock,
        timing=timing(),
    )


@cache
def admit_caller() -> "AdmitCaller":
    """Who may start a job."""
    from lib import work_settings as w
    from lib.services.admit_caller import AdmitCaller

    limit = settings(w.GenerateSettings).rate_limit_per_hour
    return AdmitCaller(fast_path(limit), authenticator(), shared_cache(), limit, clock, on_outage)


@cache
def generate_media() -> "GenerateMedia":
    """Starts jobs."""
    from lib import work_settings as w
    from lib.ports.holds import GrantEverything
    from lib.services.generate import GenerateMedia

    settings(w.GenerateSettings)
    return GenerateMedia(
        record=record(),
        catalogue=catalogue(),
        provider=provider,
        credential=credential,
        submit=submit_attempt(),
        after_commit=after_commit(),
        holds=GrantEverything(),
        bucket=bucket,
        clock=clock,
        timing=timing(),
    )


@cache
def look_up_status() -> "LookUpStatus":
    """Reads the status of a job."""
    from lib.services.authenticate import Authenticator
    from lib.services.look_up_status import LookUpStatus
    from lib.services.read_status import StatusReader

    settings(s.StatusSettings)
    return LookUpStatus(
        fast=fast_path(),
        authenticator=Authenticator(shared_cache(), quick_api_keys(), clock, on_outage=on_outage),
        reader=StatusReader(mirror_tiers(), record_tier(), on_outage=on_outage),
        progress=progress_store(),
        clock=clock,
        on_outage=on_outage,
    )


@cache
def job_view() -> "JobView":
    """Shows jobs."""
    from lib.api.views import JobView

    return JobView(url_signer())


@cache
def list_jobs() -> "ListJobs":
    """Lists jobs."""
    from lib import work_settings as w
    from lib.services.list_jobs import ListJobs

    settings(w.JobsSettings)
    return ListJobs(record())


@cache
def job_details() -> "ReadJobDetails":
    """Tells all that is known of a job."""
    from lib import work_settings as w
    from lib.services.job_details import ReadJobDetails
    from lib.stores.postgres.repositories.elements import PostgresElements
    from lib.stores.postgres.repositories.jobs import PostgresJobs
    from lib.stores.postgres.repositories.storage_operations import PostgresStorageLog
    from lib.stores.postgres.repositories.timeline import PostgresTimeline

    settings(w.JobsSettings)
    connection = record_connection()
    return ReadJobDetails(
        jobs=PostgresJobs(connection),
        elements_of=PostgresElements(connection),
        timeline_of=PostgresTimeline(connection),
        storage_of=PostgresStorageLog(connection),
        progress=progress_store(),
        clock=clock,
    )


@cache
def read_media() -> "ReadMedia":
    """Sends readers to what was made."""
    from lib import work_settings as w
    from lib.services.read_media import ReadMedia

    settings(w.JobsSettings)
    return ReadMedia(record(), url_signer(), worker_notes(), clock)


@cache
def query_cache() -> "QueryCache":
    """Keeps the answers to expensive queries: in Redis, if there is one, and in this process."""
    from lib import work_settings as w
    from lib.services.query_cache import QueryCache
    from lib.stores.redis_query_cache import RedisQueryStore

    chosen, client = settings(w.QueryCacheSettings), redis()
    return QueryCache(
        RedisQueryStore(client) if client else None,
        max_size=chosen.cache_max_size,
        ttl_seconds=chosen.cache_ttl_seconds,
        on_outage=on_outage,
    )


@cache
def analytics() -> "Analytics":
    """Figures for operators, from the replica if there is one."""
    from lib import work_settings as w
    from lib.services.analytics import Analytics
    from lib.stores.postgres.repositories.analytics import PostgresAnalytics

    settings(w.AnalyticsSettings)
    return Analytics(PostgresAnalytics(replica_connection()), query_cache(), clock)


@cache
def cancel_job() -> "CancelJob":
    """Cancels jobs."""
    from lib import work_settings as w
    from lib.services.cancel import CancelJob

    settings(w.JobsSettings)
    return CancelJob(record(), after_commit(), clock)


@cache
def accept_webhook() -> "AcceptWebhook":
    """Takes in webhooks."""
    from lib import work_settings as w
    from lib.services.accept_webhook import AcceptWebhook
    from lib.services.webhook_secrets import WebhookSecrets

    settings(w.WebhookSettings)
    return AcceptWebhook(
        adapter=adapter,
        token_key=webhook_token_key,
        secrets=WebhookSecrets(lambda name: provider(name).webhook_secret(credential(name))),
        queue=advance_queue(),
        bucket=bucket,
        metrics=metrics(),
        clock=clock,
    )


@cache
def handle_message() -> "HandleMessage":
    """Works through the advance queue."""
    from lib import work_settings as w
    from lib.services.advance import AdvanceJob
    from lib.services.handle_message import HandleMessage
    from lib.services.keep_note import KeepNote
    from lib.services.processed_events import ProcessedWebhooks

    settings(w.AdvanceSettings)
    advance = AdvanceJob(
        record=record(),
        after_commit=after_commit(),
        submit=submit_attempt(),
        provider=provider,
        credential=credential,
        note_progress=progress_store().record,
        load_input=_load_input,
        journal=journal(),
        clock=clock,
        timing=timing(),
    )
    processed = ProcessedWebhooks(shared_cache(), on_outage=on_outage)
    return HandleMessage(
        advance=advance,
        processed=processed,
        read_update=_read_update,
        heal=mirror_healer().heal,
        journal=journal(),
        clock=clock,
        keep=KeepNote(record()),
    )


def _load_input(request_ref: str) -> Mapping[str, Any]:
    from lib.stores.json_object import read_json_object

    found: Mapping[str, Any] = read_json_object(bucket(), request_ref)["input"]
    return found


def _read_update(message: Mapping[str, Any]) -> "ProviderUpdate":
    from lib.domain.provider_json import update_from_json
    from lib.stores.json_object import read_json_object

    reference = message.get("bodyRef")
    return update_from_json(read_json_object(bucket(), reference) if reference else message["update"])


@cache
def store_result() -> "StoreResult":
    """Works through the store queue."""
    from lib import work_settings as w
    from lib.aws.account import region
    from lib.domain.stored_output import CopyLimits
    from lib.providers.fetch import GuardedOutputSource
    from lib.providers.guard import AddressGuard
    from lib.services.output_meter import BucketPlace
    from lib.services.store_output import StoragePorts, store_output
    from lib.services.store_result import StoreResult
    from lib.stores.probe import DecodingProbe
    from lib.stores.thumbnail import PillowPainter

    chosen = settings(w.StoreSettings)
    source = GuardedOutputSource(AddressGuard(chosen.output_host_exception))
    ports = StoragePorts(media_bucket(), source, DecodingProbe(), PillowPainter())
    store_one = partial(store_output, ports=ports, limits=CopyLimits(max_bytes=chosen.max_output_bytes))
    place = BucketPlace(settings(s.BucketSettings).bucket, region())
    return StoreResult(record(), after_commit(), store_one, journal(), clock, timing(), place)


@cache
def sweep() -> "Sweep":
    """Finds what nobody did."""
    from lib import work_settings as w
    from lib.domain.retention import RetentionPeriods
    from lib.ports.tier import TierUnavailableError
    from lib.services.retention import Retention
    from lib.services.sweep import Sweep

    chosen = settings(w.SweepSettings)
    periods = RetentionPeriods(
        timeline_days=chosen.retention_timeline_days,
        storage_days=chosen.retention_storage_days,
        access_days=chosen.retention_access_days,
        metrics_days=chosen.retention_metrics_days,
        security_days=chosen.retention_security_days,
        jobs_days=chosen.retention_jobs_days,
    )
    retention = Retention(record(), journal(), periods)

    def any_due(now: datetime) -> bool:
        try:
            return dynamodb_tier().any_due(now)
        except TierUnavailableError:
            on_outage("dynamodb")
            return True

    def heal_due(now: datetime) -> int:
        return mirror_healer().heal_due(dynamodb_tier(), now)

    return Sweep(
        record=record(),
        after_commit=after_commit(),
        advance_queue=advance_queue(),
        any_due=any_due,
        heal_due=heal_due,
        remove_expired=retention.remove_expired,
        journal=journal(),
        clock=clock,
    )


@cache
def video_jobs() -> "VideoJobService":
    """Composed jobs, for the worker that composes them."""
    from lib.services.create_video_job import CreateVideoJob
    from lib.services.video_jobs import VideoJobService
    from lib.stores.postgres.repositories.elements import PostgresElements
    from lib.stores.postgres.repositories.jobs import PostgresJobs
    from lib.stores.postgres.repositories.storage_operations import PostgresStorageLog
    from lib.stores.postgres.repositories.timeline import PostgresTimeline

    connection = record_connection()
    elements = PostgresElements(connection)
    return VideoJobService(
        create_video_job=CreateVideoJob(PostgresJobs(connection), elements, record(), after_commit(), clock),
        record=record(),
        elements=elements,
        timeline=PostgresTimeline(connection),
        storage=PostgresStorageLog(connection),
        progress=progress_store(),
        after_commit=after_commit(),
        clock=clock,
    )


@cache
def check_health() -> "CheckHealth":
    """Says whether the gateway works."""
    from lib import work_settings as w
    from lib.domain.errors import UnavailableError
    from lib.ports.tier import TierUnavailableError
    from lib.services.check_health import CheckHealth

    settings(w.DescribeSettings)

    def works(ask: Callable[[], object]) -> bool:
        try:
            ask()
        except (UnavailableError, TierUnavailableError):
            return False
        return True

    client = redis()
    return CheckHealth(
        record=lambda: works(lambda: reading_connection().fetch("select 1")),
        redis=(lambda: works(lambda: client.call("PING"))) if client else None,
        monotonic=time.monotonic,
    )


@cache
def check_details() -> "CheckDetails":
    """Says how each part of the gateway does."""
    from lib import work_settings as w
    from lib.aws.sqs_backlog import SqsBacklog
    from lib.services.check_details import CheckDetails
    from lib.services.health_checks import health_checks
    from lib.stores.postgres.migrations import load_migrations
    from lib.stores.postgres.record_probe import PostgresProbe

    chosen, client = settings(w.DescribeSettings), redis()
    backlog = SqsBacklog(
        (chosen.advance_queue_url, chosen.store_queue_url),
        (chosen.advance_dead_letters_url, chosen.store_dead_letters_url),
    )
    checks = health_checks(
        record=PostgresProbe(_address_of_record),
        expected_migrations=lambda: {file.name: file.checksum for file in load_migrations()},
        notifications=True,
        cache=(lambda: client.call("PING")) if client else None,
        mirror=lambda: dynamodb().get_item(chosen.jobs_table, {"jobId": {"S": "health"}}),
        backlog=backlog.measure,
    )
    return CheckDetails(checks)


def database_url() -> str:
    """Where the record is, for migrations."""
    from lib import work_settings as w

    return _address(settings(w.MigrationSettings).database)


def database_logins() -> "dict[Group, str]":
    """The addresses of the functions' logins by their group, as far as they are given, for migrations."""
    from lib import work_settings as w
    from lib.stores.postgres.roles import Group

    chosen = settings(w.MigrationSettings)
    given = {Group.API: chosen.api_database, Group.WORKER: chosen.worker_database}
    return {group: _address(secret) for group, secret in given.items() if secret is not None}
