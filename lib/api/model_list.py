"""`GET /models`: the catalogue as callers see it."""

from collections.abc import Mapping
from typing import Any

from lib.domain.catalogue import Catalogue
from lib.domain.errors import FieldError, InvalidError
from lib.domain.media_type import MediaType
from lib.domain.model_description import describe_model

_NAMES = frozenset({"mediaType", "media_type"})


def model_list(catalogue: Catalogue, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """All models, or those of one `mediaType`. Raises InvalidError for another query."""
    errors = [
        FieldError(name[:100], "is not known; known is mediaType") for name in query if name not in _NAMES
    ]
    wanted = next((query[name] for name in sorted(_NAMES) if name in query), None)
    if wanted is not None and wanted not in [*MediaType]:
        errors.append(FieldError("mediaType", f"must be one of {', '.join(MediaType)}"))
    if errors:
        raise InvalidError("the query is wrong", errors=errors)
    return [
        {"id": model.id, **describe_model(model)} for model in catalogue if wanted in (None, model.media_type)
    ]
