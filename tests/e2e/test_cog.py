"""A job on a real Cog server: through the API, the webhook and the upload, to its file; cut, sent again, canceled."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from local.cloud import LocalCloud
from local.settings import CloudSettings, Part
from tests.e2e.caller import Caller
from tests.e2e.door import Door

MODEL = "cog-sketch"
PARTS = frozenset({Part.POSTGRES, Part.REDIS, Part.AWS, Part.COG})


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    """The functions' way to the Cog server."""
    door = Door()
    yield door
    door.close()


@pytest.fixture(scope="module")
def cog_cloud(tmp_path_factory: pytest.TempPathFactory, door: Door) -> Iterator[LocalCloud]:
    settings = CloudSettings(
        port=0,
        directory=Path(tmp_path_factory.mktemp("cog-cloud")) / ".local",
        parameters={"PollAfterSeconds": "2"},
        environment={"PROVIDER_ADDRESSES": json.dumps({"cog": {"base_url": door.url}})},
        parts=PARTS,
    )
    with LocalCloud(settings) as cloud:
        assert cloud.endpoints is not None
        door.target = cloud.endpoints.cog_url
        yield cloud


@pytest.fixture
def cog(cog_cloud: LocalCloud) -> Iterator[Caller]:
    with Caller(cog_cloud) as caller:
        yield caller


def started(cog: Caller, prompt: str, **wishes: Any) -> str:
    return cog.start(prompt, model=MODEL, width=128, height=128, **wishes)


def objects_below(cog: Caller, prefix: str) -> list[str]:
    client = cog.cloud.aws().client("s3")
    bucket = next(found["Name"] for found in client.list_buckets()["Buckets"] if "media" in found["Name"])
    return [item["Key"] for item in client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]


def test_a_job_ends_by_webhook_with_the_file_that_the_server_put_into_the_bucket(cog: Caller) -> None:
    job_id = started(cog, "a lighthouse", seed=3)

    status = cog.ended(job_id)

    assert status["status"] == "completed", status
    (output,) = status["outputs"]
    body = httpx.get(output["originalUrl"], trust_env=False).content
    with Image.open(io.BytesIO(body)) as image:
        image.load()
        assert image.size == (output["width"], output["height"]) == (128, 128)
    (uploaded,) = objects_below(cog, f"temp/uploads/cog/{job_id.replace('-', '')}-1/")
    assert uploaded.endswith("-sketch.png")


def test_another_seed_draws_another_picture(cog: Caller) -> None:
    files = set()
    for seed in (1, 2):
        answer = cog.generate("a fox", model=MODEL, width=64, height=64, seed=seed)
        (output,) = cog.ended(answer.json()["jobId"])["outputs"]
        files.add(httpx.get(output["originalUrl"], trust_env=False).content)
    assert len(files) == 2


def test_a_submit_whose_answer_was_lost_is_sent_again_and_does_not_run_twice(cog: Caller, door: Door) -> None:
    before = cog.cloud.cog_runs
    door.lose_answer_to = b"PUT /predictions/"

    job_id = started(cog, "sent twice", work_seconds=3)

    assert cog.ended(job_id)["status"] == "completed"
    assert door.lose_answer_to is None
    assert cog.cloud.cog_runs == before + 1


def test_a_running_job_is_canceled(cog: Caller) -> None:
    job_id = started(cog, "for a long time", work_seconds=60)
    cog.until(lambda: cog.status(job_id), lambda now: now["status"] != "queued")

    answer = cog.api.post(f"/jobs/{job_id}/cancel")

    assert answer.status_code in (200, 202), answer.text
    assert cog.ended(job_id)["status"] == "canceled"
    health = httpx.get(f"{cog.endpoints.cog_url}/health-check", trust_env=False).json()
    assert health["status"] == "READY"


def test_a_busy_server_is_waited_for(cog: Caller) -> None:
    first = started(cog, "the first", work_seconds=2)
    second = started(cog, "the second")

    assert [cog.ended(job)["status"] for job in (first, second)] == ["completed", "completed"]


def test_the_predictors_words_are_the_jobs(cog: Caller) -> None:
    status = cog.ended(started(cog, "[fail]"))

    assert status["status"] == "failed"
    assert "The prompt asked for a failure." in json.dumps(status)


def test_a_server_that_dies_while_it_works_and_comes_back_can_be_canceled(cog: Caller) -> None:
    job_id = started(cog, "never heard of again", work_seconds=60)
    cog.until(lambda: cog.status(job_id), lambda now: now["status"] != "queued")
    cog.cloud.backing("cog", "kill")
    cog.cloud.backing("cog", "start")

    assert cog.api.post(f"/jobs/{job_id}/cancel").status_code in (200, 202)

    assert cog.ended(job_id)["status"] == "canceled"
