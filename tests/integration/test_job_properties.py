"""Whatever happens, in whatever order: one final state, versions that only grow, one submit, stores that agree.

Hypothesis draws the actors (webhook, poll, cancel, time, sweep, workers), and at every seam, before and after each
call of a port, may let another actor run in between or kill the one that is running.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from itertools import pairwise

import psycopg
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from lib.domain.provider import AdapterTraits, Failure, FailureKind, RemoteStatus, SubmitSafety
from lib.domain.snapshot import JobSnapshot
from lib.ports.record import PlannedAttempt
from lib.ports.tier import Tier, TierEntry
from lib.services.read_status import StatusReader
from lib.stores.dynamodb_client import DynamoDB
from lib.stores.dynamodb_tier import DynamoDBTier
from lib.stores.outage import Outage
from lib.stores.postgres.record import PostgresRecord
from lib.stores.record_tier import RecordTier
from lib.stores.redis_client import RedisClient
from lib.stores.redis_tier import NON_FINAL_SECONDS, RedisTier
from local.backing import Moto, Redis
from tests.fakes.aws_tables import create_jobs_table
from tests.fakes.provider import OnSubmit
from tests.fakes.seam import Killed
from tests.integration.world import PICTURE, World

SYNCHRONOUS = AdapterTraits(submit_safety=SubmitSafety.NONE, synchronous=True, polls=False, cancels=False)
PLANNED = PlannedAttempt(
    model_id="other-model",
    provider="replicate",
    model_ref="someone/other-model",
    credentials="platform",
    synchronous=False,
    estimated_time_seconds=5,
    estimated_cost="0.003",
    input={"prompt": "a lighthouse"},
)


class Hears(Enum):
    """How the gateway hears of the end of an attempt."""

    WEBHOOKS = "webhooks"
    POLLS = "polls"
    ANSWER = "answer"


EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "500"))
DEEPEST = 3
NOTHING, KILL = 0, 1


class AgingRedisTier(RedisTier):
    """The tier in Redis, whose entries also grow old by the world's clock: its hours take milliseconds."""

    def __init__(self, client: RedisClient) -> None:
        super().__init__(client)
        self._written: dict[str, datetime] = {}

    def read(self, job_id: str, now: datetime) -> TierEntry | None:
        entry = super().read(job_id, now)
        written = self._written.get(job_id)
        if entry is None or entry.snapshot.final or written is None:
            return entry
        return entry if now - written < timedelta(seconds=NON_FINAL_SECONDS) else None

    def write(self, snapshot: JobSnapshot, now: datetime) -> bool:
        taken = super().write(snapshot, now)
        if taken:
            self._written[snapshot.job_id] = now
        return taken


@dataclass
class Life:
    """One drawn history over a world: actions, and what happens at each seam."""

    world: World
    seams: Iterator[int]
    jobs: list[str]
    depth: int = 0

    def at_seam(self, where: str) -> None:
        """Nothing, death, or another actor in between."""
        decision = next(self.seams, NOTHING)
        if decision == NOTHING:
            return
        if decision == KILL:
            note(f"killed {where}")
            raise Killed(where)
        if self.depth < DEEPEST:
            self.act(decision)

    def act(self, choice: int) -> None:
        """One actor does one thing; a death inside is that actor's own."""
        self.depth += 1
        try:
            self._actions()[choice % len(self._actions())]()
        except Killed:
            pass
        finally:
            self.depth -= 1

    def _actions(self) -> list[Callable[[], object]]:
        world = self.world
        return [
            lambda: world.work(world.advance_queue),
            lambda: world.work(world.store_queue),
            self._provider_works,
            self._provider_fails,
            self._webhook,
            self._old_webhook,
            self._cancel,
            lambda: world.pass_time(7),
            lambda: world.pass_time(95),
            lambda: world.pass_time(700),
            world.run_sweep,
            self._double_message,
            lambda: world.work(world.advance_queue, 1),
            lambda: world.work(world.submit_queue),
            self._provider_aborts,
        ]

    def _provider_works(self) -> None:
        for prediction in list(self.world.provider.predictions):
            self.world.provider.work(prediction)

    def _provider_fails(self) -> None:
        for prediction in list(self.world.provider.predictions):
            self.world.provider.work(prediction, fail=True)

    def _provider_aborts(self) -> None:
        """Before it began, and so at no cost."""
        for prediction in self.world.provider.predictions.values():
            if not prediction.status.final:
                prediction.status = RemoteStatus.FAILED
                prediction.failure = Failure(FailureKind.ABORTED, "it never began", unbilled=True)

    def _webhook(self) -> None:
        for prediction in list(self.world.provider.predictions):
            self.world.webhook(prediction)

    def _old_webhook(self) -> None:
        """A start webhook, late and under a new id."""
        for prediction in self.world.provider.predictions.values():
            status, prediction.status = prediction.status, RemoteStatus.RUNNING
            self.world.webhook(prediction.provider_job_id, webhook_id=f"late-{len(self.jobs)}")
            prediction.status = status

    def _cancel(self) -> None:
        for job_id in self.jobs:
            self.world.request_cancel(job_id)

    def _double_message(self) -> None:
        for queue in (self.world.advance_queue, self.world.store_queue, self.world.submit_queue):
            if queue.messages:
                queue.send(queue.messages[0].body, group="alice")


