"""What a prediction goes through: states, logs, metrics, faults, deadlines, lists and removal."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from local.replicate import submit
from local.replicate.engine import NSFW_ERROR
from local.replicate.settings import Settings
from tests.fakes.simulator_client import FINAL, FLUX, LLAMA, SDXL_VERSION, Talk, talking

MUSIC_VERSION = "671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb"


@pytest.fixture(scope="module")
def talk() -> Iterator[Talk]:
    with talking() as talk:
        yield talk


def test_a_success_has_logs_with_progress_metrics_and_times_in_order(talk: Talk) -> None:
    prediction = talk.run("a kite", input={"seed": 7, "num_outputs": 2})
    assert prediction["status"] == "succeeded"
    assert prediction["logs"].startswith("Using seed: 7\n  0%|          | 0/4 [")
    assert "100%|██████████| 4/4 [" in prediction["logs"]
    assert prediction["metrics"]["image_count"] == len(prediction["output"]) == 2
    assert prediction["metrics"]["total_time"] >= prediction["metrics"]["predict_time"] > 0
    times = [
        datetime.fromisoformat(prediction[name]) for name in ("created_at", "started_at", "completed_at")
    ]
    assert times == sorted(times)


def test_logs_and_text_output_only_grow(talk: Talk) -> None:
    prediction = talk.create("[sim:slow=300ms] tell me", model=LLAMA)
    seen = [prediction]
    talk.until(
        lambda: seen.append(talk.get(prediction["id"])) or seen[-1],  # type: ignore[func-returns-value] # keeps it
        lambda current: current["status"] in FINAL,
    )
    outputs = ["".join(each["output"] or []) for each in seen]
    assert len(set(outputs)) > 2
    assert all(later.startswith(earlier) for earlier, later in pairwise(outputs))


def test_a_model_with_one_file_shows_one_url(talk: Talk) -> None:
    answer = talk.post(
        "/v1/predictions", {"version": MUSIC_VERSION, "input": {"prompt": "jazz", "duration": 1}}
    )
    output = talk.finished(answer.json()["id"])["output"]
    assert output.startswith(f"{talk.simulator.media_base}/xezq/")
    assert output.endswith("/out.wav")


@pytest.mark.parametrize(
    ("marker", "status", "error"),
    [
        ("fail=the model is tired", "failed", "the model is tired"),
        ("fail", "failed", "Prediction interrupted; please retry (code: PA)"),
        ("nsfw", "failed", NSFW_ERROR),
        ("aborted", "aborted", None),
    ],
)
def test_faulty_ends(talk: Talk, marker: str, status: str, error: str | None) -> None:
    prediction = talk.run(f"[sim:{marker}]")
    assert (prediction["status"], prediction["error"], prediction["output"]) == (status, error, None)
    assert (prediction["started_at"] is None) is (status == "aborted")


def test_text_can_fail_too(talk: Talk) -> None:
    assert talk.run("[sim:fail=no words]", model=LLAMA)["error"] == "no words"


def test_a_size_that_the_model_cannot_draw_fails_the_prediction(talk: Talk) -> None:
    body = {"version": SDXL_VERSION, "input": {"width": 1001}}
    prediction = talk.finished(talk.post("/v1/predictions", body).json()["id"])
    assert prediction["status"] == "failed"
    assert "divisible by 8" in prediction["error"]


def test_an_unknown_status_is_shown_while_it_runs_and_then_it_ends(talk: Talk) -> None:
    prediction = talk.create("[sim:unknown-status] [sim:slow=400ms]")
    talk.until(lambda: talk.get(prediction["id"]), lambda current: current["status"] == "hibernating")
    assert talk.finished(prediction["id"])["status"] == "succeeded"


def test_slow_takes_as_long_as_it_says(talk: Talk) -> None:
    assert talk.run("[sim:slow=400ms]")["metrics"]["predict_time"] >= 0.4


def test_never_finishes_until_it_is_canceled(talk: Talk) -> None:
    prediction = talk.create("[sim:never-finishes]")
    talk.until(lambda: talk.get(prediction["id"]), lambda current: current["status"] == "processing")
    canceled = talk.http.post(f"/v1/predictions/{prediction['id']}/cancel").json()
    assert (canceled["status"], canceled["completed_at"] is None) == ("canceled", False)
    assert (
        talk.http.post(f"/v1/predictions/{prediction['id']}/cancel").json()
        == canceled
        == talk.get(prediction["id"])
    )


def test_an_empty_result_and_a_purged_one(talk: Talk) -> None:
    assert talk.run("[sim:empty-list]")["output"] == []
    purged = talk.run("[sim:purged]")
    assert (purged["status"], purged["data_removed"]) == ("succeeded", True)
    assert (purged["output"], purged["input"]) == (None, {})


def test_a_webhook_can_be_hidden_from_the_prediction(talk: Talk) -> None:
    shown = talk.create("[sim:lost-webhook]", webhook="http://127.0.0.1:9/x")
    hidden = talk.create("[sim:lost-webhook] [sim:hide-webhook]", webhook="http://127.0.0.1:9/x")
    assert ("webhook" in shown, "webhook" in hidden) == (True, False)


def test_lists_are_cut_by_creation_time(talk: Talk) -> None:
    first, second, third = (talk.create(str(number), model=LLAMA) for number in range(3))
    window = {"created_after": second["created_at"], "created_before": third["created_at"]}
    answer = talk.http.get("/v1/predictions", params=window).json()
    assert [prediction["id"] for prediction in answer["results"]] == [second["id"]]
    assert (answer["next"], answer["previous"]) == (None, None)
    after = talk.http.get("/v1/predictions", params={"created_after": first["created_at"]}).json()["results"]
    assert [prediction["id"] for prediction in after][:3] == [third["id"], second["id"], first["id"]]
    assert talk.http.get("/v1/predictions", params={"source": "web"}).json()["results"] == []
    assert talk.http.get("/v1/predictions", params={"created_after": "soon"}).status_code == 400
    assert talk.http.get("/v1/predictions", params={"cursor": "%%%"}).status_code == 400


def test_a_deadline_cancels_what_runs_and_aborts_what_has_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submit, "SHORTEST_LIFETIME", timedelta(seconds=1))
    with talking(Settings(latency=0.1)) as quick, talking(Settings(latency=200)) as slow:
        runs = quick.create("[sim:never-finishes]", headers={"cancel-after": "1s"})
        waits = slow.create("a kite", headers={"cancel-after": "1s"})
        assert quick.finished(runs["id"])["status"] == "canceled"
        assert slow.finished(waits["id"])["status"] == "aborted"


def test_after_the_hour_input_output_and_files_are_gone(talk: Talk) -> None:
    prediction = talk.run("a kite")
    [url] = prediction["output"]
    assert talk.http.get(url).status_code == 200
    assert talk.http.put("/_sim/retention", json={"seconds": 0}).json() == {"seconds": 0}
    try:
        removed = talk.get(prediction["id"])
        assert (removed["output"], removed["input"], removed["logs"], removed["data_removed"]) == (
            None,
            {},
            "",
            True,
        )
        assert talk.http.get(url).status_code == 404
    finally:
        talk.http.put("/_sim/retention", json={"seconds": 3600})


def test_faults_by_share_strike_only_predictions_without_markers(talk: Talk) -> None:
    assert talk.http.put("/_sim/faults", json={"faults": "fail=unlucky:1"}).json()["faults"] == {
        "fail=unlucky": 1
    }
    try:
        assert talk.run("a kite")["error"] == "unlucky"
        assert talk.run("a kite [sim:none]")["status"] == "succeeded"
    finally:
        talk.http.put("/_sim/faults", json={"faults": {}})
    assert talk.http.put("/_sim/faults", json={"faults": "nothing:1"}).status_code == 400
    assert talk.http.get("/_sim/faults").json()["known"]["lost-webhook"] == "webhook"


def test_latency_is_scaled_and_the_same_for_the_same_prompt() -> None:
    with talking(Settings(latency=0)) as talk:
        assert talk.run("a kite")["metrics"]["predict_time"] < 0.5
        assert talk.http.put("/_sim/latency", json={"scale": 5}).json() == {"scale": 5}
        assert talk.run("a kite")["metrics"]["predict_time"] >= 0.8
        assert talk.http.put("/_sim/latency", json={"scale": "fast"}).status_code == 400


def test_reset_forgets_everything_and_restores_the_dials() -> None:
    with talking(Settings(latency=0.1, faults="fail:0")) as talk:
        prediction = talk.create("[sim:never-finishes]")
        talk.http.put("/_sim/faults", json={"faults": "nsfw:1"})
        assert talk.http.post("/_sim/reset").status_code == 204
        assert talk.http.get("/_sim/faults").json()["faults"] == {"fail": 0}
        assert talk.http.get(f"/v1/predictions/{prediction['id']}").status_code == 404
        assert talk.creates() == []
        assert talk.run("a kite")["status"] == "succeeded"


def test_models_are_described_as_replicate_does(talk: Talk) -> None:
    model = talk.http.get(f"/v1/models/{FLUX}").json()
    schemas = model["latest_version"]["openapi_schema"]["components"]["schemas"]
    ratio = schemas["Input"]["properties"]["aspect_ratio"]
    assert (ratio["allOf"], ratio["x-order"]) == ([{"$ref": "#/components/schemas/aspect_ratio"}], 1)
    assert "16:9" in schemas["aspect_ratio"]["enum"]
    version = f"/v1/models/{FLUX}/versions/{model['latest_version']['id']}"
    assert talk.http.get(version).json() == model["latest_version"]
    assert talk.http.get(f"/v1/models/{FLUX}/versions/nothing").status_code == 404
    assert talk.http.get("/v1/models/nobody/nothing").status_code == 404
    assert talk.http.get(f"/v1/models/{FLUX}/examples").json()["results"] == []
    assert "Simulated" in talk.http.get(f"/v1/models/{FLUX}/readme").text
