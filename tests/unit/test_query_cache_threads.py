"""The query cache under threads: computed once, and nobody waits for ever."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.services.cached_values import CachedValues
from lib.services.computation import Computation
from lib.services.query_cache import QueryCache
from tests.fakes.cache_house import WAIT_SECONDS, House, Slow, never
from tests.fakes.until import until

THREADS = 8


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
        until(lambda: cache.stats().misses == THREADS, bool)
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
    assert cache.get_or_set("k", never) == "another thread's"


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
        until(lambda: len(waiting) == THREADS - 1, bool)
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
        until(lambda: cache.stats().misses == 2, bool)
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
