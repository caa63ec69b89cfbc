"""The use cases of the workers and of the sweep, and what callers share with them."""
# ruff: noqa: PLC0415 - see the package

from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from lib import bootstrap
from lib import settings as s

if TYPE_CHECKING:
    from lib.domain.provider import Credential, ProviderUpdate, UploadPolicy
    from lib.domain.timing import Timing
    from lib.services.after_commit import AfterCommit
    from lib.services.direct_uploads import DirectUploads
    from lib.services.handle_message import HandleMessage
    from lib.services.store_result import StoreResult
    from lib.services.submit_attempt import SubmitAttempt, TakeOutputs
    from lib.services.sweep import Sweep
    from lib.services.video_jobs import VideoJobService

UPLOAD_GRACE_SECONDS = 900
"""How much longer than a job's deadline a provider may put outputs into the bucket."""


@cache
def timing() -> "Timing":
    """The deadlines that the operator chose."""
    from lib import work_settings as w
    from lib.domain.timing import Timing

    chosen = bootstrap.settings(w.TimingSettings)
    return Timing(job_deadline=chosen.job_deadline_seconds, poll_after=chosen.poll_after_seconds)


@cache
def after_commit() -> "AfterCommit":
    """What follows each transition."""
    from lib.services.after_commit import AfterCommit

    queues = {
        "advance": bootstrap.advance_queue(),
        "store": bootstrap.store_queue(),
        "submit": bootstrap.submit_queue(),
    }
    return AfterCommit(bootstrap.record(), bootstrap.mirrors().publish, queues, bootstrap.journal())


@cache
def submit_attempt() -> "SubmitAttempt":
    """Sends attempts."""
    from lib.services.submit_attempt import SubmitAttempt

    return SubmitAttempt(
        record=bootstrap.record(),
        after_commit=bootstrap.after_commit(),
        callback=bootstrap.callback,
        advance_queue=bootstrap.advance_queue(),
        journal=bootstrap.journal(),
        clock=bootstrap.clock,
        timing=bootstrap.timing(),
        take_outputs=bootstrap.take_outputs(),
        on_key_refused=bootstrap.key_refused,
    )


@cache
def take_outputs() -> "TakeOutputs":
    """Takes over what a provider made that is with us already."""
    from lib.services.park_outputs import ParkOutputs
    from lib.services.take_outputs import TakeOwnOutputs

    return TakeOwnOutputs(ParkOutputs(bootstrap.media_bucket), bootstrap.direct_uploads())


@cache
def direct_uploads() -> "DirectUploads":
    """Lets providers that can put what they made straight into the bucket, for a while longer than a job may take."""
    from lib.aws.account import bucket_urls, credentials, region
    from lib.aws.post_policy import LARGEST_POST, post_policy
    from lib.aws.sigv4 import Signer
    from lib.services.direct_uploads import DirectUploads

    bucket = bootstrap.settings(s.BucketSettings).bucket
    bases = bucket_urls(bucket)
    expires_in = int(bootstrap.timing().job_deadline) + UPLOAD_GRACE_SECONDS

    def sign(key_prefix: str) -> "UploadPolicy":
        signer = Signer(credentials(), region(), "s3")
        return post_policy(
            signer,
            bucket,
            bases[0],
            key_prefix,
            max_bytes=LARGEST_POST,
            expires_in=expires_in,
            now=bootstrap.clock(),
        )

    return DirectUploads(sign, bases)


def key_refused(credential: "Credential", user_id: str) -> None:
    """A provider refused a key: one that a user brought is not used again until it has been tested or replaced."""
    from lib.domain.provider import FailureKind

    if credential.is_own:
        note, code = bootstrap.note_credential_failure(), FailureKind.AUTHENTICATION.value
        note(credential.version, code, user_id=user_id, provider=credential.provider)
    else:
        bootstrap.metrics().count("PlatformKeyRefused", provider=credential.provider)


