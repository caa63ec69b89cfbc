"""`docs/database.md` is drawn from the catalog, and names everything in it."""

from pathlib import Path

import pytest

from lib.database.docs import BEGIN, DOCS_FILE, generated, with_generated, write_docs
from lib.database.schema_file import committed_catalog
from lib.domain.errors import ConfigurationError
from lib.stores.postgres.catalog import Catalog
from lib.stores.postgres.migrations import migrate_up
from local.backing import Postgres
from tests.integration.own_database import catalog_of, own_database

SMALL: Catalog = {
    "postgres": 18,
    "tables": {
        "parents": {
            "comment": "Have children.",
            "row_security": "forced",
            "columns": {
                "id": {"type": "bigint", "null": False, "identity": "always", "comment": "Its | number."}
            },
            "constraints": {"parents_pkey": {"definition": "PRIMARY KEY (id)"}},
            "policies": {
                "all_of_them": {"for": "all", "to": ["vsl_owner"], "using": "true", "check": "(id\n > 1)"}
            },
        },
        "children": {
            "row_security": "off",
            "columns": {
                "id": {"type": "numeric(10,3)", "null": True, "default": "1"},
                "at": {"type": "timestamp with time zone", "null": False},
            },
            "constraints": {
                "to_parent": {"definition": "FOREIGN KEY (id) REFERENCES parents(id)"},
                "once": {"definition": "UNIQUE (id)"},
            },
            "indexes": {
                "by_at": {"definition": "CREATE INDEX by_at ON public.children (at)", "comment": "By time."}
            },
        },
    },
    "views": {"all_ids": {"comment": "Ids.", "columns": {"id": {"type": "bigint", "null": True}}}},
    "functions": {
        "f(integer)": {
            "returns": "timestamp with time zone",
            "comment": "Does it.",
            "grants": {"vsl_api": ["execute"]},
        },
        "g()": {"returns": "void"},
    },
}


def test_the_committed_page_is_that_of_a_fresh_migration(postgres: Postgres) -> None:
    """If this fails: make database-docs."""
    with own_database(postgres) as database:
        migrate_up(database.owner_url)
        catalog = catalog_of(database.owner_url)
    page = DOCS_FILE.read_text(encoding="utf-8")
    assert with_generated(page, catalog) == page


def test_every_table_column_view_and_function_is_on_the_page_with_its_comment() -> None:
    page, catalog = DOCS_FILE.read_text(encoding="utf-8"), committed_catalog()
    for name, table in catalog["tables"].items():
        assert f"### `{name}`\n\n{table['comment']}\n" in page
        assert all(f"| `{column}` |" in page for column in table["columns"])
    assert all(f"### `{name}`\n\n{view['comment']}\n" in page for name, view in catalog["views"].items())
    assert all(f"| `{name}` |" in page for name in catalog["functions"])


@pytest.mark.parametrize("section", ["tables", "views", "functions"])
def test_nothing_in_the_schema_goes_without_a_comment(section: str) -> None:
    things = committed_catalog()[section]
    assert [name for name, thing in things.items() if not thing.get("comment")] == []


def test_no_column_or_index_goes_without_a_comment() -> None:
    missing = [
        f"{table}.{name}"
        for table, thing in committed_catalog()["tables"].items()
        for part in ("columns", "indexes")
        for name, value in thing.get(part, {}).items()
        if not value.get("comment")
    ]
    assert missing == []


def test_the_diagram_shows_keys_and_how_many_belong_to_one() -> None:
    drawn = generated(SMALL).partition("```mermaid\n")[2].partition("```")[0]
    assert drawn == (
        "erDiagram\n"
        '    parents |o--o| children : "id"\n'
        "    parents {\n        bigint id PK\n    }\n"
        "    children {\n        numeric id FK, UK\n        timestamptz at\n    }\n"
    )


def test_tables_views_and_functions_are_told_in_rows() -> None:
    lines = generated(SMALL).splitlines()
    for line in (
        "| `id` | bigint |  | identity, always | Its \\| number. |",
        "| `id` | numeric(10,3) | yes | `1` |  |",
        "| `all_of_them` | all | vsl_owner | all | `(id > 1)` |",
        "* `by_at`: By time. `CREATE INDEX by_at ON children (at)`",
        "Columns: `id` bigint.",
        "| `f(integer)` | timestamptz | vsl_api | Does it. |",
        "| `g()` | void | its owner |  |",
    ):
        assert line in lines


def test_what_people_wrote_stays(tmp_path: Path) -> None:
    page = tmp_path / "database.md"
    page.write_text(f"# Ours\n\nWords.\n\n{BEGIN}\n\nold\n")
    write_docs(SMALL, page)
    written = page.read_text()
    assert written.startswith(f"# Ours\n\nWords.\n\n{BEGIN}\n\n## The diagram\n")
    assert "old" not in written
    write_docs(SMALL, page)
    assert page.read_text() == written


def test_a_page_without_the_mark_is_not_written_over(tmp_path: Path) -> None:
    page = tmp_path / "database.md"
    page.write_text("# Ours\n")
    with pytest.raises(ConfigurationError, match="lacks the line"):
        write_docs(SMALL, page)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        write_docs(SMALL, tmp_path / "none.md")
    assert page.read_text() == "# Ours\n"
