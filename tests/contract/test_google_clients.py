"""google-genai against the simulators of Vertex AI and the Gemini API: other addresses, and nothing else changed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from google.auth.exceptions import RefreshError
from google.genai import Client, errors, types
from google.genai._gaos.lib.compat_errors import BadRequestError
from google.oauth2 import service_account

from local.providers.gemini import LOCAL_KEY
from local.providers.google_account import PROJECT, key_file
from local.providers.server import Providers, running
from local.providers.settings import Settings
from tests.fakes import google_keys
from tests.fakes.until import until

VEO, OMNI = "veo-3.1-fast-generate-001", "gemini-omni-1.1-flash"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
CREDENTIALS: Any = service_account.Credentials  # google-auth has no types
SHORT = types.GenerateVideosConfig(duration_seconds=4)


@pytest.fixture(scope="module")
def simulators() -> Iterator[Providers]:
    with running("google_veo", "gemini", settings=Settings(latency=0.2)) as providers:
        yield providers


def vertex_client(simulators: Providers, key: str) -> Client:
    url = simulators.urls["google_veo"]
    info = json.loads(key) | {"token_uri": f"{url}/token"}
    return Client(
        enterprise=True,
        project=PROJECT,
        location="us-central1",
        credentials=CREDENTIALS.from_service_account_info(info, scopes=[SCOPE]),
        http_options=types.HttpOptions(base_url=url, api_version="v1"),
    )


@pytest.fixture
def vertex(simulators: Providers) -> Iterator[Client]:
    client = vertex_client(simulators, key_file())
    yield client
    client.close()


@pytest.fixture
def gemini(simulators: Providers) -> Iterator[Client]:
    options = types.HttpOptions(base_url=simulators.urls["gemini"], api_version="v1beta")
    client = Client(api_key=LOCAL_KEY, http_options=options)
    yield client
    client.close()


def made(client: Client, prompt: str) -> types.GenerateVideosOperation:
    operation = client.models.generate_videos(
        model=VEO, source=types.GenerateVideosSource(prompt=prompt), config=SHORT
    )
    return until(lambda: client.operations.get(operation), lambda one: bool(one.done))


def test_veo_makes_a_video_for_a_service_account(vertex: Client) -> None:
    operation = made(vertex, "a red fox")
    assert operation.response is not None
    [video] = operation.response.generated_videos or []
    assert video.video is not None
    assert (video.video.video_bytes or b"")[4:8] == b"ftyp"


def test_veo_holds_back_what_its_filter_finds(vertex: Client) -> None:
    operation = made(vertex, "[sim:nsfw]")
    assert operation.response is not None
    assert not operation.response.generated_videos
    assert operation.response.rai_media_filtered_count == 1
    assert operation.response.rai_media_filtered_reasons


def test_veos_errors_are_googles(vertex: Client) -> None:
    with pytest.raises(errors.ClientError) as limited:
        made(vertex, "[sim:429]")
    assert (limited.value.code, limited.value.status) == (429, "RESOURCE_EXHAUSTED")
    with pytest.raises(errors.ServerError) as broken:
        made(vertex, "[sim:500]")
    assert (broken.value.code, broken.value.status) == (500, "INTERNAL")
    failed = made(vertex, "[sim:fail]")
    assert failed.error is not None
    assert failed.error["code"] == 13


def test_another_accounts_signature_gets_no_token(simulators: Providers) -> None:
    client = vertex_client(simulators, google_keys.key_file())
    with pytest.raises(RefreshError, match="invalid_grant"):
        made(client, "a fox")
    client.close()


def test_a_model_is_looked_up(vertex: Client) -> None:
    assert vertex.models.get(model=VEO).name == f"publishers/google/models/{VEO}"


def interaction(client: Client, prompt: str, **response_format: Any) -> Any:
    wanted: Any = {"type": "video", "duration": "3s", "resolution": "360p", **response_format}
    started: Any = client.interactions.create(
        model=OMNI, input=prompt, background=True, response_format=wanted
    )
    final = ("completed", "failed", "cancelled")
    return until(lambda: client.interactions.get(id=started.id), lambda one: one.status in final)


def test_omnis_video_comes_inside_the_answer_where_that_is_asked_for(gemini: Client) -> None:
    done = interaction(gemini, "a kite", delivery="inline")
    assert done.status == "completed"
    assert done.output_video is not None
    assert done.output_video.mime_type == "video/mp4"
    assert done.output_video.data


def test_omnis_video_comes_as_a_file_that_becomes_active_and_is_downloaded(gemini: Client) -> None:
    video = interaction(gemini, "a kite", delivery="uri").output_video
    assert video is not None
    name = str(video.uri).partition("/v1beta/")[2].partition(":")[0]
    file = until(lambda: gemini.files.get(name=name), lambda one: one.state is types.FileState.ACTIVE)
    assert gemini.files.download(file=file)[4:8] == b"ftyp"


def test_omni_fails_and_is_canceled_in_googles_words(gemini: Client) -> None:
    failed = interaction(gemini, "[sim:fail=out of ideas]")
    assert (failed.status, failed.errors[0].message) == ("failed", "out of ideas")
    started: Any = gemini.interactions.create(
        model=OMNI,
        input="[sim:never-finishes]",
        background=True,
        response_format={"type": "video"},
    )
    assert gemini.interactions.cancel(id=started.id).status == "cancelled"
    with pytest.raises(BadRequestError, match="Unsupported resolution"):
        interaction(gemini, "a kite", resolution="8k")


def test_a_wrong_key_is_refused_with_googles_reason(simulators: Providers) -> None:
    options = types.HttpOptions(base_url=simulators.urls["gemini"], api_version="v1beta")
    with (
        Client(api_key="AIzaInvalid", http_options=options) as client,
        pytest.raises(errors.ClientError) as raised,
    ):
        client.models.list()
    assert (raised.value.code, raised.value.status) == (400, "INVALID_ARGUMENT")
    assert raised.value.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"
