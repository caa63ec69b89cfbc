"""The logins that the functions use, from the addresses that they are given."""

from lib import bootstrap
from lib.stores.postgres.logins import ensure_login
from lib.stores.postgres.migrator import connect
from lib.stores.postgres.roles import Group, ensure_roles


def ensure_logins(url: str, *, api_url: str | None = None, worker_url: str | None = None) -> list[str]:
    """Make the two logins where they are missing and say what was done; an address not given is in the settings.

    API_DATABASE_URL or the secret of API_DATABASE_SECRET_NAME is that of the functions that answer callers,
    WORKER_DATABASE_URL or WORKER_DATABASE_SECRET_NAME that of the workers; a login without either is left alone.

    Raises ConfigurationError as `ensure_roles` and `ensure_login` do.
    """
    given = {Group.API: api_url, Group.WORKER: worker_url}
    wanted = bootstrap.database_logins() | {group: address for group, address in given.items() if address}
    done: list[str] = []
    with connect(url) as connection:
        ensure_roles(connection)
        for group, address in wanted.items():
            done += ensure_login(connection, address, group)
    return done
