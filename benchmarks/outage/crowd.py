"""A hundred users who ask two providers for pictures, turn by turn."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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


@dataclass(frozen=True)
class Asked:
    """A job that was accepted: its model, and when its caller called, in seconds since 1970."""

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


class Crowd:
    """`callers` threads that create jobs for all `keys`; `count` is how many were created so far.

    No more than `per_second` are begun at any time, however quick the answers were, and however long before.
    """

    def __init__(self, cloud: LocalCloud, keys: Sequence[str], callers: int, per_second: float) -> None:
        self._url = endpoints_of(cloud).api_url
        self._keys = keys
        self._callers = callers
        self._per_second = per_second
        self._next_turn = time.monotonic()
        self.count = 0
        self._lock = threading.Lock()

    def create(self, jobs: int) -> list[Asked]:
        """So many jobs, half of them at each provider, each user at both. Raises BenchmarkError if one is refused."""
        limits = httpx.Limits(max_connections=self._callers)
        with (
            httpx.Client(base_url=self._url, timeout=60, trust_env=False, limits=limits) as api,
            ThreadPoolExecutor(self._callers) as pool,
        ):
            try:
                return list(pool.map(lambda number: self._create(api, number), range(jobs)))
            finally:
                pool.shutdown(cancel_futures=True)

    def _create(self, api: httpx.Client, number: int) -> Asked:
        user, turn = number % len(self._keys), number // len(self._keys)
        model = (WELL, FAILING)[(user + turn) % 2]
        body = {"mediaType": "image", "modelId": model, "prompt": f"a crowd {uuid4().hex}"}
        self._take_turn()
        called_at = time.time()
        answer = api.post("/generate-media", json=body, headers={"X-Api-Key": self._keys[user]})
        if answer.status_code != 202:
            raise BenchmarkError(f"creating answered {answer.status_code}: {answer.text}")
        with self._lock:
            self.count += 1
        return Asked(answer.json()["jobId"], model, called_at)

    def _take_turn(self) -> None:
        with self._lock:
            turn = max(self._next_turn, time.monotonic())
            self._next_turn = turn + 1 / self._per_second
        time.sleep(max(0.0, turn - time.monotonic()))
