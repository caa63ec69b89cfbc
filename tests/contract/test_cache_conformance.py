"""Every shared cache keeps the same promises: the fake, Redis, DynamoDB, and several as one."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from lib.domain.ids import short_id
from lib.ports.cache import SharedCache
from lib.ports.limiter import Limiter
from lib.ports.tier import TierUnavailableError
from lib.services.fallback_cache import FallbackCache
from lib.stores.dynamodb_cache import DynamoDBCache
from lib.stores.dynamodb_client import DynamoDB
from lib.stores.local_limiter import LocalLimiter
from lib.stores.redis_cache import RedisCache
from lib.stores.redis_client import RedisClient
from local.backing import Moto, Redis
from local.backing.ports import free_port
from tests.fakes.aws_tables import create_cache_table
from tests.fakes.cache import FakeCache

HOUR = 3600


@pytest.fixture
def redis_cache(redis_server: Redis) -> Iterator[RedisCache]:
    with closing(RedisClient(redis_server.url, timeout_seconds=5)) as client:
        yield RedisCache(client)


@pytest.fixture
def dynamodb_cache(moto_server: Moto, aws_environment: None) -> Iterator[DynamoDBCache]:
    table = f"cache-{short_id()}"
    create_cache_table(moto_server.url, table)
    with closing(DynamoDB(endpoint_url=moto_server.url, timeout_seconds=5)) as dynamodb:
        yield DynamoDBCache(dynamodb, table)


@pytest.fixture(params=["fake", "redis", "dynamodb", "fallback"])
def cache(request: pytest.FixtureRequest) -> SharedCache:
    match request.param:
        case "fake":
            return FakeCache()
        case "fallback":
            broken = FakeCache("broken")
            broken.down = True
            return FallbackCache([broken, FakeCache()], LocalLimiter(), on_outage=lambda _name: None)
        case name:
            found: SharedCache = request.getfixturevalue(f"{name}_cache")
            return found


@pytest.fixture(params=["fake", "redis", "dynamodb", "local"])
def limiter(request: pytest.FixtureRequest) -> Limiter:
    match request.param:
        case "fake":
            return FakeCache()
        case "local":
            return LocalLimiter()
        case name:
            found: Limiter = request.getfixturevalue(f"{name}_cache")
            return found


@pytest.fixture(params=["fake", "redis", "dynamodb", "fallback"])
def cache_that_is_away(request: pytest.FixtureRequest, aws_environment: None) -> Iterator[SharedCache]:
    fake = FakeCache()
    fake.down = True
    with (
        closing(RedisClient(f"redis://127.0.0.1:{free_port()}/0")) as redis,
        closing(DynamoDB(endpoint_url=f"http://127.0.0.1:{free_port()}")) as dynamodb,
    ):
        caches: dict[str, SharedCache] = {
            "fake": fake,
            "redis": RedisCache(redis),
            "dynamodb": DynamoDBCache(dynamodb, "cache"),
            "fallback": FallbackCache([fake], LocalLimiter(), on_outage=lambda _name: None),
        }
        yield caches[request.param]


@pytest.fixture
def key() -> str:
    return f"test:{short_id()}"


def _now() -> datetime:
    return datetime.now(UTC)


def test_what_was_put_is_got_back_whole(cache: SharedCache, key: str) -> None:
    value = {"userId": "é 語", "n": [1, 2.5, None, True], "nested": {"a": {}}}
    cache.put(key, value, HOUR, _now())
    assert cache.get(key, _now()) == value


def test_a_key_that_was_never_put_has_no_value(cache: SharedCache, key: str) -> None:
    assert cache.get(key, _now()) is None


def test_putting_again_replaces_the_value(cache: SharedCache, key: str) -> None:
    cache.put(key, {"n": 1}, HOUR, _now())
    cache.put(key, {"n": 2}, HOUR, _now())
    assert cache.get(key, _now()) == {"n": 2}


def test_a_value_is_gone_when_its_life_is_over(cache: SharedCache, key: str) -> None:
    cache.put(key, {"n": 1}, 0.05, _now())
    _wait_until(lambda: cache.get(key, _now()) is None)
    assert cache.put_if_absent(key, {"n": 2}, HOUR, _now())
    assert cache.get(key, _now()) == {"n": 2}


def test_only_the_first_claim_of_a_key_is_kept(cache: SharedCache, key: str) -> None:
    assert cache.put_if_absent(key, {"by": "first"}, HOUR, _now())
    assert not cache.put_if_absent(key, {"by": "second"}, HOUR, _now())
    assert cache.get(key, _now()) == {"by": "first"}


def test_of_claims_at_once_exactly_one_is_kept(cache: SharedCache, key: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda n: cache.put_if_absent(key, {"n": n}, HOUR, _now()), range(16)))
    assert sum(kept) == 1


def test_a_deleted_key_is_free_again(cache: SharedCache, key: str) -> None:
    cache.put(key, {"n": 1}, HOUR, _now())
    cache.delete(key)
    cache.delete(key)
    assert cache.get(key, _now()) is None
    assert cache.put_if_absent(key, {"n": 2}, HOUR, _now())


def test_a_cache_that_is_away_says_so_and_nothing_else(cache_that_is_away: SharedCache, key: str) -> None:
    away = cache_that_is_away
    with pytest.raises(TierUnavailableError):
        away.get(key, _now())
    with pytest.raises(TierUnavailableError):
        away.put(key, {}, HOUR, _now())
    with pytest.raises(TierUnavailableError):
        away.put_if_absent(key, {}, HOUR, _now())
    with pytest.raises(TierUnavailableError):
        away.delete(key)


def test_uses_are_let_through_up_to_the_limit_of_the_window(limiter: Limiter, key: str) -> None:
    now = datetime(2100, 5, 1, 12, 59, 30, tzinfo=UTC)
    decisions = [limiter.count(key, 2, HOUR, now) for _ in range(4)]
    assert [(decision.allowed, decision.remaining) for decision in decisions] == [
        (True, 1),
        (True, 0),
        (False, 0),
        (False, 0),
    ]
    assert {decision.limit for decision in decisions} == {2}
    assert {decision.reset_seconds for decision in decisions} == {30}


def test_the_next_window_begins_anew(limiter: Limiter, key: str) -> None:
    now = datetime(2100, 5, 1, 12, 59, 59, tzinfo=UTC)
    assert limiter.count(key, 1, HOUR, now).allowed
    assert not limiter.count(key, 1, HOUR, now).allowed
    assert limiter.count(key, 1, HOUR, now + timedelta(seconds=1)).allowed


def test_a_raised_limit_counts_at_once_for_refused_uses_were_not_counted(limiter: Limiter, key: str) -> None:
    now = _now()
    for _ in range(5):
        limiter.count(key, 1, HOUR, now)
    decision = limiter.count(key, 2, HOUR, now)
    assert decision.allowed
    assert decision.remaining == 0


def test_keys_are_counted_apart(limiter: Limiter, key: str) -> None:
    now = _now()
    limiter.count(key, 1, HOUR, now)
    assert limiter.count(f"{key}:other", 1, HOUR, now).allowed


def test_of_uses_at_once_no_more_than_the_limit_get_through(limiter: Limiter, key: str) -> None:
    now = _now()
    with ThreadPoolExecutor(8) as pool:
        decisions = list(pool.map(lambda _: limiter.count(key, 10, HOUR, now), range(24)))
    assert sum(decision.allowed for decision in decisions) == 10


def test_a_counter_in_redis_always_has_an_end(redis_cache: RedisCache, redis_server: Redis, key: str) -> None:
    redis_cache.count(key, 5, HOUR, _now())
    with closing(RedisClient(redis_server.url, timeout_seconds=5)) as client:
        seconds = client.call("TTL", key)
    assert isinstance(seconds, int)
    assert 0 < seconds <= HOUR


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
