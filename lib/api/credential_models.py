"""The bodies and answers about users' own keys, as pydantic models: for the documentation and the tests."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lib.api.answer_model import Answer


class CredentialBody(BaseModel):
    """A key of your own at a provider, by the names of its parts; `{"apiKey": "..."}` alone will do."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"example": {"credentials": {"apiKey": "your key at the provider"}}}
    )

    credentials: dict[str, Any] = Field(
        description="The parts of the key, as the provider's page of docs/providers.md names them"
    )


class CredentialView(Answer):
    """What is shown of a key of your own: never the key."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "provider": "replicate",
                "credentials": {"apiKey": "\N{HORIZONTAL ELLIPSIS}Xk2Q"},
                "version": 2,
                "isValid": True,
                "account": "ana",
                "failureCode": None,
                "createdAt": "2026-11-20T18:04:02.118Z",
                "checkedAt": "2026-11-20T18:05:10.004Z",
            }
        }
    )

    provider: str
    credentials: dict[str, str] = Field(
        description="The last four characters of each secret part; of one under 20 characters none"
    )
    version: int = Field(description="Grows by one with each PUT; jobs keep the version that made them")
    is_valid: bool | None = Field(description="What the provider said of it last; null while it said nothing")
    account: str | None = Field(description="What the provider calls the account")
    failure_code: str | None = Field(description="Why it is not valid")
    created_at: datetime
    checked_at: datetime | None = Field(description="When the provider was last heard about it")


class CredentialAnswer(Answer):
    """A key of your own."""

    success: Literal[True]
    data: CredentialView


class CredentialCheckView(Answer):
    """What a provider said of a key."""

    provider: str
    is_valid: bool | None = Field(description="null: the provider did not say, such as in an outage")
    account: str | None = Field(description="What the provider calls the account")
    checked_at: datetime
    error_code: str | None = Field(description="Why it is not valid, or not known to be")
    error: str | None = Field(description="The same in the provider's words")


class CredentialCheckAnswer(Answer):
    """A test of a key: `success` if the key is valid."""

    success: bool
    data: CredentialCheckView
