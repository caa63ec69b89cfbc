"""What each adapter says that its provider can do is what the provider documents."""

import pytest

from lib.domain.provider import AdapterTraits, SubmitSafety, WebhookProof
from lib.providers.registry import ADAPTERS, load_adapter

HOUR, DAY = 3600.0, 86_400.0
NONE, OWN_ID = SubmitSafety.NONE, SubmitSafety.OWN_ID

# submit safety, webhooks, polls and how often, cancels, life of outputs in seconds
DOCUMENTED: dict[str, tuple[SubmitSafety, WebhookProof, float | None, bool, float | None]] = {
    "replicate": (NONE, WebhookProof.SIGNATURE, 1.0, True, HOUR),
    "cog": (OWN_ID, WebhookProof.TOKEN, None, True, None),
    "fal": (NONE, WebhookProof.SIGNATURE, 2.0, True, DAY),
    "runway": (NONE, WebhookProof.NONE, 5.0, True, DAY),
    "google_veo": (NONE, WebhookProof.NONE, 10.0, False, None),
    "gemini": (NONE, WebhookProof.NONE, 5.0, True, 2 * DAY),
    "openai": (NONE, WebhookProof.NONE, None, False, None),
    "stability": (NONE, WebhookProof.NONE, 10.0, False, DAY),
    "elevenlabs": (NONE, WebhookProof.NONE, None, False, None),
}

# so many requests in so many seconds
LIMITS = {"replicate": (600, 60), "google_veo": (50, 60), "stability": (150, 10)}

# the parts of a key; those that may be left out with a question mark
KEYS = {
    "replicate": ["apiToken"],
    "cog": ["apiKey?", "webhookToken?"],
    "fal": ["apiKey"],
    "runway": ["apiSecret"],
    "google_veo": ["serviceAccount", "projectId?", "location?"],
    "gemini": ["apiKey"],
    "openai": ["apiKey", "organization?", "project?"],
    "stability": ["apiKey"],
    "elevenlabs": ["apiKey"],
}


def traits_of(name: str) -> AdapterTraits:
    return load_adapter(name).traits


def those_with(trait: str) -> set[str]:
    return {name for name in ADAPTERS if getattr(traits_of(name), trait)}


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_claims_no_more_and_no_less_than_is_documented(name: str) -> None:
    traits = traits_of(name)
    assert DOCUMENTED[name] == (
        traits.submit_safety,
        traits.webhooks,
        traits.poll_seconds if traits.polls else None,
        traits.cancels,
        traits.output_life_seconds,
    )


def test_what_only_some_can_do_is_claimed_by_those_alone() -> None:
    assert those_with("recovers") == {"replicate"}
    assert those_with("signature_proves_account") == {"replicate"}
    assert those_with("uploads") == {"fal"}
    assert those_with("cancel_removes") == {"runway"}
    assert those_with("synchronous") == {"openai", "elevenlabs"}
    assert those_with("own_credentials") == set(ADAPTERS) - {"cog"}


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_key_has_the_parts_that_its_provider_asks_for(name: str) -> None:
    parts = traits_of(name).credential_fields
    assert [f"{part.name}{'' if part.required else '?'}" for part in parts] == KEYS[name]


@pytest.mark.parametrize("name", ADAPTERS)
def test_no_stretch_of_time_has_more_submits_than_the_documented_limit(name: str) -> None:
    limit = traits_of(name).rate_limit
    assert (limit is not None) is (name in LIMITS)
    if limit is not None:
        most, seconds = LIMITS[name]
        assert limit.burst + limit.per_minute * seconds / 60 <= most


def test_polls_of_stability_have_room_beside_its_submits() -> None:
    """Its limit counts all requests, and passing it locks the key out for a minute."""
    limit = traits_of("stability").rate_limit
    assert limit is not None
    most, seconds = LIMITS["stability"]
    assert limit.burst + limit.per_minute * seconds / 60 <= most * 2 / 3


def test_an_answer_that_is_the_result_may_take_minutes() -> None:
    for name in ("openai", "elevenlabs", "stability"):
        assert traits_of(name).submit_seconds == 280
