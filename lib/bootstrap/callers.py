"""The use cases of those who call the API."""
# ruff: noqa: PLC0415 - see the package

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from lib import bootstrap
from lib import settings as s

if TYPE_CHECKING:
    from lib.api.views import JobView
    from lib.domain.caller import Caller
    from lib.services.accept_webhook import AcceptWebhook
    from lib.services.admit_caller import AdmitCaller
    from lib.services.analytics import Analytics
    from lib.services.authenticate import Authenticator
    from lib.services.cancel import CancelJob
    from lib.services.check_details import CheckDetails
    from lib.services.check_health import CheckHealth
    from lib.services.generate import GenerateMedia
    from lib.services.job_details import ReadJobDetails
    from lib.services.list_jobs import ListJobs
    from lib.services.look_up_status import LookUpStatus
    from lib.services.read_media import ReadMedia
    from lib.services.receive_upload import ReceiveUpload


@cache
def authenticator() -> "Authenticator":
    """Checks keys for what needs the record anyway."""
    from lib.services.authenticate import Authenticator

    return Authenticator(
        bootstrap.shared_cache(), bootstrap.api_keys(), bootstrap.clock, on_outage=bootstrap.on_outage
    )


def identify(presented: str | None, *, allow_stale: bool = False) -> "Caller":
    """Who presents this key; see `Authenticator.identify`."""
    return bootstrap.authenticator().identify(presented, allow_stale=allow_stale)


@cache
def admit_caller() -> "AdmitCaller":
    """Who may start a job."""
    from lib import work_settings as w
    from lib.services.admit_caller import AdmitCaller

    limit = bootstrap.settings(w.GenerateSettings).rate_limit_per_hour
    return AdmitCaller(
        bootstrap.admission_path(limit),
        bootstrap.authenticator(),
        bootstrap.shared_cache(),
        limit,
        bootstrap.clock,
        bootstrap.on_outage,
    )


@cache
def generate_media() -> "GenerateMedia":
    """Starts jobs."""
    from lib import work_settings as w
    from lib.ports.holds import GrantEverything
    from lib.services.generate import GenerateMedia

    bootstrap.settings(w.GenerateSettings)
    bootstrap.flow_control().leave_probes_to_workers()
    return GenerateMedia(
        record=bootstrap.record(),
        catalogue=bootstrap.catalogue(),
        provider=bootstrap.provider,
        credential=bootstrap.credential,
        keys=bootstrap.choose_key(),
        plan=bootstrap.plan_alternatives(),
        submit=bootstrap.submit_attempt(),
        after_commit=bootstrap.after_commit(),
        holds=GrantEverything(),
        bucket=bootstrap.bucket,
        clock=bootstrap.clock,
        timing=bootstrap.timing(),
        unpriced=bootstrap.unpriced_models(),
    )


@cache
def look_up_status() -> "LookUpStatus":
    """Reads the status of a job."""
    from lib.services.authenticate import Authenticator
    from lib.services.look_up_status import LookUpStatus
    from lib.services.read_status import StatusReader

    bootstrap.settings(s.StatusSettings)
    return LookUpStatus(
        fast=bootstrap.fast_path(),
        authenticator=Authenticator(
            bootstrap.shared_cache(),
            bootstrap.quick_api_keys(),
            bootstrap.clock,
            on_outage=bootstrap.on_outage,
        ),
        reader=StatusReader(bootstrap.mirror_tiers(), bootstrap.record_tier(), on_outage=bootstrap.on_outage),
        progress=bootstrap.progress_store(),
        clock=bootstrap.clock,
        on_outage=bootstrap.on_outage,
    )


@cache
def job_view() -> "JobView":
    """Shows jobs."""
    from lib.api.views import JobView

    return JobView(bootstrap.url_signer())


@cache
def list_jobs() -> "ListJobs":
    """Lists jobs."""
    from lib import work_settings as w
    from lib.services.list_jobs import ListJobs

    bootstrap.settings(w.JobsSettings)
    return ListJobs(bootstrap.record())


@cache
def job_details() -> "ReadJobDetails":
    """Tells all that is known of a job."""
    from lib import work_settings as w
    from lib.services.job_details import ReadJobDetails
    from lib.stores.postgres.repositories.elements import PostgresElements
    from lib.stores.postgres.repositories.jobs import PostgresJobs
    from lib.stores.postgres.repositories.storage_operations import PostgresStorageLog
    from lib.stores.postgres.repositories.timeline import PostgresTimeline

    bootstrap.settings(w.JobsSettings)
    connection = bootstrap.record_connection()
    return ReadJobDetails(
        jobs=PostgresJobs(connection),
        elements_of=PostgresElements(connection),
        timeline_of=PostgresTimeline(connection),
        storage_of=PostgresStorageLog(connection),
        progress=bootstrap.progress_store(),
        clock=bootstrap.clock,
    )


