"""A circuit opens, probes and closes as its rules say, whatever processes do to it, and no key's is another's.

What one user's input provokes is in test_flow_users.py.
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lib.domain.flow import BOTH_CLOSED, CircuitRules, Traffic
from lib.domain.provider import Credential, Failure, FailureKind
from lib.services.flow_control import PROBE_MARGIN_SECONDS, SharedFlow
from lib.stores.flow_memory import MemoryFlowStore
from tests.fakes.flow import KEY, Clock, traits
from tests.fakes.journal import FakeJournal

OUTAGE = Failure(FailureKind.OUTAGE, "no answer", True)
NO_OUTAGES = sorted(set(FailureKind) - {FailureKind.OUTAGE, FailureKind.RATE_LIMITED})
RULES = CircuitRules(failures=3, open_seconds=30, streak_seconds=120)
PROBE_SECONDS = traits().submit_seconds + PROBE_MARGIN_SECONDS


class CircuitMachine(RuleBasedStateMachine):
    """Three processes against one provider; the model is a count, a moment and whoever probes."""

    @initialize()
    def start(self) -> None:
        store = MemoryFlowStore()
        self.journals = [FakeJournal() for _ in range(3)]
        self.flows = [SharedFlow(store, RULES, journal, jitter=lambda: 0.0) for journal in self.journals]
        self.clock = Clock()
        self.failures = 0
        self.failed_at = self.clock()
        self.open_until: float | None = None
        self.probe_until = 0.0
        self.probes_failed = 0
        self.opened = self.closed = 0

    @property
    def now(self) -> float:
        return self.clock().timestamp()

    def begin(self, number: int) -> bool:
        """Whether the process may call; all have heard the news meanwhile."""
        self.clock.move(1.0)
        pause = self.flows[number].before(KEY, traits(), self.clock())
        if self.open_until is None:
            assert pause is None
        elif self.now < self.open_until or self.now < self.probe_until:
            assert pause is not None
            assert pause.code is FailureKind.CIRCUIT_OPEN
            assert pause.seconds > 0
        else:
            assert pause is None, "the probe is free"
            self.probe_until = self.now + PROBE_SECONDS
        return pause is None

    @rule(number=st.integers(0, 2), seconds=st.sampled_from([0, 0, 1, 12]))
    def fail(self, number: int, seconds: float) -> None:
        if not self.begin(number):
            return
        self.clock.move(seconds)
        self.flows[number].after(KEY, OUTAGE, self.clock())
        if self.open_until is not None:
            self.probes_failed = min(self.probes_failed + 1, 3)
            self.open_until, self.probe_until = self.now + RULES.open_seconds * 2**self.probes_failed, 0.0
            return
        goes_on = (self.clock() - self.failed_at).total_seconds() <= RULES.streak_seconds
        self.failures = (self.failures if goes_on else 0) + 1
        self.failed_at = self.clock()
        if self.failures == RULES.failures:
            self.open_until, self.probes_failed = self.now + RULES.open_seconds, 0
            self.opened += 1

    @rule(number=st.integers(0, 2), kind=st.sampled_from([None, *NO_OUTAGES]))
    def answer(self, number: int, kind: FailureKind | None) -> None:
        if not self.begin(number):
            return
        self.flows[number].after(KEY, Failure(kind, "said so") if kind else None, self.clock())
        self.closed += self.open_until is not None
        self.failures, self.open_until, self.probe_until = 0, None, 0.0

    @rule(number=st.integers(0, 2))
    def give_back(self, number: int) -> None:
        if self.begin(number):
            self.flows[number].unsent(KEY, self.clock())
            self.probe_until = 0.0

    @rule(number=st.integers(0, 2))
    def die(self, number: int) -> None:
        self.begin(number)

    @precondition(lambda self: self.open_until is not None)
    @rule()
    def an_answer_to_a_call_from_before_does_not_close_it(self) -> None:
        if self.open_until is not None and self.now < self.open_until:
            self.flows[0].after(KEY, None, self.clock())

    @rule(seconds=st.sampled_from([5, 31, 121, 241]))
    def wait(self, seconds: float) -> None:
        self.clock.move(seconds)

    @invariant()
    def each_change_is_told_once(self) -> None:
        if hasattr(self, "journals"):
            assert sum(journal.counts["CircuitOpened"] for journal in self.journals) == self.opened
            assert sum(journal.counts["CircuitClosed"] for journal in self.journals) == self.closed


TestCircuitMachine = CircuitMachine.TestCase
TestCircuitMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def flow(store: MemoryFlowStore | None = None) -> SharedFlow:
    return SharedFlow(store or MemoryFlowStore(), CircuitRules(), FakeJournal(), jitter=lambda: 0.0)


def outages(control: SharedFlow, clock: Clock, number: int, traffic: Traffic = Traffic.SUBMITS) -> None:
    for _ in range(number):
        control.after(KEY, OUTAGE, clock(), traffic=traffic)


def test_five_failures_on_end_open_it_whichever_processes_saw_them(clock: Clock) -> None:
    store = MemoryFlowStore()
    several = [flow(store) for _ in range(5)]
    for control in several:
        assert control.before(KEY, traits(), clock()) is None
        control.after(KEY, OUTAGE, clock())
    clock.move(1)
    pauses = [control.before(KEY, traits(), clock()) for control in several]
    assert {pause.code for pause in pauses if pause} == {FailureKind.CIRCUIT_OPEN}
    assert [round(pause.seconds) for pause in pauses if pause] == [29] * 5


@pytest.mark.parametrize("kind", [*NO_OUTAGES, FailureKind.RATE_LIMITED])
def test_what_is_no_outage_never_opens_it_and_ends_a_row_of_failures(clock: Clock, kind: FailureKind) -> None:
    control = flow()
    for _ in range(4):
        outages(control, clock, 4)
        control.after(KEY, Failure(kind, "a prompt that is not allowed"), clock())
    clock.move(2)
    assert control.before(KEY, traits(), clock()) is None


def test_failures_long_ago_do_not_count(clock: Clock) -> None:
    control = flow()
    outages(control, clock, 4)
    clock.move(121)
    outages(control, clock, 4)
    assert control.before(KEY, traits(), clock()) is None


def test_the_circuit_of_a_users_own_key_is_nobody_elses(clock: Clock) -> None:
    control = flow()
    mine = Credential("replicate", "r8_mine", "own:c1")
    for _ in range(5):
        control.after(mine, OUTAGE, clock())
    assert control.before(mine, traits(), clock()) is not None
    for other in (KEY, Credential("replicate", "r8_yours", "own:c2"), Credential("runway", "k", "own:c1")):
        assert control.before(other, traits(), clock()) is None


def test_a_provider_that_takes_no_jobs_is_still_asked_about_those_it_has(clock: Clock) -> None:
    control = flow()
    outages(control, clock, 5)
    assert control.before(KEY, traits(), clock()) is not None
    assert control.before(KEY, traits(), clock(), traffic=Traffic.QUESTIONS) is None
    control.after(KEY, None, clock(), traffic=Traffic.QUESTIONS)
    assert control.before(KEY, traits(), clock()) is not None, "an answer to a poll says nothing of submits"
    outages(control, clock, 5, traffic=Traffic.QUESTIONS)
    assert control.before(KEY, traits(), clock(), traffic=Traffic.QUESTIONS) is not None


@pytest.mark.parametrize("first", list(Traffic))
def test_when_one_circuit_opens_a_single_call_finds_out_about_the_other(clock: Clock, first: Traffic) -> None:
    other = Traffic.QUESTIONS if first is Traffic.SUBMITS else Traffic.SUBMITS
    store, journal = MemoryFlowStore(), FakeJournal()
    several = [SharedFlow(store, CircuitRules(), journal, jitter=lambda: 0.0) for _ in range(3)]
    outages(several[0], clock, 5, traffic=first)
    clock.move(1)
    pauses = [control.before(KEY, traits(), clock(), traffic=other) for control in several]
    assert [pause is None for pause in pauses] == [True, False, False]
    assert journal.counts == {"CircuitOpened": 1}
    several[0].after(KEY, OUTAGE, clock(), traffic=other)
    assert journal.counts == {"CircuitOpened": 2}
    clock.move(30)
    assert several[1].before(KEY, traits(), clock(), traffic=other) is None
    several[1].after(KEY, None, clock(), traffic=other)
    assert journal.counts == {"CircuitOpened": 2, "CircuitClosed": 1}


def test_a_doubt_that_was_unfounded_is_no_news(clock: Clock) -> None:
    journal = FakeJournal()
    control = SharedFlow(MemoryFlowStore(), CircuitRules(), journal, jitter=lambda: 0.0)
    outages(control, clock, 5)
    assert control.before(KEY, traits(), clock(), traffic=Traffic.QUESTIONS) is None
    control.after(KEY, None, clock(), traffic=Traffic.QUESTIONS)
    assert [control.before(KEY, traits(), clock(), traffic=Traffic.QUESTIONS) for _ in range(3)] == [None] * 3
    assert journal.counts == {"CircuitOpened": 1}


def test_a_probe_whose_process_died_is_taken_over(clock: Clock) -> None:
    store = MemoryFlowStore()
    dead, other = flow(store), flow(store)
    outages(dead, clock, 5)
    clock.move(30)
    assert dead.before(KEY, traits(), clock()) is None
    waiting = other.before(KEY, traits(), clock())
    assert waiting is not None
    assert waiting.seconds == 15.0
    clock.move(PROBE_SECONDS)
    assert other.before(KEY, traits(), clock()) is None
    other.after(KEY, None, clock())
    assert flow(store).before(KEY, traits(), clock()) is None


def test_who_answers_callers_makes_no_probe_and_a_worker_does_a_moment_later(clock: Clock) -> None:
    store = MemoryFlowStore()
    caller, worker = flow(store), flow(store)
    caller.leave_probes_to_workers()
    outages(caller, clock, 5)
    clock.move(30)
    pause = caller.before(KEY, traits(), clock())
    assert pause is not None
    assert (pause.code, pause.seconds) == (FailureKind.CIRCUIT_OPEN, 1.0)
    assert worker.before(KEY, traits(), clock()) is None
    worker.after(KEY, None, clock())
    clock.move(1)
    assert caller.before(KEY, traits(), clock()) is None


def test_the_pauses_of_those_who_wait_are_spread(clock: Clock) -> None:
    shares = iter([0.0, 0.5, 1.0])
    control = SharedFlow(MemoryFlowStore(), CircuitRules(), FakeJournal(), jitter=lambda: next(shares))
    outages(control, clock, 5)
    pauses = [control.before(KEY, traits(), clock()) for _ in range(3)]
    assert [pause.seconds for pause in pauses if pause] == pytest.approx([30.0, 33.0, 36.0])


def test_closed_circuits_leave_nothing_behind_in_the_store() -> None:
    assert BOTH_CLOSED.as_text() == ""
