"""Every flow store keeps the same promises: Redis, DynamoDB, this process, and several as one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lib.domain.flow import BOTH_CLOSED, Allowance, Circuit, Circuits, FlowAsk, Traffic
from lib.domain.ids import short_id
from lib.domain.provider import RateLimit
from lib.ports.flow import FlowStore
from lib.ports.tier import TierUnavailableError
from lib.services.flow_fallback import FallbackFlowStore
from lib.stores.dynamodb_client import DynamoDB
from lib.stores.flow_dynamodb import DynamoDBFlowStore
from lib.stores.flow_memory import MemoryFlowStore
from lib.stores.flow_redis import RedisFlowStore
from lib.stores.redis_client import RedisClient
from local.backing import Moto, Redis
from local.backing.ports import free_port
from tests.fakes.aws_tables import create_cache_table

NOW = 1_795_000_000_000
SHARED = Allowance.of(RateLimit(600, 60))
SINGLE = Allowance.of(RateLimit(6, 1))
OPEN = Circuits(submits=Circuit(5, NOW, NOW + 30_000))


@pytest.fixture
def redis_store(redis_server: Redis) -> Iterator[RedisFlowStore]:
    with closing(RedisClient(redis_server.url, timeout_seconds=5)) as client:
        yield RedisFlowStore(client)


@pytest.fixture
def dynamodb_store(moto_server: Moto, aws_environment: None) -> Iterator[DynamoDBFlowStore]:
    table = f"cache-{short_id()}"
    create_cache_table(moto_server.url, table)
    with closing(DynamoDB(endpoint_url=moto_server.url, timeout_seconds=5)) as dynamodb:
        yield DynamoDBFlowStore(dynamodb, table)


@pytest.fixture(params=["memory", "redis", "dynamodb", "fallback"])
def store(request: pytest.FixtureRequest) -> FlowStore:
    match request.param:
        case "memory":
            return MemoryFlowStore()
        case "fallback":
            away = RedisFlowStore(RedisClient(f"redis://127.0.0.1:{free_port()}/0"))
            return FallbackFlowStore([away], MemoryFlowStore(), on_outage=lambda _name: None)
        case name:
            found: FlowStore = request.getfixturevalue(f"{name}_store")
            return found


@pytest.fixture
def name() -> str:
    return f"replicate:{short_id()}"


def test_a_bucket_that_was_never_used_is_full_and_its_circuits_are_closed(
    store: FlowStore, name: str
) -> None:
    report = store.ask(FlowAsk(name, SHARED, 7), NOW)
    assert (report.granted, report.wait, report.closed_until, report.circuits) == (7, 0, 0, BOTH_CLOSED)


def test_an_empty_bucket_says_when_to_come_back_and_keeps_its_word(store: FlowStore, name: str) -> None:
    assert store.ask(FlowAsk(name, SINGLE, 1), NOW).granted == 1
    refused = store.ask(FlowAsk(name, SINGLE, 1), NOW)
    assert (refused.granted, refused.wait) == (0, 10_001)
    assert store.ask(FlowAsk(name, SINGLE, 1), NOW + refused.wait - 2).granted == 0
    assert store.ask(FlowAsk(name, SINGLE, 1), NOW + refused.wait).granted == 1


def test_what_is_left_is_granted_where_more_was_wanted(store: FlowStore, name: str) -> None:
    assert store.ask(FlowAsk(name, SHARED, 100), NOW).granted == 45
    assert store.ask(FlowAsk(name, SHARED, 100), NOW + 300).granted == 3


def test_a_clock_that_is_behind_gains_nothing(store: FlowStore, name: str) -> None:
    store.ask(FlowAsk(name, SHARED, 45), NOW)
    assert store.ask(FlowAsk(name, SHARED, 1), NOW - 60_000).granted == 0
    assert store.ask(FlowAsk(name, SHARED, 9), NOW + 500).granted == 5


def test_who_wants_nothing_takes_nothing(store: FlowStore, name: str) -> None:
    store.ask(FlowAsk(name), NOW)
    store.ask(FlowAsk(name, SINGLE, 0), NOW)
    assert store.ask(FlowAsk(name, SINGLE, 1), NOW).granted == 1


def test_a_closed_bucket_gives_nothing_until_its_time_and_then_one(store: FlowStore, name: str) -> None:
    store.close(name, NOW + 30_000)
    store.close(name, NOW + 1_000)
    report = store.ask(FlowAsk(name, SHARED, 5), NOW + 10_000)
    assert (report.granted, report.wait, report.closed_until) == (0, 20_000, NOW + 30_000)
    assert store.ask(FlowAsk(name), NOW).closed_until == NOW + 30_000
    assert store.ask(FlowAsk(name, SHARED, 5), NOW + 30_000).granted == 1


def test_circuits_change_only_for_who_knows_how_they_stand(store: FlowStore, name: str) -> None:
    assert store.swap(name, BOTH_CLOSED, OPEN) == (True, OPEN)
    assert store.swap(name, BOTH_CLOSED, OPEN) == (False, OPEN)
    assert store.ask(FlowAsk(name, SHARED, 1), NOW).circuits == OPEN
    both = OPEN.with_one(Traffic.QUESTIONS, Circuit(failures=1, failed_at=NOW), NOW)
    assert store.swap(name, OPEN, both) == (True, both)
    assert store.swap(name, both, BOTH_CLOSED) == (True, BOTH_CLOSED)
    assert store.ask(FlowAsk(name), NOW).circuits == BOTH_CLOSED


def test_a_pause_leaves_the_circuits_and_circuits_leave_the_bucket(store: FlowStore, name: str) -> None:
    store.ask(FlowAsk(name, SINGLE, 1), NOW)
    store.swap(name, BOTH_CLOSED, OPEN)
    assert store.ask(FlowAsk(name, SINGLE, 1), NOW).granted == 0
    store.close(name, NOW + 5_000)
    report = store.ask(FlowAsk(name), NOW)
    assert (report.closed_until, report.circuits) == (NOW + 5_000, OPEN)


def test_names_have_nothing_to_do_with_each_other(store: FlowStore, name: str) -> None:
    store.close(name, NOW + 30_000)
    store.swap(name, BOTH_CLOSED, OPEN)
    report = store.ask(FlowAsk(f"{name}2", SINGLE, 1), NOW)
    assert (report.granted, report.closed_until, report.circuits) == (1, 0, BOTH_CLOSED)


def test_of_askers_at_once_no_two_get_the_same_token(store: FlowStore, name: str) -> None:
    def ask(_: int) -> int:
        try:
            return store.ask(FlowAsk(name, SHARED, 4), NOW).granted
        except TierUnavailableError:  # DynamoDB, after eight turns against the others
            return 0

    with ThreadPoolExecutor(6) as pool:
        granted = sum(pool.map(ask, range(18)))
    assert 0 < granted <= 45
    rest = store.ask(FlowAsk(name, SHARED, 100), NOW).granted
    assert granted + rest == 45


def test_of_probes_at_once_exactly_one_is_won(store: FlowStore, name: str) -> None:
    store.swap(name, BOTH_CLOSED, OPEN)
    probed = OPEN.with_one(Traffic.SUBMITS, OPEN.submits.probed(NOW + 30_000, 30), NOW)
    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(lambda _: store.swap(name, OPEN, probed)[0], range(12)))
    assert sum(won) == 1


WHOSE = ["", "user-1", "auth0|5f7c", "Zoë '\\ \"quoted\"'", "☃" * 50]
OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "close", "swap"]),
        st.integers(-2_000, 40_000),  # milliseconds until it happens; clocks differ
        st.integers(0, 60),
        st.sampled_from([SHARED, SINGLE, Allowance.of(RateLimit(900, 150)), None]),
    ),
    max_size=12,
)


@pytest.mark.parametrize("kind", ["redis", "dynamodb"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(
    [("ask", 0, 18, SHARED), ("ask", 1, 27, SHARED), ("ask", 0, 1, SHARED)]
)  # 0.1 s and a hair: 100 ms, not 99
@given(operations=OPERATIONS)
def test_a_shared_store_says_what_the_pure_rules_say(
    request: pytest.FixtureRequest,
    kind: str,
    operations: list[tuple[str, int, int, Allowance | None]],
) -> None:
    shared: FlowStore = request.getfixturevalue(f"{kind}_store")
    rules, name, now = MemoryFlowStore(), f"p:{short_id()}", NOW
    circuits = BOTH_CLOSED
    for what, passed, number, allowance in operations:
        now += passed
        match what:
            case "ask":
                ask = FlowAsk(name, allowance, number)
                assert shared.ask(ask, now) == rules.ask(ask, now)
            case "close":
                shared.close(name, now + number * 100)
                rules.close(name, now + number * 100)
            case _:
                whose = WHOSE[number % len(WHOSE)]
                new = Circuits(submits=Circuit(number, now, only_for=whose), questions=Circuit(number, now))
                assert shared.swap(name, circuits, new) == rules.swap(name, circuits, new)
                circuits = new


@pytest.mark.parametrize(
    "rubbish", ["not json", "[1]", '{"submits":{"x":1}}', '{"submits":3}', '{"other":{}}']
)
def test_rubbish_in_the_place_of_circuits_counts_as_closed(
    redis_server: Redis, redis_store: RedisFlowStore, name: str, rubbish: str
) -> None:
    with closing(RedisClient(redis_server.url, timeout_seconds=5)) as client:
        client.call("HSET", f"flow:{name}", "circuits", rubbish)
    assert redis_store.ask(FlowAsk(name), NOW).circuits == BOTH_CLOSED


def test_what_is_kept_in_redis_ends_by_itself(redis_server: Redis, redis_store: RedisFlowStore) -> None:
    asked, closed, swapped = (f"life:{short_id()}" for _ in range(3))
    redis_store.ask(FlowAsk(asked, SHARED, 1), NOW)
    redis_store.close(closed, NOW)
    redis_store.swap(swapped, BOTH_CLOSED, OPEN)
    with closing(RedisClient(redis_server.url, timeout_seconds=5)) as client:
        for name in (asked, closed, swapped):
            life = client.call("TTL", f"flow:{name}")
            assert isinstance(life, int)
            assert 86_400 < life <= 90_000


@pytest.mark.parametrize("kind", ["redis", "dynamodb"])
def test_a_store_that_is_away_says_so_and_nothing_else(kind: str, aws_environment: None) -> None:
    with (
        closing(RedisClient(f"redis://127.0.0.1:{free_port()}/0")) as redis,
        closing(DynamoDB(endpoint_url=f"http://127.0.0.1:{free_port()}")) as dynamodb,
    ):
        away: FlowStore = RedisFlowStore(redis) if kind == "redis" else DynamoDBFlowStore(dynamodb, "cache")
        with pytest.raises(TierUnavailableError):
            away.ask(FlowAsk("x", SHARED, 1), NOW)
        with pytest.raises(TierUnavailableError):
            away.close("x", NOW)
        with pytest.raises(TierUnavailableError):
            away.swap("x", BOTH_CLOSED, OPEN)


def test_where_all_are_away_this_process_counts_and_each_outage_is_told() -> None:
    told: list[str] = []
    away = RedisFlowStore(RedisClient(f"redis://127.0.0.1:{free_port()}/0"))
    store = FallbackFlowStore([away], MemoryFlowStore(), on_outage=told.append)
    assert store.ask(FlowAsk("x", SINGLE, 1), NOW).granted == 1
    assert store.ask(FlowAsk("x", SINGLE, 1), NOW).granted == 0
    assert told == ["redis", "redis"]
