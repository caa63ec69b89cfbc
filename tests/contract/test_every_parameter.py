"""Each parameter that the catalogue declares reaches the provider: over our transport, to a server that reads it."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from lib.domain.media_type import MediaType
from lib.domain.model_config import ModelConfig
from lib.domain.model_input import build_input
from lib.domain.parameters import validate_parameters
from lib.domain.provider import Credential, Submission
from lib.domain.standard_request import read_standard_request
from lib.domain.translate import translate
from lib.ports.provider import Operation
from lib.providers.registry import load_adapter
from lib.providers.transport import RequestsTransport
from lib.stores.models_source import load_catalogue
from local.model_examples import covering, uncovered
from tests.fakes.google_keys import key_file
from tests.fakes.scripted_http import Received, Say, ScriptedServer, serving

MODELS = list(load_catalogue("config/models"))
KEYS = {"google_veo": key_file()}
Leaf = tuple[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with serving(Say()) as server:
        yield server


def leaves(value: Any, name: str = "") -> Iterator[Leaf]:
    """Each value of a JSON document with the name nearest to it."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, item
            yield from leaves(item, key)
    elif isinstance(value, list):
        for item in value:
            yield name, item
            yield from leaves(item, name)


def body_leaves(received: Received) -> Iterator[Leaf]:
    kind = received.headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        message = BytesParser(policy=HTTP).parsebytes(
            f"Content-Type: {kind}\r\n\r\n".encode() + received.body
        )
        for part in message.iter_parts():
            content = part.get_payload(decode=True)
            yield str(part.get_param("name", header="content-disposition")), content
    elif received.body:
        document = json.loads(received.body)
        yield from leaves(document)


def arrived(received: Received) -> list[Leaf]:
    """All that the request says, by name; path segments have no name."""
    parts = urlsplit(received.path)
    found: list[Leaf] = list(parse_qsl(parts.query, keep_blank_values=True))
    found += [("", unquote(segment)) for segment in parts.path.split("/")]
    return [*found, *body_leaves(received)]


def says(found: list[Leaf], name: str, value: Any) -> bool:
    """Whether this value arrived: under its name (seconds maybe with their unit), in the path, as a long text under
    whatever name, or, if it is a file, as the file's bytes."""
    if isinstance(value, str) and value.startswith("data:"):
        encoded = value.partition(",")[2]
        as_file = (base64.b64decode(encoded), encoded, value)
        return any(held in as_file for _, held in found)
    text = value if isinstance(value, str) else json.dumps(value)
    return any(
        (key == name and held == value and type(held) is type(value))
        or (key in (name, f"{name}[]") and held in (text, text.encode(), f"{text}s"))
        or (isinstance(value, str) and len(value) > 30 and held == value)
        or (key == "" and held == text)
        for key, held in found
    )


def expected(model: ModelConfig, parameters: Mapping[str, Any]) -> Iterator[Leaf]:
    """What the model is to be sent, by its own names; of objects their leaves."""
    for name, value in build_input(model, validate_parameters(model, parameters)).items():
        yield from _expected(name, value)


def _expected(name: str, value: Any) -> Iterator[Leaf]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _expected(key, item)
    elif isinstance(value, list) and value:
        for item in value:
            yield from _expected(name, item)
    else:
        yield name, value


def received_by_provider(
    model: ModelConfig, parameters: Mapping[str, Any], server: ScriptedServer
) -> Received:
    adapter_class = type(load_adapter(model.provider))
    addresses = {field.name: server.url for field in fields(adapter_class) if field.name.endswith("url")}  # type: ignore[arg-type]
    adapter = load_adapter(model.provider, addresses)
    _, *others = adapter.traits.credential_fields
    key = KEYS.get(model.provider, "sk_0123456789abcdef:0123456789abcdef")
    extra = {field.name: "example-value" for field in others if field.required}
    credential = Credential(adapter.name, key, extra={**extra, "accessToken": "ya29.example"})
    given = build_input(model, validate_parameters(model, parameters))
    submission = Submission("019a5f3e-7c1b-7d42-9a06-2f1d6f0c8b51", 1, model.version, given, 600)
    request = adapter.submit_request(submission, credential, "https://gateway.example/webhook/x?token=t")
    server.received.clear()
    RequestsTransport().send(request, provider=adapter.name, operation=Operation.SUBMIT)
    (received,) = server.received
    assert key not in received.path
    return received


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_declared_parameter_arrives_at_the_provider(model: ModelConfig, server: ScriptedServer) -> None:
    assert uncovered(model) == []
    seen: set[str] = set()
    for parameters in covering(model):
        found = arrived(received_by_provider(model, parameters, server))
        missing = [
            (name, value) for name, value in expected(model, parameters) if not says(found, name, value)
        ]
        assert missing == []
        seen |= parameters.keys()
    assert seen >= set(model.supported_params)


FIRST, LAST = "data:image/png;base64,iVBORw0KGgo=", "data:image/png;base64,AAECAwQFBgc="
READERS = [model for model in MODELS if {"image", "images"} & model.standard.keys()]


@pytest.mark.parametrize("model", READERS, ids=lambda model: model.id)
def test_the_pictures_of_a_standard_request_arrive_at_the_provider(
    model: ModelConfig, server: ScriptedServer
) -> None:
    pictures: dict[str, Any] = {
        name: [value] if name == "images" else value
        for name, value in (("image", FIRST), ("last_image", LAST), ("images", FIRST))
        if name in model.standard
    }
    shape = "1:1" if model.provider == "openai" else "16:9"
    motion = {"motion_intensity": 5} if model.media_type is MediaType.VIDEO else {}
    asked = {"prompt": "a cat", "aspect_ratio": shape, **motion, **pictures}

    given = translate(read_standard_request(model.media_type, asked), model).given
    assert given is not None
    found = arrived(received_by_provider(model, given, server))

    assert says(found, "", FIRST)
    assert says(found, "", LAST) is ("last_image" in pictures)
