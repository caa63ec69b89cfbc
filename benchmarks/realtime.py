"""`python -m benchmarks.realtime`: transitions a second by several writers, with NOTIFY and without.

Each writer has a job of its own, so that they wait for nothing but commits. The server syncs its log to disk. The
subscriber hears all jobs on the same machine. The sides take turns.
"""

import statistics
import subprocess
import tempfile
from pathlib import Path

import psycopg

from benchmarks import machine
from benchmarks.timing import interleave
from lib.database.options import set_notify
from lib.database.programs import find_program, server_major
from lib.domain.job_change import JobChange
from lib.stores.postgres.logins import ensure_login
from lib.stores.postgres.migrations import migrate_up
from lib.stores.postgres.migrator import connect
from lib.stores.postgres.realtime import PostgresSubscriptions
from lib.stores.postgres.roles import Group
from local.backing import Postgres, RecordDatabase

WRITERS = (1, 8, 32)
SECONDS = 3
TURNS = 5
_JOBS = """
with made as (select n, clock_timestamp() as at from generate_series(0, %s) n)
insert into jobs (job_id, short_id, user_id, media_type, model_id, provider, parameters, status, step, estimated_time_s,
                  estimated_cost, created_at, updated_at, deadline_at, due_at)
select uuid_at(at), lpad(n::text, 11, '0'), 'bench', 'image', 'flux-schnell', 'replicate', '{}', 'pending', 'queued', 5,
       0.003, at, at, at, at from made"""
_TRANSITION = """
select save_transition(j, 'measured', now()) from jobs j where short_id = lpad(:client_id::text, 11, '0');"""


def main() -> None:
    """Measure and print a table."""
    print(f"measuring on {machine.describe()}")
    with tempfile.TemporaryDirectory() as directory, Postgres(Path(directory) / "pg", durable=True) as server:
        database = _prepared(server)
        script = Path(directory) / "transition.sql"
        script.write_text(_TRANSITION)
        print(
            "| writers | without NOTIFY | NOTIFY, nobody listens | NOTIFY and a subscriber |\n|---|---|---|---|"
        )
        for writers in WRITERS:
            print(_row(database, script, writers), flush=True)


def _row(database: RecordDatabase, script: Path, writers: int) -> str:
    sides = interleave(
        TURNS,
        lambda: _per_second(database, script, writers, notify=False),
        lambda: _per_second(database, script, writers, notify=True),
        lambda: _heard_per_second(database, script, writers),
    )
    shown = [f"{statistics.median(side):,.0f} ({min(side):,.0f} to {max(side):,.0f})" for side in sides]
    return f"| {writers} | {' | '.join(shown)} |"


def _heard_per_second(database: RecordDatabase, script: Path, writers: int) -> float:
    subscriptions = PostgresSubscriptions(lambda: database.worker_url)
    subscriptions.subscribe_to_all_jobs(_hear)
    try:
        return _per_second(database, script, writers, notify=True)
    finally:
        subscriptions.close()


def _per_second(database: RecordDatabase, script: Path, writers: int, *, notify: bool) -> float:
    set_notify(database.owner_url, on=notify)
    pgbench = find_program("pgbench", server_major(database.owner_url))
    options = ["-n", "-f", str(script), "-c", str(writers), "-j", "2", "-T", str(SECONDS)]
    done = subprocess.run(
        [str(pgbench), *options, database.worker_url], capture_output=True, text=True, check=True
    )
    [line] = [line for line in done.stdout.splitlines() if line.startswith("tps = ")]
    return float(line.split()[2])


def _prepared(server: Postgres) -> RecordDatabase:
    database = RecordDatabase(server, name="bench", stage="bench")
    database.make()
    migrate_up(database.owner_url)
    with connect(database.owner_url) as connection:
        ensure_login(connection, database.worker_url, Group.WORKER)
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute("insert into users (user_id, created_at) values ('bench', now())")
        connection.execute(_JOBS, (max(WRITERS) - 1,))
    return database


def _hear(_change: JobChange) -> None:
    """Somebody listens."""


if __name__ == "__main__":
    main()
