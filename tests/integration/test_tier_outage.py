"""Redis, DynamoDB and Postgres killed and frozen: a status is right within a second, and mirrors heal."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lib.domain.snapshot import JobSnapshot
from lib.ports.tier import Tier, TierUnavailableError
from lib.services.heal_mirrors import MirrorHealer
from lib.services.publish import Mirrors
from lib.services.read_status import StatusAnswer, StatusReader
from lib.stores.dynamodb_client import DynamoDB
from lib.stores.dynamodb_tier import DynamoDBTier
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.record import PostgresRecord
from lib.stores.record_tier import RecordTier
from lib.stores.redis_client import RedisClient
from lib.stores.redis_tier import RedisTier, status_key
from local.backing import Moto, Postgres, Redis
from tests.fakes.aws_tables import REGION, create_jobs_table
from tests.fakes.snapshots import completed, new_job_id, snapshot
from tests.fakes.tier import FakeTier

TABLE = "realtime-jobs"
BREAKS = ["kill", "freeze"]


class House:
    """Real mirrors above a record in a dict, as one warm function process holds them."""

    def __init__(self, redis: Redis, moto: Moto, record: Tier) -> None:
        self.servers: dict[str, Redis | Moto] = {"redis": redis, "dynamodb": moto}
        self.client, self.dynamodb = RedisClient(redis.url), DynamoDB(endpoint_url=moto.url)
        self.mirrors: dict[str, Tier] = {
            "redis": RedisTier(self.client),
            "dynamodb": DynamoDBTier(self.dynamodb, TABLE),
        }
        self.record = record
        self.outages: list[str] = []
        tiers = list(self.mirrors.values())
        self.reader = StatusReader(tiers, record, on_outage=self.outages.append)
        self.publisher = Mirrors(tiers, on_outage=self.outages.append)

    def close(self) -> None:
        self.client.close()
        self.dynamodb.close()

    def transition(self, job: JobSnapshot) -> tuple[str, ...]:
        """What a function does after a commit; the names of mirrors that are behind."""
        self.record.write(job, _now())
        return self.publisher.publish(job, _now())

    def break_down(self, names: list[str], how: str) -> None:
        for name in names:
            getattr(self.servers[name], how)()

    def bring_back(self, names: list[str], how: str) -> None:
        for name in names:
            server = self.servers[name]
            if how == "freeze":
                server.thaw()
                continue
            server.start()
            if isinstance(server, Moto):
                create_jobs_table(server.url, TABLE)

    def timed_read(self, job_id: str) -> StatusAnswer:
        start = time.monotonic()
        answer = self.reader.read(job_id, _now())
        assert time.monotonic() - start < 1
        return answer

    def version_in(self, name: str, job_id: str) -> int | None:
        """The version that a mirror holds; None if it has none or does not answer yet."""
        try:
            entry = self.mirrors[name].read(job_id, _now())
        except TierUnavailableError:
            return None
        return entry.snapshot.version if entry else None


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with ExitStack() as stack:
        redis = stack.enter_context(Redis(tmp_path / "redis"))
        moto = stack.enter_context(Moto(tmp_path / "moto"))
        create_jobs_table(moto.url, TABLE)
        house = stack.enter_context(closing(House(redis, moto, FakeTier("postgres", fresh_seconds=1e9))))
        house.dynamodb.get_item(TABLE, {"jobId": {"S": "warm"}})  # a cold process loads boto3 first
        yield house


@pytest.mark.parametrize("how", BREAKS)
@pytest.mark.parametrize("names", [["redis"], ["dynamodb"], ["redis", "dynamodb"]], ids="+".join)
def test_a_running_job_is_read_right_within_a_second_and_mirrors_agree_afterwards(
    house: House, names: list[str], how: str
) -> None:
    job_id = new_job_id()
    house.transition(snapshot(job_id, 1))
    assert house.timed_read(job_id).snapshot.version == 1

    house.break_down(names, how)
    behind = house.transition(snapshot(job_id, 2))
    assert list(behind) == names
    for _ in range(5):
        answer = house.timed_read(job_id)
        assert (answer.snapshot.version, answer.stale) == (2, False)
    assert set(house.outages) == set(names)

    house.bring_back(names, how)
    healer = MirrorHealer(house.record, house.publisher)
    _wait_until(lambda: healer.heal(job_id, _now()))
    assert house.timed_read(job_id).snapshot.version == 2
    assert {house.version_in(name, job_id) for name in house.mirrors} == {2}


@pytest.mark.parametrize("how", BREAKS)
def test_mirrors_that_lost_a_job_heal_by_reading_it(house: House, how: str) -> None:
    job_id, both = new_job_id(), ["redis", "dynamodb"]
    house.break_down(both, how)
    house.transition(completed(job_id, 5))
    assert house.timed_read(job_id).tier == "postgres"

    house.bring_back(both, how)

    _wait_until(lambda: not (house.client.outage.down or house.dynamodb.outage.down))
    house.client.call("DEL", status_key(job_id))  # it may have kept a write that nobody waited for
    assert house.timed_read(job_id).snapshot.version == 5
    assert {house.version_in(name, job_id) for name in both} == {5}


def test_a_mirror_that_missed_the_end_of_a_job_is_healed_through_its_in_flight_index(house: House) -> None:
    job_id = new_job_id()
    house.transition(snapshot(job_id, 1))
    house.servers["dynamodb"].freeze()
    with pytest.raises(TierUnavailableError):  # the first failure; from now on it is left alone for a moment
        house.mirrors["dynamodb"].read(job_id, _now())
    assert house.transition(completed(job_id, 2)) == ("dynamodb",)
    house.servers["dynamodb"].thaw()

    index = house.mirrors["dynamodb"]
    assert isinstance(index, DynamoDBTier)
    healer = MirrorHealer(house.record, house.publisher)
    _wait_until(lambda: healer.heal_due(index, _now()) == 1)
    assert house.version_in("dynamodb", job_id) == 2
    assert not index.any_due(_now())


@pytest.mark.parametrize("how", BREAKS)
def test_with_postgres_away_a_mirror_answers_within_a_second(house: House, tmp_path: Path, how: str) -> None:
    job_id = new_job_id()
    house.transition(snapshot(job_id, 3))
    with Postgres(tmp_path / "postgres") as postgres:
        connection = RecordConnection(lambda: postgres.url, connect_seconds=0.3, statement_seconds=0.3)
        with closing(connection):
            assert connection.fetch("select 1") == [(1,)]
            getattr(postgres, how)()
            reader = StatusReader(
                list(house.mirrors.values()),
                RecordTier(lambda: PostgresRecord(connection)),
                on_outage=house.outages.append,
            )
            house.client.call("FLUSHDB")
            assert _timed(lambda: reader.read(job_id, _now())).tier == "dynamodb"
            house.client.call("FLUSHDB")
            much_later = datetime(2100, 1, 1, tzinfo=UTC)
            for _ in range(3):
                answer = _timed(lambda: reader.read(job_id, much_later))
                assert (answer.snapshot.version, answer.tier, answer.stale) == (3, "dynamodb", True)
            if how == "freeze":
                postgres.thaw()
    assert set(house.outages) == {"postgres"}


def _timed(read: Callable[[], StatusAnswer]) -> StatusAnswer:
    start = time.monotonic()
    answer = read()
    assert time.monotonic() - start < 1
    return answer


def _now() -> datetime:
    return datetime.now(UTC)


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
