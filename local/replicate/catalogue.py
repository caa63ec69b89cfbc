"""The models that the simulator knows, with the input schemas of the real ones (``models.json`` is the one source)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any


class Kind(StrEnum):
    """What a model makes, which decides how it is drawn and how long it seems to take."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"


@dataclass(frozen=True)
class Model:
    """One model with its newest version first in ``versions``; all versions share one schema here."""

    owner: str
    name: str
    kind: Kind
    is_official: bool
    versions: tuple[str, ...]
    schemas: Mapping[str, Any]
    facts: Mapping[str, Any]

    @property
    def slug(self) -> str:
        """``owner/name``."""
        return f"{self.owner}/{self.name}"

    @property
    def streams(self) -> bool:
        """True where the output grows token by token, so that ``urls.stream`` exists."""
        return bool(self.schemas["Output"].get("x-cog-array-type") == "iterator")

    @property
    def has_output_list(self) -> bool:
        """True where ``output`` is a list of URLs, false where it is one."""
        return bool(self.schemas["Output"]["type"] == "array")

    def defaults(self) -> dict[str, Any]:
        """The input a model sees for the names that the caller leaves out."""
        properties = self.schemas["Input"]["properties"]
        return {name: schema["default"] for name, schema in properties.items() if "default" in schema}

    def describe_version(self, version: str) -> dict[str, Any]:
        """The body of ``GET /models/{owner}/{name}/versions/{id}``."""
        return {
            "id": version,
            "created_at": self.facts["created_at"],
            "cog_version": self.facts["cog_version"],
            "openapi_schema": _openapi(self.schemas),
        }

    def describe(self) -> dict[str, Any]:
        """The body of ``GET /models/{owner}/{name}``."""
        keys = ("description", "github_url", "paper_url", "license_url", "run_count")
        return {
            "url": f"https://replicate.com/{self.slug}",
            "owner": self.owner,
            "name": self.name,
            "visibility": "public",
            "is_official": self.is_official,
            "cover_image_url": None,
            "default_example": None,
            "latest_version": self.describe_version(self.versions[0]),
            **{key: self.facts[key] for key in keys},
        }


@dataclass(frozen=True)
class Catalogue:
    """Looks models up by name and by version."""

    models: tuple[Model, ...]

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models)

    def named(self, owner: str, name: str) -> Model | None:
        """The model ``owner/name``, or None."""
        return next((m for m in self.models if (m.owner, m.name) == (owner, name)), None)

    def resolve(self, version: str) -> Model | None:
        """The model of any of Replicate's three spellings: ``owner/name`` (official), ``owner/name:id``, ``id``."""
        slug, _, version_id = version.rpartition(":")
        if "/" in version_id:
            return next((m for m in self.models if m.slug == version_id and m.is_official), None)
        return next((m for m in self.models if version_id in m.versions and slug in ("", m.slug)), None)


@cache
def load_catalogue() -> Catalogue:
    """Reads ``models.json`` beside this module, once."""
    data = json.loads(Path(__file__).with_name("models.json").read_text("utf-8"))
    return Catalogue(tuple(_model(entry) for entry in data["models"]))


def _model(entry: dict[str, Any]) -> Model:
    return Model(
        owner=entry["owner"],
        name=entry["name"],
        kind=Kind(entry["kind"]),
        is_official=entry["is_official"],
        versions=tuple(entry["versions"]),
        schemas=entry["schemas"],
        facts=entry,
    )


def _openapi(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """A whole OpenAPI document around the component schemas, in the shape in which Cog writes it."""
    request = {"type": "object", "title": "PredictionRequest", "properties": {"input": _ref("Input")}}
    response = {
        "type": "object",
        "title": "PredictionResponse",
        "properties": {"input": _ref("Input"), "output": _ref("Output")},
    }
    operation = {
        "summary": "Predict",
        "operationId": "predict_predictions_post",
        "requestBody": {"content": {"application/json": {"schema": _ref("PredictionRequest")}}},
        "responses": {
            "200": {
                "description": "Successful Response",
                "content": {"application/json": {"schema": _ref("PredictionResponse")}},
            }
        },
    }
    components = {**schemas, "PredictionRequest": request, "PredictionResponse": response}
    return {
        "openapi": "3.0.2",
        "info": {"title": "Cog", "version": "0.1.0"},
        "paths": {"/predictions": {"post": operation}},
        "components": {"schemas": components},
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
