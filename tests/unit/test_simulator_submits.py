"""Creating a prediction: headers, refusals, silence, and the log of it all."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx
import pytest

from local.replicate.submit import mask_webhook
from tests.fakes.simulator_client import FLUX, LLAMA, SDXL_VERSION, Talk, talking


@pytest.fixture(scope="module")
def talk() -> Iterator[Talk]:
    with talking() as talk:
        yield talk


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        ("", "You did not pass an authentication token"),
        ("Bearer wrong", "You did not pass a valid authentication token"),
        ("Bearer r8_invalid_one", "You did not pass a valid authentication token"),
    ],
)
def test_a_missing_or_wrong_token_is_401_in_replicates_words(talk: Talk, header: str, detail: str) -> None:
    answer = talk.submit("a kite", headers={"authorization": header})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.json() == {"title": "Unauthenticated", "detail": detail, "status": 401}


def test_the_older_scheme_word_is_accepted_and_each_token_is_an_account(talk: Talk) -> None:
    mine = talk.create("a kite")
    other = {"authorization": "Token r8_somebody_else"}
    assert talk.http.get("/v1/account", headers=other).json()["username"].startswith("simulator-")
    assert talk.http.get(f"/v1/predictions/{mine['id']}", headers=other).status_code == 404
    assert talk.http.get("/v1/predictions", headers=other).json()["results"] == []


def test_a_body_that_is_no_json_is_400(talk: Talk) -> None:
    for content in (b"{", b"[1]"):
        answer = talk.http.post("/v1/predictions", content=content)
        assert (answer.status_code, answer.json()["title"]) == (400, "Bad request")


def test_an_input_that_is_wrong_is_422_with_its_fields(talk: Talk) -> None:
    answer = talk.post(f"/v1/models/{FLUX}/predictions", {"input": {}})
    assert answer.status_code == 422
    assert answer.json() == {
        "title": "Input validation failed",
        "detail": "- input: prompt is required\n",
        "status": 422,
        "invalid_fields": [{"type": "required", "field": "input", "description": "prompt is required"}],
    }


def test_unknown_versions_are_422_and_models_that_are_not_official_404(talk: Talk) -> None:
    answer = talk.post("/v1/predictions", {"version": "0" * 64, "input": {}})
    assert (answer.status_code, answer.json()["title"]) == (422, "Invalid version or not permitted")
    assert talk.post("/v1/models/stability-ai/sdxl/predictions", {"input": {}}).status_code == 404
    assert talk.http.get("/v1/nothing").status_code == 404


def test_an_official_model_goes_by_version_spelling_too(talk: Talk) -> None:
    answer = talk.post("/v1/predictions", {"version": FLUX, "input": {"prompt": "a kite"}})
    assert (answer.status_code, answer.json()["version"]) == (201, "hidden")


def test_a_new_prediction_has_every_field_of_the_schema(talk: Talk) -> None:
    prediction = talk.create("a kite", model=LLAMA)
    assert prediction["status"] == "starting"
    assert len(prediction["id"]) == 26
    assert [prediction[name] for name in ("output", "error", "started_at", "completed_at")] == [None] * 4
    assert (prediction["logs"], prediction["metrics"], prediction["data_removed"]) == ("", {}, False)
    assert prediction["created_at"].endswith("Z")
    assert set(prediction["urls"]) == {"get", "cancel", "web", "stream"}
    assert prediction["urls"]["get"] == f"{talk.simulator.api_base}/v1/predictions/{prediction['id']}"


def test_wait_answers_201_with_all_outputs_while_the_status_still_lags(talk: Talk) -> None:
    answer = talk.submit("a kite", headers={"prefer": "wait"})
    assert (answer.status_code, answer.json()["status"]) == (201, "processing")
    assert answer.json()["output"][0].startswith("data:image/webp;base64,")
    assert talk.finished(answer.json()["id"])["output"][0].startswith(talk.simulator.media_base)


def test_a_wait_that_runs_out_answers_202_and_says_starting(talk: Talk) -> None:
    answer = talk.submit("[sim:never-finishes]", headers={"prefer": "wait=1"})
    assert (answer.status_code, answer.json()["status"], answer.json()["output"]) == (202, "starting", None)
    assert talk.get(answer.json()["id"])["status"] == "processing"


@pytest.mark.parametrize(
    "headers", [{"prefer": "wait=0"}, {"prefer": "soon"}, {"cancel-after": "4s"}, {"cancel-after": "soon"}]
)
def test_headers_that_are_none_are_400(talk: Talk, headers: dict[str, str]) -> None:
    assert talk.submit("a kite", headers=headers).status_code == 400


@pytest.mark.parametrize(("text", "seconds"), [("30", 30), ("5m", 300), ("1h30m45s", 5445)])
def test_cancel_after_shows_as_deadline(talk: Talk, text: str, seconds: int) -> None:
    prediction = talk.create("a kite", headers={"cancel-after": text})
    created, deadline = (datetime.fromisoformat(prediction[name]) for name in ("created_at", "deadline"))
    assert deadline - created == timedelta(seconds=seconds)


def test_429_says_when_to_come_back_strikes_its_times_and_then_accepts(talk: Talk) -> None:
    prompt = "patience [sim:429=2sx2]"
    for _ in range(2):
        answer = talk.submit(prompt)
        assert (answer.status_code, answer.headers["retry-after"], answer.json()["retry_after"]) == (
            429,
            "2",
            2,
        )
        assert answer.json()["detail"] == "Request was throttled. Your rate limit resets in ~2s."
    assert talk.submit(prompt).status_code == 201
    once = "patience once [sim:429=200ms]"
    assert [talk.submit(once).status_code for _ in range(3)] == [429, 201, 201]


@pytest.mark.parametrize(
    ("name", "status"), [("401", 401), ("402", 402), ("422", 422), ("500", 500), ("503", 503)]
)
def test_refusals_strike_always_unless_a_number_is_given(talk: Talk, name: str, status: int) -> None:
    assert [talk.submit(f"always [sim:{name}]").status_code for _ in range(2)] == [status, status]
    assert [talk.submit(f"once [sim:{name}=x1]").status_code for _ in range(2)] == [status, 201]


def test_422_can_be_about_the_version(talk: Talk) -> None:
    assert talk.submit("[sim:422=version]").json()["title"] == "Invalid version or not permitted"


def test_502_is_a_page_and_no_json(talk: Talk) -> None:
    answer = talk.submit("[sim:502-html]")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert answer.text.startswith("<html>")


def test_an_unknown_marker_is_refused_rather_than_ignored(talk: Talk) -> None:
    answer = talk.submit("[sim:lost-webhok]")
    assert answer.status_code == 422
    assert "lost-webhook" in answer.json()["detail"]


def test_a_submit_accepted_and_never_answered_runs_and_is_in_the_log(talk: Talk) -> None:
    prompt, before = "silence [sim:accept-no-answer]", len(talk.creates())
    with pytest.raises(httpx.ReadTimeout):
        talk.http.post(f"/v1/models/{FLUX}/predictions", json={"input": {"prompt": prompt}}, timeout=0.1)
    entry = talk.until(talk.creates, lambda entries: len(entries) > before)[-1]
    assert (entry["accepted"], entry["status"], entry["faults"]) == (True, None, ["accept-no-answer"])
    assert talk.finished(entry["predictionId"])["status"] == "succeeded"


def test_silence_ends_with_a_closed_connection(talk: Talk) -> None:
    started = time.monotonic()
    for marker in ("accept-no-answer", "no-answer"):
        with pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
            talk.submit(f"[sim:{marker}]")
    assert time.monotonic() - started >= 0.6
    assert talk.creates()[-1]["accepted"] is False


def test_a_reset_connection_accepts_nothing(talk: Talk) -> None:
    with pytest.raises(httpx.ReadError):
        talk.submit("[sim:reset]")
    assert talk.creates()[-1]["accepted"] is False


def test_faults_strike_reads_and_cancels_too(talk: Talk) -> None:
    prediction = talk.create(
        "[sim:get-500=x1] [sim:get-429=1sx1] [sim:cancel-502-html=x1] [sim:never-finishes]"
    )
    path = f"/v1/predictions/{prediction['id']}"
    assert [talk.http.get(path).status_code for _ in range(3)] == [500, 429, 200]
    assert [talk.http.post(f"{path}/cancel").status_code for _ in range(2)] == [502, 200]


def test_the_log_has_every_create_with_the_secrets_masked(talk: Talk) -> None:
    url = "http://127.0.0.1:9/webhook/replicate?job=j1&attempt=1&token=very-secret"
    talk.submit("a logged kite", webhook=url, headers={"authorization": "Bearer r8_invalid"})
    prediction = talk.create("a logged kite [sim:lost-webhook]", webhook=url)
    refused, accepted = talk.creates()[-2:]
    assert (refused["accepted"], refused["status"]) == (False, 401)
    assert (accepted["accepted"], accepted["status"], accepted["predictionId"]) == (
        True,
        201,
        prediction["id"],
    )
    assert accepted["webhook"] == "http://127.0.0.1:9/webhook/replicate?job=j1&attempt=1&token=***"
    assert refused["auth"] != accepted["auth"]
    found = talk.http.get("/_sim/log", params={"predictionId": prediction["id"]}).json()["creates"]
    assert found == [accepted]


def test_masking_leaves_no_webhook_alone() -> None:
    assert mask_webhook(None) is None
    assert mask_webhook("https://a.example/x") == "https://a.example/x"


def test_the_same_input_has_the_same_hash_in_any_order(talk: Talk) -> None:
    body = {"version": SDXL_VERSION, "input": {"prompt": "x", "seed": 1}}
    turned = {"version": SDXL_VERSION, "input": {"seed": 1, "prompt": "x"}}
    talk.post("/v1/predictions", body)
    talk.post("/v1/predictions", turned)
    one, other = talk.creates()[-2:]
    assert one["inputHash"] == other["inputHash"]
