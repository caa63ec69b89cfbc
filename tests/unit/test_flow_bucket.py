"""The limit of a key holds over all processes together, whatever they do and whenever they do it."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.domain.flow import Allowance, CircuitRules, FlowAsk, FlowReport, milliseconds
from lib.domain.provider import Credential, Failure, FailureKind, RateLimit
from lib.services.flow_control import SharedFlow
from lib.stores.flow_memory import MemoryFlowStore
from tests.fakes.flow import KEY, Clock, traits
from tests.fakes.journal import FakeJournal

LIMITS = [RateLimit(600, 60), RateLimit(900, 150), RateLimit(6, 1), RateLimit(60, 10), RateLimit(3000, 8)]
STEPS = st.lists(
    st.tuples(
        st.integers(0, 3),  # which process
        st.sampled_from([0, 0, 0, 0.01, 0.1, 0.5, 1.4, 1.6, 3.1, 20]),  # seconds until it acts
        st.integers(1, 30),  # calls that it wants to make
        st.booleans(),  # whether news came with its caller's admission
    ),
    max_size=40,
)

HOARDED = [
    *[(number, 20.0, 14, False) for number in range(4)],
    *[(number, 0.0 if number else 20.0, 1, False) for number in range(4)],
    *[(number, 0.0 if number else 1.4, 30, False) for number in range(4)],
]
"""Each process learns to take many tokens, takes them, and uses them when the bucket was filled again."""


class CountingStore(MemoryFlowStore):
    """Counts what would be round trips."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def ask(self, ask: FlowAsk, now: int) -> FlowReport:
        """See the port."""
        self.asked += 1
        return super().ask(ask, now)


def process(store: MemoryFlowStore) -> SharedFlow:
    return SharedFlow(store, CircuitRules(), FakeJournal(), jitter=lambda: 0.0)


def admit(flow: SharedFlow, store: MemoryFlowStore, clock: Clock) -> None:
    """What the admission of a caller does, in one round trip that is made anyway."""
    for ask in flow.wanted(clock()):
        flow.told(ask, MemoryFlowStore.ask(store, ask, milliseconds(clock())), clock())


@settings(max_examples=150, deadline=None)
@example(LIMITS[0], HOARDED)
@given(limit=st.sampled_from(LIMITS), steps=STEPS)
def test_no_more_calls_begin_in_any_time_than_the_provider_allows(
    limit: RateLimit, steps: list[tuple[int, float, int, bool]]
) -> None:
    store, clock = MemoryFlowStore(), Clock()
    flows = [process(store) for _ in range(4)]
    begun: list[int] = []
    for number, seconds, calls, admitted in steps:
        clock.move(seconds)
        if admitted:
            admit(flows[number], store, clock)
        for _ in range(calls):
            if flows[number].before(KEY, traits(limit), clock()) is None:
                begun.append(milliseconds(clock()))
    for first, start in enumerate(begun):
        for last in range(first, len(begun)):
            allowed = limit.burst + limit.per_minute / 60_000 * (begun[last] - start)
            assert last - first + 1 <= allowed + 1e-6


@given(limit=st.sampled_from(LIMITS), patience=st.integers(1, 40))
def test_who_comes_back_when_told_gets_through_in_the_end(limit: RateLimit, patience: int) -> None:
    flow, clock, through = process(MemoryFlowStore()), Clock(), 0
    for _ in range(patience * 3):
        pause = flow.before(KEY, traits(limit), clock())
        if pause is None:
            through += 1
        else:
            assert pause.code is FailureKind.RATE_LIMITED
            clock.move(pause.seconds)
    assert through >= patience


@settings(deadline=None)
@given(wait=st.integers(2, 86_400), look=st.floats(1.0, 86_400), other=st.booleans())
def test_a_pause_that_the_provider_asked_for_holds_for_every_process(
    wait: int, look: float, other: bool
) -> None:
    store, clock = MemoryFlowStore(), Clock()
    told, another = process(store), process(store)
    for flow in (told, another):
        assert flow.before(KEY, traits(LIMITS[0]), clock()) is None
    told.after(KEY, Failure(FailureKind.RATE_LIMITED, "slow down", True, float(wait)), clock())
    flow = another if other else told
    clock.move(min(look, wait - 0.1))
    pause = flow.before(KEY, traits(LIMITS[0]), clock())
    assert pause is not None
    assert pause.seconds >= wait - min(look, wait - 0.1) - 0.002
    clock.move(pause.seconds)
    assert flow.before(KEY, traits(LIMITS[0]), clock()) is None


def test_the_process_that_was_told_to_wait_obeys_at_once_and_a_longer_pause_stays() -> None:
    flow, clock = process(MemoryFlowStore()), Clock()
    for seconds in (30.0, 1.0):
        flow.after(KEY, Failure(FailureKind.OUTAGE, "HTTP 503", True, seconds), clock())
    pause = flow.before(KEY, traits(), clock())
    assert pause is not None
    assert (pause.code, pause.seconds) == (FailureKind.RATE_LIMITED, 30.0)


def test_after_a_pause_calls_begin_again_slowly() -> None:
    flow, clock = process(MemoryFlowStore()), Clock()
    flow.before(KEY, traits(LIMITS[0]), clock())
    flow.after(KEY, Failure(FailureKind.RATE_LIMITED, "slow down", True, 10.0), clock())
    clock.move(10)
    got = [flow.before(KEY, traits(LIMITS[0]), clock()) is None for _ in range(5)]
    assert got == [True, False, False, False, False]


def test_the_pause_of_one_key_is_none_of_anothers() -> None:
    flow, clock = process(MemoryFlowStore()), Clock()
    own = Credential("replicate", "r8_other", "own:c1")
    flow.after(own, Failure(FailureKind.RATE_LIMITED, "slow down", True, 60.0), clock())
    assert flow.before(own, traits(), clock()) is not None
    assert flow.before(KEY, traits(), clock()) is None


def test_a_warm_call_asks_for_nothing_of_its_own() -> None:
    store, clock = CountingStore(), Clock()
    flow = process(store)
    assert flow.before(KEY, traits(LIMITS[0]), clock()) is None
    asked = store.asked
    for seconds in (0.01, 0.3, 0.8, 2.0, 40.0, 0.0):
        clock.move(seconds)
        admit(flow, store, clock)
        clock.move(0.05)
        assert flow.before(KEY, traits(LIMITS[0]), clock()) is None
        flow.after(KEY, None, clock())
    assert store.asked == asked


def test_a_busy_process_asks_ever_more_seldom() -> None:
    store, clock = CountingStore(), Clock()
    flow = process(store)
    assert all(flow.before(KEY, traits(LIMITS[1]), clock()) is None for _ in range(80))
    assert store.asked < 15


def test_what_processes_hold_and_the_bucket_holds_is_the_burst() -> None:
    for limit in LIMITS:
        shared = Allowance.of(limit)
        assert shared.capacity + shared.lease_seconds * shared.per_second <= limit.burst + 1e-9
        assert 1 <= shared.batch <= max(1, limit.burst / 4)
        assert shared.capacity >= 1
