"""Finding the outputs in whatever JSON a model answers with: URLs, data URLs or text."""

import json
import re
from collections.abc import Iterator
from typing import Any

from lib.domain.provider import OutputKind, ProviderOutput

_URL = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
_DATA_URL_HEAD = re.compile(r"data:[\w.+-]+/[\w.+-]+[^\s,]*,", re.IGNORECASE)


def collect_outputs(output: Any) -> tuple[ProviderOutput, ...]:
    """Return the outputs in order; empty when there are none.

    A string is a URL, a data URL or text. A list of strings of which any is text is one text in pieces (lists
    are of one type, so these are tokens, and a URL among them is a word). In objects and nested lists only
    the URLs count; an object or number without any is one text of JSON.
    """
    if output is None or output in ("", [], {}):
        return ()
    if isinstance(output, str):
        return (_one(output),)
    if isinstance(output, list) and all(isinstance(item, str) or item is None for item in output):
        return _strings([item for item in output if item])
    media = tuple(item for item in map(_one, _leaves(output)) if item.kind is not OutputKind.TEXT)
    return media or (ProviderOutput(OutputKind.TEXT, json.dumps(output, ensure_ascii=False)),)


def _one(value: str) -> ProviderOutput:
    if _URL.fullmatch(value.strip()):
        return ProviderOutput(OutputKind.URL, value.strip())
    if _DATA_URL_HEAD.match(value):
        return ProviderOutput(OutputKind.DATA_URL, value)
    return ProviderOutput(OutputKind.TEXT, value)


def _strings(values: list[str]) -> tuple[ProviderOutput, ...]:
    outputs = tuple(map(_one, values))
    if any(output.kind is OutputKind.TEXT for output in outputs):
        return (ProviderOutput(OutputKind.TEXT, "".join(values)),)
    return outputs


def _leaves(value: Any) -> Iterator[str]:
    """Yield the strings inside, in order; JSON from a parser has no cycles and a bounded depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
