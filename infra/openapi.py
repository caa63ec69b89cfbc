"""Writes docs/openapi.json and docs/api.md from the routes: `make openapi`. A test compares both."""

import json
import sys
from pathlib import Path

from lib.api.openapi import openapi_json
from lib.api.reference import Section, Table, operation_sections, problem_table, schema_sections

ROOT = Path(__file__).parents[1]
JSON_PATH = ROOT / "docs" / "openapi.json"
TEXT_PATH = ROOT / "docs" / "api.md"


def api_text() -> str:
    """The reference as Markdown."""
    document = json.loads(openapi_json())
    parts = [
        f"# {document['info']['title']}: the API",
        "<!-- Written by `make openapi` from the routes: change those, not this page. -->",
        document["info"]["description"],
        "Machines read [openapi.json](openapi.json); a running gateway serves both, at `/docs` and `/openapi.json`.",
        "## Operations",
        *(_section(each) for each in operation_sections(document)),
        "## Objects",
        *(_section(each) for each in schema_sections(document)),
        "## Problems",
        _table(problem_table()),
    ]
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> str:
    example = [f"```json\n{section.example}\n```"] if section.example else []
    parts = [f"### `{section.title}`", section.text, *example, *(_table(table) for table in section.tables)]
    return "\n\n".join(part for part in parts if part)


def _table(table: Table) -> str:
    lines = [table.columns, tuple("---" for _ in table.columns), *table.rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main() -> int:
    """Write both files."""
    JSON_PATH.parent.mkdir(exist_ok=True)
    JSON_PATH.write_text(openapi_json())
    TEXT_PATH.write_text(api_text())
    print(f"wrote {JSON_PATH.relative_to(ROOT)} and {TEXT_PATH.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
