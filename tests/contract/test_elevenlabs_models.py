"""Each of ElevenLabs's models in the catalogue: every parameter reaches the provider, and a file comes back."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest

from lib.domain.errors import InvalidParametersError
from lib.domain.model_input import build_input
from lib.domain.parameters import validate_parameters
from lib.domain.provider import Credential, RemoteStatus, Submission
from lib.domain.sniff import sniff
from lib.providers.client import HttpProviderClient
from lib.providers.elevenlabs import ElevenLabsAdapter
from lib.providers.transport import RequestsTransport
from lib.stores.models_source import load_catalogue
from local.providers.elevenlabs_wishes import TEXT_LIMITS
from local.providers.server import Providers, running
from local.providers.settings import Settings

CATALOGUE = load_catalogue("config/models")
MODELS = [model.id for model in CATALOGUE if model.provider == "elevenlabs"]
KEY = Credential("elevenlabs", "sk_models")
VOICE = "EXAVITQu4vr4xnSDxMaL"

_SETTINGS = {
    "stability": 0.5,
    "similarity_boost": 0.25,
    "style": 0.1,
    "use_speaker_boost": False,
    "speed": 1.2,
}
_SPOKEN = {
    "prompt": "Hello",
    "voice_id": VOICE,
    "seed": 7,
    "apply_text_normalization": "off",
    "output_format": "wav_24000",
    "enable_logging": False,
}
_IN_CONTEXT = {**_SPOKEN, **_SETTINGS, "previous_text": "Before.", "next_text": "After."}
_PLAYED = {"output_format": "opus_48000_64", "enable_logging": False}

WHOLE_REQUESTS: Mapping[str, Mapping[str, Any]] = {
    "elevenlabs-multilingual-v2": _IN_CONTEXT,
    "elevenlabs-flash-v2.5": {**_IN_CONTEXT, "language_code": "de"},
    "elevenlabs-flash-v2": _IN_CONTEXT,
    "elevenlabs-v3": {**_SPOKEN, "stability": 0.5, "language_code": "de"},
    "elevenlabs-sound-effects": {
        **_PLAYED,
        "prompt": "rain",
        "duration": 1.5,
        "prompt_influence": 0,
        "loop": True,
    },
    "elevenlabs-music": {
        **_PLAYED,
        "prompt": "a waltz",
        "duration": 3.5,
        "force_instrumental": True,
        "store_for_inpainting": True,
        "sign_with_c2pa": False,
    },
}
RENAMED = {
    "elevenlabs-sound-effects": {"prompt": "text", "duration": "duration_seconds"},
    "elevenlabs-music": {},
}
IN_QUERY = {"output_format", "enable_logging"}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Providers]:
    with running("elevenlabs", settings=Settings(latency=0.05)) as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Providers) -> Iterator[HttpProviderClient]:
    transport = RequestsTransport()
    yield HttpProviderClient(ElevenLabsAdapter(base_url=simulator.urls["elevenlabs"]), transport)
    transport.close()


def body_of(model_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The body that these parameters make: settings of the voice inside, seconds of music as milliseconds."""
    renamed = RENAMED.get(model_id, {"prompt": "text"})
    body = {
        renamed.get(name, name): value
        for name, value in values.items()
        if name not in IN_QUERY and name != "voice_id" and name not in _SETTINGS
    }
    settings = {name: values[name] for name in _SETTINGS if name in values}
    if settings:
        body["voice_settings"] = settings
    if model_id == "elevenlabs-music":
        body["music_length_ms"] = int(body.pop("duration") * 1000)
    return {**body, "model_id": CATALOGUE.get_model_config(model_id).version.partition("/")[2]}


def test_the_requests_leave_out_no_model_and_no_parameter() -> None:
    assert set(WHOLE_REQUESTS) == set(MODELS)
    for model_id, values in WHOLE_REQUESTS.items():
        assert set(values) == set(CATALOGUE.get_model_config(model_id).supported_params), model_id


@pytest.mark.parametrize("model_id", WHOLE_REQUESTS)
def test_every_parameter_reaches_the_provider_and_a_file_comes_back(
    simulator: Providers, client: HttpProviderClient, model_id: str
) -> None:
    model, values = CATALOGUE.get_model_config(model_id), WHOLE_REQUESTS[model_id]
    built = build_input(model, validate_parameters(model, values))

    result = client.submit(Submission(str(uuid4()), 1, model.version, built, 600), KEY, None)

    assert result.update is not None, result.failure
    assert result.update.status is RemoteStatus.SUCCEEDED
    sent = simulator.world.log[-1]
    assert sent["body"] == body_of(model_id, values)
    assert sent["query"] == {"output_format": values["output_format"], "enable_logging": "false"}
    operation = model.version.partition("/")[0]
    assert sent["path"] == f"/v1/{operation}" + (f"/{VOICE}" if operation == "text-to-speech" else "")
    with result.update.blobs[0].open() as file:
        assert sniff(file.read(4096), model.media_type) is not None


@pytest.mark.parametrize(
    "model_id", [model_id for model_id in MODELS if "prompt" not in RENAMED.get(model_id, {})]
)
def test_no_more_text_is_sent_than_the_model_takes(model_id: str) -> None:
    model = CATALOGUE.get_model_config(model_id)
    limit = TEXT_LIMITS.get(model.version.partition("/")[2], 2000)
    assert validate_parameters(model, {"prompt": "x" * limit})
    with pytest.raises(InvalidParametersError, match=str(limit)):
        validate_parameters(model, {"prompt": "x" * (limit + 1)})


@pytest.mark.parametrize("model_id", MODELS)
def test_only_formats_that_can_be_stored_are_offered(model_id: str) -> None:
    formats = CATALOGUE.get_model_config(model_id).params["output_format"]["enum"]
    assert {name.partition("_")[0] for name in formats} <= {"mp3", "wav", "opus"}
