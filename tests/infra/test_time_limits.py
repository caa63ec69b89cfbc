"""Limits of time within each other: what a function waits for ends before the function does, and it still answers.

Each test adds up the longest waits of one path, whatever is slow on it. A dependency that stands still costs
its own limit once; then it is answered for (503), waited out (workers) or done without (mirrors).
"""

import inspect

from handlers import advance_job, check_replicate_status, store_result
from infra.functions import FUNCTIONS
from lib.aws import kms_key, secrets, sqs
from lib.bootstrap import queues
from lib.domain.timing import Timing
from lib.ports.provider import Operation
from lib.providers.client import RECOVER_SECONDS, RESULT_SECONDS
from lib.providers.fetch import FetchTimes
from lib.providers.transport import LIMITS
from lib.stores.dynamodb_client import CONNECT_SECONDS, WRITE_SECONDS
from lib.stores.postgres.connection import RecordConnection

API_GATEWAY_SECONDS = 30
SECONDS = {spec.name: spec.timeout_seconds for spec in FUNCTIONS}
_RECORD = inspect.signature(RecordConnection).parameters
CONNECT, STATEMENT = float(_RECORD["connect_seconds"].default), float(_RECORD["statement_seconds"].default)
QUEUE = 2 * (sqs.CONNECT_SECONDS + sqs.READ_SECONDS) + 1
MIRROR = CONNECT_SECONDS + WRITE_SECONDS
SECRET = secrets.TIMEOUT_SECONDS
BEHIND_THE_API = (
    "generate_media",
    "process_webhook",
    "receive_upload",
    "get_status",
    "manage_jobs",
    "manage_providers",
    "describe_api",
    "read_analytics",
)


def bucket_call(read_seconds: float) -> float:
    return queues.S3_ATTEMPTS * (queues.S3_CONNECT_SECONDS + read_seconds) + 1


def test_no_function_outlives_the_api_in_front_of_it() -> None:
    assert all(SECONDS[name] <= API_GATEWAY_SECONDS for name in BEHIND_THE_API)


def test_a_slow_provider_and_a_slow_record_lead_to_an_answer_and_not_to_a_504() -> None:
    statements = 3  # the key, the job, what the provider said
    assert CONNECT + statements * STATEMENT + LIMITS[Operation.SUBMIT].total < API_GATEWAY_SECONDS


def test_a_slow_master_key_besides_leads_to_an_answer_too() -> None:
    statements = (
        3  # the key, the job, what the provider said; or: the key, the credential, what came of its test
    )
    calls = max(LIMITS[Operation.SUBMIT].total, LIMITS[Operation.TEST].total)
    assert CONNECT + statements * STATEMENT + kms_key.TOTAL_SECONDS + calls < API_GATEWAY_SECONDS


def test_a_slow_provider_and_a_slow_queue_lead_to_an_answer() -> None:
    sends = 2  # what the outbox holds, and the look after a silent provider
    assert LIMITS[Operation.SUBMIT].total + sends * QUEUE < API_GATEWAY_SECONDS


def test_a_request_too_large_for_the_record_leads_to_an_answer_when_the_bucket_stands_still() -> None:
    parked = bucket_call(queues.DOCUMENT_READ_SECONDS)
    assert parked + LIMITS[Operation.SUBMIT].total < SECONDS["generate_media"]
    assert parked < SECONDS["process_webhook"]


def test_a_webhook_is_answered_when_the_provider_does_not_tell_its_secret() -> None:
    cold = 2 * SECRET  # our token key, our token at the provider
    assert cold + LIMITS[Operation.WEBHOOK_SECRET].total < SECONDS["process_webhook"]
    assert SECONDS["process_webhook"] > QUEUE


def test_a_cancel_is_answered_when_record_and_queue_are_slow() -> None:
    assert SECONDS["manage_jobs"] > CONNECT + 2 * STATEMENT + QUEUE + MIRROR


def test_the_slowest_message_that_is_begun_ends_before_its_worker() -> None:
    search = RECOVER_SECONDS + LIMITS[Operation.RECOVER].total
    poll = RESULT_SECONDS + LIMITS[Operation.RESULT].total
    others = [limits.total for operation, limits in LIMITS.items() if operation is not Operation.GENERATE]
    slowest = max(search, poll, *others)
    assert slowest + STATEMENT + MIRROR < advance_job.MESSAGE_MILLISECONDS / 1000 < SECONDS["advance_job"]


def test_a_result_that_was_waited_for_is_kept_and_recorded_before_its_worker_ends() -> None:
    kept = (
        bucket_call(queues.MEDIA_READ_SECONDS) * 4
    )  # what there was, a file, the manifest, and one more try
    recorded = CONNECT + 3 * STATEMENT + MIRROR  # the claim, that it was taken, the result
    assert LIMITS[Operation.GENERATE].total + kept + recorded < SECONDS["submit_job"]
    assert SECONDS["submit_job"] < Timing().generate_lease


def test_a_submit_is_never_thought_dead_while_it_is_sent() -> None:
    assert LIMITS[Operation.SUBMIT].total + CONNECT + STATEMENT < Timing().submit_lease
    assert Timing().submit_lease >= SECONDS["advance_job"]


def test_what_was_begun_when_the_time_for_storing_was_up_ends_before_the_worker() -> None:
    source = FetchTimes().connect + FetchTimes().answer
    part = bucket_call(queues.MEDIA_READ_SECONDS)
    assert source + part < store_result.STOP_MILLISECONDS / 1000 < SECONDS["store_result"]
    assert SECONDS["store_result"] < Timing().storing_lease


def test_a_sweep_that_is_told_to_stop_ends_before_its_function() -> None:
    assert QUEUE < check_replicate_status.STOP_MILLISECONDS / 1000 < SECONDS["check_replicate_status"]
