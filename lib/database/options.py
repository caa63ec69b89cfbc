"""What an operator chooses for one database."""

from lib.domain.errors import ConfigurationError
from lib.stores.postgres.migrations.ledger import act_as_owner
from lib.stores.postgres.migrator import connect


def set_notify(url: str, *, on: bool) -> None:
    """Tell listeners about changes by NOTIFY from now on, or let them ask again and again instead.

    Raises ConfigurationError where the migrations have not been applied.
    """
    with connect(url) as connection, connection.transaction():
        row = connection.execute("select to_regclass('public.database_options') is not null").fetchone()
        if row is None or not row[0]:
            raise ConfigurationError("this database has no options yet: python -m lib.database migrate up")
        act_as_owner(connection)
        connection.execute("update database_options set notify = %s", (on,))
