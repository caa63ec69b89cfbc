"""Our adapters for Veo and Gemini say on the wire what google-genai says, and what google-auth says for a token."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from google.auth.transport.requests import Request
from google.genai import Client, types
from google.oauth2 import credentials, service_account

from lib.domain.http_exchange import HttpRequest
from lib.domain.provider import Credential, RemoteJob, Submission
from lib.ports.provider import Operation
from lib.providers.gemini import GeminiAdapter
from lib.providers.google_veo import GoogleVeoAdapter
from lib.providers.transport import RequestsTransport
from tests.fakes.google_keys import PROJECT, key_file, public_pem
from tests.fakes.scripted_http import Received, Say, ScriptedServer, serving
from tests.fakes.stored_answers import stored_answer

TOKENS: Any = credentials  # google-auth has no types
ACCOUNTS: Any = service_account
TOKEN, API_KEY = "ya29.contract", "AIza-contract"
MODEL, OMNI = "veo-3.1-generate-001", "gemini-omni-1.1-flash"
OPERATION = str(json.loads(stored_answer("google_veo", "created").body)["name"])
INTERACTION = str(json.loads(stored_answer("gemini", "created").body)["id"])
PNG = b"\x89PNG\r\n\x1a\n"
IMAGE = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"

Theirs = Callable[[Client], object]
VeoOurs = Callable[[GoogleVeoAdapter, Credential], HttpRequest]
GeminiOurs = Callable[[GeminiAdapter, Credential], HttpRequest | None]


def veo_submission(**values: Any) -> Submission:
    return Submission("j1", 1, MODEL, values, 600)


def picture() -> types.Image:
    return types.Image(image_bytes=PNG, mime_type="image/png")


VEO_CALLS: dict[str, tuple[str, Theirs, VeoOurs]] = {
    "create from a text": (
        "created",
        lambda client: client.models.generate_videos(
            model=MODEL,
            source=types.GenerateVideosSource(prompt="a red fox, café"),
            config=types.GenerateVideosConfig(
                number_of_videos=2,
                duration_seconds=8,
                aspect_ratio="9:16",
                resolution="1080p",
                seed=4294967295,
                negative_prompt="rain",
                person_generation="allow_adult",
                enhance_prompt=True,
                generate_audio=False,
                compression_quality=types.VideoCompressionQuality.LOSSLESS,
                labels={"team": "films"},
            ),
        ),
        lambda ours, key: ours.submit_request(
            veo_submission(
                prompt="a red fox, café",
                sampleCount=2,
                durationSeconds=8,
                aspectRatio="9:16",
                resolution="1080p",
                seed=4294967295,
                negativePrompt="rain",
                personGeneration="allow_adult",
                enhancePrompt=True,
                generateAudio=False,
                compressionQuality="LOSSLESS",
                labels={"team": "films"},
            ),
            key,
            None,
        ),
    ),
    "create from frames": (
        "created",
        lambda client: client.models.generate_videos(
            model=MODEL,
            source=types.GenerateVideosSource(prompt="it runs", image=picture()),
            config=types.GenerateVideosConfig(last_frame=picture(), resize_mode=types.ImageResizeMode.PAD),
        ),
        lambda ours, key: ours.submit_request(
            veo_submission(prompt="it runs", image=IMAGE, lastFrame=IMAGE, resizeMode="PAD"), key, None
        ),
    ),
    "create from references": (
        "created",
        lambda client: client.models.generate_videos(
            model=MODEL,
            source=types.GenerateVideosSource(prompt="it runs"),
            config=types.GenerateVideosConfig(
                duration_seconds=8,
                reference_images=[
                    types.VideoGenerationReferenceImage(
                        image=picture(), reference_type=types.VideoGenerationReferenceType.ASSET
                    )
                ],
            ),
        ),
        lambda ours, key: ours.submit_request(
            veo_submission(prompt="it runs", durationSeconds=8, referenceImages=[IMAGE]), key, None
        ),
    ),
    "ask": (
        "running",
        lambda client: client.operations.get(
            types.GenerateVideosOperation.model_validate({"name": OPERATION})
        ),
        lambda ours, key: ours.poll_request(RemoteJob(OPERATION, MODEL), key),
    ),
    "test the key": (
        "model",
        lambda client: client.models.get(model="veo-3.1-fast-generate-001"),
        lambda ours, key: ours.test_request(key),
    ),
}

GEMINI_CALLS: dict[str, tuple[str, Theirs, GeminiOurs]] = {
    "create from a text": (
        "created",
        lambda client: client.interactions.create(
            model=OMNI,
            input="a red fox, café",
            background=True,
            generation_config={"seed": 7, "video_config": {"task": "text_to_video"}},
            response_format={
                "type": "video",
                "delivery": "uri",
                "aspect_ratio": "9:16",
                "resolution": "1080p",
                "duration": "8s",
            },
        ),
        lambda ours, key: ours.submit_request(
            Submission(
                "j1",
                1,
                OMNI,
                {
                    "prompt": "a red fox, café",
                    "generation_config": {"seed": 7, "video_config": {"task": "text_to_video"}},
                    "response_format": {"aspect_ratio": "9:16", "resolution": "1080p", "duration": 8},
                },
                600,
            ),
            key,
            None,
        ),
    ),
    "create from a picture": (
        "created",
        lambda client: client.interactions.create(
            model=OMNI,
            input=[
                {"type": "image", "data": base64.b64encode(PNG).decode(), "mime_type": "image/png"},
                {"type": "text", "text": "it runs"},
            ],
            background=True,
            previous_interaction_id="v1_before",
            response_format={"type": "video", "delivery": "uri"},
        ),
        lambda ours, key: ours.submit_request(
            Submission(
                "j1",
                1,
                OMNI,
                {"prompt": "it runs", "image": [IMAGE], "previous_interaction_id": "v1_before"},
                600,
            ),
            key,
            None,
        ),
    ),
    "ask": (
        "status_in_progress",
        lambda client: client.interactions.get(id=INTERACTION),
        lambda ours, key: ours.poll_request(RemoteJob(INTERACTION), key),
    ),
    "cancel": (
        "cancelled",
        lambda client: client.interactions.cancel(id=INTERACTION),
        lambda ours, key: ours.cancel_request(RemoteJob(INTERACTION), key),
    ),
    "test the key": (
        "models",
        lambda client: client.models.list(config={"page_size": 1, "query_base": True}),
        lambda ours, key: ours.test_request(key),
    ),
}


def said(provider: str, name: str) -> Say:
    answer = stored_answer(provider, name)
    return Say(answer.status, answer.body, {"Content-Type": "application/json"})


@contextmanager
def vertex_client(server: ScriptedServer) -> Iterator[Client]:
    client = Client(
        enterprise=True,
        project=PROJECT,
        location="us-central1",
        credentials=TOKENS.Credentials(token=TOKEN),
        http_options=types.HttpOptions(base_url=server.url, api_version="v1"),
    )
    yield client
    client.close()


@contextmanager
def key_client(server: ScriptedServer) -> Iterator[Client]:
    client = Client(
        api_key=API_KEY, http_options=types.HttpOptions(base_url=server.url, api_version="v1beta")
    )
    yield client
    client.close()


def send(server: ScriptedServer, request: HttpRequest | None) -> Received:
    assert request is not None
    transport = RequestsTransport()
    transport.send(request, provider="google", operation=Operation.SUBMIT)
    transport.close()
    return server.received[-1]


def on_the_wire(received: Received) -> tuple[object, ...]:
    headers = received.headers
    content_type = headers.get("content-type", "").partition(";")[0] if received.body else None
    return (
        received.method,
        received.path,
        headers.get("authorization"),
        headers.get("x-goog-api-key"),
        content_type,
        json.loads(received.body) if received.body else None,
    )


@pytest.mark.parametrize("call", VEO_CALLS)
def test_we_say_to_vertex_what_the_official_client_says(call: str) -> None:
    name, theirs, ours = VEO_CALLS[call]
    key = Credential("google_veo", key_file(), extra={"accessToken": TOKEN})
    with serving(said("google_veo", name)) as server:
        with vertex_client(server) as client:
            theirs(client)
        expected = on_the_wire(server.received[-1])
        assert on_the_wire(send(server, ours(GoogleVeoAdapter(base_url=server.url), key))) == expected


@pytest.mark.parametrize("call", GEMINI_CALLS)
def test_we_say_to_gemini_what_the_official_client_says(call: str) -> None:
    name, theirs, ours = GEMINI_CALLS[call]
    with serving(said("gemini", name)) as server:
        with key_client(server) as client:
            theirs(client)
        expected = on_the_wire(server.received[-1])
        key = Credential("gemini", API_KEY)
        assert on_the_wire(send(server, ours(GeminiAdapter(base_url=server.url), key))) == expected


def test_we_ask_for_a_token_as_google_auth_does() -> None:
    with serving(said("google_veo", "token")) as server:
        info = json.loads(key_file(token_uri=f"{server.url}/token"))
        scopes = ["https://www.googleapis.com/auth/cloud-platform"]
        ACCOUNTS.Credentials.from_service_account_info(info, scopes=scopes).refresh(Request())
        theirs = server.received[-1]
        adapter = GoogleVeoAdapter(token_url=f"{server.url}/token")
        ours = send(server, adapter.token_request(Credential("google_veo", key_file()), datetime.now(UTC)))

    assert (ours.method, ours.path) == (theirs.method, theirs.path)
    assert ours.headers["content-type"] == theirs.headers["content-type"]
    assert grant(ours)[0] == grant(theirs)[0]
    their_head, their_claims = grant(theirs)[1:]
    our_head, our_claims = grant(ours)[1:]
    assert our_head == their_head
    # their client names Google for any address; ours names the address, which is Google's unless it is told otherwise
    assert their_claims.pop("aud") == "https://oauth2.googleapis.com/token" == GoogleVeoAdapter().token_url
    assert our_claims.pop("aud") == f"{server.url}/token"
    lives = [claims.pop("exp") - claims.pop("iat") for claims in (our_claims, their_claims)]
    assert lives == [3600, 3600]
    assert our_claims == their_claims


def grant(received: Received) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The grant type, the head and the claims of an exchange, its signature checked."""
    form = parse_qs(received.body.decode())
    [assertion] = form["assertion"]
    options: Any = {"verify_aud": False}
    claims = jwt.decode(assertion, public_pem(), algorithms=["RS256"], options=options)
    return form["grant_type"][0], dict(jwt.get_unverified_header(assertion)), claims
