"""Our adapter says on the wire what OpenAI's official client says."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from openai import OpenAI

from lib.domain.http_exchange import HttpRequest
from lib.domain.provider import Credential, Submission
from lib.ports.provider import Operation
from lib.providers.openai import OpenaiAdapter
from lib.providers.transport import RequestsTransport
from local.providers.request_log import multipart_parts
from tests.fakes.scripted_http import Received, Say, ScriptedServer, serving
from tests.fakes.stored_answers import stored_answer

KEY = Credential("openai", "sk-contract", extra={"organization": "org-1", "project": "proj_2"})
PNG = b"\x89PNG\r\n\x1a\n"
IMAGE = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"

Theirs = Callable[[OpenAI], object]
Ours = Callable[[OpenaiAdapter], HttpRequest]


def submit(model_ref: str, **values: Any) -> Ours:
    return lambda ours: ours.submit_request(Submission("j1", 1, model_ref, values, 600), KEY, None)


CALLS: dict[str, tuple[str, Theirs, Ours]] = {
    "generate": (
        "images",
        lambda client: client.images.generate(
            model="gpt-image-1.5",
            prompt="a red fox, café",
            n=2,
            size="1536x1024",
            quality="high",
            background="transparent",
            moderation="low",
            output_format="webp",
            output_compression=80,
        ),
        submit(
            "images/gpt-image-1.5",
            prompt="a red fox, café",
            n=2,
            size="1536x1024",
            quality="high",
            background="transparent",
            moderation="low",
            output_format="webp",
            output_compression=80,
        ),
    ),
    "edit one": (
        "images",
        lambda client: client.images.edit(
            model="gpt-image-1.5",
            prompt="a hat, café",
            image=("image.png", PNG, "image/png"),
            mask=("mask.png", PNG, "image/png"),
            input_fidelity="high",
            n=2,
        ),
        submit(
            "images/gpt-image-1.5",
            prompt="a hat, café",
            image=IMAGE,
            mask=IMAGE,
            input_fidelity="high",
            n=2,
        ),
    ),
    "edit several": (
        "images",
        lambda client: client.images.edit(
            model="gpt-image-2",
            prompt="both",
            image=[("image-0.png", PNG, "image/png"), ("image-1.png", PNG, "image/png")],
            size="1024x1024",
        ),
        submit("images/gpt-image-2", prompt="both", image=[IMAGE, IMAGE], size="1024x1024"),
    ),
    "speak": (
        "speech",
        lambda client: client.audio.speech.create(
            model="gpt-4o-mini-tts",
            input="Good evening, café.",
            voice="coral",
            instructions="softly",
            response_format="opus",
            speed=1.25,
        ),
        submit(
            "speech/gpt-4o-mini-tts",
            input="Good evening, café.",
            voice="coral",
            instructions="softly",
            response_format="opus",
            speed=1.25,
        ),
    ),
    "test the key": ("models", lambda client: client.models.list(), lambda ours: ours.test_request(KEY)),
}


def said(name: str) -> Say:
    answer = stored_answer("openai", name)
    return Say(answer.status, answer.body, {"Content-Type": answer.headers["content-type"]})


def send_theirs(server: ScriptedServer, call: Theirs) -> Received:
    with OpenAI(
        api_key=KEY.secret,
        organization="org-1",
        project="proj_2",
        base_url=f"{server.url}/v1",
        max_retries=0,
    ) as client:
        call(client)
    return server.received[-1]


def send_ours(server: ScriptedServer, build: Ours) -> Received:
    transport = RequestsTransport()
    request = build(OpenaiAdapter(base_url=server.url))
    transport.send(request, provider="openai", operation=Operation.SUBMIT)
    transport.close()
    return server.received[-1]


def on_the_wire(received: Received) -> tuple[object, ...]:
    headers = received.headers
    content_type = headers.get("content-type", "")
    return (
        received.method,
        received.path,
        headers.get("authorization"),
        headers.get("openai-organization"),
        headers.get("openai-project"),
        content_type.partition(";")[0] if received.body else None,
        body_of(content_type, received.body),
    )


def body_of(content_type: str, body: bytes) -> object:
    """JSON as it is, a form as its parts: those without a file in no order, the files in theirs."""
    if not body:
        return None
    if not content_type.startswith("multipart/form-data"):
        return json.loads(body)
    parts = multipart_parts(content_type, body)
    fields = {part["name"]: part["value"] for part in parts if not part["filename"]}
    files = [tuple(part.items()) for part in parts if part["filename"]]
    return fields, files


@pytest.mark.parametrize("call", CALLS)
def test_we_say_what_the_official_client_says(call: str) -> None:
    name, theirs, ours = CALLS[call]
    with serving(said(name)) as server:
        assert on_the_wire(send_ours(server, ours)) == on_the_wire(send_theirs(server, theirs))


def test_the_official_client_reads_the_stored_answers_as_we_do() -> None:
    with serving(said("images")) as server, OpenAI(api_key="sk-1", base_url=f"{server.url}/v1") as client:
        theirs = client.images.generate(model="gpt-image-1.5", prompt="x")
    result = OpenaiAdapter().parse_submit(stored_answer("openai", "images"))
    assert result.update is not None
    assert theirs.data is not None
    assert [output.value.partition(",")[2] for output in result.update.outputs] == [
        image.b64_json for image in theirs.data
    ]
