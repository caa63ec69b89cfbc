"""The models that the gateway offers, loaded from the shape of `config/models/*.json`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from lib.domain.catalogue_checks import consistency_errors, placed
from lib.domain.catalogue_entry import read_model
from lib.domain.catalogue_schema import schema_errors
from lib.domain.errors import ConfigurationError, FieldError, UnknownModelError
from lib.domain.media_type import MediaType
from lib.domain.model_config import ModelConfig


@dataclass(frozen=True, eq=False)
class Catalogue:
    """All models, by id, in the order of the files."""

    models: Mapping[str, ModelConfig]

    def __iter__(self) -> Iterator[ModelConfig]:
        return iter(self.models.values())

    def __len__(self) -> int:
        return len(self.models)

    def ids(self, media_type: MediaType | None = None) -> list[str]:
        """The known model ids, of one media type or of all."""
        return [model.id for model in self if media_type in (None, model.media_type)]

    def get_model_config(self, model_id: str) -> ModelConfig:
        """The model of that id, or UnknownModelError with the known ones."""
        model = self.models.get(model_id)
        if model is None:
            raise UnknownModelError(_unknown(model_id, self.ids()), errors=[_at_model(model_id, self.ids())])
        return model

    def validate_model_id(self, model_id: str, media_type: MediaType | str) -> ModelConfig:
        """The model, if it is known and makes that media type.

        Else UnknownModelError, which says what would be right.
        """
        try:
            wanted = MediaType(media_type)
        except ValueError:
            known = ", ".join(MediaType)
            message = f"There is no media type {_short(media_type)}; there are: {known}."
            raise UnknownModelError(message, errors=[FieldError("mediaType", message)]) from None
        model = self.models.get(model_id)
        if model is None:
            known_ids = self.ids(wanted)
            raise UnknownModelError(
                _unknown(model_id, known_ids, wanted), errors=[_at_model(model_id, known_ids, wanted)]
            )
        if model.media_type is not wanted:
            message = (
                f"Model {model.id} makes {model.media_type}, not {wanted}: "
                f"send mediaType {model.media_type}, or take a model that makes {wanted}: "
                f"{_listed(self.ids(wanted))}."
            )
            raise UnknownModelError(message, errors=[FieldError("mediaType", message)])
        return model


def load_models_config(text: str) -> Catalogue:
    """The catalogue of a text in the shape of a file of `config/models`, or of the source document.

    Raises ConfigurationError as `load_models_files` does, with paths alone.
    """
    return load_models_files({"": text})


def load_models_files(texts: Mapping[str, str], *, checked: bool = False) -> Catalogue:
    """One catalogue of several texts, by the names of their files; `checked` ones are known to be right.

    Raises ConfigurationError naming every wrong value at once, each with its file and path
    (`fal.json: video.kling.version`): first all that breaks `config/models.schema.json`; then, where all have the
    right form, all that contradicts itself or another file.
    """
    documents = {name: _parse(name, text) for name, text in texts.items()}
    errors = [
        FieldError(placed(name, error.path), error.message)
        for name, document in documents.items()
        for error in (() if checked else schema_errors(document))
    ]
    models: dict[ModelConfig, str] = {}
    if not errors:
        models = {
            read_model(model_id, MediaType(media_type), entry): name
            for name, document in documents.items()
            for media_type, entries in document.items()
            if media_type != "$schema"
            for model_id, entry in entries.items()
        }
        errors = [] if checked else consistency_errors(models)
    if errors:
        listed = "; ".join(f"{error.path}: {error.message}" for error in errors)
        raise ConfigurationError(f"The model catalogue is wrong: {listed}", errors=errors)
    return Catalogue({model.id: model for model in models})


def _parse(name: str, text: str) -> dict[str, Any]:
    subject = f"The file {name} of the model catalogue" if name else "The model catalogue"
    try:
        document = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{subject} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ConfigurationError(f"{subject} is not a JSON object of media type -> model id -> model.")
    return document


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands twice in one object")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _unknown(model_id: str, known: list[str], media_type: MediaType | None = None) -> str:
    kind = f"{media_type} model" if media_type else "model"
    return f"There is no {kind} {_short(model_id)}{_meant(model_id, known)}. Known: {_listed(known)}."


def _at_model(model_id: str, known: list[str], media_type: MediaType | None = None) -> FieldError:
    return FieldError("modelId", _unknown(model_id, known, media_type))


def _meant(model_id: str, known: list[str]) -> str:
    close = get_close_matches(str(model_id)[:100], known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
