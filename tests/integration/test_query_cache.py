"""The query cache over a real Redis: the store's promises, two processes, and Redis killed and frozen."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from lib.domain.cache_keys import EVERYTHING, Target
from lib.domain.ids import short_id
from lib.ports.query_store import QueryStore
from lib.services.query_cache import NEAR_SECONDS, QueryCache
from lib.stores.redis_client import RedisClient
from lib.stores.redis_query_cache import RedisQueryStore
from local.backing import Redis
from tests.fakes.query_store import FakeQueryStore

ROOT = Path(__file__).resolve().parents[2]
LOCK_SECONDS = 30
PROCESS = """
import json, sys, time
from pathlib import Path
from lib.services.query_cache import QueryCache
from lib.stores.redis_client import RedisClient
from lib.stores.redis_query_cache import RedisQueryStore
url, key, calls, ready, go = sys.argv[1:]
cache = QueryCache(RedisQueryStore(RedisClient(url, timeout_seconds=10)), peer_seconds=10)
def compute():
    with Path(calls).open("a") as file:
        file.write("x")
    time.sleep(0.3)
    return {"rows": [1, 2]}
Path(ready).touch()
while not Path(go).exists():
    time.sleep(0.005)
print(json.dumps(cache.get_or_set(key, compute)))
"""


@pytest.fixture
def client(redis_server: Redis) -> Iterator[RedisClient]:
    with closing(RedisClient(redis_server.url, timeout_seconds=10)) as client:
        yield client


@pytest.fixture(params=["fake", "redis"])
def store(request: pytest.FixtureRequest) -> QueryStore:
    if request.param == "fake":
        return FakeQueryStore(time.monotonic)
    return RedisQueryStore(request.getfixturevalue("client"))


@pytest.fixture
def key() -> str:
    return f"test:{short_id()}:rows"


def keep(store: QueryStore, key: str, value: str, life_seconds: float = 60) -> bool:
    look = store.begin(key, token="", lock_seconds=1, life_seconds=life_seconds)
    return store.keep(key, value, life_seconds, stamp=look.stamp, token="")


def test_a_kept_value_is_read_back_with_its_life(store: QueryStore, key: str) -> None:
    assert store.read(key).value is None
    assert keep(store, key, '"é\\n\x00"')
    look = store.read(key)
    assert look.value == '"é\\n\x00"'
    assert 55 < look.life_seconds <= 60


def test_a_value_ends_its_life(store: QueryStore, key: str) -> None:
    keep(store, key, "1", life_seconds=0.05)
    deadline = time.monotonic() + 5
    while store.read(key).value is not None:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("what", ["key", "branch", "parent", "everything"])
def test_what_is_forgotten_cannot_be_read_nor_kept_with_a_stamp_from_before(
    store: QueryStore, key: str, what: str
) -> None:
    targets = {
        "key": Target.key(key),
        "branch": Target.prefix(key),
        "parent": Target.prefix(key.removesuffix(":rows")),
        "everything": EVERYTHING,
    }
    keep(store, key, "1")
    before = store.begin(
        f"{key}x" if what == "everything" else key, token="t", lock_seconds=1, life_seconds=60
    )
    store.forget([targets[what]])
    assert store.read(key).value is None
    assert not store.keep(key, "1", 60, stamp=before.stamp, token="t")
    assert keep(store, key, "2")
    assert not store.keep(key, "1", 60, stamp=before.stamp, token="t")
    assert store.read(key).value == "2"


def test_what_is_beside_the_forgotten_stays(store: QueryStore, key: str) -> None:
    keep(store, key, "1")
    store.forget(
        [Target.key(f"{key}:more"), Target.prefix(key[:-1]), Target.key("test"), Target.prefix("tes")]
    )
    assert store.read(key).value == "1"


def test_one_leads_until_it_keeps_releases_or_is_overtaken(store: QueryStore, key: str) -> None:
    def leads(token: str) -> bool:
        return store.begin(key, token=token, lock_seconds=LOCK_SECONDS, life_seconds=60).leads

    assert [leads("a"), leads("b"), leads("")] == [True, False, False]
    store.release(key, "b")
    assert not leads("b"), "only its holder gives a lead up"
    store.release(key, "a")
    assert leads("b")
    store.forget([Target.prefix("test")])
    assert leads("c"), "b computes what nobody may keep"
    store.release(key, "b")
    assert not leads("d")
    look = store.begin(key, token="", lock_seconds=1, life_seconds=60)
    store.keep(key, "1", 60, stamp=look.stamp, token="c")
    assert store.begin(key, token="d", lock_seconds=1, life_seconds=60).value == "1"


def test_a_lead_whose_holder_died_ends_by_itself(store: QueryStore, key: str) -> None:
    assert store.begin(key, token="dead", lock_seconds=0.05, life_seconds=60).leads
    deadline = time.monotonic() + 5
    while not store.begin(key, token="next", lock_seconds=1, life_seconds=60).leads:
        assert time.monotonic() < deadline


def test_a_generation_that_redis_evicted_revives_nothing(client: RedisClient, key: str) -> None:
    store = RedisQueryStore(client)
    keep(store, key, "old")
    store.forget([Target.key(key)])
    client.call("DEL", f"query:{{query}}:key:{key}", "query:{query}:prefix:", "query:{query}:prefix:test")
    assert store.read(key).value is None
    assert store.begin(key, token="", lock_seconds=1, life_seconds=60).value is None


def test_everything_in_redis_ends_its_life_by_itself(client: RedisClient, key: str) -> None:
    store = RedisQueryStore(client)
    keep(store, key, "1", life_seconds=600)
    store.begin(f"{key}:led", token="t", lock_seconds=5, life_seconds=600)
    found = client.call("KEYS", f"query:*{key.split(':')[1]}*")
    assert isinstance(found, list)
    names = [*found, b"query:{query}:prefix:", b"query:{query}:prefix:test"]
    lives = {name: client.call("PTTL", name) for name in names if isinstance(name, bytes)}
    assert len(lives) >= 9
    assert all(isinstance(life, int) and life > 0 for life in lives.values()), lives
    word = lives[f"query:{{query}}:key:{key}".encode()]
    assert isinstance(word, int)
    assert word > 600_000, "a generation outlives its values"


def test_any_text_is_a_key(client: RedisClient) -> None:
    cache = QueryCache(RedisQueryStore(client), near_seconds=0)
    for key in ("", ":", "é\n\x00", "half \ud800", "x" * 10_000, "* [a] ? {b}", "a:" * 100):
        cache.set(key, {"of": key})
        assert cache.get(key) == {"of": key}
        assert cache.invalidate_prefix(key)
        assert cache.get(key) is None
    assert cache.stats().errors == 0


def test_a_look_up_is_one_command_and_so_is_an_invalidation(client: RedisClient, key: str) -> None:
    cache = QueryCache(RedisQueryStore(client))
    QueryCache(RedisQueryStore(client)).set(key, 1)
    before = _commands(client)
    assert cache.get(key) == 1
    assert cache.get(key) == 1
    cache.invalidate_prefix("test", "jobs")
    evals, dels = (now - then for now, then in zip(_commands(client), before, strict=True))
    assert (evals, dels) == (1, 1)


def test_processes_that_ask_at_once_compute_once(redis_server: Redis, key: str, tmp_path: Path) -> None:
    calls, go = tmp_path / "calls", tmp_path / "go"
    ready = [tmp_path / f"ready-{number}" for number in range(2)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, redis_server.url, key, str(calls), str(mark), str(go)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        for mark in ready
    ]
    deadline = time.monotonic() + 60
    while not all(mark.exists() for mark in ready):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    go.touch()
    answers = [process.communicate(timeout=60)[0] for process in processes]
    assert [json.loads(answer) for answer in answers] == [{"rows": [1, 2]}] * 2
    assert calls.read_text() == "x"


def test_writers_and_readers_of_two_processes_never_leave_an_old_value(redis_server: Redis, key: str) -> None:
    """After each invalidation its writer reads what it wrote, and in the end everybody reads the last value."""
    row, lock, stale = [0], threading.Lock(), list[tuple[int, int]]()
    with (
        closing(RedisClient(redis_server.url, timeout_seconds=10)) as one,
        closing(RedisClient(redis_server.url, timeout_seconds=10)) as two,
    ):
        caches = [QueryCache(RedisQueryStore(client), near_seconds=0.05) for client in (one, two)]

        def write(cache: QueryCache) -> None:
            for _ in range(40):
                with lock:
                    row[0] += 1
                    written = row[0]
                assert cache.invalidate_prefix("test")
                read = cache.get_or_set(key, lambda: row[0])
                if read < written:
                    stale.append((written, read))

        def read(cache: QueryCache) -> None:
            for _ in range(200):
                cache.get_or_set(key, lambda: row[0])

        with ThreadPoolExecutor(6) as threads:
            work = [threads.submit(task, cache) for cache in caches for task in (write, read, read)]
            assert [task.result(60) for task in work] == [None] * 6
        assert stale == []
        fresh = [QueryCache(RedisQueryStore(client)).get_or_set(key, lambda: row[0]) for client in (one, two)]
        assert fresh == [80, 80]


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_without_redis_the_memory_answers_quickly_and_with_it_processes_share_again(
    tmp_path: Path, how: str
) -> None:
    with Redis(tmp_path / "redis") as redis, closing(RedisClient(redis.url)) as client:
        cache = QueryCache(RedisQueryStore(client))
        assert cache.get_or_set("k", lambda: "old") == "old"
        getattr(redis, how)()
        start = time.monotonic()
        assert not cache.invalidate("k")
        assert [cache.get_or_set("k", lambda: "new") for _ in range(3)] == ["new"] * 3
        assert time.monotonic() - start < 1
        assert cache.stats().errors >= 2
        redis.thaw() if how == "freeze" else redis.start()
        deadline = time.monotonic() + NEAR_SECONDS + 10
        while not cache.invalidate("another"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with closing(RedisClient(redis.url)) as second:
            other = QueryCache(RedisQueryStore(second))
            assert other.get("k") is None, "the invalidation that Redis missed has been caught up with"
            cache.set("k", "shared")
            assert other.get("k") == "shared"


def _commands(client: RedisClient) -> tuple[int, int]:
    """How many EVAL and DEL Redis has been sent (what a script calls counts as commands of their own)."""
    info = client.call("INFO", "commandstats")
    assert isinstance(info, bytes)
    calls = dict[str, int]()
    for line in info.decode().split():
        if line.startswith("cmdstat_"):
            name, _, figures = line.removeprefix("cmdstat_").partition(":")
            calls[name] = int(figures.split(",")[0].removeprefix("calls="))
    return calls.get("eval", 0), calls.get("del", 0)