@pytest.fixture(scope="module")
def tiers(redis_server: Redis, moto_server: Moto) -> Iterator[list[Tier]]:
    table = "jobs-of-the-property-test"
    create_jobs_table(moto_server.url, table)
    redis = RedisClient(redis_server.url, timeout_seconds=5, outage=Outage("redis", pause_seconds=0))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        dynamodb = DynamoDB(
            endpoint_url=moto_server.url, timeout_seconds=5, outage=Outage("dynamodb", pause_seconds=0)
        )
        yield [AgingRedisTier(redis), DynamoDBTier(dynamodb, table)]
        dynamodb.close()
    redis.close()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    on_submit=st.sampled_from([kind for kind in OnSubmit if kind is not OnSubmit.ANSWER]),
    hears=st.sampled_from(Hears),
    refusals=st.lists(st.tuples(st.sampled_from(FailureKind), st.booleans()), max_size=3),
    fallbacks=st.integers(0, 2),
    actions=st.lists(st.integers(0, 14), min_size=2, max_size=12),
    seams=st.lists(
        st.one_of(st.just(NOTHING), st.just(NOTHING), st.just(NOTHING), st.integers(1, 14)), max_size=60
    ),
)
def test_every_history_ends_well(
    record: PostgresRecord,
    postgres_url: str,
    tiers: list[Tier],
    on_submit: OnSubmit,
    hears: Hears,
    refusals: list[tuple[FailureKind, bool]],
    fallbacks: int,
    actions: list[int],
    seams: list[int],
) -> None:
    world = World(record, tiers, webhooks=hears is Hears.WEBHOOKS)
    life = Life(world, iter(seams), [])
    known = set(_all_jobs(postgres_url))
    usual = OnSubmit.ACCEPT
    if hears is Hears.ANSWER:
        world.provider.traits, world.provider.made = SYNCHRONOUS, PICTURE
        usual = OnSubmit.ANSWER
    silent = hears is Hears.ANSWER and on_submit in (OnSubmit.ACCEPT, OnSubmit.ACCEPT_SILENTLY)
    world.provider.on_submit = usual if silent else on_submit
    world.fallbacks = (replace(PLANNED, synchronous=hears is Hears.ANSWER),) * fallbacks
    for kind, unbilled in refusals:
        world.provider.refuse_once(kind, unbilled=unbilled)
    world.seam.decide = life.at_seam
    world.create()
    world.provider.on_submit = usual
    life.jobs = sorted(_all_jobs(postgres_url) - known)
    for action in actions:
        life.act(action)
    world.seam.decide = lambda _where: None
    world.settle(life.jobs)

    for job_id in life.jobs:
        _one_final_state(job_id, world, postgres_url)
        _one_submit(job_id, world, postgres_url)
        _the_work_is_told(job_id, world, postgres_url)
        _what_was_moved_is_told_once(job_id, world, postgres_url)
        _all_stores_agree(job_id, world, tiers)


