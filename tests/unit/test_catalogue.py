"""The catalogue: what loads, and what is said of a model that is not there."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lib.domain.catalogue import Catalogue, load_models_config
from lib.domain.errors import UnknownModelError
from lib.domain.media_type import MediaType
from lib.domain.model_config import PricingType
from lib.domain.model_description import describe_model
from lib.domain.model_input import build_input
from lib.domain.parameters import validate_parameters
from lib.domain.pricing import quote
from lib.stores.models_source import load_catalogue

# The "Model Configuration Example" of media-generation-system.md, as it stands there.
SOURCE_DOCUMENT = """
{
  "video": {
    "stability-video": {
      "version": "stability-ai/stable-video-diffusion",
      "pricing": 0.05,
      "estimatedTime": 60,
      "supportedParams": ["image", "motion_bucket_id", "fps", "num_frames"],
      "defaults": {
        "motion_bucket_id": 127,
        "fps": 24,
        "num_frames": 25
      }
    }
  },
  "image": {
    "flux-schnell": {
      "version": "black-forest-labs/flux-schnell",
      "pricing": 0.003,
      "estimatedTime": 5,
      "supportedParams": ["prompt", "width", "height", "num_outputs"],
      "defaults": {
        "width": 1024,
        "height": 1024,
        "num_outputs": 1
      }
    },
    "sdxl": {
      "version": "stability-ai/sdxl",
      "pricing": 0.01,
      "estimatedTime": 10,
      "supportedParams": ["prompt", "negative_prompt", "width", "height", "num_inference_steps"],
      "defaults": {
        "width": 1024,
        "height": 1024,
        "num_inference_steps": 50
      }
    }
  },
  "audio": {
    "musicgen": {
      "version": "meta/musicgen",
      "pricing": 0.02,
      "estimatedTime": 30,
      "supportedParams": ["prompt", "duration", "temperature", "top_k", "top_p"],
      "defaults": {
        "duration": 8,
        "temperature": 1.0,
        "top_k": 250,
        "top_p": 0.0
      }
    }
  }
}
"""


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return load_catalogue("config/models")


@pytest.fixture(scope="module")
def replicate() -> Catalogue:
    return load_catalogue("config/models/replicate.json")


def test_a_file_in_the_source_documents_shape_loads_unchanged() -> None:
    catalogue = load_models_config(SOURCE_DOCUMENT)
    document = json.loads(SOURCE_DOCUMENT)

    assert catalogue.ids() == ["stability-video", "flux-schnell", "sdxl", "musicgen"]
    for media_type, entries in document.items():
        for model_id, entry in entries.items():
            model = catalogue.validate_model_id(model_id, media_type)
            assert model.version == entry["version"]
            assert model.provider == "replicate"
            assert model.official
            assert model.estimated_time_seconds == entry["estimatedTime"]
            assert list(model.supported_params) == entry["supportedParams"]
            assert model.defaults == entry["defaults"]
            assert model.pricing is not None
            assert model.pricing.type is PricingType.FIXED
            assert str(model.pricing.amount) == str(entry["pricing"])


def test_a_model_without_schemas_takes_any_value_for_its_parameters_and_sends_its_defaults() -> None:
    model = load_models_config(SOURCE_DOCUMENT).get_model_config("flux-schnell")

    parameters = validate_parameters(model, {"prompt": ["anything", {"at": "all"}], "width": 512})

    assert build_input(model, parameters) == {
        "prompt": ["anything", {"at": "all"}],
        "width": 512,
        "height": 1024,
        "num_outputs": 1,
    }
    assert str(quote(model, parameters).amount) == "0.003"


def test_the_shipped_catalogue_has_models_of_each_media_type(
    shipped: Catalogue, replicate: Catalogue
) -> None:
    assert {model.id: model.media_type.value for model in replicate} == {
        "flux-schnell": "image",
        "sdxl": "image",
        "stability-video": "video",
        "musicgen": "audio",
        "llama-3-8b": "text",
    }
    assert {model.media_type for model in shipped} == set(MediaType)


def test_each_shipped_model_says_where_its_facts_and_its_price_if_it_is_known_come_from(
    shipped: Catalogue,
) -> None:
    for model in shipped:
        assert model.source, model.id
        assert model.verified_on, model.id
        if model.pricing is not None:
            assert model.pricing.source, model.id
            assert model.pricing.verified_on, model.id


def bounds_missing(schema: dict[str, Any]) -> list[str]:
    """What a parameter's schema does not say of its type or its range."""
    if "enum" in schema:
        return []
    match schema.get("type"):
        case "boolean":
            return []
        case "integer" | "number":
            return [bound for bound in ("minimum", "maximum") if bound not in schema]
        case "string":
            return [] if schema.keys() & {"maxLength", "pattern", "format"} else ["maxLength"]
        case "array":
            return ["maxItems"] * ("maxItems" not in schema) + bounds_missing(schema["items"])
        case "object":
            return [lack for inner in schema["properties"].values() for lack in bounds_missing(inner)]
        case _:
            return ["type"]


