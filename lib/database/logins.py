"""The logins that the functions use, from the addresses that they are given."""

from lib import bootstrap, work_settings
from lib.stores.postgres.logins import ensure_login
from lib.stores.postgres.migrator import connect
from lib.stores.postgres.roles import Group, ensure_roles


def ensure_logins(url: str, *, api_url: str | None = None, worker_url: str | None = None) -> list[str]:
    """Make the two logins where they are missing and say what was done; an address not given is in the settings.

    API_DATABASE_URL or the secret of API_DATABASE_SECRET_NAME is that of the functions that answer callers,
    WORKER_DATABASE_URL or WORKER_DATABASE_SECRET_NAME that of the workers; a login without either is left alone.

    Raises ConfigurationError as `ensure_roles` and `ensure_login` do.
    """
    settings = bootstrap.settings(work_settings.MigrationSettings)
    wanted = (
        (Group.API, api_url, settings.api_database),
        (Group.WORKER, worker_url, settings.worker_database),
    )
    done: list[str] = []
    with connect(url) as connection:
        ensure_roles(connection)
        for group, given, secret in wanted:
            address = given or (bootstrap.secrets().get(secret) if secret else None)
            if address:
                done += ensure_login(connection, address, group)
    return done
