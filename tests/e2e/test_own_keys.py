"""Users' own keys, from the request that brings one to the job that it makes, while keys come, go and change."""

import base64
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import redis

from lib.database.programs import find_program
from local.replicate.world import fingerprint
from tests.e2e.caller import Caller
from tests.e2e.conftest import MASTER_KEY, OTHER_MASTER_KEY

KEYS = "/providers/replicate/credentials"
REFUSED = "Provider credentials are not valid. Please verify your API keys."


class Owner:
    """A user of their own, with a key at Replicate that nobody else has."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.name = f"owner-{uuid4().hex[:8]}"
        self.api = httpx.Client(base_url=caller.endpoints.api_url, timeout=35, trust_env=False)
        self.api.headers["Authorization"] = f"Bearer {caller.new_key(self.name)}"
        self.key = new_key()

    def put(self, key: str) -> dict[str, Any]:
        answer = self.api.put(KEYS, json={"credentials": {"apiToken": key}})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["data"]
        return found

    def generate(self, prompt: str) -> httpx.Response:
        body = {
            "mediaType": "image",
            "modelId": "flux-schnell",
            "parameters": {"prompt": prompt, "megapixels": "0.25"},
        }
        return self.api.post("/generate-media", json=body)

    def start(self, prompt: str) -> str:
        answer = self.generate(prompt)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["jobId"])

    def status(self, job_id: str) -> dict[str, Any]:
        body: dict[str, Any] = self.api.get(f"/status/{job_id}").json()
        return body

    def ended(self, job_id: str) -> dict[str, Any]:
        return self.caller.until(
            lambda: self.status(job_id), lambda now: now["status"] in ("completed", "failed", "canceled")
        )

    def attempts(self, job_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api.get(f"/jobs/{job_id}").json()["attempts"]
        return found


def new_key() -> str:
    return f"r8_{secrets.token_hex(20)}"


@pytest.fixture
def owner(caller: Caller) -> Iterator[Owner]:
    owner = Owner(caller)
    yield owner
    owner.api.close()


def test_a_job_is_made_with_the_key_that_its_user_brought(owner: Owner) -> None:
    shown = owner.put(owner.key)
    assert shown["isValid"] is None
    assert shown["credentials"] == {"apiToken": f"…{owner.key[-4:]}"}
    tested = owner.api.post("/providers/replicate/test").json()
    assert tested["data"]["isValid"] is True
    assert owner.api.get(KEYS).json()["data"]["isValid"] is True
    job_id = owner.start("a key of my own")
    assert owner.ended(job_id)["status"] == "completed"
    (submit,) = owner.caller.submits(job_id)
    assert submit["auth"] == fingerprint(owner.key)
    (attempt,) = owner.attempts(job_id)
    assert attempt["credential"] == "own"
    assert attempt["modelId"] == "flux-schnell"
    assert attempt["state"] == "succeeded"


def test_without_one_the_operators_key_makes_it(owner: Owner) -> None:
    job_id = owner.start("the operator's key")
    assert owner.ended(job_id)["status"] == "completed"
    assert [attempt["credential"] for attempt in owner.attempts(job_id)] == ["platform"]


def test_a_key_that_is_replaced_and_taken_away_still_cancels_the_job_that_it_made(owner: Owner) -> None:
    owner.put(owner.key)
    job_id = owner.start("a long one [sim:never-finishes]")
    owner.caller.until(lambda: owner.status(job_id), lambda now: now["status"] == "processing")
    owner.put(new_key())
    assert owner.api.delete(KEYS).status_code == 204
    assert owner.api.post(f"/jobs/{job_id}/cancel").status_code in (200, 202)
    assert owner.ended(job_id)["status"] == "canceled"
    (submit,) = owner.caller.submits(job_id)
    remote = owner.caller.replicate.get(f"/_sim/predictions/{submit['predictionId']}").json()
    assert remote["prediction"]["status"] == "canceled"


def test_a_key_that_is_replaced_still_asks_for_what_it_made(owner: Owner) -> None:
    owner.put(owner.key)
    job_id = owner.start("nobody calls back [sim:lost-webhook] [sim:slow=2s]")
    owner.put(new_key())
    assert owner.ended(job_id)["status"] == "completed"


def test_all_keys_are_wrapped_anew_while_a_job_runs(owner: Owner) -> None:
    owner.put(owner.key)
    job_id = owner.start("sealed anew meanwhile [sim:lost-webhook] [sim:slow=2s]")
    environment = {
        **os.environ,
        "DATABASE_URL": owner.caller.endpoints.postgres_url,
        "ENCRYPTION_KEY": OTHER_MASTER_KEY,
        "ENCRYPTION_KEYS_RETIRED": MASTER_KEY,
        "STAGE": "local",
    }
    command = [sys.executable, "-m", "lib.credentials", "rewrap"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert owner.ended(job_id)["status"] == "completed"
    assert owner.ended(owner.start("and the next one"))["status"] == "completed"


def test_a_key_that_its_provider_refuses_makes_no_further_job(owner: Owner) -> None:
    owner.put(f"r8_invalid_{secrets.token_hex(12)}")
    refused = owner.generate("it will be refused")
    assert refused.status_code >= 400
    assert refused.json()["code"] == "provider_authentication"
    owner.caller.until(lambda: owner.api.get(KEYS).json()["data"]["isValid"], lambda valid: valid is False)
    again = owner.generate("not even sent")
    assert again.status_code == 422
    assert again.json()["code"] == "invalid_credential"
    assert REFUSED in again.json()["detail"]
    owner.put(owner.key)
    assert owner.ended(owner.start("a good one"))["status"] == "completed"


def test_no_part_of_a_key_is_found_anywhere(owner: Owner) -> None:
    owner.put(owner.key)
    owner.api.post("/providers/replicate/test")
    owner.ended(owner.start("where is it kept"))
    owner.put(wrong := f"r8_invalid_{secrets.token_hex(16)}")
    said = owner.generate("refused").text + owner.api.put(KEYS, json={"credentials": {"wrong": wrong}}).text
    endpoints = owner.caller.endpoints
    dump = subprocess.run(
        [find_program("pg_dump", 18), "--enable-row-security", endpoints.postgres_url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    with redis.Redis.from_url(endpoints.redis_url) as client:
        kept = b"".join(name + (client.dump(name) or b"") for name in client.scan_iter()).decode("latin-1")
    dynamodb = owner.caller.cloud.aws().client("dynamodb")
    mirrored = "".join(
        str(dynamodb.scan(TableName=name)["Items"]) for name in dynamodb.list_tables()["TableNames"]
    )
    dynamodb.close()
    places = {
        "answers": said,
        "record": dump,
        "redis": kept,
        "dynamodb": mirrored,
        "logs": owner.caller.logs(),
    }
    for key in (owner.key, wrong):
        secret = key.removeprefix("r8_").removeprefix("invalid_")
        pieces = [secret[start : start + 8] for start in range(len(secret) - 8)]
        pieces += [base64.b64encode(key.encode()).decode()[4:20]]
        assert [name for name, text in places.items() if any(piece in text for piece in pieces)] == []


def test_nobody_elses_key_is_shown_and_nothing_of_it(owner: Owner, caller: Caller) -> None:
    owner.put(owner.key)
    answer = caller.api.get(KEYS)
    assert answer.status_code == 404
    assert caller.api.delete(KEYS).status_code == 404
    listed = {each["provider"]: each for each in caller.api.get("/providers").json()["data"]}
    assert listed["replicate"]["source"] == "platform"
    mine = {each["provider"]: each for each in owner.api.get("/providers").json()["data"]}
    assert mine["replicate"]["source"] == "own"
