"""The health of real parts, and of parts that were killed, frozen or are merely not as they should be."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lib.aws.sqs_backlog import SqsBacklog
from lib.domain.health import CheckName, CheckResult, Health, HealthReport
from lib.domain.ids import short_id
from lib.services.check_details import CheckDetails
from lib.services.health_checks import health_checks
from lib.stores.dynamodb_client import DynamoDB
from lib.stores.outage import Outage
from lib.stores.postgres.logins import ensure_login
from lib.stores.postgres.migrations import load_migrations, migrate_up
from lib.stores.postgres.migrator import connect
from lib.stores.postgres.record_probe import READ, PostgresProbe
from lib.stores.postgres.roles import Group
from lib.stores.redis_client import RedisClient
from local.backing import Moto, Postgres, RecordDatabase, Redis
from tests.fakes.aws_tables import REGION, aws_client, create_jobs_table

TABLE = "realtime-jobs"
LIMIT_MS = 1500
MARGIN_SECONDS = 1.0
RECORD = {CheckName.CONNECTION, CheckName.READ, CheckName.WRITE, CheckName.REALTIME, CheckName.MIGRATIONS}
PARTS = {"postgres": RECORD, "redis": {CheckName.CACHE}, "moto": {CheckName.MIRROR, CheckName.QUEUE}}
SECRETS = ("127.0.0.1", "localhost", "vsl_", "postgres", "testing", "password", "://")


class House:
    """Everything that is checked, as one process holds it, with servers of its own."""

    def __init__(self, stack: ExitStack, directory: Path) -> None:
        self.servers: dict[str, Postgres | Redis | Moto] = {
            "postgres": stack.enter_context(Postgres(directory / "postgres")),
            "redis": stack.enter_context(Redis(directory / "redis")),
            "moto": stack.enter_context(Moto(directory / "moto")),
        }
        postgres, redis, moto = self.servers.values()
        assert isinstance(postgres, Postgres)
        self.database = RecordDatabase(postgres, name="vsl_health", stage="health")
        self.database.make()
        migrate_up(self.database.owner_url)
        with connect(self.database.owner_url) as connection:
            ensure_login(connection, self.database.api_url, Group.API)
        create_jobs_table(moto.url, TABLE)
        self.sqs = stack.enter_context(closing(aws_client("sqs", moto.url)))
        self.queues = [self.new_queue(), self.new_queue()]
        self.dead_letters = [self.new_queue()]
        redis_client = stack.enter_context(
            closing(RedisClient(redis.url, outage=Outage("redis", pause_seconds=0)))
        )
        dynamodb = stack.enter_context(
            closing(
                DynamoDB(endpoint_url=moto.url, region=REGION, outage=Outage("dynamodb", pause_seconds=0))
            )
        )
        self.backlog = stack.enter_context(
            closing(SqsBacklog(self.queues, self.dead_letters, endpoint_url=moto.url, region=REGION))
        )
        self.parts: dict[str, Any] = {
            "record": PostgresProbe(lambda: self.database.api_url, limit_seconds=LIMIT_MS / 1000),
            "expected_migrations": lambda: {file.name: file.checksum for file in load_migrations()},
            "notifications": True,
            "cache": lambda: redis_client.call("PING"),
            "mirror": lambda: dynamodb.get_item(TABLE, {"jobId": {"S": "health"}}),
            "backlog": self.backlog.measure,
            "long_backlog": 2,
            "limits_ms": dict.fromkeys(CheckName, LIMIT_MS),
        }
        self.details = CheckDetails(health_checks(**self.parts))

    def new_queue(self) -> str:
        return str(self.sqs.create_queue(QueueName=f"health-{short_id()}")["QueueUrl"])

    def send(self, queue: str, count: int) -> None:
        for _ in range(count):
            self.sqs.send_message(QueueUrl=queue, MessageBody="{}")

    def sql(self, statement: str) -> None:
        with psycopg.connect(self.database.superuser_url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def report(self) -> HealthReport:
        """The report, which comes in time and tells no secret."""
        start = time.monotonic()
        report = self.details.report()
        assert time.monotonic() - start < LIMIT_MS / 1000 + MARGIN_SECONDS
        told = " ".join(check.detail for check in report.checks)
        assert not [secret for secret in SECRETS if secret in told], told
        return report

    def check(self, name: CheckName) -> CheckResult:
        return next(check for check in self.report().checks if check.name is name)

    def until_healthy(self) -> None:
        deadline = time.monotonic() + 15
        while (report := self.report()).status is not Health.HEALTHY:
            assert time.monotonic() < deadline, report
            time.sleep(0.05)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        yield House(stack, tmp_path_factory.mktemp("health"))


@pytest.fixture
def house(running: House) -> Iterator[House]:
    """All parts well, before and after."""
    running.until_healthy()
    yield running
    running.until_healthy()


def failing(report: HealthReport) -> set[CheckName]:
    return {check.name for check in report.checks if check.status is Health.UNHEALTHY}


def test_with_all_parts_up_every_check_is_healthy(house: House) -> None:
    report = house.report()
    assert report.status is Health.HEALTHY
    assert [check.name for check in report.checks] == list(CheckName)
    assert {check.detail for check in report.checks} == {""}


@pytest.mark.parametrize("part", PARTS)
def test_a_frozen_part_is_named_within_the_limit_and_the_others_are_well(house: House, part: str) -> None:
    house.servers[part].freeze()
    try:
        report = house.report()
    finally:
        house.servers[part].thaw()
    assert failing(report) == PARTS[part]
    assert report.status is (Health.UNHEALTHY if part == "postgres" else Health.DEGRADED)


def test_with_everything_frozen_the_answer_comes_again_and_again_in_time(house: House) -> None:
    for server in house.servers.values():
        server.freeze()
    try:
        for _ in range(5):
            report = house.report()
            assert failing(report) == set(CheckName)
            assert report.status is Health.UNHEALTHY
    finally:
        for server in house.servers.values():
            server.thaw()


def test_a_database_that_died_and_came_back_is_reported_so(house: House) -> None:
    house.servers["postgres"].kill()
    try:
        report = house.report()
    finally:
        house.servers["postgres"].start()
    assert failing(report) == RECORD
    assert {check.detail for check in report.checks if check.name in RECORD} == {"failed (OperationalError)"}


def test_a_redis_that_died_degrades(house: House) -> None:
    house.servers["redis"].kill()
    try:
        report = house.report()
    finally:
        house.servers["redis"].start()
    assert (report.status, failing(report)) == (Health.DEGRADED, {CheckName.CACHE})


def test_a_database_that_takes_no_writes_is_unhealthy_though_it_reads(house: House) -> None:
    house.sql("alter role vsl_health_api set default_transaction_read_only = on")
    try:
        report = house.report()
    finally:
        house.sql("alter role vsl_health_api reset default_transaction_read_only")
    assert failing(report) == {CheckName.WRITE}
    assert report.status is Health.UNHEALTHY


def test_a_locked_table_fails_the_read_alone(house: House) -> None:
    with psycopg.connect(house.database.superuser_url) as connection:
        connection.execute("lock table jobs in access exclusive mode")
        report = house.report()
    assert failing(report) == {CheckName.READ}


def test_the_write_check_writes_and_leaves_nothing(house: House) -> None:
    def rows() -> list[tuple[Any, ...]]:
        with psycopg.connect(house.database.superuser_url) as connection:
            return connection.execute("select written_at from health_probe").fetchall()

    before = rows()
    house.report()
    after = rows()
    assert (len(before), len(after)) == (1, 1)
    assert after > before


def test_the_read_check_uses_an_index(house: House) -> None:
    with psycopg.connect(house.database.superuser_url) as connection:
        connection.execute("set enable_seqscan = off")
        plan = "\n".join(str(line) for (line,) in connection.execute(f"explain {READ}".encode()).fetchall())
    assert "Index" in plan
    assert "Seq Scan" not in plan


def test_migrations_that_the_code_does_not_know_degrade(house: House) -> None:
    house.sql("insert into schema_migrations (name, checksum) values ('999_newer', repeat('0', 64))")
    try:
        report = house.report()
    finally:
        house.sql("delete from schema_migrations where name = '999_newer'")
    [check] = [check for check in report.checks if check.name is CheckName.MIGRATIONS]
    assert (check.status, check.detail) == (Health.DEGRADED, "applied by newer code: 999_newer")
    assert report.status is Health.DEGRADED


def test_a_database_without_notifications_by_option_is_healthy_and_says_off(house: House) -> None:
    house.sql("update database_options set notify = false")
    try:
        check = house.check(CheckName.REALTIME)
    finally:
        house.sql("update database_options set notify = true")
    assert (check.status, check.detail) == (Health.HEALTHY, "off")


def test_a_missing_table_of_the_mirror_degrades(house: House) -> None:
    with closing(aws_client("dynamodb", house.servers["moto"].url)) as client:
        client.delete_table(TableName=TABLE)
    try:
        report = house.report()
    finally:
        create_jobs_table(house.servers["moto"].url, TABLE)
    assert (report.status, failing(report)) == (Health.DEGRADED, {CheckName.MIRROR})


def test_dead_letters_and_a_long_queue_degrade(house: House) -> None:
    try:
        house.send(house.queues[1], 2)
        assert house.check(CheckName.QUEUE).status is Health.HEALTHY
        house.send(house.queues[0], 1)
        assert house.check(CheckName.QUEUE).detail == "waiting messages: 3"
        house.send(house.dead_letters[0], 1)
        assert house.check(CheckName.QUEUE).detail == "waiting messages: 3; dead letters: 1"
        assert house.report().status is Health.DEGRADED
    finally:
        for queue in (*house.queues, *house.dead_letters):
            house.sqs.purge_queue(QueueUrl=queue)


def test_a_wrong_password_shows_nothing_of_itself(house: House) -> None:
    url = f"postgresql://nobody:secret-password@127.0.0.1:{house.servers['postgres'].port}/vsl_health"
    parts = {**house.parts, "record": PostgresProbe(lambda: url, limit_seconds=1)}
    report = CheckDetails(health_checks(**parts)).report()
    assert failing(report) == RECORD
    assert {check.detail for check in report.checks if check.name in RECORD} == {"failed (OperationalError)"}


def test_no_connection_stays_behind(house: House) -> None:
    house.report()
    deadline = time.monotonic() + 10
    with psycopg.connect(house.database.superuser_url, autocommit=True) as connection:
        query = "select count(*) from pg_stat_activity where usename = 'vsl_health_api'"
        while connection.execute(query).fetchone() != (0,):
            assert time.monotonic() < deadline
