"""A developer at the API, with a look behind the scenes that a test needs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

import httpx
import psycopg
import redis

from lib.domain.api_key import cache_key, hash_key
from local.aws import CREDENTIALS, REGION
from local.cloud import LocalCloud

T = TypeVar("T")
FINAL = ("completed", "failed", "canceled")
PATIENCE_SECONDS = 60.0


class Caller:
    """Talks to the API of a local cloud over HTTP."""

    def __init__(self, cloud: LocalCloud) -> None:
        assert cloud.endpoints is not None
        self.cloud = cloud
        self.endpoints = cloud.endpoints
        self.api = httpx.Client(base_url=self.endpoints.api_url, timeout=35, trust_env=False)
        self.api.headers["Authorization"] = f"Bearer {self.endpoints.api_key}"
        self.replicate = httpx.Client(base_url=self.endpoints.replicate_url, timeout=10, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.api.close()
        self.replicate.close()

    def generate(
        self, prompt: str, *, model: str = "flux-schnell", media: str = "image", **parameters: Any
    ) -> httpx.Response:
        """Ask for media, whatever the answer."""
        small = {"megapixels": "0.25"} if model == "flux-schnell" else {}
        body = {
            "mediaType": media,
            "modelId": model,
            "parameters": {"prompt": prompt, **small, **parameters},
        }
        return self.api.post("/generate-media", json=body)

    def start(self, prompt: str, **wishes: Any) -> str:
        """Ask for media that must be accepted; the job's id."""
        answer = self.generate(f"{prompt} {uuid4().hex[:8]}", **wishes)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["jobId"])

    def status(self, job_id: str) -> dict[str, Any]:
        """The job's status."""
        answer = self.api.get(f"/status/{job_id}")
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def ended(self, job_id: str, *, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The status once it is final."""
        return self.until(lambda: self.status(job_id), lambda now: now["status"] in FINAL, seconds)

    def swept(self, job_id: str, *, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The status once it is final, while the schedule fires again and again."""

        def look() -> dict[str, Any]:
            self.sweep()
            return self.status(job_id)

        return self.until(look, lambda now: now["status"] in FINAL, seconds, pause=0.5)

    def sweep(self) -> None:
        """The schedule fires now."""
        for name in self.cloud.deployment.schedules:
            self.cloud.run_schedule(name)

    def until(
        self,
        look: Callable[[], T],
        good: Callable[[T], bool],
        seconds: float = PATIENCE_SECONDS,
        *,
        pause: float = 0.05,
    ) -> T:
        """What `look` sees once it is `good`; fails with the last view when patience ends."""
        end = time.monotonic() + seconds
        while True:
            seen = look()
            if good(seen):
                return seen
            assert time.monotonic() < end, f"not within {seconds} s; last seen: {seen}"
            time.sleep(pause)

    def new_key(self, user: str = "eve", rate: int | None = None, *, options: Sequence[str] = ()) -> str:
        """An API key of another user, as the operator's command line makes it."""
        return self._keys("create", "--user", user, *(["--rate", str(rate)] if rate else []), *options)[-1]

    def revoke_keys(self, user: str) -> None:
        """The operator ends the life of all keys of a user."""
        for line in self._keys("list", "--user", user):
            self._keys("revoke", line.split()[0])

    def _keys(self, *arguments: str) -> list[str]:
        environment = {
            **os.environ,
            **CREDENTIALS,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoints.aws_endpoint_url,
            "DATABASE_URL": self.endpoints.postgres_url,
            "REDIS_URL": self.endpoints.redis_url,
            "CACHE_TABLE": "vsl-local-gateway-cache",
        }
        command = [sys.executable, "-m", "lib.keys", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip().splitlines()

    def logs(self) -> str:
        """Everything that the functions have logged."""
        directory = self.cloud.settings.directory / "logs"
        return "\n".join(path.read_text() for path in sorted(directory.glob("*")))

    def lose_messages(self) -> None:
        """Whatever waits in the queues is gone."""
        client = self.cloud.aws().client("sqs")
        for url in client.list_queues().get("QueueUrls", []):
            client.purge_queue(QueueUrl=url)
        client.close()

    def make_due(self, job_id: str) -> None:
        """Time passes for this job alone: the record says that it is due, and so does the mirror's index."""
        self.query("update jobs set due_at = now() where job_id = %s returning 1", job_id)
        client = self.cloud.aws().client("dynamodb")
        (table,) = [name for name in client.list_tables()["TableNames"] if "realtime-jobs" in name]
        client.update_item(
            TableName=table,
            Key={"jobId": {"S": job_id}},
            UpdateExpression="SET nextPollAt = :now",
            ConditionExpression="attribute_exists(pollShard)",
            ExpressionAttributeValues={":now": {"N": "1"}},
        )
        client.close()

    def key_is_cached(self) -> bool:
        """Whether Redis knows the caller's key, so that reads need no record."""
        self.api.get("/status/00000000-0000-7000-8000-000000000000")
        with redis.Redis.from_url(self.endpoints.redis_url) as client:
            return bool(client.exists(cache_key(hash_key(self.endpoints.api_key) or "")))

    def mirrored(self, job_id: str) -> list[tuple[int, str]]:
        """(version, status) as Redis and DynamoDB have them, where they have the job."""
        seen = []
        client = redis.Redis.from_url(self.endpoints.redis_url)
        held = client.get(f"job:status:{job_id}")
        client.close()
        if isinstance(held, bytes):
            seen.append(json.loads(held))
        dynamodb = self.cloud.aws().client("dynamodb")
        (table,) = [name for name in dynamodb.list_tables()["TableNames"] if "realtime-jobs" in name]
        item = dynamodb.get_item(TableName=table, Key={"jobId": {"S": job_id}}).get("Item")
        dynamodb.close()
        if item:
            seen.append(json.loads(item["snapshot"]["S"]))
        return [(int(snapshot["version"]), str(snapshot["status"])) for snapshot in seen]

    def submits(self, job_id: str) -> list[dict[str, Any]]:
        """The create requests of this job that reached the simulator."""
        answer = self.replicate.get("/_sim/log", params={"webhook": job_id}).json()
        return list(answer["creates"])

    def query(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """Rows of the record."""
        with psycopg.connect(self.endpoints.postgres_url, autocommit=True) as connection:
            return connection.execute(sql.encode(), params).fetchall()

    def objects(self, job_id: str) -> list[str]:
        """The keys of all objects in the bucket that belong to the job."""
        (bucket,) = [name for name in self._buckets() if "media" in name]
        client = self.cloud.aws().client("s3")
        listed = client.list_objects_v2(Bucket=bucket, Prefix="media/")
        return sorted(entry["Key"] for entry in listed.get("Contents", []) if job_id in entry["Key"])

    def _buckets(self) -> list[str]:
        client = self.cloud.aws().client("s3")
        return [str(bucket["Name"]) for bucket in client.list_buckets()["Buckets"]]
