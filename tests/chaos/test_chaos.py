"""Faulty webhooks, killed workers and stores that vanish, all at once: nothing is lost, nothing happens twice.

`make chaos` runs it for CHAOS_JOBS jobs (100); CHAOS_SEED repeats one course of harm.
It takes up to ten minutes: a message whose worker was killed while it stored comes back after 330 s.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from local.cloud import LocalCloud
from local.settings import CloudSettings
from tests.chaos.monkey import Monkey
from tests.e2e.caller import Caller

JOBS = int(os.environ.get("CHAOS_JOBS", "100"))
SEED = int(os.environ.get("CHAOS_SEED", str(int(time.time()))))
CALLERS = 10
FAULTS = {
    "lost-webhook": 0.1,
    "duplicate-webhook=3": 0.1,
    "late-webhook=2s": 0.1,
    "shuffle-webhooks": 0.1,
    "accept-no-answer": 0.03,
    "429=1s": 0.1,
    "503=x1": 0.05,
    "truncated-output": 0.05,
    "slow-output=2s": 0.05,
    "fail=no paint": 0.05,
    "unknown-status": 0.05,
}
PATIENCE_SECONDS = 600.0


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    parameters = {"PollAfterSeconds": "2", "RateLimitPerHour": "1000000", "JobDeadlineSeconds": "120"}
    with LocalCloud(CloudSettings(port=0, directory=tmp_path / ".local", parameters=parameters)) as cloud:
        yield cloud


def create_stubbornly(cloud: LocalCloud, key: str) -> str:
    """Ask until it is accepted, under one Idempotency-Key; the job's id."""
    body = {
        "mediaType": "image",
        "modelId": "flux-schnell",
        "parameters": {"prompt": key, "megapixels": "0.25"},
    }
    end = time.monotonic() + PATIENCE_SECONDS
    with Caller(cloud) as caller:
        while time.monotonic() < end:
            try:
                answer = caller.api.post("/generate-media", json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                continue
            if answer.status_code == 202:
                return str(answer.json()["jobId"])
            assert answer.status_code in (401, 409, 429, 500, 502, 503, 504), answer.text
            time.sleep(0.2)
    raise AssertionError(f"{key} was never accepted")


@pytest.mark.timeout(1200)
def test_nothing_is_lost_and_nothing_happens_twice(cloud: LocalCloud) -> None:
    keys = [uuid4().hex for _ in range(JOBS)]
    with Caller(cloud) as caller:
        caller.replicate.put("/_sim/faults", json={"faults": FAULTS}).raise_for_status()
        with Monkey(cloud, SEED) as monkey, ThreadPoolExecutor(CALLERS) as pool:
            job_ids = list(pool.map(lambda key: create_stubbornly(cloud, key), keys))
        print(f"seed {SEED}: {Counter(monkey.harm)}")

        def unfinished() -> int:
            caller.sweep()
            ((count,),) = caller.query("select count(*) from jobs where completed_at is null")
            return int(count)

        caller.until(unfinished, lambda count: count == 0, PATIENCE_SECONDS, pause=2)
        assert caller.query("select count(*) from jobs")[0][0] == JOBS == len(set(job_ids))
        assert caller.query(
            "select count(*) from outbox where leased_until < now() - interval '2 minutes'"
        ) == [(0,)]
        finals = caller.query(
            "select job_id, count(*) from job_transitions where status in ('completed', 'failed', 'canceled')"
            " group by job_id having count(*) <> 1"
        )
        assert finals == []
        assert caller.query("select job_id, step from processing_timeline where ended_at is null") == []
        uploaded_twice = caller.query(
            "select job_id, object_key from storage_operations"
            " where operation = 'upload' and success and metadata = '{}'"
            " group by job_id, object_key having count(*) > 1"
        )
        assert uploaded_twice == []
        log = caller.replicate.get("/_sim/log").json()["creates"]
        accepted = Counter(entry["inputHash"] for entry in log if entry["accepted"])
        assert max(accepted.values()) == 1, "a prediction was made twice for one job"
        outcomes = Counter(
            (str(status), str(code)) for status, code in caller.query("select status, error_code from jobs")
        )
        print(outcomes)
        assert set(outcomes) <= {
            ("completed", "None"),
            ("failed", "provider_model_error"),
            ("failed", "submit_unknown"),
            ("failed", "deadline_exceeded"),
        }
        for job_id in job_ids[:20]:
            if caller.status(job_id)["status"] == "completed":
                assert [key.rpartition("/")[2] for key in caller.objects(job_id)] == [
                    "0-thumb.webp",
                    "0.webp",
                ]
