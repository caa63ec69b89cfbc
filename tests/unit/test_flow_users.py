"""Errors that one user's jobs meet inside a provider stop that user's submits, and nobody else's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.flow import CLOSED, CircuitRules, Circuits, Traffic
from lib.domain.http_exchange import Delivery, HttpResponse
from lib.domain.provider import Failure, FailureKind, Submission, SubmitOutcome
from lib.ports.provider import TransportError
from lib.providers.client import HttpProviderClient
from lib.providers.replicate import ReplicateAdapter
from lib.services.flow_control import SharedFlow
from lib.stores.flow_memory import MemoryFlowStore
from tests.fakes.flow import KEY, Clock, traits
from tests.fakes.journal import FakeJournal
from tests.fakes.replicate_answers import answer
from tests.fakes.scripted_transport import ScriptedTransport

OUTAGE = Failure(FailureKind.OUTAGE, "HTTP 500", True)
RULES = CircuitRules()
ERROR_INSIDE = HttpResponse(500, {}, b"")
SILENCE = TransportError("replicate submit: ReadTimeout (unknown)", delivery=Delivery.UNKNOWN)
OUTAGES = [SILENCE, *(HttpResponse(status, {}, b"") for status in (502, 503, 504, 529))]
FAILURES = st.tuples(st.sampled_from(["ann", "ben", "eve"]), st.booleans(), st.integers(0, 5_000))


class World:
    """One process at one provider with the operator's key, and what it answers next."""

    def __init__(self) -> None:
        self.clock, self.journal, self.transport = Clock(), FakeJournal(), ScriptedTransport([])
        flow = SharedFlow(MemoryFlowStore(), RULES, self.journal, jitter=lambda: 0.0)
        self.client = HttpProviderClient(ReplicateAdapter(), self.transport, lambda: flow, clock=self.clock)
        self.flow = flow

    def submit(self, user_id: str, said: HttpResponse | Exception | None = None) -> FailureKind | None:
        """What became of a job of this user, where the provider says this if it is asked."""
        self.transport.script[:] = [said or answer("created")]
        given = {"prompt": "a red fox"}
        submission = Submission("j1", 1, "black-forest-labs/flux-schnell", given, 600, user_id=user_id)
        result = self.client.submit(submission, KEY, None)
        assert (result.outcome is SubmitOutcome.ACCEPTED) == (result.failure is None)
        return result.failure.kind if result.failure else None

    def shut(self, *users: str) -> list[bool]:
        """For whom the gateway would choose another model."""
        return [self.flow.is_shut(KEY.provider, KEY.version, user, self.clock()) for user in users]


@pytest.fixture
def world() -> World:
    return World()


def fail(world: World, said: HttpResponse | Exception, *users: str) -> None:
    for user_id in users:
        assert world.submit(user_id, said) is not FailureKind.CIRCUIT_OPEN


def test_errors_that_one_user_provokes_leave_the_submits_of_others_alone(world: World) -> None:
    fail(world, ERROR_INSIDE, *["eve"] * 5)
    assert world.submit("eve") is FailureKind.CIRCUIT_OPEN
    assert world.shut("eve", "ann") == [True, False]
    assert world.submit("ann") is None
    assert not world.journal.counts
    assert world.journal.events == [("circuit_opened_for_user", "")]


def test_the_only_user_of_an_installation_is_spared_a_provider_that_fails_inside(world: World) -> None:
    fail(world, ERROR_INSIDE, *["ann"] * 5)
    assert [world.submit("ann") for _ in range(20)] == [FailureKind.CIRCUIT_OPEN] * 20
    world.clock.move(30)
    fail(world, ERROR_INSIDE, "ann")
    world.clock.move(59)
    assert world.submit("ann") is FailureKind.CIRCUIT_OPEN
    world.clock.move(1)
    assert world.submit("ann") is None
    assert world.submit("ann") is None


@pytest.mark.parametrize("said", OUTAGES)
def test_an_outage_opens_it_for_all_after_five_calls_whoever_made_them(
    world: World, said: HttpResponse | Exception
) -> None:
    fail(world, said, *["eve"] * 5)
    assert world.submit("ann") is FailureKind.CIRCUIT_OPEN
    assert world.journal.counts == {"CircuitOpened": 1}


