"""The query cache under threads and several processes' worth of instances: once, never stale, never stuck."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from lib.domain.cache_keys import Target
from lib.ports.query_store import Look
from lib.ports.tier import TierUnavailableError
from lib.services.cached_values import CachedValues
from lib.services.computation import Computation
from lib.services.query_cache import NEAR_SECONDS, PEER_SECONDS, QueryCache
from tests.fakes.query_store import FakeQueryStore

WAIT_SECONDS = 10
THREADS = 8


class Slow:
    """A computation that the test holds: it gives the row as it was when it began."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.calls = 0
        self.error: BaseException | None = None
        self.begun, self.go_on = threading.Event(), threading.Event()
        self._row = row

    def __call__(self) -> Any:
        self.calls += 1
        value = self._row["value"]
        self.begun.set()
        assert self.go_on.wait(WAIT_SECONDS)
        if self.error is not None:
            raise self.error
        return value


class House:
    """A row, and as many processes as the test wants, above one shared store."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self.store = FakeQueryStore(self.clock)
        self.row: dict[str, Any] = {"value": "old"}
        self.outages: list[str] = []
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.seconds

    def process(self, **settings: Any) -> QueryCache:
        settings = {"pause": self.pauses.append, **settings}
        return QueryCache(self.store, clock=self.clock, on_outage=self.outages.append, **settings)

    def read(self) -> Any:
        return self.row["value"]


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture(params=["memory", "shared"])
def cache(request: pytest.FixtureRequest, house: House) -> QueryCache:
    return house.process() if request.param == "shared" else QueryCache(clock=house.clock)


def test_threads_that_ask_at_once_compute_once(house: House, cache: QueryCache) -> None:
    slow = Slow(house.row)
    with ThreadPoolExecutor(THREADS) as threads:
        answers = [threads.submit(cache.get_or_set, "k", slow) for _ in range(THREADS)]
        _until(lambda: cache.stats().misses == THREADS)
        slow.go_on.set()
        assert [answer.result(WAIT_SECONDS) for answer in answers] == ["old"] * THREADS
    stats = cache.stats()
    assert (slow.calls, stats.computations, stats.joins) == (1, 1, THREADS - 1)


def test_a_value_that_came_after_the_look_up_is_not_computed_again(
    cache: QueryCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = CachedValues.find

    def find(values: CachedValues, key: str) -> str | None:
        text = genuine(values, key)
        monkeypatch.undo()
        cache.set(key, "another thread's")
        return text

    monkeypatch.setattr(CachedValues, "find", find)
    assert cache.get_or_set("k", _never) == "another thread's"


def test_keys_do_not_wait_for_each_other(house: House, cache: QueryCache) -> None:
    slow = Slow(house.row)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(cache.get_or_set, "slow", slow)
        assert slow.begun.wait(WAIT_SECONDS)
        assert cache.get_or_set("quick", lambda: 1) == 1
        slow.go_on.set()
        assert answer.result(WAIT_SECONDS) == "old"


def test_an_error_goes_to_all_who_wait_and_is_not_kept(
    house: House, cache: QueryCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, waiting, genuine = Slow(house.row), list[float](), Computation.wait

    def wait(computation: Computation, seconds: float) -> bool:
        waiting.append(seconds)
        return genuine(computation, seconds)

    monkeypatch.setattr(Computation, "wait", wait)
    slow.error = LookupError("no such row")
    with ThreadPoolExecutor(THREADS) as threads:
        answers = [threads.submit(cache.get_or_set, "k", slow) for _ in range(THREADS)]
        _until(lambda: len(waiting) == THREADS - 1)
        slow.go_on.set()
        assert [answer.exception(WAIT_SECONDS) for answer in answers] == [slow.error] * THREADS
    assert slow.calls == 1
    assert cache.get_or_set("k", lambda: "new") == "new"
    assert house.pauses == [], "the failed one leads no longer"


def test_an_interrupted_computation_leaves_the_value_to_another_thread(
    house: House, cache: QueryCache
) -> None:
    slow = Slow(house.row)
    slow.error = KeyboardInterrupt()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(cache.get_or_set, "k", slow)
        assert slow.begun.wait(WAIT_SECONDS)
        second = threads.submit(cache.get_or_set, "k", lambda: "another's")
        _until(lambda: cache.stats().misses == 2)
        slow.go_on.set()
        assert isinstance(first.exception(WAIT_SECONDS), KeyboardInterrupt)
        assert second.result(WAIT_SECONDS) == "another's"


def test_a_thread_does_not_wait_for_ever(house: House) -> None:
    cache, slow = QueryCache(patience_seconds=0.05), Slow(house.row)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(cache.get_or_set, "k", slow)
        assert slow.begun.wait(WAIT_SECONDS)
        assert cache.get_or_set("k", lambda: "mine") == "mine"
        slow.go_on.set()
        assert answer.result(WAIT_SECONDS) == "old"


def test_a_computation_may_ask_for_its_own_key(cache: QueryCache) -> None:
    assert cache.get_or_set("k", lambda: ["outer", cache.get_or_set("k", lambda: "inner")]) == [
        "outer",
        "inner",
    ]


def test_what_an_invalidation_overtook_is_neither_kept_nor_joined(house: House, cache: QueryCache) -> None:
    slow = Slow(house.row)
    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(cache.get_or_set, "job:1", slow)
        assert slow.begun.wait(WAIT_SECONDS)
        house.row["value"] = "new"
        cache.invalidate_prefix("job")
        assert cache.get_or_set("job:1", house.read) == "new", "a computation of its own, without waiting"
        slow.go_on.set()
        assert early.result(WAIT_SECONDS) == "old", "it began before"
    assert cache.get("job:1") == "new"
    assert cache.stats().refusals == 1


def test_what_another_process_overtook_is_not_kept(house: House) -> None:
    here, there, slow = house.process(), house.process(), Slow(house.row)
    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(here.get_or_set, "job:1", slow)
        assert slow.begun.wait(WAIT_SECONDS)
        house.row["value"] = "new"
        assert there.invalidate("job:1")
        slow.go_on.set()
        assert early.result(WAIT_SECONDS) == "old"
    assert (here.get("job:1"), there.get("job:1"), here.stats().refusals) == (None, None, 1)


def test_both_processes_computing_and_invalidating_at_once_end_with_the_new_value(house: House) -> None:
    here, there, old, new = house.process(), house.process(), Slow(house.row), Slow(house.row)
    with ThreadPoolExecutor(2) as threads:
        early = threads.submit(here.get_or_set, "k", old)
        assert old.begun.wait(WAIT_SECONDS)
        house.row["value"] = "new"
        there.invalidate("k")
        late = threads.submit(there.get_or_set, "k", new)
        assert new.begun.wait(WAIT_SECONDS), "it leads at once: the first computes what nobody may keep"
        new.go_on.set()
        assert late.result(WAIT_SECONDS) == "new"
        old.go_on.set()
        assert early.result(WAIT_SECONDS) == "old"
    assert (here.get("k"), there.get("k")) == ("new", "new")


def test_who_comes_long_after_an_invalidation_does_not_get_a_long_computations_value(house: House) -> None:
    here, there, slow = house.process(), house.process(), Slow(house.row)
    with ThreadPoolExecutor(2) as threads:
        early = threads.submit(here.get_or_set, "k", slow)
        assert slow.begun.wait(WAIT_SECONDS)
        house.row["value"] = "new"
        there.invalidate("k")
        house.seconds += NEAR_SECONDS + 0.1
        late = threads.submit(here.get_or_set, "k", house.read)
        _until(lambda: here.stats().misses == 2)
        slow.go_on.set()
        assert (early.result(WAIT_SECONDS), late.result(WAIT_SECONDS)) == ("old", "new")


@pytest.mark.parametrize("away", [False, True], ids=["there", "away"])
def test_memory_beside_a_store_serves_an_old_value_for_two_seconds_at_most(house: House, away: bool) -> None:
    here, there = house.process(), house.process()
    assert here.get_or_set("k", house.read) == "old"
    house.row["value"] = "new"
    assert there.invalidate("k")
    house.store.down = away
    house.seconds += NEAR_SECONDS - 0.001
    assert here.get_or_set("k", house.read) == "old"
    house.seconds += 0.001
    assert here.get_or_set("k", house.read) == "new"


def test_memory_holds_what_came_from_the_store_for_two_seconds_at_most(house: House) -> None:
    here, there = house.process(), house.process()
    there.set("k", "old")
    assert (here.get("k"), here.get("k")) == ("old", "old")
    stats = here.stats()
    assert (stats.shared_hits, stats.memory_hits) == (1, 1)
    there.invalidate("k")
    house.seconds += NEAR_SECONDS
    assert here.get("k") is None


def test_memory_outlives_no_value_of_the_store(house: House) -> None:
    here, there = house.process(), house.process()
    there.set("k", 1, ttl=10)
    house.seconds += 9
    assert here.get("k") == 1
    house.seconds += 1
    assert here.get("k") is None


def test_a_computation_without_the_store_counts_its_two_seconds_from_its_beginning(house: House) -> None:
    cache, house.store.down = house.process(), True

    def compute() -> str:
        house.seconds += 1.5
        return "old"

    assert cache.get_or_set("k", compute) == "old"
    house.seconds += 0.4
    assert cache.get("k") == "old"
    house.seconds += 0.1
    assert cache.get("k") is None


def test_an_old_value_on_its_way_from_the_store_does_not_get_into_memory(house: House) -> None:
    cache, held, go_on = house.process(), threading.Event(), threading.Event()
    house.process().set("k", "old")
    genuine = house.store.read

    def read_slowly(key: str) -> Look:
        look = genuine(key)
        held.set()
        assert go_on.wait(WAIT_SECONDS)
        return look

    house.store.read = read_slowly  # type: ignore[method-assign]
    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(cache.get, "k")
        assert held.wait(WAIT_SECONDS)
        house.store.read = genuine  # type: ignore[method-assign]
        cache.invalidate("k")
        go_on.set()
        assert early.result(WAIT_SECONDS) == "old"
    assert cache.get("k") is None


def test_a_value_that_was_set_while_it_was_invalidated_is_not_kept(house: House) -> None:
    cache, other = house.process(), house.process()
    house.store.on_call = lambda call: _once(house, lambda: other.invalidate("k")) if call == "keep" else None
    cache.set("k", "old")
    assert (cache.get("k"), cache.stats().refusals) == (None, 1)


def test_another_process_waits_for_the_value_and_does_not_compute_it(house: House) -> None:
    here, slow = house.process(), Slow(house.row)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(here.get_or_set, "k", slow)
        assert slow.begun.wait(WAIT_SECONDS)

        def finish(_seconds: float) -> None:
            slow.go_on.set()
            first.result(WAIT_SECONDS)

        there = house.process(pause=finish)
        assert there.get_or_set("k", _never) == "old"
    assert (there.stats().computations, there.stats().joins) == (0, 1)


def test_another_process_waits_a_second_and_then_computes_itself(house: House) -> None:
    here, there, slow = house.process(), house.process(), Slow(house.row)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(here.get_or_set, "k", slow)
        assert slow.begun.wait(WAIT_SECONDS)
        assert there.get_or_set("k", lambda: "mine") == "mine"
        assert PEER_SECONDS <= sum(house.pauses) < PEER_SECONDS + 0.2
        slow.go_on.set()
        first.result(WAIT_SECONDS)


def test_when_the_one_that_leads_fails_the_next_leads(house: House) -> None:
    here, slow = house.process(), Slow(house.row)
    slow.error = LookupError("no such row")
    with ThreadPoolExecutor(1) as threads:
        first: Future[Any] = threads.submit(here.get_or_set, "k", slow)
        assert slow.begun.wait(WAIT_SECONDS)

        def fail(_seconds: float) -> None:
            slow.go_on.set()
            assert first.exception(WAIT_SECONDS) is slow.error

        assert house.process(pause=fail).get_or_set("k", lambda: "mine") == "mine"


def test_without_the_store_the_memory_answers_and_each_failure_is_counted(house: House) -> None:
    cache, house.store.down = house.process(), True
    assert [cache.get_or_set("k", house.read) for _ in range(3)] == ["old"] * 3
    stats = cache.stats()
    assert (stats.computations, stats.memory_hits) == (1, 2)
    assert stats.errors == len(house.outages) > 0
    assert set(house.outages) == {"fake"}


@pytest.mark.parametrize("call", ["begin", "keep", "read", "release", "forget"])
def test_a_store_that_fails_at_any_one_call_fails_no_request(house: House, call: str) -> None:
    cache = house.process()

    def fail(name: str) -> None:
        if name == call:
            raise TierUnavailableError("away")

    house.store.on_call = fail
    with pytest.raises(LookupError):
        cache.get_or_set("k", _fail)
    assert cache.get_or_set("k", house.read) == "old"
    cache.set("k", "set")
    assert cache.get("k") == "set"
    assert cache.invalidate("k") is (call != "forget")
    assert cache.get("k") is None


def test_an_invalidation_that_the_store_missed_is_caught_up_with_before_its_next_use(house: House) -> None:
    here, there = house.process(), house.process()
    here.set("k", "old")
    house.store.down = True
    assert not here.invalidate("k")
    house.store.down = False
    assert here.get("k") is None
    house.seconds += NEAR_SECONDS
    assert there.get("k") is None, "and so every process has forgotten it"


def test_a_long_list_of_missed_invalidations_becomes_one_of_everything(house: House) -> None:
    here, there, forgotten = house.process(), house.process(), list[Any]()
    there.set("another", "old")
    house.store.down = True
    for number in range(1500):
        here.invalidate(f"k:{number}")
    house.store.down = False
    genuine = house.store.forget
    house.store.forget = lambda targets: (forgotten.extend(targets), genuine(targets))[1]  # type: ignore[method-assign,func-returns-value]
    assert here.get("another") is None
    assert Target.prefix("") in forgotten
    assert len(forgotten) <= 500


def _once(house: House, action: Callable[[], object]) -> None:
    house.store.on_call = lambda _call: None
    action()


def _never() -> Any:
    pytest.fail("somebody else computes it")


def _fail() -> Any:
    raise LookupError("no such row")


def _until(condition: Callable[[], bool]) -> None:
    beat, left = threading.Event(), int(WAIT_SECONDS / 0.005)
    while not condition():
        left -= 1
        assert left, "it did not come to that"
        beat.wait(0.005)
