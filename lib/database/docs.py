"""`docs/database.md`: its second half is drawn from the catalog, between two marks; the first half is people's."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lib.domain.errors import ConfigurationError
from lib.stores.postgres.catalog import Catalog
from lib.stores.postgres.migrations import MIGRATIONS

DOCS_FILE = MIGRATIONS.parents[1] / "docs" / "database.md"
BEGIN = "<!-- from here on: python -m lib.database describe --docs -->"

_FOREIGN_KEY = re.compile(r"FOREIGN KEY \(([^)]*)\) REFERENCES (\w+)\(")
_KEY = re.compile(r"(PRIMARY KEY|UNIQUE) \(([^)]*)\)")
_SHORT_TYPES = {
    "timestamp with time zone": "timestamptz",
    "double precision": "double",
    "character varying": "varchar",
}
_CELL = str.maketrans({"|": "\\|", "\n": " "})


def with_generated(page: str, catalog: Catalog) -> str:
    """The page with its second half drawn anew. Raises ConfigurationError where the mark is missing."""
    if BEGIN not in page:
        raise ConfigurationError(f"docs/database.md lacks the line {BEGIN}")
    return f"{page.partition(BEGIN)[0]}{BEGIN}\n\n{generated(catalog)}"


def generated(catalog: Catalog) -> str:
    """Diagram, tables, views and functions as Markdown."""
    lines = [*_diagram(catalog), *_tables(catalog), *_views(catalog), *_functions(catalog)]
    return "\n".join(lines).rstrip() + "\n"


def _diagram(catalog: Catalog) -> Iterator[str]:
    yield from ("## The diagram", "", "```mermaid", "erDiagram")
    tables: dict[str, Any] = catalog["tables"]
    for name, table in tables.items():
        for constraint in table.get("constraints", {}).values():
            if found := _FOREIGN_KEY.search(constraint["definition"]):
                columns = found[1].split(", ")
                one = "|o" if any(table["columns"][column]["null"] for column in columns) else "||"
                many = "o|" if set(columns) in _keys(table) else "o{"
                yield f'    {found[2]} {one}--{many} {name} : "{found[1]}"'
    for name, table in tables.items():
        yield f"    {name} {{"
        for column, value in table["columns"].items():
            marks = ", ".join(_marks(table, column))
            yield f"        {_mermaid_type(value['type'])} {column}{' ' + marks if marks else ''}"
        yield "    }"
    yield from ("```", "")


def _keys(table: dict[str, Any]) -> list[set[str]]:
    definitions = [constraint["definition"] for constraint in table.get("constraints", {}).values()]
    return [set(found[2].split(", ")) for text in definitions if (found := _KEY.match(text))]


def _marks(table: dict[str, Any], column: str) -> Iterator[str]:
    """PK, FK and UK as mermaid has them."""
    definitions = [constraint["definition"] for constraint in table.get("constraints", {}).values()]
    keys = [found for text in definitions if (found := _KEY.match(text)) and column in found[2].split(", ")]
    if any(found[1] == "PRIMARY KEY" for found in keys):
        yield "PK"
    if any((found := _FOREIGN_KEY.match(text)) and column in found[1].split(", ") for text in definitions):
        yield "FK"
    if any(found[1] == "UNIQUE" and found[2] == column for found in keys):
        yield "UK"


def _mermaid_type(name: str) -> str:
    return re.sub(r"\W+", "_", _short(name).partition("(")[0])


def _short(name: str) -> str:
    return _SHORT_TYPES.get(name, name)


def _tables(catalog: Catalog) -> Iterator[str]:
    yield from ("## Tables", "")
    for name, table in catalog["tables"].items():
        yield from (f"### `{name}`", "", table.get("comment", ""), "")
        yield from ("| column | type | null | default | what it is |", "|---|---|---|---|---|")
        for column, value in table["columns"].items():
            default = _default(value)
            cells = (
                f"`{column}`",
                _short(value["type"]),
                "yes" if value["null"] else "",
                default,
                value.get("comment", ""),
            )
            yield _row(*cells)
        yield ""
        yield from _listed("Constraints", table.get("constraints", {}))
        yield from _listed("Indexes", {k: _shortened(v) for k, v in table.get("indexes", {}).items()})
        yield from _listed("Triggers", table.get("triggers", {}))
        yield from _policies(table)


def _default(column: dict[str, Any]) -> str:
    if column.get("identity"):
        return f"identity, {column['identity']}"
    text = column.get("default") or column.get("generated")
    return f"`{text}`" if text else ""


def _shortened(index: dict[str, Any]) -> dict[str, Any]:
    """Without what the heading says already."""
    return index | {"definition": index["definition"].replace(" ON public.", " ON ")}


def _listed(title: str, things: dict[str, dict[str, Any]]) -> Iterator[str]:
    if not things:
        return
    yield from (f"{title}:", "")
    for name, thing in things.items():
        comment = f" {thing['comment']}" if thing.get("comment") else ""
        yield f"* `{name}`:{comment} `{' '.join(thing['definition'].split())}`"
    yield ""


def _policies(table: dict[str, Any]) -> Iterator[str]:
    yield from (f"Row-level security: {table['row_security']}.", "")
    policies = table.get("policies", {})
    if not policies:
        return
    yield from (
        "| policy | for | to | rows that are seen | rows that may be written |",
        "|---|---|---|---|---|",
    )
    for name, policy in policies.items():
        seen, written = (_expression(policy.get(part)) for part in ("using", "check"))
        yield _row(f"`{name}`", policy["for"], ", ".join(policy["to"]), seen, written)
    yield ""


def _expression(text: str | None) -> str:
    return "" if text is None else "all" if text == "true" else f"`{' '.join(text.split())}`"


def _views(catalog: Catalog) -> Iterator[str]:
    yield from ("## Views", "", "Each shows its reader what the tables below it would show.", "")
    for name, view in catalog["views"].items():
        yield from (f"### `{name}`", "", view.get("comment", ""), "")
        columns = (f"`{column}` {_short(value['type'])}" for column, value in view["columns"].items())
        yield from (f"Columns: {', '.join(columns)}.", "")


def _functions(catalog: Catalog) -> Iterator[str]:
    yield from (
        "## Functions",
        "",
        "| function | returns | who may call it | what it does |",
        "|---|---|---|---|",
    )
    for name, function in catalog["functions"].items():
        callers = ", ".join(function.get("grants", {})) or "its owner"
        yield _row(f"`{name}`", _short(function["returns"]), callers, function.get("comment", ""))
    yield ""


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.translate(_CELL) for cell in cells)} |"


def write_docs(catalog: Catalog, path: Path = DOCS_FILE) -> None:
    """Draw the page's second half anew. Raises ConfigurationError where the page or its mark is missing."""
    try:
        page = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    path.write_text(with_generated(page, catalog), encoding="utf-8")
