"""Each index is there for something that the gateway asks, and what goes with a row is found by an index."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import psycopg
import pytest

from benchmarks.record.generator import fill
from benchmarks.record.measure import Asked
from benchmarks.record.writers import clock, job_of, submit
from lib.domain.retention import RetentionPeriods, expiries
from lib.ports.record import Answer
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.realtime.feed import Moment, Place, read_page
from lib.stores.postgres.record import PostgresRecord
from local.backing import RecordDatabase
from tests.integration.repository_questions import QUESTIONS

JOBS = 30_000
NOBODY_ASKS = "nobody_asks"
TOLD_SECONDS = 10.0
DAYS_KEPT = RetentionPeriods(
    timeline_days=80, storage_days=80, access_days=80, metrics_days=80, security_days=80, jobs_days=80
)
LOGS = (
    """
    insert into url_access_logs (access_id, output_id, job_id, user_id, access_type, accessed_at)
    select uuid_at(created_at), gen_random_uuid(), job_id, user_id, 'redirect', created_at from jobs
    """,
    """
    insert into system_metrics (metric_id, name, value, unit, measured_at)
    select uuid_at(created_at), 'figure-' || n, 1, 'count', created_at
    from (select created_at from jobs limit 5000) j, generate_series(1, 4) n
    """,
    """
    insert into idempotency_keys (user_id, key, request_hash, job_id, created_at, expires_at)
    select user_id, 'key-' || job_id, 'h', job_id, created_at, created_at + interval '60 days' from jobs limit 5000
    """,
    """
    insert into outbox (topic, job_id, user_id, payload, available_at, leased_until, created_at)
    select 'advance', job_id, user_id, '{}', updated_at, updated_at, updated_at from jobs limit 5000
    """,
    """
    insert into provider_credentials (credential_id, user_id, provider, version, ciphertext, nonce, wrapped_key, key_id,
                                      masked, created_at, replaced_at, wiped_at)
    select uuid_at(now()), u.user_id, 'replicate', n, case when n > 38 then '\\x00'::bytea end,
           substr(sha256('\\x00'), 1, 12), case when n > 38 then '\\x00'::bytea end, 'local:0', '{}',
           now() - interval '2 days', case when n < 40 then now() - interval '1 day' end,
           case when n <= 38 then now() end
    from (select user_id from users limit 250) u, generate_series(1, 40) n
    """,
    """
    insert into attempts (job_id, attempt, state, provider, model_id, model_ref, credential_version, created_at)
    select j.job_id, 9, 'queued', 'replicate', 'm', 'm', 'own:' || c.credential_id, j.created_at
    from (select credential_id, row_number() over () as n from provider_credentials) c
    join (select job_id, created_at, row_number() over () as n from jobs) j on j.n = c.n
    """,
)
UNUSED = """
select indexrelname from pg_stat_user_indexes s join pg_index i using (indexrelid)
where schemaname = 'public' and not i.indisunique and s.idx_scan = 0 order by 1
"""
WITHOUT_INDEX = """
select conrelid::regclass::text, conname from pg_constraint c
where contype = 'f' and confdeltype = 'c' and connamespace = 'public'::regnamespace and not exists (
    select from pg_index i where i.indrelid = c.conrelid and i.indpred is null
    and (i.indkey::smallint[])[0 : cardinality(c.conkey) - 1] @> c.conkey)
"""


@pytest.fixture
def large(empty_record: RecordDatabase) -> RecordDatabase:
    """A record of which no table is so small that it is read as a whole; no index was used yet, and one never is."""
    fill(empty_record.superuser_url, JOBS, clock())
    with psycopg.connect(empty_record.superuser_url, autocommit=True) as connection:
        for statement in LOGS:
            connection.execute(statement)
        connection.execute(f"create index {NOBODY_ASKS} on jobs (user_agent)")
        connection.execute("vacuum (analyze)")
        connection.execute("select pg_stat_reset()")
    return empty_record


def test_every_index_is_used_by_something_that_the_gateway_does(large: RecordDatabase) -> None:
    with Asked(large, JOBS) as asked:
        asked.everything(runs=1)
        asked.daily()
    with worker(large) as connection:
        ask_repositories(connection)
        move_a_job_and_clean_up(PostgresRecord(connection), clock())
        read_the_feed(connection)
    assert unused_after_all_was_told(large, [NOBODY_ASKS]) == [NOBODY_ASKS]


def test_what_goes_with_a_row_is_found_by_an_index(empty_record: RecordDatabase) -> None:
    with psycopg.connect(empty_record.superuser_url) as connection:
        assert connection.execute(WITHOUT_INDEX).fetchall() == []


@contextmanager
def worker(database: RecordDatabase) -> Iterator[RecordConnection]:
    connection = RecordConnection(lambda: database.worker_url, statement_seconds=30)
    yield connection
    connection.close()


def ask_repositories(connection: RecordConnection) -> None:
    job_id = connection.fetch("select job_id::text from jobs order by created_at limit 1")[0][0]
    for question, _ in QUESTIONS.values():
        question(connection, job_id)


def move_a_job_and_clean_up(record: PostgresRecord, now: datetime) -> None:
    """What neither the benchmark nor the repositories do: keys, answers, messages, figures, searches, expiry."""
    job = replace(
        job_of("user-1", now),
        idempotency_key="k",
        request_hash="h",
        idempotency_expires_at=now + timedelta(days=1),
    )
    assert record.create_job(job, now).outcome == "created"
    record.record_submitted(job.job_id, 1, "p", now=now, due_at=now, answer=Answer(202, {}))
    assert record.create_job(replace(job, job_id=job_of("user-1", now).job_id), now).outcome == "replay"
    taken = record.take_outbox(now=now, limit=10, lease_until=now)
    record.forget_sent([message.outbox_id for message in taken])
    assert record.claimed_predictions("replicate", now - timedelta(hours=1), now)
    record.record_metrics([], now)
    for due in expiries(DAYS_KEPT, now):
        record.remove_expired(due.table, due.before, 100)


def read_the_feed(connection: RecordConnection) -> None:
    before = Moment.take(connection.fetch)
    job = job_of("user-1", clock())
    record = PostgresRecord(connection)
    record.create_job(job, clock())
    submit(record, job)
    changes, _, _ = read_page(connection.fetch, Place.at(before), Moment.take(connection.fetch), 100)
    assert [change.version for change in changes] == [1, 2]


def unused_after_all_was_told(database: RecordDatabase, expected: list[str]) -> list[str]:
    """The indexes that nothing used; servers tell what they did a moment after their connections have ended."""
    until = time.monotonic() + TOLD_SECONDS
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        while (unused := [str(name) for (name,) in connection.execute(UNUSED)]) != expected:
            if time.monotonic() > until:
                break
            connection.execute("select pg_sleep(0.05)")
    return unused
