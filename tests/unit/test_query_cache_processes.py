"""The query cache in several processes: never stale after an invalidation, and computed by one of them."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from lib.services.query_cache import NEAR_SECONDS, PEER_SECONDS
from tests.fakes.cache_house import WAIT_SECONDS, House, Slow, never
from tests.fakes.until import until
from tests.unit.test_query_cache_outages import _once


@pytest.fixture
def house() -> House:
    return House()


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
        until(lambda: here.stats().misses == 2, bool)
        slow.go_on.set()
        assert (early.result(WAIT_SECONDS), late.result(WAIT_SECONDS)) == ("old", "new")


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
        assert there.get_or_set("k", never) == "old"
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
