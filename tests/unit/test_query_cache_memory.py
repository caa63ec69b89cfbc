"""The query cache's memory beside a store: two seconds at most."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.ports.query_store import Look
from lib.services.query_cache import NEAR_SECONDS
from tests.fakes.cache_house import WAIT_SECONDS, House


@pytest.fixture
def house() -> House:
    return House()


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
