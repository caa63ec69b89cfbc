"""Several caches as one: what one loses the next still has, and counting never fails."""

from datetime import UTC, datetime

import pytest

from lib.services.fallback_cache import FallbackCache
from lib.stores.local_limiter import LocalLimiter
from tests.fakes.cache import FakeCache

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


class House:
    """Redis before DynamoDB before this process."""

    def __init__(self) -> None:
        self.redis, self.dynamodb = FakeCache("redis"), FakeCache("dynamodb")
        self.outages: list[str] = []
        self.cache = FallbackCache([self.redis, self.dynamodb], LocalLimiter(), on_outage=self.outages.append)


@pytest.fixture
def house() -> House:
    return House()


def test_a_value_survives_the_loss_of_either_cache(house: House) -> None:
    house.cache.put("k", {"n": 1}, 60, NOW)
    house.redis.values.clear()
    assert house.cache.get("k", NOW) == {"n": 1}
    house.redis.down = True
    assert house.cache.get("k", NOW) == {"n": 1}
    assert house.outages == ["redis"]


def test_the_first_cache_that_has_the_value_answers_alone(house: House) -> None:
    house.cache.put("k", {"n": 1}, 60, NOW)
    house.dynamodb.down = True
    assert house.cache.get("k", NOW) == {"n": 1}
    assert house.outages == []


def test_a_deleted_value_comes_back_from_nowhere(house: House) -> None:
    house.cache.put("k", {"n": 1}, 60, NOW)
    house.cache.delete("k")
    assert house.cache.get("k", NOW) is None


def test_claims_are_kept_by_the_first_cache_that_answers(house: House) -> None:
    assert house.cache.put_if_absent("k", {"n": 1}, 60, NOW)
    assert not house.cache.put_if_absent("k", {"n": 2}, 60, NOW)
    assert "k" not in house.dynamodb.values


def test_uses_are_counted_by_the_first_that_answers_and_at_last_here(house: House) -> None:
    for down in ([], [house.redis], [house.redis, house.dynamodb]):
        for cache in down:
            cache.down = True
        assert house.cache.count("k", 1, 3600, NOW).allowed
        assert not house.cache.count("k", 1, 3600, NOW).allowed


def test_the_limiter_of_this_process_forgets_old_windows_first() -> None:
    limiter = LocalLimiter()
    limiter.count("first", 1, 3600, NOW)
    for number in range(10_000):
        limiter.count(f"k{number}", 1, 3600, NOW)
    assert limiter.count("first", 1, 3600, NOW).allowed
    assert not limiter.count("k9999", 1, 3600, NOW).allowed
