"""What the roles are, and that nothing in the schema goes around them."""

import psycopg
import pytest

from lib.stores.postgres.roles import Group
from local.backing import RecordDatabase

OPEN_TABLES = {"schema_migrations", "database_options", "health_probe"}
"""Tables without anybody's rows."""


@pytest.fixture
def superuser(empty_record: RecordDatabase) -> psycopg.Connection:
    """A look at the catalog."""
    return psycopg.connect(empty_record.superuser_url, autocommit=True)


def logins(database: RecordDatabase) -> dict[str, Group]:
    names = {database.owner_url: Group.OWNER, database.api_url: Group.API, database.worker_url: Group.WORKER}
    return {str(psycopg.conninfo.conninfo_to_dict(url)["user"]): group for url, group in names.items()}


def test_the_groups_cannot_log_in_and_have_no_powers(superuser: psycopg.Connection) -> None:
    with superuser:
        rows = superuser.execute(
            "select rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication"
            " from pg_roles where rolname = any(%s)",
            ([*Group],),
        ).fetchall()
    assert {row[0] for row in rows} == {*Group}
    assert all(not any(row[1:]) for row in rows)


def test_the_gateways_logins_are_members_of_one_group_and_have_no_powers(
    empty_record: RecordDatabase,
) -> None:
    with psycopg.connect(empty_record.superuser_url) as connection:
        for name, group in logins(empty_record).items():
            row = connection.execute(
                "select rolcanlogin, rolsuper, rolbypassrls, rolreplication, rolcreatedb, rolcreaterole from pg_roles"
                " where rolname = %s",
                (name,),
            ).fetchone()
            may_make_roles = group is Group.OWNER
            assert row == (True, False, False, False, False, may_make_roles), name
            inherited = connection.execute(
                "select g.rolname from pg_roles g where g.rolname like 'vsl\\_%%' and not g.rolcanlogin"
                " and pg_has_role(%s, g.oid, 'usage')",
                (name,),
            ).fetchall()
            assert inherited == [(str(group),)], name


def test_the_gateways_logins_own_nothing(empty_record: RecordDatabase) -> None:
    with psycopg.connect(empty_record.superuser_url) as connection:
        for name, group in logins(empty_record).items():
            if group is not Group.OWNER:
                owned = connection.execute(
                    "select count(*) from pg_shdepend where refobjid = %s::regrole and deptype = 'o'", (name,)
                ).fetchone()
                assert owned == (0,), name


def test_everything_belongs_to_the_owner(superuser: psycopg.Connection) -> None:
    with superuser:
        others = superuser.execute(
            "select relname from pg_class"
            " where relnamespace = 'public'::regnamespace and relowner <> 'vsl_owner'::regrole"
            " union all select proname from pg_proc"
            " where pronamespace = 'public'::regnamespace and proowner <> 'vsl_owner'::regrole"
        ).fetchall()
    assert others == []


def test_every_table_with_somebodys_rows_forces_its_policies(superuser: psycopg.Connection) -> None:
    with superuser:
        unforced = superuser.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
            " and not (relrowsecurity and relforcerowsecurity)"
        ).fetchall()
    assert {name for (name,) in unforced} == OPEN_TABLES


def test_views_show_their_reader_what_the_tables_would(superuser: psycopg.Connection) -> None:
    with superuser:
        views = superuser.execute(
            "select relname, reloptions from pg_class"
            " where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')"
        ).fetchall()
    assert len(views) == 6
    assert all(options == ["security_invoker=true"] for _, options in views)


def test_functions_run_as_their_caller_and_find_no_names_by_chance(superuser: psycopg.Connection) -> None:
    with superuser:
        functions = superuser.execute(
            "select proname, prosecdef, proconfig, prosqlbody is not null from pg_proc"
            " where pronamespace = 'public'::regnamespace"
        ).fetchall()
    assert len(functions) > 50
    for name, as_owner, settings, bound_when_made in functions:
        assert not as_owner, name
        assert bound_when_made or settings == ["search_path=public, pg_temp"], name


def test_the_public_may_do_nothing(superuser: psycopg.Connection) -> None:
    with superuser:
        functions = superuser.execute(
            "select proname from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) a"
            " where pronamespace = 'public'::regnamespace and a.grantee = 0"
        ).fetchall()
        tables = superuser.execute(
            "select relname from pg_class, aclexplode(relacl) a"
            " where relnamespace = 'public'::regnamespace and a.grantee = 0"
        ).fetchall()
    assert (functions, tables) == ([], [])
