"""Measures the record with a million jobs: the database's time for what the gateway asks it, and by which index."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from benchmarks.bench import Bench, BenchmarkError
from benchmarks.figures import Figure, Measurement
from benchmarks.record.explained import Explained, ExplainingConnection
from benchmarks.record.generator import BUSY_USER, fill
from benchmarks.record.writers import apply, clock, complete, job_of, submit, writing
from lib.bootstrap.database import FIGURES_STATEMENT_SECONDS
from lib.domain.actor import Actor
from lib.domain.provider import RemoteStatus
from lib.domain.time_range import TimeRange
from lib.ports.actor import acting_as
from lib.ports.record import JobFilter, NewJob
from lib.stores.postgres.logins import ensure_login
from lib.stores.postgres.migrations import migrate_up
from lib.stores.postgres.migrator import connect
from lib.stores.postgres.record import PostgresRecord
from lib.stores.postgres.repositories.analytics import PostgresAnalytics
from lib.stores.postgres.repositories.jobs import PostgresJobs
from lib.stores.postgres.roles import Group
from local.backing import Postgres, RecordDatabase

JOBS = 1_000_000
RUNS = 31
DEEP = 10_000
DUE = 20
LIMIT_MS = 2.0
DAILY_LIMIT_MS = 1000.0
LONG_LIMIT_MS = FIGURES_STATEMENT_SECONDS * 1000
WRITERS_PER_SECOND = 10.0


def measure(bench: Bench, jobs: int = JOBS) -> Measurement:
    """Fill a record, restart its server, and ask it everything while somebody writes."""
    with Postgres(bench.directory / "postgres-of-many-jobs") as server:
        database = RecordDatabase(server, name="vsl_many", stage="many")
        database.make()
        migrate_up(database.owner_url)
        with connect(database.owner_url) as connection:
            ensure_login(connection, database.api_url, Group.API)
            ensure_login(connection, database.worker_url, Group.WORKER)
        begun = datetime.now(UTC)
        fill(database.superuser_url, jobs, begun)
        filled = (datetime.now(UTC) - begun).total_seconds()
        server.stop()
        server.start()  # its buffers are empty now
        with Asked(database, jobs) as asked, writing(database.worker_url, jobs_per_second=WRITERS_PER_SECOND):
            asked.everything()
            before = asked.worker.sequential_scans()
            asked.everything()
            scans = sum(asked.worker.sequential_scans().values()) - sum(before.values())
            asked.daily()
        with Asked(database, jobs, found=asked.found, days=asked.days, look=True) as looking:
            looking.everything(runs=1)
        return _measurement(asked, jobs, scans, filled, database)


@dataclass
class Asked:
    """All that is asked, as the functions ask it: callers' functions as their login for a user, workers as theirs."""

    database: RecordDatabase
    jobs: int
    look: bool = False  # nobody writes: see which indexes are used
    found: dict[str, Explained] = field(default_factory=dict)
    days: dict[str, Explained] = field(default_factory=dict)

    def __enter__(self) -> "Asked":
        self._stack = ExitStack()
        self.api = self._stack.enter_context(closing(ExplainingConnection(self.database.api_url)))
        self.worker = self._stack.enter_context(closing(ExplainingConnection(self.database.worker_url)))
        self._api, self._worker = PostgresRecord(self.api), PostgresRecord(self.worker)
        self._jobs = PostgresJobs(self.worker)
        self._figures = PostgresAnalytics(self.api)
        self._random = random.Random(7)  # noqa: S311 - the same jobs in each run
        with psycopg.connect(self.database.superuser_url) as connection:
            connection.execute(
                "insert into users values ('admin', 'registered', 'admin', now()) on conflict do nothing"
            )
            self._sample = connection.execute(
                "select job_id::text, provider_job_id, user_id from jobs tablesample bernoulli (%s) limit 500",
                (min(100, 100_000 / self.jobs),),
            ).fetchall()
            row = connection.execute(
                "select created_at, job_id::text from jobs where user_id = %s"
                " order by created_at desc, job_id desc offset %s limit 1",
                (BUSY_USER, min(DEEP, self.jobs // 50) - 1),
            ).fetchone()
        if row is None or len(self._sample) < RUNS:
            raise BenchmarkError("there are too few jobs to be asked for")
        self._deep: tuple[datetime, str] = row
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def everything(self, runs: int = RUNS) -> None:
        """One round of so many of each question."""
        for _ in range(runs):
            job_id, remote, user_id = self._random.choice(self._sample)
            self._ask("job by id", self.api, user_id, lambda: self._must(self._api.find_job(job_id)))  # noqa: B023 - called at once
            self._ask(
                "job by provider id",
                self.worker,
                None,
                lambda: self._must(self._worker.find_job_by_provider("replicate", remote)),  # noqa: B023 - called at once
            )
            self._ask("a user's first page", self.api, BUSY_USER, lambda: self._page(None))
            self._ask("a user's page at row 10,000", self.api, BUSY_USER, lambda: self._page(self._deep))
            self._ask(
                "active jobs, 50", self.worker, None, lambda: self._must(self._jobs.find_active(limit=50))
            )
            self._ask(f"due jobs, {DUE}", self.worker, None, self._due)
            self._transitions()

    def daily(self) -> None:
        """The figures of all days, as an admin and as a worker have them; those of the last day and of a quarter."""
        now = datetime.now(UTC)
        day, quarter = (TimeRange(now - timedelta(days=days), now) for days in (1, 90))
        for _ in range(3):
            self._figure("daily_job_stats, an admin", "admin", lambda: self._rows(self.api))
            self._figure("daily_job_stats, a worker", None, lambda: self._rows(self.worker))
            for name, span in (("a day", day), ("90 days", quarter)):
                self._figure(f"models of {name}", "admin", lambda: self._figures.model_metrics(span))  # noqa: B023 - called at once
                self._figure(f"steps of {name}", "admin", lambda: self._figures.step_metrics(span))  # noqa: B023 - called at once
                self._figure(f"storage of {name}", "admin", lambda: self._figures.storage_metrics(span))  # noqa: B023 - called at once

    def _figure(self, name: str, user_id: str | None, question: Callable[[], object]) -> None:
        self._ask(
            name, self.api if user_id else self.worker, user_id, lambda: self._must(question()), self.days
        )

    def _transitions(self) -> None:
        job = job_of("user-1", clock())
        self._ask("create a job", self.api, "user-1", lambda: self._api.create_job(job, clock()))
        self._ask("record a submit", self.api, "user-1", lambda: submit(self._api, job))
        self._ask(
            "status: generating", self.worker, None, lambda: apply(self._worker, job, RemoteStatus.RUNNING)
        )
        self._ask(
            "status: storing", self.worker, None, lambda: apply(self._worker, job, RemoteStatus.SUCCEEDED)
        )
        self._ask("status: completed", self.worker, None, lambda: complete(self._worker, job))
        self._check_completed(job)

    def _ask(
        self,
        name: str,
        connection: ExplainingConnection,
        user_id: str | None,
        question: Callable[[], object],
        into: dict[str, Explained] | None = None,
    ) -> None:
        explained = (self.found if into is None else into).setdefault(name, Explained())
        before = connection.index_scans() if self.look else {}
        with _acting(user_id):
            question()
        connection.told(Explained() if self.look else explained)
        if self.look:
            after = connection.index_scans()
            explained.indexes = frozenset(index for index in after if after[index] > before[index])

    def _page(self, before: tuple[datetime, str] | None) -> None:
        rows = self._api.list_jobs(JobFilter(BUSY_USER, before=before, limit=20))
        if len(rows) != 21:
            raise BenchmarkError(f"a page of 20 and one more, not {len(rows)}")

    def _due(self) -> None:
        now = datetime.now(UTC)
        taken = self._worker.take_due_jobs(now=now, limit=DUE, lease_until=now - timedelta(hours=1))
        if len(taken) != DUE:
            raise BenchmarkError(f"{len(taken)} jobs were due")

    @staticmethod
    def _rows(connection: ExplainingConnection) -> list[tuple[Any, ...]]:
        return connection.fetch("select * from daily_job_stats")

    def _check_completed(self, job: NewJob) -> None:
        found = self._must(self._worker.find_job(job.job_id))
        if not found.final:
            raise BenchmarkError(f"the job is {found.status}, not completed")
        self.worker.told(Explained())

    @staticmethod
    def _must(found: Any) -> Any:
        if not found:
            raise BenchmarkError("what is there was not found")
        return found


@contextmanager
def _acting(user_id: str | None) -> Iterator[None]:
    with acting_as(Actor.user(user_id) if user_id else None):
        yield


def _measurement(asked: Asked, jobs: int, scans: int, filled: float, database: RecordDatabase) -> Measurement:
    shown = f"{jobs:,} jobs"
    figures = [
        Figure(f"{shown}: {name}, median", explained.median, LIMIT_MS, "ms")
        for name, explained in asked.found.items()
    ]
    figures += [
        Figure(
            f"{shown}: {name}, median",
            explained.median,
            LONG_LIMIT_MS if "90" in name else DAILY_LIMIT_MS,
            "ms",
        )
        for name, explained in asked.days.items()
    ]
    figures.append(Figure(f"{shown}: scans of whole tables", scans, 0))
    notes = [
        f"{shown} of 90 days with all that belongs to them, made in {filled:.0f} s: {_size(database)}.",
        "Milliseconds are the server's own, planning and execution, under the policies of each login.",
        f"Somebody makes and completes {WRITERS_PER_SECOND:.0f} jobs a second meanwhile; {2 * RUNS} runs of each.",
    ]
    for name, explained in {**asked.found, **asked.days}.items():
        way = "; ".join(explained.plan) or f"by {', '.join(sorted(explained.indexes))}"
        slow = max(explained.times[1:])
        notes.append(
            f"{name}: median {explained.median:.2f} ms, at most {slow:.2f}; the first, from empty buffers,"
            f" {explained.times[0]:.1f}. {way}."
        )
    return Measurement("A record of a million jobs", figures, notes)


def _size(database: RecordDatabase) -> str:
    with psycopg.connect(database.superuser_url) as connection:
        row = connection.execute("select pg_size_pretty(pg_database_size(current_database()))").fetchone()
    return str(row[0]) if row else "unknown"
