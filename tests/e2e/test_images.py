"""Pictures in standard requests, over HTTP: they are with the provider of a model that reads them, or nowhere."""

import base64
import io
import os
from typing import Any
from uuid import uuid4

import httpx
from PIL import Image

from tests.e2e.caller import Caller

ADDRESS = "https://example.com/first.png"


def picture() -> str:
    """A small picture as a data URL."""
    file = io.BytesIO()
    Image.new("RGB", (1280, 720), "teal").save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def large_picture() -> str:
    """One that nearly fills a request: noise, which no format makes smaller."""
    file = io.BytesIO()
    Image.frombytes("RGB", (560, 448), os.urandom(560 * 448 * 3)).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def ask(caller: Caller, media_type: str, **request: Any) -> httpx.Response:
    """A standard request, the model left to the gateway unless `model_id` is given."""
    body = {"mediaType": media_type, "modelId": request.pop("model_id", None)}
    least = {"aspectRatio": "16:9", **({"motionIntensity": 5} if media_type == "video" else {})}
    return caller.api.post("/generate-media", json={**body, "request": {**least, **request}})


def made(caller: Caller, answer: httpx.Response) -> dict[str, Any]:
    """The answer of a job that completes with a file."""
    assert answer.status_code == 202, answer.text
    accepted: dict[str, Any] = answer.json()
    status = caller.ended(accepted["jobId"])
    assert status["status"] == "completed", status
    assert status["result"]["contentType"].startswith(f"{status['mediaType']}/")
    return accepted


def received(caller: Caller, provider: str, prompt: str) -> Any:
    """The body of the one request for this prompt that reached the simulated provider; of a form its parts."""
    url = f"{caller.endpoints.provider_urls[provider]}/_sim/log"
    found = httpx.get(url, trust_env=False, timeout=10).json()["requests"]
    (entry,) = [entry for entry in found if entry["method"] == "POST" and prompt in str(entry["body"])]
    return entry["body"]


def test_the_address_of_a_first_frame_goes_to_a_model_that_fetches_it(caller: Caller) -> None:
    prompt = f"the waves begin to move {uuid4().hex[:8]}"

    accepted = made(caller, ask(caller, "video", prompt=prompt, image=ADDRESS, duration=4))

    assert (accepted["modelId"], accepted["provider"]) == ("runway-gen4-turbo", "runway")
    body = received(caller, "runway", prompt)
    assert (body["promptImage"], body["promptText"], body["ratio"]) == (ADDRESS, prompt, "1280:720")


def test_first_and_last_frames_as_bytes_go_to_a_model_that_has_both(caller: Caller) -> None:
    prompt, frame = f"from dusk to dawn {uuid4().hex[:8]}", picture()

    accepted = made(caller, ask(caller, "video", prompt=prompt, image=frame, lastImage=frame, duration=4))

    assert accepted["provider"] == "google_veo"
    (instance,) = received(caller, "google_veo", prompt)["instances"]
    sent = {"bytesBase64Encoded": frame.partition(",")[2], "mimeType": "image/png"}
    assert (instance["image"], instance["lastFrame"]) == (sent, sent)


def test_a_picture_is_changed_and_what_it_decides_is_told(caller: Caller) -> None:
    prompt = f"as an oil painting {uuid4().hex[:8]}"

    accepted = made(caller, ask(caller, "image", prompt=prompt, images=[picture()], model_id="sdxl"))

    assert accepted["warnings"] == [
        "aspectRatio: 16:9 is not honoured: with an image the model keeps the image's size."
    ]


def test_a_picture_that_nearly_fills_a_request_waits_in_a_queue_and_arrives_whole(caller: Caller) -> None:
    prompt, picture = f"a storm of colours {uuid4().hex[:8]}", large_picture()
    assert 1_000_000 < len(picture) < 1024 * 1024

    made(caller, ask(caller, "image", prompt=prompt, images=[picture], model_id="stability-sd3.5-large"))

    (file,) = [part for part in received(caller, "stability", prompt) if part["name"] == "image"]
    assert file["size"] == len(base64.b64decode(picture.partition(",")[2]))


def test_what_no_model_can_do_with_a_picture_is_told_at_once_and_nothing_is_spent(caller: Caller) -> None:
    answer = ask(
        caller, "video", prompt="", image="ftp://example.com/a.png", lastImage="data:text/html;base64,AAEC"
    )

    assert answer.status_code == 422
    assert {error["path"] for error in answer.json()["errors"]} == {
        "request.prompt",
        "request.image",
        "request.lastImage",
    }
    needs = ask(caller, "video", prompt="a cat", model_id="runway-gen4-turbo")
    (error,) = needs.json()["errors"]
    assert (needs.status_code, error["path"]) == (422, "request.image")
    assert error["message"].startswith("Image is required by runway-gen4-turbo. Models that do without: ")
