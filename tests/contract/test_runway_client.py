"""Runway's official Python client against the simulator: another base address, and nothing else changed."""

import time
from collections.abc import Iterator

import httpx
import pytest
from runwayml import AuthenticationError, BadRequestError, NotFoundError, RunwayML
from runwayml.types import TaskRetrieveResponse

from local.providers import runway
from local.providers.server import running
from local.providers.settings import Settings

FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")
IMAGE = "https://caller.example/start.png"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running("runway", settings=Settings(latency=0.2)) as providers:
        yield providers.urls["runway"]


@pytest.fixture
def client(url: str) -> Iterator[RunwayML]:
    with RunwayML(api_key=runway.LOCAL_KEY, base_url=url, max_retries=0) as client:
        yield client


def ended(client: RunwayML, task_id: str) -> TaskRetrieveResponse:
    """The task once it is final; the client's own wait asks every six seconds only."""
    while (task := client.tasks.retrieve(task_id)).status not in FINAL:
        time.sleep(0.02)
    return task


def image(client: RunwayML, prompt: str) -> str:
    return client.text_to_image.create(model="gen4_image", prompt_text=prompt, ratio="720:720").id


def test_a_task_is_created_and_read_to_its_end(client: RunwayML) -> None:
    task = ended(client, image(client, "a red kite"))
    assert task.status == "SUCCEEDED"
    assert task.cost.credits == 5
    assert httpx.get(task.output[0]).content.startswith(b"\x89PNG")


def test_its_addresses_are_signed_anew_each_time(client: RunwayML) -> None:
    first = ended(client, image(client, "a kite"))
    again = client.tasks.retrieve(first.id)
    assert first.status == again.status == "SUCCEEDED"
    assert first.output != again.output


def test_a_video_from_an_image_and_speech_are_real_files(client: RunwayML) -> None:
    video = client.image_to_video.create(
        model="gen4_turbo", prompt_image=IMAGE, ratio="1280:720", duration=2, prompt_text="a kite"
    )
    speech = client.text_to_speech.create(
        model="eleven_multilingual_v2",
        prompt_text="Good morning",
        voice={"type": "runway-preset", "preset_id": "Maya"},
    )
    for task_id, begins in ((video.id, b"\0\0\0"), (speech.id, b"ID3")):
        task = ended(client, task_id)
        assert task.status == "SUCCEEDED"
        assert httpx.get(task.output[0]).content.startswith(begins)


def test_a_refused_prompt_and_a_bad_output_have_their_codes(client: RunwayML) -> None:
    refused = ended(client, image(client, "a kite [sim:nsfw]"))
    assert refused.status == "FAILED"
    assert refused.failure_code == "SAFETY.INPUT.TEXT"
    broken = ended(client, image(client, "a kite [sim:fail=out of ideas]"))
    assert broken.status == "FAILED"
    assert (broken.failure, broken.failure_code, broken.cost.credits) == (
        "out of ideas",
        "INTERNAL.BAD_OUTPUT.CODE01",
        0,
    )


def test_tasks_beyond_what_runs_at_once_are_throttled(client: RunwayML) -> None:
    made = [image(client, f"kite {number} [sim:never-finishes]") for number in range(runway.AT_ONCE + 1)]
    try:
        assert client.tasks.retrieve(made[-1]).status == "THROTTLED"
        assert client.tasks.retrieve(made[0]).status in ("PENDING", "RUNNING")
    finally:
        for task_id in made:
            client.tasks.delete(task_id)


def test_a_deleted_task_is_gone_whether_it_ran_or_had_ended(client: RunwayML) -> None:
    running_one = image(client, "a kite [sim:never-finishes]")
    finished = ended(client, image(client, "a kite")).id
    for task_id in (running_one, finished):
        client.tasks.delete(task_id)
        for call in (client.tasks.retrieve, client.tasks.delete):
            with pytest.raises(NotFoundError, match="Task not found"):
                call(task_id)


def test_a_wrong_key_a_wrong_version_and_a_wrong_input_are_errors(url: str, client: RunwayML) -> None:
    with (
        RunwayML(api_key="key_invalid", base_url=url, max_retries=0) as stranger,
        pytest.raises(AuthenticationError),
    ):
        stranger.organization.retrieve()
    with (
        RunwayML(api_key=runway.LOCAL_KEY, base_url=url, runway_version="2020-01-01") as old,
        pytest.raises(BadRequestError, match="X-Runway-Version"),
    ):
        old.organization.retrieve()
    with pytest.raises(BadRequestError) as caught:
        client.text_to_image.create(model="gen4_image", prompt_text="", ratio="720:720")
    assert caught.value.body == {
        "error": "Validation of body failed",
        "issues": [{"code": "invalid_type", "path": ["promptText"], "message": "Required"}],
    }


def test_the_organization_has_a_balance(client: RunwayML) -> None:
    assert client.organization.retrieve().credit_balance == 9000
