"""The operator's key at a provider, as it is kept: a plain string, or a JSON object of the adapter's fields."""

import json
from typing import Any

from lib.domain.credential import credential_of
from lib.domain.errors import ConfigurationError
from lib.domain.provider import PLATFORM_VERSION, Credential
from lib.ports.provider import ProviderAdapter


def read_platform_key(adapter: ProviderAdapter, text: str, version: str = PLATFORM_VERSION) -> Credential:
    """The credential in a secret's text: `key`, `{"value": "key"}`, or `{"projectId": "...", ...}` by field name.

    Raises ConfigurationError naming the fields that are missing; never quotes the text.
    """
    names = [item.name for item in adapter.traits.credential_fields]
    found = _fields(text.strip(), names[0])
    missing = [
        item.name for item in adapter.traits.credential_fields if item.required and not found.get(item.name)
    ]
    if missing:
        raise ConfigurationError(
            f"The key of {adapter.name} lacks {', '.join(missing)}: "
            f"it is a plain string or a JSON object with {', '.join(names)}."
        )
    values = {name: found[name] for name in names if found.get(name)}
    return credential_of(adapter.name, values, adapter.traits.credential_fields, version)


def _fields(text: str, first: str) -> dict[str, str]:
    document: Any = None
    if text.startswith("{"):
        try:
            document = json.loads(text)
        except ValueError:
            document = None  # a generated key may well begin with a brace
    if not isinstance(document, dict):
        return {first: text}
    if "type" in document and "private_key" in document:
        return {first: text}  # a service account's file as it was downloaded
    values = {
        str(name): value if isinstance(value, str) else json.dumps(value) for name, value in document.items()
    }
    if "value" in values and first not in values:
        values[first] = values.pop("value")
    return values
