"""The query cache in memory alone: lives, keys, room, copies, and what invalidations cover."""

from itertools import count

import pytest

from lib.domain.cache_keys import DEEPEST, EVERYTHING, Target, targets_covering
from lib.services.cached_values import MAX_VALUE_BYTES
from lib.services.query_cache import QueryCache


class House:
    """A cache in memory with a clock that stands still."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self.cache = QueryCache(max_size=3, ttl_seconds=300, clock=lambda: self.seconds)


@pytest.fixture
def house() -> House:
    return House()


def test_a_value_lives_as_long_as_its_call_says_and_by_default_as_the_setting_says(house: House) -> None:
    house.cache.set("long", 1)
    house.cache.set("short", 2, ttl=10)
    house.seconds += 9.9
    assert (house.cache.get("long"), house.cache.get("short")) == (1, 2)
    house.seconds += 0.1
    assert (house.cache.get("long"), house.cache.get("short")) == (1, None)
    house.seconds += 290
    assert house.cache.get("long") is None


def test_a_clock_that_was_set_back_lengthens_no_life(house: House) -> None:
    house.cache.set("k", 1)
    house.seconds -= 3600
    assert house.cache.get("k") is None


@pytest.mark.parametrize("ttl", [0, -1])
def test_a_life_of_nothing_keeps_nothing(house: House, ttl: float) -> None:
    assert house.cache.get_or_set("k", lambda: 1, ttl=ttl) == 1
    assert house.cache.get("k") is None


def test_the_least_recently_used_value_makes_room(house: House) -> None:
    for key in "abc":
        house.cache.set(key, key)
    assert house.cache.get("a") == "a"
    house.cache.set("d", "d")
    assert [house.cache.get(key) for key in "abcd"] == ["a", None, "c", "d"]
    stats = house.cache.stats()
    assert (stats.evictions, stats.size, stats.max_size) == (1, 3, 3)


def test_every_reader_has_a_copy_of_its_own_and_the_first_sees_what_later_ones_see(house: House) -> None:
    first = house.cache.get_or_set("k", lambda: {"rows": (1, 2)})
    assert first == {"rows": [1, 2]}
    first["rows"].append(3)
    assert house.cache.get("k") == {"rows": [1, 2]}


def test_null_and_false_are_values_that_are_computed_once(house: House) -> None:
    values: list[object] = [None, False, 0, "", []]
    for value in values:
        numbers = count()

        def compute(value: object = value, numbers: "count[int]" = numbers) -> object:
            next(numbers)
            return value

        house.cache.clear()
        assert [house.cache.get_or_set("k", compute) for _ in range(3)] == [value] * 3
        assert next(numbers) == 1


def test_what_is_not_json_is_refused_and_leaves_nothing(house: House) -> None:
    with pytest.raises(TypeError):
        house.cache.set("k", {1, 2})
    with pytest.raises(TypeError):
        house.cache.get_or_set("k", object)
    assert house.cache.get_or_set("k", lambda: 1) == 1


def test_a_value_that_is_too_large_is_given_and_not_kept(house: House) -> None:
    large = "x" * MAX_VALUE_BYTES
    assert house.cache.get_or_set("k", lambda: large) == large
    assert (house.cache.get("k"), house.cache.stats().oversized) == (None, 1)


def test_an_invalidated_key_is_forgotten_and_none_besides() -> None:
    cache = _filled("job:1", "job:1:details", "job:12")
    assert cache.invalidate("job:1")
    assert _left(cache, "job:1", "job:1:details", "job:12") == ["job:1:details", "job:12"]


def test_a_prefix_covers_whole_segments() -> None:
    cache = _filled("job:1", "job:1:details", "job:12", "jobs:1")
    cache.invalidate_prefix("job:1")
    assert _left(cache, "job:1", "job:1:details", "job:12", "jobs:1") == ["job:12", "jobs:1"]


def test_several_keys_and_prefixes_are_forgotten_at_once() -> None:
    cache = _filled("a", "b", "c:1", "d:1", "e")
    cache.invalidate("a", "b")
    cache.invalidate_prefix("c", "d")
    assert _left(cache, "a", "b", "c:1", "d:1", "e") == ["e"]


def test_clear_forgets_everything() -> None:
    cache = _filled("a", "b:1", "")
    cache.clear()
    assert _left(cache, "a", "b:1", "") == []
    assert cache.stats().size == 0


def test_a_prefix_that_is_too_deep_forgets_rather_too_much() -> None:
    deep = ":".join("abcdefgh")
    cache = _filled(deep, ":".join("abcdef"), "a:b")
    cache.invalidate_prefix(deep)
    assert _left(cache, deep, ":".join("abcdef"), "a:b") == ["a:b"]


@pytest.mark.parametrize("key", ["", "a", "a:b", "a::b", ":", "a:b:c:d:e:f:g:h", ":a"])
def test_the_targets_of_a_key_are_those_that_cover_it(key: str) -> None:
    found = targets_covering(key)
    assert all(target.covers(key) for target in found)
    assert {EVERYTHING, Target.key(key), Target.prefix(key)} <= set(found)
    assert len(found) <= DEEPEST + 2
    assert not any(target.covers(key + "x") for target in found if target.exact)


def test_hits_misses_and_their_rate_are_counted(house: House) -> None:
    assert house.cache.stats().hit_rate == 0
    house.cache.get("k")
    house.cache.get_or_set("k", lambda: 1)
    house.cache.get_or_set("k", lambda: 2)
    house.cache.get("k")
    house.cache.invalidate("k")
    stats = house.cache.stats()
    assert (stats.memory_hits, stats.shared_hits, stats.misses, stats.computations) == (2, 0, 2, 1)
    assert (stats.hits, stats.hit_rate, stats.invalidations, stats.errors) == (2, 0.5, 1, 0)


def _filled(*keys: str) -> QueryCache:
    cache = QueryCache()
    for key in keys:
        cache.set(key, key or "the empty key")
    return cache


def _left(cache: QueryCache, *keys: str) -> list[str]:
    return [key for key in keys if cache.get(key) is not None]
