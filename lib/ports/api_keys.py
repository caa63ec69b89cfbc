"""Where API keys are looked up."""

from typing import Protocol

from lib.domain.api_key import ApiKey

__all__ = ["ApiKey", "ApiKeys"]


class ApiKeys(Protocol):
    """The record of API keys, by the SHA-256 of the key in hex."""

    def find(self, key_hash: str) -> ApiKey | None:
        """The valid key with this hash; None if there is none, or it was revoked.

        Raises:
            RecordUnavailableError: the record cannot be asked.
        """