@cache
def read_media() -> "ReadMedia":
    """Sends readers to what was made."""
    from lib import work_settings as w
    from lib.services.read_media import ReadMedia

    bootstrap.settings(w.JobsSettings)
    return ReadMedia(
        record=bootstrap.record(),
        cache=bootstrap.query_cache(),
        sign=bootstrap.url_signer(),
        notes=bootstrap.worker_notes(),
        clock=bootstrap.clock,
    )


@cache
def analytics() -> "Analytics":
    """Figures for operators, from the replica if there is one."""
    from lib import work_settings as w
    from lib.services.analytics import Analytics
    from lib.stores.postgres.repositories.analytics import PostgresAnalytics

    bootstrap.settings(w.AnalyticsSettings)
    return Analytics(
        PostgresAnalytics(bootstrap.replica_connection()), bootstrap.query_cache(), bootstrap.clock
    )


@cache
def cancel_job() -> "CancelJob":
    """Cancels jobs."""
    from lib import work_settings as w
    from lib.services.cancel import CancelJob

    bootstrap.settings(w.JobsSettings)
    return CancelJob(bootstrap.record(), bootstrap.after_commit(), bootstrap.clock)


@cache
def accept_webhook() -> "AcceptWebhook":
    """Takes in webhooks."""
    from lib import work_settings as w
    from lib.services.accept_webhook import AcceptWebhook
    from lib.services.webhook_secrets import WebhookSecrets

    bootstrap.settings(w.WebhookSettings)

    def secret_of(name: str) -> str | None:
        """What signs the webhooks of the operator's account; None where there is none."""
        if not bootstrap.has_platform_key(name):
            return None
        return bootstrap.provider(name).webhook_secret(bootstrap.credential(name))

    return AcceptWebhook(
        adapter=bootstrap.adapter,
        token_key=bootstrap.webhook_token_key,
        secrets=WebhookSecrets(secret_of),
        queue=bootstrap.advance_queue(),
        bucket=bootstrap.bucket,
        metrics=bootstrap.metrics(),
        clock=bootstrap.clock,
    )


@cache
def receive_upload() -> "ReceiveUpload":
    """Sends files of providers' own servers on to the bucket."""
    import secrets
    from functools import partial

    from lib import work_settings as w
    from lib.aws.signed_urls import upload_address
    from lib.services.receive_upload import ReceiveUpload

    bucket = bootstrap.settings(w.UploadSettings).bucket
    return ReceiveUpload(
        token_key=bootstrap.webhook_token_key,
        address_for=partial(upload_address, bucket),
        unique=partial(secrets.token_hex, 8),
        metrics=bootstrap.metrics(),
        clock=bootstrap.clock,
    )


@cache
def check_health() -> "CheckHealth":
    """Says whether the gateway works."""
    from lib import work_settings as w
    from lib.domain.errors import UnavailableError
    from lib.ports.tier import TierUnavailableError
    from lib.services.check_health import CheckHealth
    from lib.stores.postgres.record_probe import must_take_writes

    bootstrap.settings(w.DescribeSettings)

    def works(ask: Callable[[], object]) -> bool:
        try:
            ask()
        except (UnavailableError, TierUnavailableError):
            return False
        return True

    client = bootstrap.redis()
    return CheckHealth(
        record=lambda: works(lambda: must_take_writes(bootstrap.reading_connection())),
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

    chosen, client = bootstrap.settings(w.DescribeSettings), bootstrap.redis()
    backlog = SqsBacklog(
        (chosen.advance_queue_url, chosen.store_queue_url, chosen.submit_queue_url),
        (chosen.advance_dead_letters_url, chosen.store_dead_letters_url, chosen.submit_dead_letters_url),
    )
    checks = health_checks(
        record=PostgresProbe(bootstrap.address_of_record),
        expected_migrations=lambda: {file.name: file.checksum for file in load_migrations()},
        notifications=True,
        cache=(lambda: client.call("PING")) if client else None,
        mirror=lambda: bootstrap.dynamodb().get_item(chosen.jobs_table, {"jobId": {"S": "health"}}),
        backlog=backlog.measure,
    )
    return CheckDetails(checks)
