"""A job's whole life over a record that loses one statement, or its answer, at every point: one submit, no lost row."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.domain.errors import CommitUnknownError, RecordUnavailableError
from lib.domain.job import JobStatus
from lib.ports.record import JobFilter
from lib.stores.postgres.connection import RecordConnection
from lib.stores.postgres.record import PostgresRecord
from tests.fakes.provider import OnSubmit
from tests.fakes.seam import Killed
from tests.fakes.tier import FakeTier
from tests.integration.counting_proxy import CountingProxy
from tests.integration.faulty_world import Faulty
from tests.integration.record_calls import at, new_job
from tests.integration.world import START, World

OF_A_LIFE = [
    "create_job",
    "defer_submit",
    "begin_check",
    "claim_attempt",
    "record_submitted",
    "apply_update",
    "begin_storing",
    "complete_job",
    "forget_sent",
    "take_outbox",
    "take_due_jobs",
    "remove_expired",
    "record_system_metrics",
]
"""The statements that change rows in a life with a throttled submit and a sweep."""
ATTEMPT = "select state, submits, provider_job_id is not null from attempts where job_id = %s"


@pytest.fixture
def faulty(postgres_url: str, superuser_url: str) -> Iterator[Faulty]:
    with CountingProxy(postgres_url) as proxy:
        address = proxy.url
        connection = RecordConnection(lambda: address)
        world = World(PostgresRecord(connection), [FakeTier()])
        world.now = START.replace(minute=0)  # the sweep asks the record whatever the mirror says
        yield Faulty(world, proxy, superuser_url)
        connection.close()


def whole(faulty: Faulty, job_id: str) -> None:
    """Nothing of the job is missing, doubled or left open."""
    versions = faulty.look(
        "select version, status from job_transitions where job_id = %s order by version", job_id
    )
    ((version, status),) = faulty.look("select version, status from jobs where job_id = %s", job_id)
    assert [number for number, _ in versions] == list(range(1, version + 1))
    assert [word for _, word in versions if word in ("completed", "failed", "canceled")] == [status]
    assert faulty.look("select count(*) from processing_timeline where ended_at is null") == [(0,)]
    assert faulty.look("select count(*) from outbox") == [(0,)]
    doubled = (
        "select object_key from storage_operations where operation = 'upload' and success group by 1 having"
    )
    assert faulty.look(f"{doubled} count(*) > 1") == []
    assert len(faulty.world.provider.received) == len(set(faulty.world.provider.received))


@pytest.mark.parametrize("times", [1, 2], ids=["once", "and again"])
@pytest.mark.parametrize("what", ["request", "answer"])
@pytest.mark.parametrize("function", OF_A_LIFE)
def test_a_life_in_which_a_statement_or_its_answer_is_lost_ends_well_with_one_submit(
    faulty: Faulty, function: str, what: str, times: int
) -> None:
    faulty.lose(function, what=what, times=times)
    job_id = faulty.live()
    assert faulty.hit, "the life has no such statement"
    if function == "create_job" and times == 2:
        never_sent(faulty, job_id, recorded=what == "answer")
        return
    whole(faulty, job_id)
    assert faulty.look("select status, error_code from jobs") == [("completed", None)]
    assert faulty.world.provider.received == [(job_id, 1)]
    assert faulty.look("select count(*) from outputs") == [(1,)]
    ((state, claims, known),) = faulty.look(ATTEMPT, job_id)
    assert (state, claims in (2, 3), known) == ("succeeded", True, True)


def never_sent(faulty: Faulty, job_id: str, *, recorded: bool) -> None:
    """A job whose creation nobody answered for was not sent, and is no riddle until its deadline."""
    assert faulty.world.provider.received == []
    if not recorded:
        assert (
            faulty.look("select count(*) from jobs") == faulty.look("select count(*) from attempts") == [(0,)]
        )
        return
    whole(faulty, job_id)
    ((code, retryable, seconds),) = faulty.look(
        "select error_code, error_retryable, extract(epoch from completed_at - created_at)::int from jobs"
    )
    assert (code, retryable) == ("not_sent", True)
    assert seconds < faulty.world.timing.submit_lease


def test_what_was_not_answered_is_told_from_what_was_not_done(faulty: Faulty) -> None:
    record = faulty.world.real_record
    faulty.lose("create_job", what="answer", times=2)
    with pytest.raises(CommitUnknownError) as caught:
        record.create_job(new_job(), at(0))
    assert caught.value.retry_after_seconds
    faulty.proxy.__exit__()
    with pytest.raises(RecordUnavailableError) as away:
        record.create_job(new_job(), at(0))
    assert not isinstance(away.value, CommitUnknownError)
    assert faulty.look("select count(*) from jobs") == [(1,)]


def test_on_a_new_connection_too_a_lost_answer_is_asked_for_again(faulty: Faulty) -> None:
    faulty.lose("create_job", what="answer", times=1)
    answer = faulty.world.create(key="mine")
    assert answer is not None
    assert answer.status_code == 202
    assert [job for job, _ in faulty.world.provider.received] == [answer.body["jobId"]]
    again = faulty.world.create(key="mine")
    assert again is not None
    assert again.body == answer.body
    assert len(faulty.world.provider.received) == 1


@pytest.mark.parametrize("what", ["request", "answer"])
def test_a_key_that_comes_again_after_a_creation_that_was_not_answered_gets_one_job_that_is_sent_once(
    faulty: Faulty, what: str
) -> None:
    faulty.lose("create_job", what=what, times=2)
    assert faulty.world.create(key="mine") is None
    again = faulty.world.create(key="mine")
    assert (again is None) == (what == "answer"), "the first is still being answered"
    for _ in range(2):  # the message may come twice
        if faulty.world.advance_queue.messages:
            faulty.world.advance_queue.send(faulty.world.advance_queue.messages[0].body, group="alice")
    faulty.world.pass_time(36)
    faulty.world.drain()
    later = faulty.world.create(key="mine")
    assert later is not None
    assert faulty.look("select job_id::text, step from jobs") == [(later.body["jobId"], "submitted")]
    assert faulty.world.provider.received == [(later.body["jobId"], 1)]


@pytest.mark.parametrize(
    "dies", ["before record.defer_submit", "after record.defer_submit", "before provider.submit"]
)
def test_a_key_that_comes_again_after_its_first_caller_died_shows_the_job_to_the_mirrors(
    record: PostgresRecord, dies: str
) -> None:
    """The sweep asks a mirror what is due: a job that none knows would wait for the hour."""
    mirror = FakeTier()
    world = World(record, [mirror])
    world.provider.on_submit = OnSubmit.THROTTLE

    def decide(where: str) -> None:
        if where == dies:
            raise Killed(where)

    world.seam.decide = decide
    assert world.create(key="mine") is None
    world.seam.decide = lambda _where: None
    assert mirror.entries == {}
    world.create(key="mine")
    ((snapshot, _),) = mirror.entries.values()
    found = record.find_job(snapshot.job_id)
    assert found is not None
    assert snapshot.data == found.data
    world.create(key="mine")
    assert len(mirror.entries) == 1


def test_a_wish_to_cancel_whose_answer_is_lost_is_kept_once(faulty: Faulty) -> None:
    job_id = str((faulty.world.create() or pytest.fail("no job")).body["jobId"])
    faulty.lose("request_cancel", what="answer", times=1)
    faulty.world.request_cancel(job_id)
    assert faulty.hit
    faulty.world.settle([job_id])
    whole(faulty, job_id)
    assert faulty.look("select event from job_transitions where event like 'cancel%%'") == [
        ("cancel_requested",),
        ("canceled",),
    ]


@pytest.mark.parametrize("what", ["request", "answer"])
def test_a_failure_and_a_submit_without_an_answer_are_recorded_though_the_record_went_away(
    faulty: Faulty, what: str
) -> None:
    faulty.world.provider.on_submit = OnSubmit.LOSE
    faulty.lose("mark_submit_unknown", what=what, times=2)
    faulty.world.create()
    ((job_id,),) = faulty.look("select job_id::text from jobs")
    faulty.lose("fail_job", what=what, times=2)
    faulty.world.settle([job_id])
    assert faulty.hit
    whole(faulty, job_id)
    assert faulty.look("select status, error_code from jobs") == [("failed", "submit_unknown")]
    assert faulty.world.provider.received == []


@pytest.mark.parametrize("what", ["request", "answer"])
def test_a_refusal_that_the_record_did_not_hear_is_told_to_it_later(faulty: Faulty, what: str) -> None:
    faulty.world.provider.on_submit = OnSubmit.REFUSE
    faulty.lose("fail_job", what=what, times=2)
    assert faulty.world.create() is None, "the caller was told"
    assert faulty.hit
    faulty.world.pass_time(36)
    faulty.world.drain()
    ((job_id,),) = faulty.look("select job_id::text from jobs")
    whole(faulty, job_id)
    assert faulty.look("select error_code, error_message from jobs") == [
        ("provider_invalid_input", "prompt is too rude")
    ]
    assert faulty.look("select state from attempts") == [("refused",)]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    faults=st.lists(st.sampled_from(["fine", "fine", "lost request", "lost answer"]), max_size=25),
    choices=st.lists(st.integers(0, 5), max_size=25),
)
def test_whatever_is_lost_and_however_often_messages_come_nothing_is_sent_twice_or_left_a_riddle(
    record: PostgresRecord, faults: list[str], choices: list[int]
) -> None:
    """Every call of the record may be lost, before or after its commit; every message may come twice, in any order."""
    world, user = World(record, [FakeTier()]), f"user-{uuid4()}"
    drawn, picks = iter(faults), iter(choices)
    losing: list[bool] = []

    def decide(where: str) -> None:
        if not where.startswith(("before record", "after record")):
            return
        if where.startswith("before"):
            fault = next(drawn, "fine")
            losing.append(fault == "lost answer")
            if fault == "lost request":
                losing.pop()
                raise CommitUnknownError("lost on the way", retry_after_seconds=5)
        elif losing.pop():
            raise CommitUnknownError("the answer was lost", retry_after_seconds=5)

    world.seam.decide = decide
    world.provider.on_submit = OnSubmit.THROTTLE
    world.create(user_id=user)
    world.provider.on_submit = OnSubmit.ACCEPT
    for pick in picks:
        if pick == 0:
            world.pass_time(37)
        elif pick == 1 and world.advance_queue.messages:
            world.advance_queue.send(world.advance_queue.messages[-1].body, group="alice")
        elif pick == 2:
            world.run_sweep()
        else:
            world.work(world.advance_queue, pick)
    world.seam.decide = lambda _where: None
    for _ in range(60):
        world.pass_time(40)
        world.run_sweep()
        world.drain()
        for prediction in list(world.provider.predictions):
            world.provider.work(prediction)
            world.webhook(prediction)
    assert len(world.provider.received) == len(set(world.provider.received))
    for job in record.list_jobs(JobFilter(user_id=user, limit=10)):
        assert job.status is JobStatus.COMPLETED or job.data["error"]["code"] == "not_sent"
        assert (job.job_id, 1) in world.provider.received or job.status is JobStatus.FAILED
