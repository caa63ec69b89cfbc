"""The four group roles of the record: what each may do stands in the migrations, that they exist is made sure here.

Logins are members of one group each (`logins.py`). Roles belong to the whole cluster, so two migrators of two
databases may meet here; whoever comes second finds the work done.
"""

from collections.abc import Callable
from enum import StrEnum

from psycopg import errors as pg
from psycopg import sql

from lib.domain.errors import ConfigurationError
from lib.stores.postgres.advisory import lock_within
from lib.stores.postgres.migrator import Connection

ROLES_LOCK = 7_305_819  # held for a moment only, unlike the lock of migrations
GRANT_OPTIONS_SINCE = (
    160000  # from Postgres 16 a membership says whether it is inherited, and whether SET ROLE works
)
_TRIES = 10
_LOCK_SECONDS = 20


class Group(StrEnum):
    """A role that logs in as nobody: logins are its members."""

    OWNER = "vsl_owner"
    API = "vsl_api"
    WORKER = "vsl_worker"
    ANALYST = "vsl_analyst"


POWERS = {
    "rolsuper": "is a superuser",
    "rolbypassrls": "bypasses row-level security",
    "rolcreaterole": "may create roles",
    "rolcreatedb": "may create databases",
    "rolreplication": "may replicate",
}
WITHOUT_POWERS = "nosuperuser nobypassrls nocreaterole nocreatedb noreplication"


def ensure_roles(connection: Connection) -> list[str]:
    """Make the groups that are missing, let this login act as the owner, and let all into schema public.

    Returns the names of the roles it made. Run again, or twice at once, it changes nothing more.

    Raises:
        ConfigurationError: this login may not do it, with the SQL that an administrator has to run once; or a
            group has a power that would undo row-level security.
    """
    try:
        return retried(lambda: _ensure(connection))
    except pg.InsufficientPrivilege as error:
        raise ConfigurationError(_ask_an_administrator(connection)) from error


def retried(work: Callable[[], list[str]]) -> list[str]:
    """The outcome of work on roles, begun again when another database's migrator did the same just now."""
    for attempt in range(_TRIES):
        try:
            return work()
        except (pg.DuplicateObject, pg.UniqueViolation, pg.InternalError_):  # "tuple concurrently updated"
            if attempt + 1 == _TRIES:
                raise
    raise AssertionError


def lock_roles(connection: Connection) -> None:
    """Keep others from working on roles until the end of the transaction. Raises ConfigurationError: they go on."""
    lock_within(connection, ROLES_LOCK, _LOCK_SECONDS)


def may_act_as(connection: Connection, group: Group) -> bool:
    """Whether this login has the rights of the group and can SET ROLE to it."""
    way = "SET" if connection.info.server_version >= GRANT_OPTIONS_SINCE else "MEMBER"
    found = connection.execute(
        "select pg_has_role(current_user, %s, %s) and pg_has_role(current_user, %s, 'USAGE')",
        (group, way, group),
    ).fetchone()
    return found is not None and bool(found[0])


def _ensure(connection: Connection) -> list[str]:
    with connection.transaction():
        lock_roles(connection)
        there = _existing(connection)
        missing = [group.value for group in Group if group not in there]
        for name in missing:
            connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(name)))
        if not may_act_as(connection, Group.OWNER):
            connection.execute(_membership(connection))
        for statement in (*_grants(connection), *_revokes(connection)):
            connection.execute(statement)
        _check_schema(connection)
    return missing


def _existing(connection: Connection) -> set[str]:
    """The groups that exist. Raises ConfigurationError for one that could do more than a group may."""
    columns = sql.SQL(", ").join(sql.Identifier(power) for power in POWERS)
    rows = connection.execute(
        sql.SQL("select rolname, rolcanlogin, {} from pg_roles where rolname = any(%s)").format(columns),
        ([group.value for group in Group],),
    ).fetchall()
    for name, can_login, *powers in rows:
        said = [words for words, has in zip(POWERS.values(), powers, strict=True) if has]
        said += ["can log in"] if can_login else []
        if said:
            msg = f"The role {name} {' and '.join(said)}: alter role {name} nologin {WITHOUT_POWERS};"
            raise ConfigurationError(msg)
    return {str(row[0]) for row in rows}


def _membership(connection: Connection) -> sql.Composed:
    options = " with inherit true, set true" if connection.info.server_version >= GRANT_OPTIONS_SINCE else ""
    me = sql.Identifier(_me(connection))
    return sql.SQL("grant {} to {}" + options).format(sql.Identifier(Group.OWNER), me)


def _grants(connection: Connection) -> list[sql.Composed]:
    """What has not been granted yet: only the owner makes things, all may look for them."""
    rows = connection.execute(
        "select grantee::regrole::text, lower(privilege_type) from pg_namespace, aclexplode(nspacl)"
        " where nspname = 'public' and grantee <> 0"
    ).fetchall()
    granted = {(str(grantee), str(privilege)) for grantee, privilege in rows}
    wanted = [(group, "usage") for group in Group] + [(Group.OWNER, "create")]
    return [
        sql.SQL("grant {} on schema public to {}").format(sql.SQL(privilege), sql.Identifier(group))
        for group, privilege in wanted
        if (group.value, privilege) not in granted
    ]


def _revokes(connection: Connection) -> list[sql.Composed]:
    """What must not be: a function that a login puts beside ours may fit a call better, and then runs as its caller.

    Databases made by Postgres 14 or before let everybody create in schema public.
    """
    rows = connection.execute(
        "select case grantee when 0 then 'public' else grantee::regrole::text end from pg_namespace, aclexplode(nspacl)"
        " where nspname = 'public' and privilege_type = 'CREATE' and (grantee = 0 or grantee::regrole::text = any(%s))",
        ([group.value for group in Group if group is not Group.OWNER],),
    ).fetchall()
    return [sql.SQL("revoke create on schema public from {}").format(sql.SQL(name)) for (name,) in rows]


def _check_schema(connection: Connection) -> None:
    """Postgres only warns when a grant had no effect; here it is an error."""
    row = connection.execute(
        "select bool_and(has_schema_privilege(r, 'public', 'create') = (r = %s)"
        " and has_schema_privilege(r, 'public', 'usage') and has_database_privilege(r, current_database(), 'connect'))"
        " from unnest(%s::text[]) r",
        (Group.OWNER, [group.value for group in Group]),
    ).fetchone()
    if row is None or not row[0]:
        raise pg.InsufficientPrivilege


def _ask_an_administrator(connection: Connection) -> str:
    return f"{_me(connection)} may not set up roles. An administrator must run once: {administrator_sql(connection)}"


def administrator_sql(connection: Connection) -> str:
    """The statements that set up what this login may not; each of them can be left out where it is done already."""
    me = sql.Identifier(_me(connection)).as_string(connection)
    database = sql.Identifier(connection.info.dbname).as_string(connection)
    groups = ", ".join(Group)
    return " ".join(
        [
            *(f"create role {group} nologin;" for group in Group),
            f"{_membership(connection).as_string(connection)};",
            f"grant {Group.API}, {Group.WORKER}, {Group.ANALYST} to {me} with admin option;",
            f"grant connect on database {database} to {groups};",
            f"grant usage on schema public to {groups};",
            "revoke create on schema public from public;",
            f"grant create on schema public to {Group.OWNER};",
        ]
    )


def _me(connection: Connection) -> str:
    row = connection.execute("select current_user").fetchone()
    return str(row[0]) if row else ""
