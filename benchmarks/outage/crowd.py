"""A hundred users who ask two providers for texts, turn by turn."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import httpx

from benchmarks.bench import BenchmarkError
from benchmarks.functions.invocation import endpoints_of
from lib.domain.api_key import ApiKey, hash_key, new_key
from lib.domain.ids import uuid7
from lib.stores.postgres.api_keys import PostgresApiKeys
from lib.stores.postgres.connection import RecordConnection
from local.cloud import LocalCloud

WELL, FAILING = "well", "failing"
"""The models of `models.json`, each of a provider of its own."""
FAILING_PROVIDER = "fal"


@dataclass(frozen=True)
class Asked:
    """A job that was accepted: its model, and when its caller's turn was, in seconds since 1970."""

    job_id: str
    model: str
    called_at: float


def make_users(cloud: LocalCloud, number: int) -> list[str]:
    """The keys of so many new users."""
    connection = RecordConnection(lambda: endpoints_of(cloud).postgres_url)
    keys, made = PostgresApiKeys(lambda: connection), []
    for _ in range(number):
        now, key = datetime.now(UTC), new_key()
        keys.create(ApiKey(str(uuid7(now)), f"crowd-{uuid4().hex}"), str(hash_key(key)), "", now)
        made.append(key)
    connection.close()
    return made


class Pace:
    """Turns, so many a second and never more at once, however long some took; each is also told when it was due.

    Who comes late was kept waiting: that counts as part of the wait.
    """

    def __init__(self, per_second: float) -> None:
        self._between = 1 / per_second
        self._due = time.time()
        self._next = self._due
        self._lock = threading.Lock()

    def turn(self) -> float:
        """Wait for the next turn; when it was due, in seconds since 1970."""
        with self._lock:
            due, begin = self._due, max(self._next, time.time())
            self._due, self._next = due + self._between, begin + self._between
        time.sleep(max(0.0, begin - time.time()))
        return due


class Crowd:
    """Callers who create jobs for all `keys`, half of them at each provider; `count` were created so far.

    Each provider has `callers` threads and a pace of its own: who is kept waiting by one does not keep the others
    from asking.
    """

    def __init__(self, cloud: LocalCloud, keys: Sequence[str], callers: int, per_second: float) -> None:
        self._url = endpoints_of(cloud).api_url
        self._keys = keys
        self._callers = callers
        self._per_second = per_second
        self._lock = threading.Lock()
        self.count = 0

    def create(self, jobs: int) -> list[Asked]:
        """So many jobs, each user at both providers in turn. Raises BenchmarkError if one is refused."""
        limits = httpx.Limits(max_connections=2 * self._callers)
        with (
            httpx.Client(base_url=self._url, timeout=60, trust_env=False, limits=limits) as api,
            self._pool() as well,
            self._pool() as failing,
        ):
            lanes = {WELL: (well, Pace(self._per_second / 2)), FAILING: (failing, Pace(self._per_second / 2))}
            return [turn.result() for turn in [self._begin(api, lanes, number) for number in range(jobs)]]

    def _begin(
        self, api: httpx.Client, lanes: Mapping[str, tuple[ThreadPoolExecutor, Pace]], number: int
    ) -> "Future[Asked]":
        user, turn = number % len(self._keys), number // len(self._keys)
        model = (WELL, FAILING)[(user + turn) % 2]
        pool, pace = lanes[model]
        return pool.submit(self._create, api, pace, user, model)

    @contextmanager
    def _pool(self) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(self._callers) as pool:
            try:
                yield pool
            finally:
                pool.shutdown(cancel_futures=True)

    def _create(self, api: httpx.Client, pace: Pace, user: int, model: str) -> Asked:
        called_at = pace.turn()
        body = {"mediaType": "text", "modelId": model, "prompt": f"a crowd {uuid4().hex}"}
        answer = api.post("/generate-media", json=body, headers={"X-Api-Key": self._keys[user]})
        if answer.status_code != 202:
            raise BenchmarkError(f"creating answered {answer.status_code}: {answer.text}")
        with self._lock:
            self.count += 1
        return Asked(answer.json()["jobId"], model, called_at)
