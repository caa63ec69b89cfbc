"""Reads what a database consists of, as plain data that can be written down and compared: no rows, no numbers."""

import hashlib
from typing import Any

from lib.stores.postgres import catalog_queries as q
from lib.stores.postgres.migrator import Connection
from lib.stores.postgres.roles import POWERS, Group

Catalog = dict[str, Any]


def read_catalog(connection: Connection) -> Catalog:
    """Everything in schema `public`, by kind and name; the same for two databases of the same schema.

    Sorted by name, columns in their own order; what is not there has no key. `postgres` is the major version:
    Postgres writes views and SQL-standard function bodies out of its own parse tree (their `deparsed` hash), which
    compares within one major version only. Rights of the owner itself go without saying, and are left out.
    """
    with connection.transaction():
        connection.execute("set local search_path = public")
        return {
            "postgres": connection.info.server_version // 10000,
            "roles": _roles(connection),
            "default_privileges": dict(connection.execute(q.DEFAULT_PRIVILEGES).fetchall()),
            "types": _things(connection, q.TYPES),
            "sequences": _things(connection, q.SEQUENCES),
            "tables": _relations(connection, "r,p"),
            "views": _views(connection),
            "functions": _functions(connection),
        }


def _things(connection: Connection, query: str, *parameters: object) -> dict[str, Any]:
    """Rows of (name, json) as they are."""
    rows = connection.execute(query.encode(), parameters or None).fetchall()
    return {str(name): _present(thing) for name, thing in rows}


def _present(thing: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in thing.items() if value not in (None, {}, [])}


def _roles(connection: Connection) -> dict[str, Any]:
    columns = ", ".join(POWERS)
    query = f"select rolname, rolcanlogin, {columns} from pg_roles where rolname = any(%s) order by 1"  # noqa: S608 - our own names
    rows = connection.execute(
        query.encode(),
        ([group.value for group in Group],),
    ).fetchall()
    return {
        str(name): {"login": login, "powers": [p for p, has in zip(POWERS, powers, strict=True) if has]}
        for name, login, *powers in rows
    }


def _relations(connection: Connection, kind: str) -> dict[str, Any]:
    found = _things(connection, q.RELATIONS, kind)
    for section, query in q.SECTIONS.items():
        for relation, name, value in connection.execute(query.encode()).fetchall():
            if relation in found:
                found[relation].setdefault(section, {})[name] = (
                    _present(value) if isinstance(value, dict) else value
                )
    return found


def _views(connection: Connection) -> dict[str, Any]:
    views = _relations(connection, "v")
    for name, definition in connection.execute(q.VIEW_DEFINITIONS).fetchall():
        views[name]["deparsed"] = _hashed(definition)
    return views


def _functions(connection: Connection) -> dict[str, Any]:
    functions = _things(connection, q.FUNCTIONS)
    for name, deparsed, definition in connection.execute(q.FUNCTION_DEFINITIONS).fetchall():
        functions[name]["deparsed" if deparsed else "definition"] = _hashed(definition)
    for name, grantee, privileges in connection.execute(q.FUNCTION_GRANTS).fetchall():
        functions[name].setdefault("grants", {})[grantee] = privileges
    return functions


def _hashed(definition: str) -> str:
    return hashlib.sha256(definition.encode()).hexdigest()[:16]
