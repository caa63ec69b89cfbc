"""Our adapter over our transport says on the wire what Runway's official client says."""

import json
from collections.abc import Callable

import pytest
from runwayml import RunwayML

from lib.domain.http_exchange import HttpRequest
from lib.domain.provider import Credential, OutputKind, RemoteJob, RemoteStatus, Submission
from lib.ports.provider import Operation
from lib.providers.runway import RunwayAdapter
from lib.providers.transport import RequestsTransport
from tests.fakes.scripted_http import Received, Say, ScriptedServer, serving
from tests.fakes.stored_answers import stored_answer

KEY = Credential("runway", "key_" + "0" * 128)
ID = "17f20503-6c24-4c16-946b-35dbbce2af2f"
IMAGE = "https://caller.example/start.png"

Theirs = Callable[[RunwayML], object]
Ours = Callable[[RunwayAdapter], HttpRequest]


def submit(model_ref: str, **values: object) -> Ours:
    submission = Submission("j1", 1, model_ref, values, 600)
    return lambda ours: ours.submit_request(submission, KEY, None)


CALLS: dict[str, tuple[str, Theirs, Ours]] = {
    "text to video": (
        "created",
        lambda client: client.text_to_video.create(
            model="gen4.5", prompt_text="a red fox, café", ratio="1280:720", duration=5, seed=7
        ),
        submit("text_to_video/gen4.5", promptText="a red fox, café", ratio="1280:720", duration=5, seed=7),
    ),
    "image to video": (
        "created",
        lambda client: client.image_to_video.create(
            model="gen4_turbo",
            prompt_image=[{"uri": IMAGE, "position": "first"}],
            ratio="960:960",
            duration=10,
            content_moderation={"public_figure_threshold": "low"},
        ),
        submit(
            "image_to_video/gen4_turbo",
            promptImage=[{"uri": IMAGE, "position": "first"}],
            ratio="960:960",
            duration=10,
            contentModeration={"publicFigureThreshold": "low"},
        ),
    ),
    "text to image": (
        "created",
        lambda client: client.text_to_image.create(
            model="gen4_image",
            prompt_text="@fox in the snow",
            ratio="1360:768",
            reference_images=[{"uri": IMAGE, "tag": "fox"}],
        ),
        submit(
            "text_to_image/gen4_image",
            promptText="@fox in the snow",
            ratio="1360:768",
            referenceImages=[{"uri": IMAGE, "tag": "fox"}],
        ),
    ),
    "sound effect": (
        "created",
        lambda client: client.sound_effect.create(
            model="eleven_text_to_sound_v2", prompt_text="rain", duration=2.5, loop=True
        ),
        submit("sound_effect/eleven_text_to_sound_v2", promptText="rain", duration=2.5, loop=True),
    ),
    "text to speech": (
        "created",
        lambda client: client.text_to_speech.create(
            model="eleven_multilingual_v2",
            prompt_text="Good morning",
            voice={"type": "runway-preset", "preset_id": "Maya"},
        ),
        submit(
            "text_to_speech/eleven_multilingual_v2",
            promptText="Good morning",
            voice={"type": "runway-preset", "presetId": "Maya"},
        ),
    ),
    "get": (
        "succeeded",
        lambda client: client.tasks.retrieve(ID),
        lambda ours: ours.poll_request(RemoteJob(ID), KEY),
    ),
    "delete": (
        "deleted",
        lambda client: client.tasks.delete(ID),
        lambda ours: ours.cancel_request(RemoteJob(ID), KEY),
    ),
    "organization": (
        "organization",
        lambda client: client.organization.retrieve(),
        lambda ours: ours.test_request(KEY),
    ),
}


def said(name: str) -> Say:
    stored = stored_answer("runway", name)
    return Say(stored.status, stored.body, {"Content-Type": stored.headers["content-type"]})


def send_theirs(server: ScriptedServer, call: Theirs) -> Received:
    with RunwayML(api_key=KEY.secret, base_url=server.url, max_retries=0) as client:
        call(client)
    return server.received[-1]


def send_ours(server: ScriptedServer, build: Ours) -> Received:
    transport = RequestsTransport()
    request = build(RunwayAdapter(base_url=server.url))
    transport.send(request, provider="runway", operation=Operation.SUBMIT)
    transport.close()
    return server.received[-1]


def on_the_wire(received: Received) -> tuple[object, ...]:
    return (
        received.method,
        received.path,
        received.headers.get("authorization"),
        received.headers.get("x-runway-version"),
        received.headers.get("accept"),
        received.headers.get("content-type") if received.body else None,
        json.loads(received.body) if received.body else None,
    )


@pytest.mark.parametrize("call", CALLS)
def test_we_say_what_the_official_client_says(call: str) -> None:
    name, theirs, ours = CALLS[call]
    with serving(said(name)) as server:
        assert on_the_wire(send_ours(server, ours)) == on_the_wire(send_theirs(server, theirs))


def test_nothing_is_said_beyond_the_official_client() -> None:
    name, theirs, ours = CALLS["text to video"]
    with serving(said(name)) as server:
        assert set(send_ours(server, ours).headers) <= set(send_theirs(server, theirs).headers)


@pytest.mark.parametrize(
    "name", ["pending", "throttled", "running", "succeeded", "canceled", "failed_safety_input"]
)
def test_the_official_client_reads_the_stored_answers_as_we_do(name: str) -> None:
    with serving(said(name)) as server, RunwayML(api_key=KEY.secret, base_url=server.url) as client:
        theirs = client.tasks.retrieve(ID)
    ours = RunwayAdapter().parse_poll(stored_answer("runway", name))
    assert (ours.provider_job_id, ours.raw_status) == (theirs.id, theirs.status)
    assert ours.status is not RemoteStatus.UNKNOWN
    if theirs.status == "SUCCEEDED":
        assert [o.value for o in ours.outputs if o.kind is OutputKind.URL] == theirs.output
        assert ours.cost_usd is not None
        assert float(ours.cost_usd) == theirs.cost.credits / 100
    if theirs.status == "RUNNING":
        assert ours.progress == theirs.progress
