"""A Google service account's key file, and the access tokens that it is exchanged for (RFC 7523).

Source: developers.google.com/identity/protocols/oauth2/service-account; read November 2026.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lib.domain.errors import ConfigurationError
from lib.domain.http_exchange import HttpRequest

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS = 3600
"""The longest that Google accepts."""

_WRONG = "it must be the JSON file of a service account's key, as it was downloaded"


class ServiceAccount(BaseModel):
    """What a key file has that is used. Its `token_uri` is not: where a signature goes is not the file's to say."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    type: Literal["service_account"]
    client_email: str = Field(min_length=1)
    private_key: str = Field(min_length=1, repr=False)
    private_key_id: str = ""
    project_id: str = ""

    def token_request(self, token_url: str, now: datetime) -> HttpRequest:
        """The exchange of a signed assertion for an access token, at `token_url` and for it alone.

        Raises `ConfigurationError` for a private key that is none. Signing costs some 25 ms, once for each token.
        """
        # with cryptography a tenth of a second to import, for this provider alone
        import jwt  # noqa: PLC0415 - as said
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - as said

        issued = int(now.timestamp())
        claims = {
            "iss": self.client_email,
            "scope": SCOPE,
            "aud": token_url,
            "iat": issued,
            "exp": issued + ASSERTION_SECONDS,
        }
        headers = {"kid": self.private_key_id} if self.private_key_id else None
        try:
            assertion = jwt.encode(claims, self.private_key, algorithm="RS256", headers=headers)
        # AttributeError: a public key; `from None`: the cause may quote the key
        except (ValueError, TypeError, AttributeError, UnsupportedAlgorithm, jwt.PyJWTError):
            raise ConfigurationError(
                f"the private key of the service account cannot be read: {_WRONG}"
            ) from None
        return HttpRequest(
            "POST",
            token_url,
            {"Accept": "application/json"},
            form={"grant_type": GRANT_TYPE, "assertion": assertion},
        )


def read_service_account(text: str) -> ServiceAccount:
    """The service account in a key file. Raises `ConfigurationError` for anything else; never quotes the text."""
    try:
        return ServiceAccount.model_validate_json(text)
    except ValidationError as error:
        wrong = {str(name) for fault in error.errors(include_input=False) for name in fault["loc"]}
    if not wrong or "type" in wrong:
        raise ConfigurationError(f"the credential is no service account's key: {_WRONG}")
    raise ConfigurationError(f"the service account's key lacks {', '.join(sorted(wrong))}: {_WRONG}")
