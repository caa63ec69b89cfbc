"""The tiered read: who answers, who is healed, and what is said when tiers are away."""

from datetime import UTC, datetime, timedelta

import pytest

from lib.domain.actor import Actor
from lib.domain.errors import NotFoundError, RecordUnavailableError
from lib.services.publish import Mirrors
from lib.services.read_status import StatusReader
from tests.fakes.snapshots import completed, snapshot
from tests.fakes.tier import FakeTier

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(minutes=5)
JOB = "0196888a-1111-7000-8000-000000000001"


class House:
    """Two mirrors, the record and the count of outages."""

    def __init__(self) -> None:
        self.redis, self.dynamodb, self.record = FakeTier("redis"), FakeTier("dynamodb"), FakeTier("postgres")
        self.outages: list[str] = []
        self.reader = StatusReader([self.redis, self.dynamodb], self.record, on_outage=self.outages.append)


@pytest.fixture
def house() -> House:
    return House()


def test_a_fresh_mirror_answers_and_nobody_else_is_asked(house: House) -> None:
    house.redis.write(snapshot(JOB, 3), NOW)
    answer = house.reader.read(JOB, NOW)
    assert (answer.snapshot.version, answer.tier, answer.stale) == (3, "redis", False)
    assert (house.dynamodb.reads, house.record.reads) == (0, 0)


def test_the_second_mirror_answers_and_heals_the_first(house: House) -> None:
    house.dynamodb.write(snapshot(JOB, 3), NOW)
    answer = house.reader.read(JOB, NOW)
    assert (answer.tier, answer.stale) == ("dynamodb", False)
    assert house.redis.version_of(JOB) == 3
    assert house.record.reads == 0


def test_the_record_answers_for_stale_mirrors_and_heals_both(house: House) -> None:
    house.redis.write(snapshot(JOB, 2), LONG_AGO)
    house.dynamodb.write(snapshot(JOB, 3), LONG_AGO)
    house.record.write(snapshot(JOB, 4), NOW)
    answer = house.reader.read(JOB, NOW)
    assert (answer.snapshot.version, answer.tier) == (4, "postgres")
    assert (house.redis.version_of(JOB), house.dynamodb.version_of(JOB)) == (4, 4)


def test_a_final_job_is_answered_by_a_mirror_whatever_its_age(house: House) -> None:
    house.dynamodb.write(completed(JOB), NOW - timedelta(days=20))
    assert house.reader.read(JOB, NOW).tier == "dynamodb"


def test_a_mirror_that_is_away_is_counted_passed_over_and_not_healed(house: House) -> None:
    house.redis.down = True
    house.record.write(snapshot(JOB, 4), NOW)
    assert house.reader.read(JOB, NOW).snapshot.version == 4
    assert house.outages == ["redis"], "once: a write to it would have been a second wait"
    assert house.dynamodb.version_of(JOB) == 4


def test_with_every_mirror_away_the_record_answers(house: House) -> None:
    house.redis.down = house.dynamodb.down = True
    house.record.write(snapshot(JOB, 4), NOW)
    assert house.reader.read(JOB, NOW).tier == "postgres"
    assert house.outages == ["redis", "dynamodb"]


def test_with_the_record_away_the_newest_stale_entry_answers_and_says_so(house: House) -> None:
    house.redis.write(snapshot(JOB, 4), LONG_AGO)
    house.dynamodb.write(snapshot(JOB, 3), LONG_AGO)
    house.record.down = True
    answer = house.reader.read(JOB, NOW)
    assert (answer.snapshot.version, answer.tier, answer.stale) == (4, "redis", True)
    assert house.dynamodb.version_of(JOB) == 3, "what cannot be trusted heals nobody"


def test_with_the_record_away_an_unknown_job_is_not_called_missing(house: House) -> None:
    house.record.down = True
    with pytest.raises(RecordUnavailableError) as caught:
        house.reader.read(JOB, NOW)
    assert caught.value.retryable
    assert caught.value.retry_after_seconds


def test_only_the_record_says_that_there_is_no_such_job(house: House) -> None:
    house.dynamodb.write(snapshot(JOB, 3), LONG_AGO)
    with pytest.raises(NotFoundError):
        house.reader.read(JOB, NOW)


def test_somebody_elses_job_looks_like_none(house: House) -> None:
    house.redis.write(snapshot(JOB, 3, userId="user-2"), NOW)
    with pytest.raises(NotFoundError) as theirs:
        house.reader.read(JOB, NOW, owner=Actor.user("user-1"))
    with pytest.raises(NotFoundError) as nobodys:
        House().reader.read(JOB, NOW, owner=Actor.user("user-1"))
    assert theirs.value.message == nobodys.value.message
    assert house.reader.read(JOB, NOW, owner=Actor.user("user-2")).snapshot.version == 3


def test_a_tier_that_was_asked_by_other_means_is_not_asked_again_but_healed(house: House) -> None:
    house.dynamodb.write(snapshot(JOB, 3), NOW)
    house.reader.read(JOB, NOW, missed=["redis"])
    assert house.redis.reads == 0
    assert house.redis.version_of(JOB) == 3


def test_a_heal_with_something_older_changes_nothing(house: House) -> None:
    house.redis.write(snapshot(JOB, 9), LONG_AGO)
    house.dynamodb.write(snapshot(JOB, 3), NOW)
    house.reader.read(JOB, NOW)
    assert house.redis.version_of(JOB) == 9


def test_a_transition_reaches_every_mirror_that_is_there(house: House) -> None:
    house.redis.down = True
    Mirrors([house.redis, house.dynamodb], on_outage=house.outages.append).publish(snapshot(JOB, 2), NOW)
    assert house.dynamodb.version_of(JOB) == 2
    assert house.outages == ["redis"]
