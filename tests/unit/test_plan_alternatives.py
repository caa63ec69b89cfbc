"""Planned attempts at other models: what the record needs of each, and none without a key that could apply."""

import json
from typing import Any

import pytest

from lib.domain.alternative import native_alternative
from lib.domain.caller import Caller
from lib.domain.catalogue import Catalogue, load_models_config
from lib.domain.credential_policy import CredentialPolicy
from lib.domain.errors import NoCredentialError
from lib.domain.media_type import MediaType
from lib.domain.model_config import ModelConfig
from lib.domain.standard_request import StandardRequest, read_standard_request
from lib.ports.record import PlannedAttempt
from lib.providers.registry import load_adapter
from lib.services.generate_request import GenerateRequest
from lib.services.plan_alternatives import PlanAlternatives

PROMPT = {"prompt": "a cat"}


def entry(provider: str, version: str, **changes: Any) -> dict[str, Any]:
    """An image model at this provider."""
    return {
        "provider": provider,
        "version": version,
        "pricing": 0.1,
        "estimatedTime": 5,
        "params": {"prompt": {"type": "string"}, "shape": {"enum": ["1:1"]}},
        "standard": {"prompt": {"to": "prompt"}, "aspect_ratio": {"to": "shape"}},
        **changes,
    }


@pytest.fixture(scope="module")
def models() -> Catalogue:
    first = entry("replicate", "owner/name", fallbacks=["poor", "wrong", "waits", "own"])
    poor = entry("runway", "gen4_image")
    waits = entry("openai", "gpt-image-1.5", map={"shape": "size"}, pricing=0.05)
    wrong = entry("stability", "no such model")
    own = entry("stability", "stable-image/generate/core", credentials="own")
    return load_models_config(
        json.dumps({"image": {"first": first, "poor": poor, "wrong": wrong, "waits": waits, "own": own}})
    )


def policy(model: ModelConfig, _caller: Caller) -> CredentialPolicy:
    """There is no key for Runway."""
    if model.provider == "runway":
        raise NoCredentialError("no key")
    return model.credentials


def planned(models: Catalogue, **changes: Any) -> tuple[PlannedAttempt, ...]:
    """What follows the first model."""
    plan = PlanAlternatives(models, load_adapter, policy)
    first = native_alternative(models.get_model_config("first"), PROMPT)
    request = GenerateRequest(**{"media_type": "image", "model_id": "first", "parameters": PROMPT, **changes})
    return plan(Caller("alice"), first.model, request, first.quote)


def test_each_has_its_providers_words_price_policy_and_way(models: Catalogue) -> None:
    waits, own = planned(models)

    assert (waits.model_id, waits.provider, waits.model_ref) == ("waits", "openai", "gpt-image-1.5")
    assert (waits.synchronous, waits.credentials, waits.estimated_cost) == (True, "own_then_platform", "0.05")
    assert waits.input == PROMPT
    assert (own.model_id, own.credentials) == ("own", "own")


def test_a_standard_request_is_translated_for_each(models: Catalogue) -> None:
    standard: StandardRequest = read_standard_request(MediaType.IMAGE, {**PROMPT, "aspectRatio": "1:1"})

    waits, _ = planned(models, standard=standard, parameters={})

    assert waits.input == {"prompt": "a cat", "size": "1:1"}


def test_the_short_prompt_counts_and_a_caller_may_forbid_fallbacks(models: Catalogue) -> None:
    assert [one.input for one in planned(models, parameters={}, prompt="a dog")] == [{"prompt": "a dog"}] * 2
    assert planned(models, fallback=False) == ()
