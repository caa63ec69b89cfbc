"""Group roles and logins, made by a migrator that is no superuser, on a server that asks for passwords."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from lib.domain.errors import ConfigurationError
from lib.stores.postgres import roles
from lib.stores.postgres.logins import LOGIN_SETTINGS, ensure_login
from lib.stores.postgres.migrations import migrate_up
from lib.stores.postgres.migrator import connect
from lib.stores.postgres.roles import Group, ensure_roles
from local.backing import Postgres

GROUPS = ["vsl_analyst", "vsl_api", "vsl_owner", "vsl_worker"]
PASSWORD = "p@ss word/'1"
QUOTED = "p%40ss%20word%2F'1"


class Cluster:
    """A server of its own: only the superuser needs no password, and every statement is logged."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        rules = server.data_dir / "pg_hba.conf"
        rules.write_text(
            "host all postgres 127.0.0.1/32 trust\nhost all /^migrator 127.0.0.1/32 trust\n"
            "host all all 127.0.0.1/32 scram-sha-256\n"
        )
        self.run("alter system set log_statement = 'all'")
        self.run("select pg_reload_conf()")

    def run(self, sql: str) -> list[tuple[object, ...]]:
        """As the superuser."""
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def url(self, user: str, database: str) -> str:
        """An address on this server."""
        return f"postgresql://{user}@127.0.0.1:{self.server.port}/{database}"

    def migrator(self, attributes: str = "createrole") -> str:
        """The address of a new migrator with a database of its own."""
        name = f"migrator_{uuid4().hex[:8]}"
        self.run(f"create role {name} login {attributes}")
        self.run(f"create database {name} owner {name}")
        return self.url(name, name)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Postgres(Path(tmp_path_factory.mktemp("roles")) / "data") as server:
        yield Cluster(server)


@pytest.fixture
def cluster(server: Cluster) -> Iterator[Cluster]:
    """Without roles and databases of other tests."""
    yield server
    for (name,) in server.run("select datname from pg_database where datname like 'migrator%'"):
        server.run(f"drop database {name} with (force)")
    names = server.run("select rolname from pg_roles where rolname !~ '^pg_' and rolname <> 'postgres'")
    if names:
        server.run(f"drop role {', '.join(str(name) for (name,) in names)}")


def test_a_migrator_with_createrole_makes_the_groups_and_becomes_the_owner(cluster: Cluster) -> None:
    with connect(cluster.migrator()) as connection:
        assert sorted(ensure_roles(connection)) == GROUPS
        connection.execute("set role vsl_owner")
        connection.execute("create table made (id int)")
        connection.execute("reset role")
        connection.execute("insert into made values (1)")
        assert ensure_roles(connection) == []
    assert cluster.run(
        "select distinct rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or rolcanlogin"
        " from pg_roles where rolname like 'vsl_%'"
    ) == [(False,)]


def test_a_migrator_that_may_not_create_roles_says_what_an_administrator_must_run_and_it_works(
    cluster: Cluster,
) -> None:
    url = cluster.migrator(attributes="")
    with pytest.raises(ConfigurationError, match="may not set up roles") as raised:
        migrate_up(url)
    assert cluster.run("select rolname from pg_roles where rolname like 'vsl_%'") == []
    script = str(raised.value).partition("must run once: ")[2]
    database = url.rpartition("/")[2]
    with psycopg.connect(cluster.url("postgres", database), autocommit=True) as administrator:
        administrator.execute(script.encode())
    assert len(migrate_up(url)) > 0


def test_a_migrator_that_may_not_create_logins_says_what_an_administrator_must_run_and_it_works(
    cluster: Cluster,
) -> None:
    cluster.run("create role vsl_api")
    url = cluster.migrator(attributes="")
    api = cluster.url(f"vsl_made_api:{QUOTED}", url.rpartition("/")[2])
    with connect(url) as connection:
        with pytest.raises(ConfigurationError, match="may not set up the login vsl_made_api") as raised:
            ensure_login(connection, api, Group.API)
        assert PASSWORD not in str(raised.value)
        script = str(raised.value).partition("of the address: ")[2]
        for other in ("vsl_owner", "vsl_worker", "vsl_analyst"):
            cluster.run(f"create role {other}")
        cluster.run(script.replace("...", PASSWORD.replace("'", "''")))
        assert ensure_login(connection, api, Group.API) == []


