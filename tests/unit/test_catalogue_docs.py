"""The page about the models is that of the catalogue; the files satisfy the schema by an independent reading."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.unit.models_page import PAGE, render
from tests.unit.test_catalogue import SOURCE_DOCUMENT

SHIPPED = sorted(Path("config/models").glob("*.json"))
SCHEMA = json.loads(Path("config/models.schema.json").read_text(encoding="utf-8"))


def test_the_page_is_written_from_the_catalogue() -> None:
    written = PAGE.read_text(encoding="utf-8")

    assert written == render(), "run: python -m tests.unit.models_page"


def test_the_schema_is_a_json_schema_of_2020_12() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "document",
    [*(path.read_text(encoding="utf-8") for path in SHIPPED), SOURCE_DOCUMENT],
    ids=[*(path.name for path in SHIPPED), "source"],
)
def test_the_files_satisfy_the_schema(document: str) -> None:
    assert list(Draft202012Validator(SCHEMA).iter_errors(json.loads(document))) == []


def test_the_parameters_of_the_shipped_models_are_json_schemas() -> None:
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in SHIPPED]
    schemas = [
        schema
        for document in documents
        for media_type in ("image", "video", "audio", "text")
        for entry in document.get(media_type, {}).values()
        for schema in entry["params"].values()
    ]

    assert len(schemas) > 50
    for schema in schemas:
        Draft202012Validator.check_schema(schema)
