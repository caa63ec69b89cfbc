"""The answers about providers, as pydantic models: for the documentation and the tests."""

from typing import Literal

from pydantic import ConfigDict, Field

from lib.api.answer_model import Answer
from lib.api.wire_models import wire_model
from lib.domain.capabilities import ProviderCapabilities
from lib.services.list_providers import ProviderStanding


class ProviderView(wire_model(ProviderStanding)):  # type: ignore[misc] # mypy does not see made classes
    """A provider as it stands for you."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "provider": "runway",
                "name": "Runway",
                "configured": True,
                "source": "own",
                "isValid": True,
                "mediaTypes": ["image", "video"],
                "models": ["gen4.5"],
                "webhooks": False,
                "cancel": True,
                "recover": False,
                "submitSafety": "none",
            }
        }
    )

    configured: bool | None = Field(
        description="Whether there is a key that your jobs could use; null where that cannot be told now"
    )
    source: Literal["own", "platform"] | None = Field(description="Whose key that is; null: there is none")
    is_valid: bool | None = Field(
        description="What the provider said of your own key last; null where it was not asked"
    )


class CapabilitiesView(wire_model(ProviderCapabilities)):  # type: ignore[misc] # as above
    """What a provider can do, what a key of your own consists of, and its models with their ranges."""


class ProviderList(Answer):
    """All providers that the gateway knows."""

    success: Literal[True]
    data: list[ProviderView]


class CapabilitiesAnswer(Answer):
    """What a provider can do."""

    success: Literal[True]
    data: CapabilitiesView
