"""Many believable rows in every table that tells of jobs, for tests of queries and of figures."""

from datetime import datetime, timedelta

import psycopg

from tests.integration.filled_statements import STATEMENTS

ADMIN = "root"


def fill(superuser_url: str, *, jobs: int, until: datetime, days: float, users: int = 20) -> None:
    """Jobs of `user-0`, `user-1` .. over the `days` before `until`, with all that belongs to them, and statistics.

    One in thirty has not ended, one in twenty is composed. Durations, sizes and fates are drawn anew each time.
    """
    facts = {"jobs": jobs, "users": users, "until": until, "span": timedelta(days=days), "admin": ADMIN}
    with psycopg.connect(superuser_url) as connection:
        for statement in STATEMENTS:
            connection.execute(statement, facts)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("vacuum (analyze)")
