"""Fills a record with believable jobs: any number of them, with attempts, steps, history, outputs and storage log.

The same number gives the same rows but for the time, which ends now. Most jobs have ended; the youngest are in
flight. Every fortieth job is of `BUSY_USER`, so that this user has thousands among a hundred thousand.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

BUSY_USER = "user-0"
USERS = 10_000
DAYS = 90
IN_FLIGHT_SHARE = 500  # one of so many, at least ten

_SQL = Path(__file__).with_name("generator.sql")
TABLES = (
    "users",
    "jobs",
    "attempts",
    "job_transitions",
    "processing_timeline",
    "outputs",
    "storage_operations",
)


def fill(superuser_url: str, jobs: int, now: datetime) -> None:
    """Fill an empty record with so many jobs of the last 90 days, and let the planner know them.

    Foreign keys are not checked row by row while it goes on (session_replication_role): the rows are right by making.
    """
    values: dict[str, Any] = {
        "jobs": jobs,
        "users": min(USERS, max(10, jobs // 10)),
        "now": now,
        "days": DAYS,
        "flight": IN_FLIGHT_SHARE,
    }
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("set max_parallel_maintenance_workers = 2")
        for statement in _SQL.read_text(encoding="utf-8").strip().split(";\n"):
            with psycopg.ClientCursor(connection) as cursor:
                cursor.execute(statement.encode(), values)
        connection.execute(f"vacuum analyze {', '.join(TABLES)}")