def test_a_second_migrator_of_another_database_needs_an_administrator_once(cluster: Cluster) -> None:
    """Roles belong to the cluster, and the first migrator alone administers what it made."""
    migrate_up(cluster.migrator())
    with pytest.raises(ConfigurationError, match=r'grant "vsl_owner" to .* with inherit true, set true;'):
        migrate_up(cluster.migrator())


def test_migrators_of_two_databases_at_once_make_the_roles_once(cluster: Cluster) -> None:
    urls = [cluster.url("postgres", cluster.migrator().rpartition("/")[2]) for _ in range(4)]
    together = threading.Barrier(len(urls))

    def run(url: str) -> list[str]:
        with connect(url) as connection:
            together.wait()
            return ensure_roles(connection)

    with ThreadPoolExecutor(len(urls)) as threads:
        made = [name for names in threads.map(run, urls) for name in names]
    assert sorted(made) == GROUPS


@pytest.mark.parametrize("whose", ["public", "vsl_api"])
def test_nobody_but_the_owner_makes_things_in_schema_public(cluster: Cluster, whose: str) -> None:
    """As a database of Postgres 14 or before lets everybody."""
    url = cluster.migrator()
    with connect(url) as connection:
        ensure_roles(connection)
        connection.execute(f"grant create on schema public to {whose}".encode())
        assert ensure_roles(connection) == []
    database = url.rpartition("/")[2]
    with psycopg.connect(cluster.url("postgres", database)) as superuser:
        superuser.execute("set local role vsl_api")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="schema public"):
            superuser.execute("create function public.uuid_at(date) returns uuid language sql return null")


def test_a_right_that_the_migrator_cannot_take_away_is_said_to_an_administrator(cluster: Cluster) -> None:
    url = cluster.migrator()
    with connect(url) as connection:
        ensure_roles(connection)
    with psycopg.connect(cluster.url("postgres", url.rpartition("/")[2]), autocommit=True) as superuser:
        superuser.execute("alter schema public owner to postgres; grant create on schema public to public")
        with connect(url) as connection:
            with pytest.raises(
                ConfigurationError, match="revoke create on schema public from public"
            ) as said:
                ensure_roles(connection)
            superuser.execute("revoke create on schema public from public")
            assert "may not set up roles" in str(said.value)
            assert ensure_roles(connection) == []


def test_who_keeps_others_from_the_roles_is_named_and_not_waited_for_forever(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "_LOCK_SECONDS", 0)
    url = cluster.migrator()
    with (
        psycopg.connect(cluster.url("postgres", url.rpartition("/")[2])) as other,
        connect(url) as connection,
    ):
        other.execute("select pg_advisory_lock(%s)", (roles.ROLES_LOCK,))
        said = f"end process {other.info.backend_pid} of the login postgres"
        with pytest.raises(ConfigurationError, match=said):
            ensure_roles(connection)


def test_a_group_that_bypasses_row_level_security_is_refused(cluster: Cluster) -> None:
    url = cluster.migrator()
    cluster.run("create role vsl_api bypassrls")
    with (
        connect(url) as connection,
        pytest.raises(ConfigurationError, match="vsl_api bypasses row-level security"),
    ):
        ensure_roles(connection)


@pytest.fixture
def migrated(cluster: Cluster) -> str:
    """The address of a migrator whose database has its roles."""
    url = cluster.migrator()
    with connect(url) as connection:
        ensure_roles(connection)
    return url