@pytest.mark.parametrize("users", ["aaaab", "baaaa", "ababa", "abcde"])
def test_errors_inside_of_several_users_open_it_for_all_after_five(world: World, users: str) -> None:
    fail(world, ERROR_INSIDE, *users)
    assert world.submit("z") is FailureKind.CIRCUIT_OPEN


@pytest.mark.parametrize("said", [ERROR_INSIDE, *OUTAGES])
def test_after_one_users_errors_the_first_failure_of_another_opens_it_for_all(
    world: World, said: HttpResponse | Exception
) -> None:
    fail(world, ERROR_INSIDE, *["eve"] * 5)
    fail(world, said, "ann")
    assert world.submit("ben") is FailureKind.CIRCUIT_OPEN


def test_a_probe_for_one_user_that_was_not_sent_is_left_to_that_users_next_job(world: World) -> None:
    fail(world, ERROR_INSIDE, *["eve"] * 5)
    world.clock.move(30)
    unfit = Submission("j2", 1, "no model of Replicate's", {}, 600, user_id="eve")
    assert world.client.submit(unfit, KEY, None).outcome is SubmitOutcome.REFUSED
    assert world.submit("eve") is None


def test_an_answer_to_another_user_ends_the_errors_of_the_first(world: World) -> None:
    fail(world, ERROR_INSIDE, *["eve"] * 5)
    assert world.submit("ann") is None
    fail(world, ERROR_INSIDE, "ann")
    assert world.submit("ben") is None, "one failure after an answer"


def test_errors_of_another_time_are_no_reason_to_open_it_for_all(world: World) -> None:
    fail(world, ERROR_INSIDE, *["eve"] * 5)
    world.clock.move(RULES.streak_seconds + 1)
    fail(world, ERROR_INSIDE, "ann")
    assert world.submit("ben") is None


def test_what_is_open_for_one_user_puts_no_question_in_doubt_until_it_is_open_for_all() -> None:
    circuit = CLOSED
    for now in range(5):
        circuit = circuit.failed(now, RULES, "eve")
    both = Circuits().with_one(Traffic.SUBMITS, circuit, 5)
    assert not both.questions.is_open
    opened = both.with_one(Traffic.SUBMITS, both.submits.failed(6, RULES, "ann"), 6)
    assert opened.questions.is_open


def test_questions_that_fail_put_everybodys_submits_in_doubt_though_one_users_are_stopped() -> None:
    circuit = CLOSED
    for now in range(5):
        circuit = circuit.failed(now, RULES, "eve")
    silent = CLOSED
    for now in range(5):
        silent = silent.failed(now, RULES)
    both = Circuits(submits=circuit).with_one(Traffic.QUESTIONS, silent, 5)
    assert both.submits.seen_by("ann").is_open


def test_a_process_that_probes_for_one_user_keeps_no_other_user_waiting() -> None:
    clock, store = Clock(), MemoryFlowStore()
    flows = [SharedFlow(store, RULES, FakeJournal(), jitter=lambda: 0.0) for _ in range(2)]
    for _ in range(5):
        flows[0].after(KEY, OUTAGE, clock(), user_id="eve", inside=True)
    clock.move(30)
    assert flows[0].before(KEY, traits(), clock(), user_id="eve") is None
    assert flows[1].before(KEY, traits(), clock(), user_id="eve") is not None
    assert flows[1].before(KEY, traits(), clock(), user_id="ann") is None
    flows[1].unsent(KEY, clock(), user_id="ann")
    assert flows[1].before(KEY, traits(), clock(), user_id="eve") is not None, "the probe is still out"


@given(st.lists(FAILURES, min_size=1, max_size=20))
def test_failures_on_end_open_it_at_the_fifth_and_for_all_but_where_one_users_errors_are_all_of_them(
    failures: list[tuple[str, bool, int]],
) -> None:
    circuit, now = CLOSED, 1_795_000_000_000
    for count, (user_id, inside, passed) in enumerate(failures, start=1):
        now += passed
        circuit = circuit.failed(now, RULES, user_id if inside else "")
        told = failures[:count]
        whose = {name for name, *_ in told}
        alone = all(inside for _, inside, _ in told) and len(whose) == 1
        assert circuit.only_for == (user_id if alone else "")
        stopped = {name for name in ("ann", "ben", "eve") if circuit.seen_by(name).is_open}
        everybody = whose if alone else {"ann", "ben", "eve"}
        assert stopped == (everybody if count >= RULES.failures else set())
