"""Reading `config/providers.json`: its entries as typed data, or everything that is wrong with them at once."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.domain.catalogue_schema import schema_errors
from lib.domain.errors import ConfigurationError
from lib.providers.http_checks import entry_errors
from lib.providers.http_entry import HttpEntry, read_entry
from lib.providers.registry import ADAPTERS

SCHEMA_PATH = Path(__file__).parents[2] / "config" / "providers.schema.json"


def load_entries(text: str) -> Mapping[str, HttpEntry]:
    """The configured providers by name.

    Raises ConfigurationError naming every wrong value with its path (`providers.luma.poll.path`): first all that
    breaks the schema; then, where the form is right, all that contradicts itself or leads where it must not.
    """
    document = _parsed(text)
    errors = schema_errors(document, SCHEMA_PATH)
    if not errors:
        built_in = frozenset(ADAPTERS)
        errors = [
            error
            for name, entry in document["providers"].items()
            for error in entry_errors(name, entry, built_in)
        ]
    if errors:
        listed = "; ".join(f"{error.path}: {error.message}" for error in errors)
        raise ConfigurationError(f"The configuration of providers is wrong: {listed}", errors=errors)
    return {name: read_entry(name, entry) for name, entry in document["providers"].items()}


def _parsed(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"The configuration of providers is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ConfigurationError("The configuration of providers is not a JSON object.")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} stands twice in one object")
    return found
