"""What a schema of `config/` finds wrong with a document, by default that of the model catalogue."""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.domain.errors import FieldError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

SCHEMA_PATH = Path(__file__).parents[2] / "config" / "models.schema.json"


def schema_errors(document: Any, schema: Path = SCHEMA_PATH) -> list[FieldError]:
    """All that breaks the schema, with the path of each wrong value: `image.flux-schnell.version`."""
    found = {
        (_path(error), error.message)
        for top in _validator(schema).iter_errors(document)
        for error in _most_telling(top)
    }
    return [FieldError(path, message) for path, message in sorted(found)]


@cache
def _validator(schema: Path) -> "Draft202012Validator":
    # Imported here: it takes longer than all else that an answer about a status needs.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    return Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))


def _most_telling(error: "ValidationError") -> Iterable["ValidationError"]:
    """The errors of the alternative that was meant: the one that is not wrong at its very type."""
    if error.validator not in ("anyOf", "oneOf") or not error.context:
        return [error]
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    meant = [
        inner_errors
        for inner_errors in branches.values()
        if not any(inner.validator == "type" and not inner.path for inner in inner_errors)
    ]
    if len(meant) != 1:
        return [error]
    return [deeper for inner in meant[0] for deeper in _most_telling(inner)]


def _path(error: "ValidationError") -> str:
    return ".".join(str(part) for part in error.absolute_path) or "$"
