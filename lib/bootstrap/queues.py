"""The work queues, the notes to workers, and the bucket."""
# ruff: noqa: PLC0415 - see the package

from functools import cache
from typing import TYPE_CHECKING, Any

from lib import bootstrap
from lib import settings as s
from lib.ports.correlation import CorrelatedQueue

if TYPE_CHECKING:
    from lib.aws.signed_urls import UrlSigner
    from lib.domain.security_event import Refusal
    from lib.ports.security_log import SecurityLog
    from lib.ports.storage import MediaBucket
    from lib.services.worker_notes import WorkerNotes

NOTE_CONNECT_SECONDS, NOTE_READ_SECONDS = 0.5, 1.0

S3_CONNECT_SECONDS, S3_ATTEMPTS = 1.0, 2
DOCUMENT_READ_SECONDS = 2.0
MEDIA_READ_SECONDS = 10.0
"""A call that was begun when storing was told that its time is up must end within what is left then."""


@cache
def advance_queue() -> CorrelatedQueue:
    """The queue of work on jobs."""
    from lib.aws.sqs import SqsQueue

    return CorrelatedQueue(SqsQueue(bootstrap.settings(s.AdvanceQueueSettings).advance_queue_url))


@cache
def note_queue() -> CorrelatedQueue:
    """The queue of work on jobs, for notes: nobody's request waits long for them to be taken."""
    from lib.aws.sqs import SqsQueue

    url = bootstrap.settings(s.AdvanceQueueSettings).advance_queue_url
    connect, read = NOTE_CONNECT_SECONDS, NOTE_READ_SECONDS
    return CorrelatedQueue(SqsQueue(url, connect_seconds=connect, read_seconds=read, attempts=1))


@cache
def worker_notes() -> "WorkerNotes":
    """Tells workers what they are to write down."""
    from lib.services.worker_notes import WorkerNotes

    return WorkerNotes(bootstrap.note_queue, bootstrap.metrics().count, bootstrap.clock)


@cache
def security_log() -> "SecurityLog":
    """Where refused requests are told of."""
    from lib.services.security_log import QueuedSecurityLog

    return QueuedSecurityLog(bootstrap.worker_notes(), bootstrap.metrics().count, bootstrap.clock)


def report(refusal: "Refusal") -> None:
    """Tell of a refused request."""
    bootstrap.security_log().refused(refusal)


@cache
def submit_queue() -> CorrelatedQueue:
    """The queue of submits whose answer is the result."""
    from lib import work_settings as w
    from lib.aws.sqs import SqsQueue

    return CorrelatedQueue(SqsQueue(bootstrap.settings(w.QueueSettings).submit_queue_url))


@cache
def store_queue() -> CorrelatedQueue:
    """The queue of outputs to store."""
    from lib import work_settings as w
    from lib.aws.sqs import SqsQueue

    return CorrelatedQueue(SqsQueue(bootstrap.settings(w.QueueSettings).store_queue_url))


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

    return S3MediaBucket(bootstrap.s3_client(), bootstrap.settings(s.BucketSettings).bucket)


@cache
def media_bucket() -> "MediaBucket":
    """The operator's bucket, for media."""
    from lib.stores.bucket import S3MediaBucket

    return S3MediaBucket(bootstrap.s3_client(MEDIA_READ_SECONDS), bootstrap.settings(s.BucketSettings).bucket)


@cache
def url_signer() -> "UrlSigner":
    """Signs addresses of outputs."""
    from lib.aws.signed_urls import UrlSigner

    return UrlSigner(bootstrap.settings(s.BucketSettings).bucket)
