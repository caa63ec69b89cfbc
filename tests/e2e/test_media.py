"""Each media type, from the request to a file that decodes to what the status says."""

import base64
import io
from typing import Any

import av
import httpx
import pytest
from PIL import Image

from tests.e2e.caller import Caller


def fetch(url: str) -> httpx.Response:
    answer = httpx.get(url, trust_env=False)
    assert answer.status_code == 200, answer.text[:200]
    return answer


def completed(caller: Caller, job_id: str) -> dict[str, Any]:
    status = caller.ended(job_id)
    assert status["status"] == "completed", status
    assert status["result"] == status["outputs"][0]
    assert status["progress"] == 100
    result: dict[str, Any] = status["result"]
    return result


def test_an_image_is_stored_with_its_size_and_a_thumbnail(caller: Caller) -> None:
    result = completed(caller, caller.start("a lighthouse at dusk", aspect_ratio="16:9"))
    body = fetch(result["originalUrl"]).content
    with Image.open(io.BytesIO(body)) as image:
        image.load()
        assert (result["width"], result["height"]) == image.size
    assert result["fileSize"] == len(body)
    assert result["contentType"] == "image/webp"
    with Image.open(io.BytesIO(fetch(result["thumbnailUrl"]).content)) as thumbnail:
        thumbnail.load()
        assert max(thumbnail.size) <= 512


def test_several_images_are_several_outputs(caller: Caller) -> None:
    job_id = caller.start("two foxes", num_outputs=2)
    completed(caller, job_id)
    outputs = caller.status(job_id)["outputs"]
    assert len(outputs) == 2
    assert len({fetch(output["originalUrl"]).content for output in outputs}) == 2


def test_a_video_plays_and_has_the_length_of_its_status(caller: Caller) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (256, 144), "teal").save(picture, "PNG")
    data_url = "data:image/png;base64," + base64.b64encode(picture.getvalue()).decode()
    answer = caller.api.post(
        "/generate-media",
        json={"mediaType": "video", "modelId": "stability-video", "parameters": {"image": data_url}},
    )
    assert answer.status_code == 202, answer.text
    result = completed(caller, answer.json()["jobId"])
    body = fetch(result["originalUrl"]).content
    with av.open(io.BytesIO(body), "r") as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        assert (result["width"], result["height"]) == (frames[0].width, frames[0].height)
        assert container.duration is not None
        assert result["duration"] == pytest.approx(container.duration / av.time_base, abs=0.02)
    assert len(frames) > 10
    assert result["fileSize"] == len(body)
    assert fetch(result["thumbnailUrl"]).headers["content-type"].startswith("image/")


def test_a_sound_is_audible_and_has_the_length_of_its_status(caller: Caller) -> None:
    result = completed(caller, caller.start("a slow waltz", model="musicgen", media="audio", duration=3))
    body = fetch(result["originalUrl"]).content
    with av.open(io.BytesIO(body), "r") as container:
        samples = b"".join(bytes(frame.planes[0]) for frame in container.decode(audio=0))
        assert container.duration is not None
        assert result["duration"] == pytest.approx(container.duration / av.time_base, abs=0.02)
    assert len(set(samples)) > 100  # silence is one byte, again and again
    with Image.open(io.BytesIO(fetch(result["thumbnailUrl"]).content)) as waveform:
        waveform.load()


def test_a_text_is_stored_as_it_was_written(caller: Caller) -> None:
    result = completed(caller, caller.start("say something kind", model="llama-3-8b", media="text"))
    answer = fetch(result["originalUrl"])
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert len(answer.text) > 5
    assert result["fileSize"] == len(answer.content)