def _all_jobs(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {str(job_id) for (job_id,) in connection.execute("select job_id from jobs")}


def _one_final_state(job_id: str, world: World, url: str) -> None:
    """The timeline has each version once, in order, and exactly its last line is final."""
    with psycopg.connect(url) as connection:
        lines = connection.execute(
            "select version, status from job_transitions where job_id = %s order by version", (job_id,)
        ).fetchall()
        (unsent,) = connection.execute("select count(*) from outbox").fetchone() or (None,)
    job = world.real_record.find_job(job_id)
    assert [version for version, _ in lines] == list(range(1, job.version + 1))
    finals = [status for _, status in lines if status in ("completed", "failed", "canceled")]
    assert finals == [job.status.value]
    assert unsent == 0
    published = world.journal.versions.get(job_id, [])
    assert len(published) == len(set(published))


def _one_submit(job_id: str, world: World, url: str) -> None:
    """No attempt reached the provider twice, none was followed that may have been billed, and nothing that we know of
    runs on at the provider for a job that has ended."""
    sent = [attempt for job, attempt in world.provider.received if job == job_id]
    assert len(sent) == len(set(sent))
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select provider_job_id, state from attempts where job_id = %s order by attempt", (job_id,)
        ).fetchall()
    assert {state for _, state in rows[:-1]} <= {"refused", "failed", "canceled"}
    known = {provider_job_id for provider_job_id, _ in rows}
    predictions = [p for p in world.provider.predictions.values() if p.job_id == job_id]
    assert [p for p in predictions if not p.status.final and p.provider_job_id in known] == []


def _the_work_is_told(job_id: str, world: World, url: str) -> None:
    """What was sent was submitted in steps that follow one another; a job that has ended has no step under way."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select step, attempt, started_at, ended_at, success from processing_timeline"
            " where job_id = %s order by attempt, step, started_at",
            (job_id,),
        ).fetchall()
    assert rows or job_id not in {job for job, _ in world.provider.received}
    assert [row for row in rows if row[3] is None or row[4] is None or row[3] < row[2]] == []
    for before, after in pairwise(rows):
        if before[:2] == after[:2]:
            assert before[3] <= after[2], "the same step twice at once"


def _what_was_moved_is_told_once(job_id: str, world: World, url: str) -> None:
    """An object has one line of its upload at most, whatever was repeated; what is in the record has its id."""
    job = world.real_record.find_job(job_id)
    with psycopg.connect(url) as connection:
        uploads = connection.execute(
            "select object_key, count(*) from storage_operations where job_id = %s and operation = 'upload'"
            " and success and metadata = '{}' group by object_key",
            (job_id,),
        ).fetchall()
        (downloads,) = connection.execute(
            "select count(*) from storage_operations where job_id = %s and operation = 'download'", (job_id,)
        ).fetchone() or (0,)
    assert [key for key, times in uploads if times > 1] == []
    assert downloads <= len(world.source.opened)
    outputs = job.data["outputs"]
    assert len({output["outputId"] for output in outputs}) == len(outputs)
    assert {key for key, _ in uploads} <= set(world.stored)
    assert {output["key"] for output in outputs} <= set(world.stored)


def _all_stores_agree(job_id: str, world: World, tiers: list[Tier]) -> None:
    """After one read has healed them, each tier holds the record's last word."""
    truth = world.real_record.find_job(job_id)
    later = world.clock()
    reader = StatusReader(tiers, RecordTier(lambda: world.real_record), on_outage=lambda _name: None)
    for _ in range(2):
        world.pass_time(31)
        reader.read(job_id, world.clock())
    for tier in tiers:
        entry = tier.read(job_id, later)
        if entry is not None:
            assert entry.snapshot.version <= truth.version
            assert entry.snapshot.final is False or entry.snapshot.data == truth.data
    answer = reader.read(job_id, world.clock())
    assert answer.snapshot.data == truth.data
