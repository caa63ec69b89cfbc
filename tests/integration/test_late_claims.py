"""A provider is heard of when its job is over: the job stays as it was told, the attempt keeps what came of it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from lib.domain.provider import Failure, FailureKind, ProviderUpdate, RemoteStatus
from lib.ports.record import Transition
from lib.stores.postgres.record import PostgresRecord
from tests.integration.record_calls import PREDICTION, SUCCEEDED, apply, at, create, submit, update

BILLED = replace(SUCCEEDED, billed_seconds=12.5, cost_usd=Decimal("0.04"))
FAILED = update(RemoteStatus.FAILED, failure=Failure(FailureKind.MODEL_ERROR, "out of paint", unbilled=True))


class LateNews:
    """A job that its deadline ended, and its only attempt as the record has it."""

    def __init__(self, record: PostgresRecord, superuser_url: str) -> None:
        self.record, self._url = record, superuser_url
        self.job_id = create(record)

    def never_answered(self) -> Transition:
        """Nobody answered the submit, and nobody claimed it until the deadline."""
        self.record.mark_submit_unknown(self.job_id, 1, due_at=at(30), now=at(20))
        return self._over("submit_unknown")

    def never_finished(self) -> Transition:
        """It was accepted, and the provider said nothing to the wish to cancel it at the deadline."""
        submit(self.record, self.job_id)
        return self._over("deadline_exceeded")

    def _over(self, code: str) -> Transition:
        return self.record.fail_job(self.job_id, code=code, message="late", retryable=True, now=at(700))

    def told(self, what: ProviderUpdate, seconds: float) -> Transition:
        return apply(self.record, self.job_id, what, seconds)

    def attempt(self, *columns: str) -> tuple[Any, ...]:
        with psycopg.connect(self._url, row_factory=dict_row) as connection:
            row = connection.execute("select * from attempts where job_id = %s", (self.job_id,)).fetchone()
        assert row is not None
        return tuple(row[column] for column in columns)


@pytest.fixture
def late(record: PostgresRecord, superuser_url: str) -> LateNews:
    return LateNews(record, superuser_url)


def test_a_late_success_leaves_its_cost_with_the_attempt_and_the_job_as_it_was(late: LateNews) -> None:
    over = late.never_answered()
    told = late.told(BILLED, 800)
    assert (told.outcome, told.changed, told.job) == ("final", False, over.job)
    assert told.outbox == ()  # it has ended: there is nothing to cancel at the provider
    assert late.attempt("provider_job_id", "state", "ended_at") == (PREDICTION, "succeeded", at(800))
    assert late.attempt("billed_seconds", "cost") == (Decimal("12.5"), Decimal("0.04"))


def test_a_late_failure_that_cost_nothing_is_kept_with_its_reason(late: LateNews) -> None:
    late.never_answered()
    late.told(FAILED, 800)
    assert late.attempt("state", "failure_kind", "failure_message", "cost") == (
        *("failed", "provider_model_error", "out of paint"),
        None,
    )


def test_late_news_told_twice_counts_once(late: LateNews) -> None:
    late.never_answered()
    first = late.told(BILLED, 800)
    again = late.told(replace(BILLED, cost_usd=Decimal("0.09")), 900)
    assert first.extra["ended"]["cost"] == 0.04
    assert "ended" not in again.extra
    assert late.attempt("state", "ended_at", "cost") == ("succeeded", at(800), Decimal("0.04"))


def test_an_attempt_that_is_never_heard_of_stays_unknown_and_without_a_cost(late: LateNews) -> None:
    late.never_answered()
    assert late.attempt("provider_job_id", "state", "ended_at", "billed_seconds", "cost") == (
        *(None, "unknown", None),
        *(None, None),
    )


def test_what_an_attempt_cost_is_kept_when_its_verdict_comes_after_it_was_given_up(late: LateNews) -> None:
    over = late.never_finished()
    told = late.told(BILLED, 800)
    assert (told.changed, told.job) == (False, over.job)
    assert late.attempt("state", "failure_kind", "ended_at") == ("failed", "deadline_exceeded", at(700))
    assert late.attempt("billed_seconds", "cost") == (Decimal("12.5"), Decimal("0.04"))
    assert told.extra["ended"]["cost"] == 0.04
