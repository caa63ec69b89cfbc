"""Whose key at a provider a model's jobs use: a setting of each model."""

from enum import StrEnum


class CredentialPolicy(StrEnum):
    """The user's own, the operator's, or the user's own where there is one and else the operator's."""

    OWN = "own"
    PLATFORM = "platform"
    OWN_THEN_PLATFORM = "own_then_platform"
