"""The OpenAPI document as plain sections, ready to be written as a page or as text."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lib.api.operations import OPERATIONS, Access, Operation
from lib.api.problem_list import problem_rows

Json = dict[str, Any]
Row = tuple[str, ...]
_ACCESS = {
    Access.API_KEY: "Needs an API key.",
    Access.ADMIN: "Needs the API key of an admin.",
    Access.CALLBACK: "Needs no API key.",
    Access.PUBLIC: "Needs no API key.",
}


@dataclass(frozen=True)
class Table:
    """Rows under column names."""

    columns: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Section:
    """One operation or one object: what is said of it, its tables, and an example as JSON text."""

    title: str
    text: str
    tables: tuple[Table, ...]
    example: str = ""


def operation_sections(document: Json) -> Iterator[Section]:
    """One section per operation."""
    for operation in OPERATIONS:
        described = document["paths"][operation.path][operation.method.lower()]
        yield _operation(operation, described, document)


def problem_table() -> Table:
    """Every code that a problem can have."""
    return Table(("Code", "Status", "Meaning"), tuple(problem_rows()))


def schema_sections(document: Json) -> Iterator[Section]:
    """One section per object."""
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema:
            required = schema.get("required", [])
            rows = tuple(
                (field, _kind(item), "yes" if field in required else "no", _described(item))
                for field, item in schema["properties"].items()
            )
            example = schema.get("example")
            yield Section(
                name,
                schema.get("description", ""),
                (Table(("Field", "Type", "Always there", "Meaning"), rows),),
                json.dumps(example, indent=2) if example else "",
            )


def _operation(said: Operation, operation: Json, document: Json) -> Section:
    tables = []
    if operation["parameters"]:
        rows = tuple(
            (each["name"], each["in"], _kind(each["schema"]), each.get("description", ""))
            for each in operation["parameters"]
        )
        tables.append(Table(("Parameter", "In", "Type", "Meaning"), rows))
    answers = tuple(
        (status, response["description"], _content(response))
        for status, response in operation["responses"].items()
    )
    tables.append(Table(("Status", "Meaning", "Answer"), answers))
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    body = f" Takes a JSON body: {_kind(schema)}." if schema else ""
    example = _resolved(schema, document).get("example")
    return Section(
        f"{said.method} {said.path}",
        f"{operation['summary']}. {_ACCESS[said.access]}{body}",
        tuple(tables),
        json.dumps(example) if example else "",
    )


def _content(response: Json) -> str:
    return ", ".join(
        _kind(content["schema"]) if "$ref" in content["schema"] else kind
        for kind, content in response.get("content", {}).items()
    )


def _resolved(schema: Json, document: Json) -> Json:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Json = document["components"]["schemas"].get(name, schema)
    return found


def _kind(schema: Json) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(str(each) for each in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    return str(schema.get("format") or schema.get("type", "any"))


def _described(schema: Json) -> str:
    return str(schema.get("description", ""))