def test_each_declared_parameter_has_a_type_and_a_range(shipped: Catalogue) -> None:
    lacking = {
        f"{model.id}.{name}": lacks
        for model in shipped
        for name in model.supported_params
        if (lacks := bounds_missing(dict(model.params.get(name, {}))))
    }

    # as in the models' own sources, which have a least value alone
    assert lacking == {
        "musicgen.continuation_start": ["maximum"],
        "musicgen.continuation_end": ["maximum"],
        "llama-3-8b.top_k": ["maximum"],
    }


def test_an_official_model_is_submitted_by_name_and_any_other_by_a_version_of_64_hex(
    shipped: Catalogue,
) -> None:
    versions = {model.id: (model.official, model.version) for model in shipped}

    assert versions["flux-schnell"] == (True, "black-forest-labs/flux-schnell")
    assert versions["llama-3-8b"] == (True, "meta/meta-llama-3-8b-instruct")
    for model_id in ("sdxl", "stability-video", "musicgen"):
        official, version = versions[model_id]
        assert not official
        assert len(version.rpartition(":")[2]) == 64


def test_a_known_model_of_the_right_media_type_is_found(shipped: Catalogue) -> None:
    assert shipped.validate_model_id("musicgen", "audio") is shipped.get_model_config("musicgen")
    assert shipped.validate_model_id("musicgen", MediaType.AUDIO).id == "musicgen"


def test_an_unknown_model_is_refused_with_those_of_its_media_type(replicate: Catalogue) -> None:
    with pytest.raises(UnknownModelError) as refused:
        replicate.validate_model_id("flux-schnel", "image")

    assert "'flux-schnel'; did you mean flux-schnell?" in refused.value.message
    assert "Known: flux-schnell, sdxl." in refused.value.message
    assert [error.path for error in refused.value.errors] == ["modelId"]


def test_an_unknown_model_is_refused_with_all_known_ones_where_no_media_type_is_asked(
    replicate: Catalogue,
) -> None:
    with pytest.raises(
        UnknownModelError, match="Known: flux-schnell, sdxl, stability-video, musicgen, llama"
    ):
        replicate.get_model_config("sora")


def test_a_model_of_another_media_type_is_refused_with_what_it_makes(replicate: Catalogue) -> None:
    with pytest.raises(UnknownModelError) as refused:
        replicate.validate_model_id("musicgen", "image")

    assert "musicgen makes audio, not image" in refused.value.message
    assert "flux-schnell, sdxl" in refused.value.message


def test_an_unknown_media_type_is_refused_with_the_known_ones(shipped: Catalogue) -> None:
    with pytest.raises(UnknownModelError, match="there are: image, video, audio, text"):
        shipped.validate_model_id("musicgen", "smell")


def test_a_model_is_described_with_the_schema_of_its_parameters(shipped: Catalogue) -> None:
    described: dict[str, Any] = describe_model(shipped.get_model_config("musicgen"))

    assert json.loads(json.dumps(described)) == described
    assert described["modelId"] == "musicgen"
    assert described["mediaType"] == "audio"
    assert described["pricing"]["type"] == "per_second"
    assert described["pricing"]["amount"] == "0.0025"
    assert described["parameters"]["properties"]["duration"]["maximum"] == 300


def test_the_description_of_a_price_is_that_of_the_file(shipped: Catalogue) -> None:
    documents = [
        json.loads(path.read_text(encoding="utf-8")) for path in Path("config/models").glob("*.json")
    ]

    for model in shipped:
        entry = next(
            entries[model.id]
            for one in documents
            if model.id in (entries := one.get(model.media_type.value, {}))
        )
        assert describe_model(model)["pricing"] == entry.get("pricing"), model.id


def test_importing_the_catalogue_does_not_import_the_schema_library() -> None:
    program = (
        "import sys, lib.domain.catalogue; print('jsonschema' in sys.modules, 'pydantic' in sys.modules)"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["False", "False"]
