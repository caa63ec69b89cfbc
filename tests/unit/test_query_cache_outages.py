"""The query cache while its store fails: no request does, and what was missed is caught up with."""

from collections.abc import Callable
from typing import Any

import pytest

from lib.domain.cache_keys import Target
from lib.ports.tier import TierUnavailableError
from lib.services.query_cache import NEAR_SECONDS
from tests.fakes.cache_house import House, not_found


@pytest.fixture
def house() -> House:
    return House()


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
        cache.get_or_set("k", not_found)
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
