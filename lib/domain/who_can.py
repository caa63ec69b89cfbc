"""Which models can do what one cannot: the hint that goes with a refusal."""

from collections.abc import Collection, Iterable

from lib.domain.errors import FieldError
from lib.domain.model_config import ModelConfig
from lib.domain.standard_request import StandardRequest
from lib.domain.translate import Translation, translate

MOST_NAMED = 5


def with_hints(
    refused: Translation, request: StandardRequest, models: Iterable[ModelConfig]
) -> list[FieldError]:
    """The errors of a translation, each with the models of the same media type that honour this field."""
    others = [
        translate(request, model)
        for model in models
        if model.media_type is request.media_type and model.standard and model is not refused.model
    ]
    given = {one.path for one in request.given}
    return [
        FieldError(error.path, f"{error.message}.{_hint(error.path, others, given)}")
        for error in refused.errors
    ]


def _hint(path: str, others: list[Translation], given: Collection[str]) -> str:
    able = [other.model.id for other in others if not any(error.path == path for error in other.errors)]
    if not able:
        return " No other model can either." if others else ""
    more = f" and {len(able) - MOST_NAMED} more" if len(able) > MOST_NAMED else ""
    what = "can" if path in given or path == "request" else "do without"
    return f" Models that {what}: {', '.join(able[:MOST_NAMED])}{more}."
