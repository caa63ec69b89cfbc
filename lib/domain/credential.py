"""A user's key at a provider: how it is read, what its owner may be shown of it, and how a job is pinned to it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any

from lib.domain.envelope import masked
from lib.domain.errors import FieldError, InvalidError
from lib.domain.provider import Credential, CredentialField, ProviderUpdate

OWN_PREFIX = "own:"
BODY_FIELD = "credentials"
ANY_KEY = "apiKey"
SHARED_CHARACTERS = 8
HIDDEN = "***"
_PUBLIC_MEMBERS = frozenset(
    {
        "type",
        "project_id",
        "client_email",
        "client_id",
        "auth_uri",
        "token_uri",
        "auth_provider_x509_cert_url",
        "client_x509_cert_url",
        "universe_domain",
    }
)
"""What names a service account in its file and opens nothing; messages of Google's are full of it."""


@dataclass(frozen=True, kw_only=True)
class StoredCredential:
    """What its owner may know of a key; `is_valid` None: the provider has not been asked, or did not say."""

    credential_id: str
    provider: str
    version: int
    masked: Mapping[str, str]
    created_at: datetime
    is_valid: bool | None = None
    checked_at: datetime | None = None
    failure_code: str | None = None
    account: str | None = None

    @property
    def pin(self) -> str:
        """The `credential_version` of the jobs that it makes."""
        return OWN_PREFIX + self.credential_id


@dataclass(frozen=True)
class CredentialCheck:
    """What a provider said of a key: `is_valid` None where it said nothing, `reason` why it is not valid or unknown."""

    provider: str
    is_valid: bool | None
    checked_at: datetime
    account: str | None = None
    code: str | None = None
    reason: str | None = field(default=None, compare=False)


def own_credential_id(version: str) -> str | None:
    """The id in a pinned version; None for the operator's key."""
    return version.removeprefix(OWN_PREFIX) if version.startswith(OWN_PREFIX) else None


def read_credential_body(body: Mapping[str, Any], fields: Sequence[CredentialField]) -> dict[str, str]:
    """The parts of a key from `{"credentials": {"apiKey": "..."}}`, or short `{"apiKey": "..."}`.

    `apiKey` is the first part of every provider's key, whatever the provider itself calls it. A part may be an object,
    such as a service account's file: it is kept as its JSON. Raises InvalidError with all faults at once, which quotes
    neither values nor unknown names: a key may stand where a name should.
    """
    given = body.get(BODY_FIELD, body) if set(body) == {BODY_FIELD} else body
    known = ", ".join(item.name for item in fields)
    if not isinstance(given, Mapping):
        raise InvalidError(
            "the credentials are wrong", errors=[FieldError(BODY_FIELD, f"must be an object with {known}")]
        )
    given = _under_our_names(given, fields)
    errors = [error for item in fields if (error := _fault(item, given.get(item.name)))]
    unknown = len(set(given) - {item.name for item in fields})
    if unknown:
        errors.append(FieldError(BODY_FIELD, f"has {unknown} fields that are not known; known are {known}"))
    if errors:
        raise InvalidError("the credentials are wrong", errors=errors)
    return {item.name: _text(given[item.name]) for item in fields if given.get(item.name) is not None}


def masked_fields(values: Mapping[str, str], fields: Sequence[CredentialField]) -> dict[str, str]:
    """What may be shown: the end of what is secret, and the rest as it is."""
    secret = {item.name: item.secret for item in fields}
    return {name: masked(value) if secret.get(name, True) else value for name, value in values.items()}


def credential_of(
    provider: str, values: Mapping[str, str], fields: Sequence[CredentialField], version: str
) -> Credential:
    """The credential as adapters take it: the first field is its secret."""
    first = fields[0].name
    extra = {name: value for name, value in values.items() if name != first}
    plain = frozenset(item.name for item in fields if not item.secret)
    return Credential(provider, values.get(first, ""), version, extra, plain)


def without_secrets(text: str, credential: Credential) -> str:
    """The text without what it shares with the key, if that is `SHARED_CHARACTERS` or more: providers echo keys.

    What is no secret of it stays: a provider's words name the project and the address that they are about.
    """
    parts = [value for name, value in credential.extra.items() if name not in credential.plain]
    for secret in chain.from_iterable(map(_secrets_in, [credential.secret, *parts])):
        text = _without(text, secret)
    return text


def _secrets_in(part: str) -> Iterator[str]:
    """The part itself; of a service account's file, what it has beside names and addresses, also as its JSON has it."""
    try:
        document = json.loads(part) if part.lstrip().startswith("{") else None
    except ValueError:
        document = None
    if not isinstance(document, dict) or not _PUBLIC_MEMBERS & document.keys():
        yield part
        return
    for name, value in document.items():
        if name not in _PUBLIC_MEMBERS:
            yield from {str(value), json.dumps(value)}


def update_without_key(update: ProviderUpdate, credential: Credential) -> ProviderUpdate:
    """What a provider said of a job, with its words cleaned."""
    if update.failure is None:
        return update
    words = without_secrets(update.failure.message, credential)
    return replace(update, failure=replace(update.failure, message=words))


def _without(text: str, secret: str) -> str:
    parts = {
        secret[start : start + SHARED_CHARACTERS] for start in range(len(secret) - SHARED_CHARACTERS + 1)
    }
    kept: list[str] = []
    hidden_until = 0
    for start, character in enumerate(text):
        if text[start : start + SHARED_CHARACTERS] in parts:
            hidden_until = start + SHARED_CHARACTERS
        if start >= hidden_until:
            kept.append(character)
        elif not kept or kept[-1] != HIDDEN:
            kept.append(HIDDEN)
    return "".join(kept)


def _under_our_names(given: Mapping[str, Any], fields: Sequence[CredentialField]) -> Mapping[str, Any]:
    names = {item.name for item in fields}
    if ANY_KEY not in given or ANY_KEY in names or fields[0].name in given:
        return given
    return {fields[0].name if name == ANY_KEY else name: value for name, value in given.items()}


def _fault(item: CredentialField, value: Any) -> FieldError | None:
    path = f"{BODY_FIELD}.{item.name}"
    if value is None:
        return FieldError(path, f"is required: {item.description}") if item.required else None
    if not isinstance(value, str | Mapping):
        return FieldError(path, f"must be text: {item.description}")
    if not re.fullmatch(item.pattern, _text(value)):
        return FieldError(path, f"is none: {item.description}, as {item.pattern}")
    return None


def _text(value: str | Mapping[str, Any]) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
