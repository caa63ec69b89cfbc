"""`GET /docs`: the reference as one page that needs nothing from anywhere else."""

import json
from functools import cache
from html import escape

from lib.api.openapi import openapi_json
from lib.api.reference import Section, Table, operation_sections, problem_table, schema_sections

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #d5dbe3; }
table { border-collapse: collapse; width: 100%; margin: .75rem 0; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #e6eaf0; }
code, pre { font: .85rem/1.45 ui-monospace, monospace; background: #f4f6f9; border-radius: 4px; }
pre { padding: .75rem; overflow-x: auto; } code { padding: .1rem .3rem; }
@media (prefers-color-scheme: dark) {
  body { background: #14181f; color: #dde3ec; } code, pre { background: #1f2630; }
  th, td, h2 { border-color: #2c3542; } a { color: #8ab4ff; }
}
"""


@cache
def docs_page() -> str:
    """The page, as HTML."""
    document = json.loads(openapi_json())
    info = document["info"]
    operations = "".join(_section(each, "h3") for each in operation_sections(document))
    schemas = "".join(_section(each, "h3") for each in schema_sections(document))
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])}</h1><p>{_inline(info['description'])}</p>"
        '<p>The same for machines: <a href="/openapi.json">openapi.json</a></p>'
        f"<h2>Operations</h2>{operations}<h2>Objects</h2>{schemas}"
        f"<h2>Problems</h2>{_table(problem_table(), 'problem-')}</body></html>\n"
    )


def _section(section: Section, heading: str) -> str:
    anchor = escape(section.title.replace(" ", "-"))
    tables = "".join(_table(table) for table in section.tables)
    example = f"<pre>{escape(section.example)}</pre>" if section.example else ""
    title = f'<{heading} id="{anchor}"><code>{escape(section.title)}</code></{heading}>'
    return f"{title}<p>{_inline(section.text)}</p>{example}{tables}"


def _table(table: Table, anchors: str = "") -> str:
    """A table; with `anchors` each row can be linked to by its first cell."""
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "".join(
        (f'<tr id="{anchors}{escape(row[0])}">' if anchors else "<tr>")
        + "".join(f"<td>{_inline(cell)}</td>" for cell in row)
        + "</tr>"
        for row in table.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _inline(text: str) -> str:
    """Escaped text; what stands between backticks becomes code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