@cache
def handle_message() -> "HandleMessage":
    """Works through the advance queue."""
    from lib import work_settings as w
    from lib.services.advance import AdvanceJob
    from lib.services.advance_parts import AdvanceParts
    from lib.services.handle_message import HandleMessage
    from lib.services.keep_note import KeepNote
    from lib.services.processed_events import ProcessedWebhooks

    bootstrap.settings(w.AdvanceSettings)
    parts = AdvanceParts(
        record=bootstrap.record(),
        after_commit=bootstrap.after_commit(),
        submit=bootstrap.submit_attempt(),
        provider=bootstrap.provider,
        credential=bootstrap.credential,
        note_progress=bootstrap.progress_store().record,
        load_input=_load_input,
        journal=bootstrap.journal(),
        clock=bootstrap.clock,
        timing=bootstrap.timing(),
    )
    advance = AdvanceJob(parts)
    processed = ProcessedWebhooks(bootstrap.shared_cache(), on_outage=bootstrap.on_outage)
    return HandleMessage(
        advance=advance,
        processed=processed,
        read_update=_read_update,
        heal=bootstrap.mirror_healer().heal,
        journal=bootstrap.journal(),
        clock=bootstrap.clock,
        keep=KeepNote(bootstrap.record()),
    )


def _load_input(request_ref: str, attempt: int, model_id: str) -> Mapping[str, Any]:
    from lib.stores.json_object import read_json_object

    kept: Mapping[str, Any] = read_json_object(bootstrap.bucket(), request_ref)
    found: Mapping[str, Any] = kept["input"] if attempt == 1 else kept["fallbacks"][model_id]
    return found


def _read_update(message: Mapping[str, Any]) -> "ProviderUpdate":
    from lib.domain.provider_json import update_from_json
    from lib.stores.json_object import read_json_object

    reference = message.get("bodyRef")
    return update_from_json(
        read_json_object(bootstrap.bucket(), reference) if reference else message["update"]
    )


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

    chosen = bootstrap.settings(w.StoreSettings)
    source = GuardedOutputSource(AddressGuard(chosen.output_host_exception))
    ports = StoragePorts(bootstrap.media_bucket(), source, DecodingProbe(), PillowPainter())
    store_one = partial(store_output, ports=ports, limits=CopyLimits(max_bytes=chosen.max_output_bytes))
    place = BucketPlace(bootstrap.settings(s.BucketSettings).bucket, region())
    return StoreResult(
        bootstrap.record(),
        bootstrap.after_commit(),
        store_one,
        bootstrap.journal(),
        bootstrap.clock,
        bootstrap.timing(),
        place,
    )


@cache
def sweep() -> "Sweep":
    """Finds what nobody did."""
    from lib import work_settings as w
    from lib.domain.retention import RetentionPeriods
    from lib.ports.tier import TierUnavailableError
    from lib.services.read_media import CACHE_BRANCH
    from lib.services.retention import Retention
    from lib.services.sweep import Sweep

    chosen = bootstrap.settings(w.SweepSettings)
    periods = RetentionPeriods(
        timeline_days=chosen.retention_timeline_days,
        storage_days=chosen.retention_storage_days,
        access_days=chosen.retention_access_days,
        metrics_days=chosen.retention_metrics_days,
        security_days=chosen.retention_security_days,
        jobs_days=chosen.retention_jobs_days,
    )

    def forget_outputs() -> None:
        bootstrap.query_cache().invalidate_prefix(CACHE_BRANCH)

    retention = Retention(bootstrap.record(), bootstrap.journal(), periods, on_jobs_removed=forget_outputs)

    def any_due(now: datetime) -> bool:
        try:
            return bootstrap.dynamodb_tier().any_due(now)
        except TierUnavailableError:
            bootstrap.on_outage("dynamodb")
            return True

    def heal_due(now: datetime) -> int:
        return bootstrap.mirror_healer().heal_due(bootstrap.dynamodb_tier(), now)

    return Sweep(
        record=bootstrap.record(),
        after_commit=bootstrap.after_commit(),
        advance_queue=bootstrap.advance_queue(),
        any_due=any_due,
        heal_due=heal_due,
        remove_expired=retention.remove_expired,
        journal=bootstrap.journal(),
        clock=bootstrap.clock,
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

    connection = bootstrap.record_connection()
    elements = PostgresElements(connection)
    return VideoJobService(
        create_video_job=CreateVideoJob(
            PostgresJobs(connection), elements, bootstrap.record(), bootstrap.after_commit(), bootstrap.clock
        ),
        record=bootstrap.record(),
        elements=elements,
        timeline=PostgresTimeline(connection),
        storage=PostgresStorageLog(connection),
        progress=bootstrap.progress_store(),
        after_commit=bootstrap.after_commit(),
        clock=bootstrap.clock,
    )
