"""Two real processes over one Redis: one limit, one pause, one probe."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lib.domain.api_key import ApiKey, CachedKey, cache_key, hash_key, new_key
from lib.domain.flow import CircuitRules
from lib.domain.ids import short_id
from lib.domain.provider import Credential, Failure, FailureKind, RateLimit
from lib.services.flow_control import SharedFlow
from lib.stores.flow_redis import RedisFlowStore
from lib.stores.redis_admission import AdmissionPath
from lib.stores.redis_cache import RedisCache
from lib.stores.redis_client import RedisClient
from local.backing import Redis
from tests.fakes.flow import Clock, traits
from tests.fakes.journal import FakeJournal

REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT = RateLimit(600, 60)
CHILD = """
import json, sys
from datetime import datetime, timedelta
from lib.domain.flow import CircuitRules
from lib.domain.provider import Credential, Failure, FailureKind, RateLimit
from lib.services.flow_control import SharedFlow
from lib.stores.flow_redis import RedisFlowStore
from lib.stores.redis_client import RedisClient
from tests.fakes.flow import START, traits
from tests.fakes.journal import FakeJournal

url, version = sys.argv[1:]
flow = SharedFlow(RedisFlowStore(RedisClient(url, timeout_seconds=5)), CircuitRules(), FakeJournal())
key = Credential("replicate", "r8_secret", version)
print("ready", flush=True)
for line in sys.stdin:
    what, seconds, number = json.loads(line)
    now, said = START + timedelta(seconds=seconds), []
    for _ in range(number):
        if what == "before":
            pause = flow.before(key, traits(RateLimit(600, 60)), now)
            said.append(pause.code.value if pause else None)
        else:
            flow.after(key, Failure(FailureKind.OUTAGE, "no answer", True) if what == "fail" else None, now)
    print(json.dumps(said), flush=True)
"""


class Process:
    """A process that calls the provider when it is told to, at a moment that it is told."""

    def __init__(self, url: str, version: str) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-c", CHILD, url, version],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> None:
        assert self._child.stdout is not None
        assert self._child.stdout.readline() == "ready\n"

    def tell(self, what: str, seconds: float, number: int = 1) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps([what, seconds, number]) + "\n")
        self._child.stdin.flush()

    def said(self) -> list[str | None]:
        assert self._child.stdout is not None
        found: list[str | None] = json.loads(self._child.stdout.readline())
        return found

    def ask(self, what: str, seconds: float, number: int = 1) -> list[str | None]:
        self.tell(what, seconds, number)
        return self.said()

    def close(self) -> None:
        with self._child as child:
            assert child.stdin is not None
            child.stdin.close()


@pytest.fixture
def two(redis_server: Redis) -> Iterator[tuple[Process, Process]]:
    version = f"own:{short_id()}"
    with (
        closing(Process(redis_server.url, version)) as first,
        closing(Process(redis_server.url, version)) as second,
    ):
        first.ready()
        second.ready()
        yield first, second


def test_both_together_get_no_more_than_the_burst(two: tuple[Process, Process]) -> None:
    for process in two:
        process.tell("before", 0, 100)
    begun = sum(process.said().count(None) for process in two)
    assert 40 <= begun <= 60
    for process in two:
        process.tell("before", 2, 100)
    assert 15 <= sum(process.said().count(None) for process in two) <= 80 - begun


def test_what_one_saw_fail_the_other_leaves_alone_and_only_one_probes(two: tuple[Process, Process]) -> None:
    first, second = two
    assert second.ask("before", 0) == [None]
    first.ask("fail", 1, 3)
    second.ask("fail", 1, 2)
    assert (first.ask("before", 2), second.ask("before", 2)) == (["circuit_open"], ["circuit_open"])
    for process in two:
        process.tell("before", 32, 3)
    said = first.said() + second.said()
    assert (said.count(None), said.count("circuit_open")) == (1, 5)
    prober, other = (first, second) if first.ask("before", 33) == ["circuit_open"] else (second, first)
    prober.ask("answer", 34)
    assert (prober.ask("before", 35), other.ask("before", 35)) == ([None], [None])


def test_an_admission_brings_tokens_pauses_and_circuits_along_in_its_one_command(redis_server: Redis) -> None:
    clock, key_hash = Clock(), str(hash_key(new_key()))
    key, other = (Credential("replicate", "k", f"own:{short_id()}") for _ in range(2))
    with closing(RedisClient(redis_server.url, timeout_seconds=5)) as client:
        flows = [
            SharedFlow(RedisFlowStore(client), CircuitRules(), FakeJournal(), jitter=lambda: 0.0)
            for _ in range(2)
        ]
        admission = AdmissionPath(client, default_limit_per_hour=1000, news=flows[0])
        kept = CachedKey(ApiKey("key-1", f"user-{short_id()}"), clock()).as_json()
        RedisCache(client).put(cache_key(key_hash), kept, 3600, clock())
        assert flows[0].before(key, traits(LIMIT), clock()) is None
        before = _commands(client)
        for _ in range(20):
            clock.move(1.7)
            assert admission.check_caller(key_hash, clock()).decision is not None
            assert flows[0].before(key, traits(LIMIT), clock()) is None
            flows[0].after(key, None, clock())
        assert _commands(client) - before == 20 + 1, "and the counting itself"
        flows[1].after(key, Failure(FailureKind.RATE_LIMITED, "slow down", True, 60.0), clock())
        admission.check_caller(key_hash, clock())
        pause = flows[0].before(key, traits(LIMIT), clock())
        assert pause is not None
        assert pause.seconds == 60.0
        assert flows[0].before(other, traits(LIMIT), clock()) is None


def test_who_is_refused_takes_no_tokens(redis_server: Redis) -> None:
    clock, key_hash = Clock(), str(hash_key(new_key()))
    key = Credential("replicate", "k", f"own:{short_id()}")
    with closing(RedisClient(redis_server.url, timeout_seconds=5)) as client:
        flow = SharedFlow(RedisFlowStore(client), CircuitRules(), FakeJournal())
        admission = AdmissionPath(client, default_limit_per_hour=1, news=flow)
        kept = CachedKey(ApiKey("key-1", f"user-{short_id()}"), clock()).as_json()
        RedisCache(client).put(cache_key(key_hash), kept, 3600, clock())
        flow.before(key, traits(LIMIT), clock())
        clock.move(2)
        for _ in range(50):
            admission.check_caller(key_hash, clock())
        held = client.call("HGET", f"flow:{key.provider}:{key.version}", "tokens")
        assert isinstance(held, bytes)
        assert float(held) == 44.0


def _commands(client: RedisClient) -> int:
    """How many commands came over connections; those inside scripts are not among them."""
    info = client.call("INFO", "commandstats")
    assert isinstance(info, bytes)
    calls = [
        line for line in info.decode().splitlines() if line.startswith(("cmdstat_eval:", "cmdstat_info:"))
    ]
    return sum(int(line.split("calls=")[1].split(",")[0]) for line in calls)
