"""Every tier keeps the same promises: the fake, Redis and DynamoDB."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from lib.ports.tier import Tier, TierUnavailableError
from lib.stores.dynamodb_client import DynamoDB
from lib.stores.dynamodb_tier import DynamoDBTier
from lib.stores.outage import Outage
from lib.stores.redis_client import RedisClient
from lib.stores.redis_tier import RedisTier, status_key
from local.backing import Moto, Redis
from local.backing.ports import free_port
from tests.fakes.aws_tables import create_jobs_table
from tests.fakes.snapshots import completed, new_job_id, snapshot
from tests.fakes.tier import FakeTier

LATER = timedelta(seconds=31)


@dataclass
class Subject:
    """A tier under test; `outlive` makes time pass for a job's entry and returns the time to read at."""

    tier: Tier
    away: Tier
    outlive: Callable[[str], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


def _fake() -> Iterator[Subject]:
    away = FakeTier()
    away.down = True
    yield Subject(FakeTier(), away, lambda _job_id: _now() + LATER)


def _redis(server: Redis) -> Iterator[Subject]:
    with (
        closing(RedisClient(server.url, timeout_seconds=5)) as client,
        closing(RedisClient(f"redis://127.0.0.1:{free_port()}/0")) as dead,
    ):

        def outlive(job_id: str) -> datetime:
            client.call(
                "PEXPIRE", status_key(job_id), 0
            )  # its life is up; how long it is, is tested elsewhere
            return _now() + LATER

        yield Subject(RedisTier(client), RedisTier(dead), outlive)


def _dynamodb(server: Moto) -> Iterator[Subject]:
    table = f"jobs-{new_job_id()}"
    create_jobs_table(server.url, table)
    never_down = Outage("dynamodb", pause_seconds=0)
    with (
        closing(DynamoDB(endpoint_url=server.url, timeout_seconds=5, outage=never_down)) as dynamodb,
        closing(DynamoDB(endpoint_url=f"http://127.0.0.1:{free_port()}")) as dead,
    ):
        yield Subject(
            DynamoDBTier(dynamodb, table), DynamoDBTier(dead, table), lambda _job_id: _now() + LATER
        )


@pytest.fixture(params=["fake", "redis", "dynamodb"])
def subject(request: pytest.FixtureRequest, aws_environment: None) -> Iterator[Subject]:
    match request.param:
        case "redis":
            yield from _redis(request.getfixturevalue("redis_server"))
        case "dynamodb":
            yield from _dynamodb(request.getfixturevalue("moto_server"))
        case _:
            yield from _fake()


def test_a_job_that_was_never_written_is_not_there(subject: Subject) -> None:
    assert subject.tier.read(new_job_id(), _now()) is None


def test_what_was_written_is_read_back_whole_and_fresh(subject: Subject) -> None:
    job = snapshot(new_job_id(), futureMember={"nested": [1, 2.5, None, "é 語 \N{SNOWMAN}"]})
    assert subject.tier.write(job, _now())
    entry = subject.tier.read(job.job_id, _now())
    assert entry is not None
    assert entry.snapshot == job
    assert entry.fresh


def test_a_newer_version_replaces_an_older_one(subject: Subject) -> None:
    job_id = new_job_id()
    subject.tier.write(snapshot(job_id, 1), _now())
    assert subject.tier.write(snapshot(job_id, 2), _now())
    assert _version(subject.tier, job_id) == 2


def test_an_older_version_is_not_taken_and_changes_nothing(subject: Subject) -> None:
    job_id = new_job_id()
    subject.tier.write(completed(job_id, 10), _now())
    assert not subject.tier.write(snapshot(job_id, 9), _now() + timedelta(seconds=1))
    entry = subject.tier.read(job_id, _now())
    assert entry is not None
    assert entry.snapshot == completed(job_id, 10)


def test_the_same_version_is_taken_again(subject: Subject) -> None:
    job, now = snapshot(new_job_id(), 3), _now()
    assert subject.tier.write(job, now)
    assert subject.tier.write(job, now)
    assert subject.tier.write(job, now + timedelta(seconds=1))


def test_a_job_that_is_not_final_is_not_trusted_for_long(subject: Subject) -> None:
    job_id = new_job_id()
    subject.tier.write(snapshot(job_id), _now())
    entry = subject.tier.read(job_id, subject.outlive(job_id))
    assert entry is None or not entry.fresh


def test_writing_the_same_version_again_makes_it_trusted_again(subject: Subject) -> None:
    job_id = new_job_id()
    subject.tier.write(snapshot(job_id), _now())
    later = subject.outlive(job_id)
    subject.tier.write(snapshot(job_id), later)
    entry = subject.tier.read(job_id, later)
    assert entry is not None
    assert entry.fresh


def test_a_final_job_is_trusted_whatever_its_age(subject: Subject) -> None:
    job_id = new_job_id()
    subject.tier.write(completed(job_id), _now())
    entry = subject.tier.read(job_id, _now() + timedelta(days=1))
    assert entry is not None
    assert entry.fresh


def test_of_writers_at_once_the_newest_version_wins(subject: Subject) -> None:
    job_id, versions = new_job_id(), list(range(1, 25))
    random.shuffle(versions)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda version: subject.tier.write(snapshot(job_id, version), _now()), versions))
    assert _version(subject.tier, job_id) == 24


def test_a_tier_that_is_away_says_so_and_nothing_else(subject: Subject) -> None:
    job = snapshot(new_job_id())
    with pytest.raises(TierUnavailableError):
        subject.away.read(job.job_id, _now())
    with pytest.raises(TierUnavailableError):
        subject.away.write(job, _now())


def _version(tier: Tier, job_id: str) -> int | None:
    entry = tier.read(job_id, _now())
    return entry.snapshot.version if entry else None
