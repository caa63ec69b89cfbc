"""Bad input over HTTP: each gets a problem that says what was wrong and what would be right, and changes nothing."""

import base64
import hmac
import json
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.e2e.caller import Caller

GOOD = {"mediaType": "image", "modelId": "flux-schnell", "parameters": {"prompt": "a fox"}}


def problem(answer: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    body: dict[str, Any] = answer.json()
    assert body["success"] is False
    assert body["status"] == status
    assert body["detail"]
    if code:
        assert body["code"] == code, body
    return body


def jobs(caller: Caller) -> int:
    return int(caller.query("select count(*) from jobs")[0][0])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{not json", 400, None),
        (b"[]", 400, None),
        (b"", 400, None),
        (b'{"a": NaN}', 400, None),
        (json.dumps({**GOOD, "modelId": "dall-e-9"}).encode(), 422, "unknown_model"),
        (json.dumps({**GOOD, "mediaType": "video"}).encode(), 422, "unknown_model"),
        (json.dumps({**GOOD, "mediaType": "smell"}).encode(), 422, None),
        (json.dumps({**GOOD, "parameters": {}}).encode(), 422, "invalid_parameters"),
        (json.dumps({**GOOD, "surprise": 1}).encode(), 422, None),
        (json.dumps({**GOOD, "prompt": "a cat"}).encode(), 422, None),
        (json.dumps({**GOOD, "userId": "somebody-else"}).encode(), 403, "forbidden"),
        (json.dumps({**GOOD, "parameters": {"prompt": "x" * 2_000_000}}).encode(), 413, "too_large"),
    ],
    ids=[
        "malformed",
        "list",
        "empty",
        "nan",
        "unknown-model",
        "other-media-type",
        "no-media-type",
        "missing",
        "unknown-field",
        "two-prompts",
        "another-user",
        "too-large",
    ],
)
def test_a_wrong_request_is_refused_and_starts_nothing(
    caller: Caller, body: bytes, status: int, code: str | None
) -> None:
    before = jobs(caller)
    answer = caller.api.post("/generate-media", content=body, headers={"Content-Type": "application/json"})
    problem(answer, status, code)
    assert jobs(caller) == before


def test_all_wrong_parameters_are_named_at_once(caller: Caller) -> None:
    answer = caller.generate("a fox", num_outputs=99, aspect_ratio="17:3", colour="red", megapixels=7)
    found = problem(answer, 422, "invalid_parameters")
    named = " ".join(error["path"] for error in found["errors"])
    for name in ("num_outputs", "aspect_ratio", "colour", "megapixels"):
        assert name in named


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer vsl_wrong", "Bearer vsl_" + "A" * 43, "Basic YTpi"])
def test_a_wrong_key_is_nobody(caller: Caller, key: str) -> None:
    answer = httpx.post(
        f"{caller.endpoints.api_url}/generate-media", json=GOOD, headers={"Authorization": key} if key else {}
    )
    problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"]


def test_a_revoked_key_opens_nothing_any_more(caller: Caller) -> None:
    user = f"leaver-{uuid4().hex[:6]}"
    headers = {"Authorization": f"Bearer {caller.new_key(user)}"}
    assert httpx.get(f"{caller.endpoints.api_url}/jobs", headers=headers).status_code == 200
    caller.revoke_keys(user)
    problem(httpx.get(f"{caller.endpoints.api_url}/jobs", headers=headers), 401, "unauthenticated")


def test_somebody_elses_job_is_not_there(caller: Caller) -> None:
    job_id = caller.start("a private fox")
    key = caller.new_key(user="mallory")
    headers = {"Authorization": f"Bearer {key}"}
    problem(httpx.get(f"{caller.endpoints.api_url}/status/{job_id}", headers=headers), 404, "not_found")
    problem(httpx.post(f"{caller.endpoints.api_url}/jobs/{job_id}/cancel", headers=headers), 404, "not_found")
    mine = httpx.get(f"{caller.endpoints.api_url}/jobs", headers=headers).json()
    assert mine["data"] == []


