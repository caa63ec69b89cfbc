"""Every function of the record is called: by a statement of the gateway, or by what such a statement sets going."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg

from local.backing import RecordDatabase

LIB = Path(__file__).parents[2] / "lib"


def statements() -> Iterator[str]:
    """Every text in the gateway's code that is no docstring."""
    for path in LIB.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                yield node.value


def called_in(text: str, names: set[str]) -> set[str]:
    """The functions of these names that a text calls."""
    return {name for name in re.findall(r"\b([a-z_]+)\s*\(", text) if name in names}


def test_every_function_is_called_by_the_gateway_or_by_what_it_calls(empty_record: RecordDatabase) -> None:
    with psycopg.connect(empty_record.superuser_url) as connection:
        bodies: dict[str, str] = {}
        for name, body in connection.execute(
            "select proname, pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace"
        ):
            bodies[name] = bodies.get(name, "") + body.split("LANGUAGE", 1)[1]
        standing = connection.execute(
            "select coalesce(qual, '') || coalesce(with_check, '') from pg_policies where schemaname = 'public'"
            " union all select definition from pg_views where schemaname = 'public'"
            " union all select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal"
            " union all select pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace"
        ).fetchall()
    names = set(bodies)
    roots = [*statements(), *(text for (text,) in standing)]
    reached, fresh = set[str](), {name for text in roots for name in called_in(text, names)}
    while fresh:
        reached |= fresh
        fresh = {name for caller in fresh for name in called_in(bodies[caller], names)} - reached
    assert names - reached == set()


def test_a_function_that_nothing_calls_would_be_noticed() -> None:
    assert called_in("select create_job(%s, %s)", {"create_job", "forgotten"}) == {"create_job"}
