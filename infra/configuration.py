"""The catalogue, the described providers and the providers' addresses, tried before anything starts or is deployed.

A function would find out at its first request only.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from infra.bundle import SOURCES
from infra.parameters import PARAMETERS
from lib.domain.catalogue import Catalogue
from lib.domain.errors import ConfigurationError
from lib.providers.http_adapter import HttpAdapter
from lib.providers.http_config import load_entries
from lib.providers.http_entry import HttpEntry
from lib.providers.registry import ADAPTERS, load_adapter
from lib.stores.models_source import load_catalogue
from lib.stores.providers_source import read_providers_config

MODELS, PROVIDERS, ADDRESSES = "MODELS_CONFIG", "PROVIDERS_CONFIG", "PROVIDER_ADDRESSES"
_DEFAULTS = {parameter.variable: parameter.default for parameter in PARAMETERS}
_SHAPE = 'must be an object of addresses such as {"base_url": "https://..."}'
ReadT = TypeVar("ReadT")


def problems(environment: Mapping[str, str], *, bundled: bool) -> list[str]:
    """Everything in these settings that a function would refuse, a line each, which begins with the setting.

    `bundled`: the functions have what is in their bundle, and not all of this directory. What lies in the bucket
    (`s3://`) is not read, and what would have to fit it is not tried.
    """
    found = [wrong for name in (PROVIDERS, MODELS) if bundled and (wrong := _left_out(name, environment))]
    entries = _read(PROVIDERS, environment, _entries_of, found)
    catalogue = _read(MODELS, environment, load_catalogue, found)
    if entries is not None:
        found += _of_addresses(environment.get(ADDRESSES) or "{}", entries)
        found += _of_models(catalogue or (), entries)
    return found


def described_providers(environment: Mapping[str, str]) -> Mapping[str, HttpEntry]:
    """The providers that are all data, by name; none where they lie in the bucket, or cannot be read."""
    return _read(PROVIDERS, environment, _entries_of, []) or {}


def _entries_of(setting: str) -> Mapping[str, HttpEntry]:
    return load_entries(read_providers_config(setting))


def _left_out(variable: str, environment: Mapping[str, str]) -> str | None:
    """What is wrong with a path that leads out of the bundle."""
    setting = environment.get(variable, "").strip()
    if not setting or setting.startswith(("{", "s3://")) or next(iter(Path(setting).parts), "") in SOURCES:
        return None
    return f"{variable}={setting!r} is not in the bundle of the functions: put it below config/"


def _read(
    variable: str, environment: Mapping[str, str], read: Callable[[str], ReadT], found: list[str]
) -> ReadT | None:
    setting = environment.get(variable) or _DEFAULTS[variable]
    if setting.strip().startswith("s3://"):
        return None
    try:
        return read(setting)
    except ConfigurationError as wrong:
        found.append(wrong.message if wrong.message.startswith(variable) else f"{variable}: {wrong.message}")
        return None


def _of_models(catalogue: Catalogue | tuple[()], entries: Mapping[str, HttpEntry]) -> Iterator[str]:
    """Models of a provider that nobody described, or by a name that its entry does not know."""
    for model in catalogue:
        entry = entries.get(model.provider)
        if entry is None and model.provider not in ADAPTERS:
            known = ", ".join([*ADAPTERS, *entries])
            unknown = f"{MODELS}: the provider of {model.id}, {model.provider!r}, is not known"
            yield f"{unknown}, nor is it in {PROVIDERS}. Known: {known}"
        elif entry is not None and not entry.model.fullmatch(model.version):
            yield f"{MODELS}: the version of {model.id}, {model.version!r}, must match {entry.model.pattern}"


def _of_addresses(text: str, entries: Mapping[str, HttpEntry]) -> Iterator[str]:
    """Addresses of nobody, of no field of an adapter, or to which no key may be sent."""
    try:
        given = json.loads(text)
    except ValueError as error:
        yield f"{ADDRESSES} is not JSON: {error}"
        return
    if not isinstance(given, dict):
        yield f'{ADDRESSES} must be a JSON object such as {{"runway": {{"base_url": "https://..."}}}}'
        return
    for name, fields in given.items():
        try:
            _place(name, fields, entries)
        except (ConfigurationError, TypeError, ValueError) as error:
            yield f"{ADDRESSES}, {name}: {error}"
        except AttributeError:  # an object where this adapter takes one address
            yield f"{ADDRESSES}, {name}: {_SHAPE}"


def _place(name: str, fields: Any, entries: Mapping[str, HttpEntry]) -> None:
    """Build the adapter of a provider at these addresses. Raises what is wrong with them."""
    if not isinstance(fields, dict) or not all(isinstance(value, str | dict) for value in fields.values()):
        raise TypeError(_SHAPE)
    if name not in entries:
        load_adapter(name, fields)
        return
    if set(fields) != {"base_url"}:
        raise ValueError("only base_url can be replaced")
    HttpAdapter(entries[name], fields["base_url"])
