"""The logins of the functions: each made from the address in its secret, and a member of exactly one group."""

import psycopg
from psycopg import errors as pg
from psycopg import sql

from lib.domain.errors import ConfigurationError
from lib.stores.postgres.migrator import Connection, connect, parts_of
from lib.stores.postgres.roles import GRANT_OPTIONS_SINCE, POWERS, WITHOUT_POWERS, Group, lock_roles, retried

LOGIN_SETTINGS = {
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "30s",
    "lock_timeout": "4s",  # before `RecordConnection` gives up: who waits in vain is told that nothing was done
    "client_connection_check_interval": "1s",  # what nobody waits for any more is undone
    "search_path": "public",
}
_PROBE_SECONDS = 5


def ensure_login(connection: Connection, url: str, group: Group) -> list[str]:
    """Make the login that `url` names, with its password, its limits and its one group; say what was done.

    A password that already works is left as it is. It is hashed (SCRAM) before it is sent, so that no log of
    statements ever holds it. Run again, or twice at once, it changes nothing more.

    Raises ConfigurationError: the address names no user, the login has powers or another group, or belongs to
    the migrator itself; or this login may not administer it, with the SQL that lets it.
    """
    name, password = login_of(url)
    works = _works(url)
    try:
        return retried(lambda: _ensure(connection, name, password, group, works=works))
    except pg.InsufficientPrivilege as error:
        msg = (
            f"{connection.info.user} may not set up the login {name}. An administrator must run once, with the "
            f"password of the address: {_administrator_sql(connection, name, group)}"
        )
        raise ConfigurationError(msg) from error


def _administrator_sql(connection: Connection, name: str, group: Group) -> str:
    """What makes the login as it should be; each statement can be left out where it is done already."""
    login = sql.Identifier(name).as_string(connection)
    settings = [f"alter role {login} set {key} = '{value}';" for key, value in LOGIN_SETTINGS.items()]
    return " ".join([f"create role {login} login password '...' in role {group};", *settings])


def login_of(url: str) -> tuple[str, str | None]:
    """The user and the password of an address. Raises ConfigurationError if it names no user."""
    parts = parts_of(url)
    if not parts.get("user"):
        raise ConfigurationError(
            "The address of the database must name a user: postgresql://user:password@host/name."
        )
    return str(parts["user"]), parts.get("password")


def _works(url: str) -> bool:
    try:
        connect(url, connect_seconds=_PROBE_SECONDS).close()
    except psycopg.OperationalError:
        return False
    return True


def _ensure(
    connection: Connection, name: str, password: str | None, group: Group, *, works: bool
) -> list[str]:
    done: list[str] = []
    with connection.transaction():
        lock_roles(connection)
        if not _exists(connection, name, group):
            connection.execute(sql.SQL("create role {} login").format(sql.Identifier(name)))
            done.append(f"made the login {name}")
            works = False
        if password is not None and not works:
            _set_password(connection, name, password)
            done.append(f"set the password of {name}")
        done += _join(connection, name, group)
        done += _limit(connection, name)
    return done


def _exists(connection: Connection, name: str, group: Group) -> bool:
    columns = sql.SQL(", ").join(sql.Identifier(power) for power in POWERS)
    row = connection.execute(
        sql.SQL("select rolname = current_user, rolcanlogin, {} from pg_roles where rolname = %s").format(
            columns
        ),
        (name,),
    ).fetchone()
    if row is None:
        return False
    is_me, can_login, *powers = row
    said = [words for words, has in zip(POWERS.values(), powers, strict=True) if has]
    if is_me:
        raise ConfigurationError(f"{name} runs the migrations; the login of {group} must be another.")
    if said:
        msg = f"The login {name} {' and '.join(said)}: alter role {name} {WITHOUT_POWERS};"
        raise ConfigurationError(msg)
    _refuse_other_groups(connection, name, group)
    if not can_login:
        connection.execute(sql.SQL("alter role {} login").format(sql.Identifier(name)))
    return True


def _refuse_other_groups(connection: Connection, name: str, group: Group) -> None:
    """A login in two groups would see the rows of both."""
    others = [other.value for other in Group if other is not group]
    rows = connection.execute(
        "select r from unnest(%s::text[]) r where pg_has_role(%s, r, 'MEMBER')", (others, name)
    ).fetchall()
    if rows:
        other = rows[0][0]
        msg = f"The login {name} is a member of {other} and cannot be one of {group} too: revoke {other} from {name};"
        raise ConfigurationError(msg)


def _set_password(connection: Connection, name: str, password: str) -> None:
    hashed = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(name), sql.Literal(hashed)))


def _join(connection: Connection, name: str, group: Group) -> list[str]:
    row = connection.execute("select pg_has_role(%s, %s, 'USAGE')", (name, group)).fetchone()
    if row is not None and row[0]:
        return []
    options = " with inherit true" if connection.info.server_version >= GRANT_OPTIONS_SINCE else ""
    connection.execute(
        sql.SQL("grant {} to {}" + options).format(sql.Identifier(group), sql.Identifier(name))
    )
    return [f"made {name} a member of {group}"]


def _limit(connection: Connection, name: str) -> list[str]:
    row = connection.execute(
        "select setconfig from pg_db_role_setting s join pg_roles r on r.oid = s.setrole"
        " where r.rolname = %s and s.setdatabase = 0",
        (name,),
    ).fetchone()
    held = set(row[0]) if row else set()
    wrong = [(key, value) for key, value in LOGIN_SETTINGS.items() if f"{key}={value}" not in held]
    for key, value in wrong:
        connection.execute(
            sql.SQL("alter role {} set {} = {}").format(
                sql.Identifier(name), sql.Identifier(key), sql.Literal(value)
            )
        )
    return [f"set the limits of {name}"] if wrong else []