@pytest.mark.parametrize(
    "job_id", ["nonsense", "01a1fc15-1bd3-7592-b16e-b2eedc3e50e5", "0" * 36, "..%2f..%2fetc"]
)
def test_an_id_that_is_none_is_not_found(caller: Caller, job_id: str) -> None:
    problem(caller.api.get(f"/status/{job_id}"), 404)
    problem(caller.api.post(f"/jobs/{job_id}/cancel"), 404)


def test_an_idempotency_key_replays_the_first_answer_and_refuses_another_body(caller: Caller) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    before = jobs(caller)
    first = caller.api.post("/generate-media", json=GOOD, headers=headers)
    second = caller.api.post("/generate-media", json=GOOD, headers=headers)
    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    other = caller.api.post(
        "/generate-media", json={**GOOD, "parameters": {"prompt": "a cat"}}, headers=headers
    )
    problem(other, 422, "idempotency_mismatch")
    assert jobs(caller) == before + 1


def test_the_rate_limit_is_told_and_kept(caller: Caller) -> None:
    key = caller.new_key(user=f"busy-{uuid4().hex[:6]}", rate=2)
    headers = {"Authorization": f"Bearer {key}"}
    url = f"{caller.endpoints.api_url}/generate-media"
    answers = [httpx.post(url, json=GOOD, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    problem(answers[2], 429, "rate_limited")
    assert int(answers[2].headers["retry-after"]) > 0


def test_lists_page_by_number_and_by_cursor_and_refuse_nonsense(caller: Caller) -> None:
    key = caller.new_key(user=f"lister-{uuid4().hex[:6]}")
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=caller.endpoints.api_url, headers=headers, timeout=35) as api:
        made = [api.post("/generate-media", json=GOOD).json()["jobId"] for _ in range(3)]
        first = api.get("/jobs", params={"limit": 2}).json()
        assert [job["jobId"] for job in first["data"]] == [made[2], made[1]]
        assert first["pagination"]["total"] == 3
        rest = api.get("/jobs", params={"limit": 2, "cursor": first["pagination"]["nextCursor"]}).json()
        assert [job["jobId"] for job in rest["data"]] == [made[0]]
        assert api.get("/jobs", params={"limit": 2, "page": 2}).json()["data"][0]["jobId"] == made[0]
        for params in (
            {"cursor": "nonsense"},
            {"limit": 0},
            {"limit": "many"},
            {"page": 10**9},
            {"status": "done"},
        ):
            problem(api.get("/jobs", params=params), 422)


def test_a_final_job_cannot_be_canceled(caller: Caller) -> None:
    job_id = caller.start("done already")
    caller.ended(job_id)
    problem(caller.api.post(f"/jobs/{job_id}/cancel"), 409)


def test_unknown_routes_and_methods_are_told(caller: Caller) -> None:
    problem(caller.api.get("/nothing/here"), 404, "not_found")
    answer = caller.api.delete("/generate-media")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


class Webhooks:
    """Sends webhooks to the gateway as a provider or a forger would."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        answer = caller.replicate.get(
            "/v1/webhooks/default/secret", headers={"Authorization": "Bearer r8_local_simulator"}
        )
        self._secret = base64.b64decode(answer.json()["key"].removeprefix("whsec_"))

    def callback(self, job_id: str) -> str:
        """The callback address that the gateway gave for this job, from the provider's own record of it."""
        provider_job_id = self._caller.status(job_id)["providerJobId"]
        row = self._caller.replicate.get(
            f"/v1/predictions/{provider_job_id}", headers={"Authorization": "Bearer r8_local_simulator"}
        ).json()
        return str(row["webhook"])

    def send(self, url: str, body: bytes, *, age: int = 0, forged: bool = False) -> httpx.Response:
        """One signed delivery."""
        sent_at, webhook_id = str(int(time.time()) - age), f"msg_{uuid4().hex}"
        key = b"forger" * 6 if forged else self._secret
        message = webhook_id.encode() + b"." + sent_at.encode() + b"." + body
        signature = base64.b64encode(hmac.digest(key, message, "sha256")).decode()
        headers = {
            "webhook-id": webhook_id,
            "webhook-timestamp": sent_at,
            "webhook-signature": f"v1,{signature}",
            "content-type": "application/json",
        }
        return httpx.post(url, content=body, headers=headers, timeout=35)


def prediction(provider_job_id: str, status: str = "succeeded", **more: Any) -> bytes:
    body = {
        "id": provider_job_id,
        "status": status,
        "output": ["https://replicate.delivery/forged/out.webp"],
        "input": {},
        "error": None,
        **more,
    }
    return json.dumps(body).encode()


def test_a_webhook_must_be_signed_fresh_and_for_this_job(caller: Caller) -> None:
    job_id = caller.start("[sim:never-finishes]")
    other_id = caller.start("[sim:never-finishes]")
    webhooks = Webhooks(caller)
    url, other_url = webhooks.callback(job_id), webhooks.callback(other_id)
    remote = str(caller.status(job_id)["providerJobId"])
    body = prediction(remote)
    bare = url.partition("?")[0]
    swapped = url.replace(job_id, other_id)
    problem(webhooks.send(url, body, forged=True), 401)
    problem(webhooks.send(url, body, age=3600), 401)
    problem(webhooks.send(url, body, age=-3600), 401)
    problem(webhooks.send(swapped, body), 401)
    problem(webhooks.send(url + "x", body), 401)
    problem(httpx.post(url, content=body), 401)
    problem(httpx.post(bare, content=body), 401)
    problem(webhooks.send(bare.replace("replicate", "nobody"), body), 404)
    problem(webhooks.send(url, b"{broken"), 400)
    assert webhooks.send(other_url, body).status_code == 200  # rightly signed, but about another prediction
    for job in (job_id, other_id):
        assert caller.status(job)["status"] != "completed"
        caller.api.post(f"/jobs/{job}/cancel")
        assert caller.ended(job)["status"] == "canceled"


def test_a_webhook_without_token_finds_its_job_by_the_signature_alone(caller: Caller) -> None:
    job_id = caller.start("[sim:never-finishes] [sim:lost-webhook]")
    webhooks = Webhooks(caller)
    remote = str(caller.status(job_id)["providerJobId"])
    bare = webhooks.callback(job_id).partition("?")[0]
    answer = webhooks.send(bare, prediction(remote, "failed", output=None, error="by hand"))
    assert answer.status_code == 200, answer.text
    assert caller.ended(job_id)["error"] == "by hand"


def test_a_webhook_for_an_unknown_or_final_job_is_taken_and_changes_nothing(caller: Caller) -> None:
    job_id = caller.start("a finished fox")
    done = caller.ended(job_id)
    webhooks = Webhooks(caller)
    url = webhooks.callback(job_id)
    assert webhooks.send(url, prediction(done["providerJobId"], "failed", error="late")).status_code == 200
    assert webhooks.send(url.partition("?")[0], prediction("z" * 26)).status_code == 200
    assert caller.status(job_id)["status"] == "completed"


def test_a_webhook_of_five_megabytes_is_taken_and_one_of_seven_is_not(caller: Caller) -> None:
    job_id = caller.start("[sim:never-finishes] [sim:lost-webhook]")
    webhooks = Webhooks(caller)
    url, remote = webhooks.callback(job_id), str(caller.status(job_id)["providerJobId"])
    big = prediction(remote, "failed", output=None, error="so big", input={"image": "A" * 5_000_000})
    assert webhooks.send(url, big).status_code == 200
    assert caller.ended(job_id)["error"] == "so big"
    too_big = prediction(remote, "failed", input={"image": "A" * 7_000_000})
    assert webhooks.send(url, too_big).status_code == 413


def test_nothing_secret_is_in_any_log(caller: Caller) -> None:
    marker = f"verysecretprompt{uuid4().hex}"
    job_id = caller.start(marker)
    caller.ended(job_id)
    token = Webhooks(caller).callback(job_id).partition("token=")[2]
    assert len(token) > 20
    logs = caller.logs()
    assert job_id in logs
    for secret in (marker, token, caller.endpoints.api_key, "r8_local_simulator"):
        assert secret not in logs