def test_a_login_is_made_with_its_password_its_limits_and_its_one_group(
    cluster: Cluster, migrated: str
) -> None:
    api = cluster.url(f"vsl_x_api:{QUOTED}", migrated.rpartition("/")[2])
    with connect(migrated) as connection:
        assert ensure_login(connection, api, Group.API) == [
            "made the login vsl_x_api",
            "set the password of vsl_x_api",
            "made vsl_x_api a member of vsl_api",
            "set the limits of vsl_x_api",
        ]
        assert ensure_login(connection, api, Group.API) == []
    with psycopg.connect(api) as login:
        shown = {name: login.execute(f"show {name}".encode()).fetchone() for name in LOGIN_SETTINGS}
        assert shown == {name: (value,) for name, value in LOGIN_SETTINGS.items()}
        member = "select r, pg_has_role(r, 'USAGE') from unnest(%s::text[]) r"
        assert {r for r, has in login.execute(member, (GROUPS,)).fetchall() if has} == {"vsl_api"}
    assert cluster.run(
        "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb from pg_roles where rolname = 'vsl_x_api'"
    ) == [(False,)]


def test_a_password_that_no_longer_works_is_set_and_never_logged_nor_stored_in_the_open(
    cluster: Cluster, migrated: str
) -> None:
    database = migrated.rpartition("/")[2]
    logged_before = len(cluster.server.log.read_text())
    old, new = (cluster.url(f"vsl_x_worker:{word}-{QUOTED}", database) for word in ("old", "new"))
    with connect(migrated) as connection:
        ensure_login(connection, old, Group.WORKER)
        assert ensure_login(connection, new, Group.WORKER) == ["set the password of vsl_x_worker"]
    psycopg.connect(new).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(old)
    stored = str(cluster.run("select rolpassword from pg_authid where rolname = 'vsl_x_worker'"))
    log = cluster.server.log.read_text()[logged_before:]
    assert "SCRAM-SHA-256$" in stored
    assert "alter role" in log
    assert "p@ss" not in stored + log


def test_two_that_make_the_same_login_at_once_both_succeed(cluster: Cluster, migrated: str) -> None:
    api = cluster.url(f"vsl_y_api:{QUOTED}", migrated.rpartition("/")[2])
    together = threading.Barrier(3)

    def run(_number: int) -> list[str]:
        with connect(migrated) as connection:
            together.wait()
            return ensure_login(connection, api, Group.API)

    with ThreadPoolExecutor(3) as threads:
        done = [line for lines in threads.map(run, range(3)) for line in lines]
    assert done.count("made the login vsl_y_api") == 1
    psycopg.connect(api).close()


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        ("create role {login} login superuser", "is a superuser"),
        ("create role {login} login bypassrls", "bypasses row-level security"),
        (
            "create role {login} login in role vsl_worker",
            "is a member of vsl_worker and cannot be one of vsl_api",
        ),
        (
            "create role {login} login in role vsl_owner",
            "is a member of vsl_owner and cannot be one of vsl_api",
        ),
    ],
)
def test_a_login_that_could_see_more_than_its_group_is_refused(
    cluster: Cluster, migrated: str, prepare: str, message: str
) -> None:
    cluster.run(prepare.format(login="vsl_z_api"))
    api = cluster.url(f"vsl_z_api:{QUOTED}", migrated.rpartition("/")[2])
    with connect(migrated) as connection, pytest.raises(ConfigurationError, match=message) as raised:
        ensure_login(connection, api, Group.API)
    assert "p@ss" not in str(raised.value)


def test_the_migrator_itself_is_no_login_of_a_function(migrated: str) -> None:
    with connect(migrated) as connection, pytest.raises(ConfigurationError, match="runs the migrations"):
        ensure_login(connection, migrated, Group.API)


def test_an_address_without_a_user_is_refused(migrated: str) -> None:
    with connect(migrated) as connection, pytest.raises(ConfigurationError, match="lacks"):
        ensure_login(connection, "postgresql://127.0.0.1/x", Group.API)
