"""Statements as the gateway sends them, each explained by the server while it runs it."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from benchmarks.bench import BenchmarkError
from lib.ports.actor import current_actor

BIG_TABLES = ("jobs", "attempts", "job_transitions", "processing_timeline", "outputs", "storage_operations")


@dataclass
class Explained:
    """What the server said of several runs of one thing: milliseconds of database time each, and the last plan."""

    times: list[float] = field(default_factory=list)
    plan: Sequence[str] = ()
    indexes: frozenset[str] = frozenset()

    @property
    def median(self) -> float:
        """Of all runs but the first, which may have come to cold buffers."""
        return statistics.median(self.times[1:])


class ExplainingConnection:
    """Stands in for `RecordConnection`: each statement runs twice, explained and undone first, then for good."""

    def __init__(self, url: str) -> None:
        self._connection: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(
            url, row_factory=tuple_row, prepare_threshold=None
        )
        self._milliseconds = 0.0
        self._plan: list[str] = []

    def fetch(
        self,
        sql: str,
        params: Any = (),
        *,
        repeat: bool = True,  # noqa: ARG002 - of the interface: nothing is repeated here
    ) -> list[tuple[Any, ...]]:
        """See `RecordConnection.fetch`."""
        with self._transaction(keep=False):
            explained = self._connection.execute(
                f"explain (analyze, buffers, timing off, format json) {sql}".encode(), params
            ).fetchone()
        if explained is None:
            raise BenchmarkError("the server explained nothing")
        self._note(explained[0][0])
        with self._transaction(keep=True):
            cursor = self._connection.execute(sql.encode(), params)
            return cursor.fetchall() if cursor.description else []

    def told(self, into: Explained) -> None:
        """Add what was explained since the last call."""
        into.times.append(self._milliseconds)
        into.plan = tuple(dict.fromkeys(self._plan))
        self._milliseconds, self._plan = 0.0, []

    def sequential_scans(self) -> dict[str, int]:
        """How often each big table was read as a whole so far, by whomever."""
        self._connection.execute("select pg_stat_force_next_flush()")
        self._connection.commit()
        rows = self._connection.execute(
            "select relname, seq_scan from pg_stat_user_tables where relname = any(%s)", ([*BIG_TABLES],)
        ).fetchall()
        self._connection.commit()
        return {str(name): int(scans) for name, scans in rows}

    def index_scans(self) -> dict[str, int]:
        """How often each index was used so far, by whomever."""
        self._connection.execute("select pg_stat_force_next_flush()")
        self._connection.commit()
        rows = self._connection.execute(
            "select indexrelname, idx_scan from pg_stat_user_indexes where relname = any(%s)",
            ([*BIG_TABLES],),
        ).fetchall()
        self._connection.commit()
        return {str(name): int(used) for name, used in rows}

    def close(self) -> None:
        """Let go of the record."""
        self._connection.close()

    @contextmanager
    def _transaction(self, *, keep: bool) -> Iterator[None]:
        actor = current_actor()
        if actor is not None:
            self._connection.execute(
                "select act_as(%s, %s, %s)", (actor.user_id, actor.guest_token, actor.key_hash)
            )
        yield
        if keep:
            self._connection.commit()
        else:
            self._connection.rollback()

    def _note(self, explained: Mapping[str, Any]) -> None:
        self._milliseconds += explained["Planning Time"] + explained["Execution Time"]
        self._plan += scans(explained["Plan"])


def scans(plan: Mapping[str, Any]) -> list[str]:
    """How the plan finds rows, as in `Index Scan jobs_pkey (jobs)`; nothing for a call of a function."""
    found = []
    if "Relation Name" in plan or "Index Name" in plan:
        index = plan.get("Index Name")
        place = f" ({plan['Relation Name']})" if "Relation Name" in plan else ""
        found.append(f"{plan['Node Type']}{f' {index}' if index else ''}{place}")
    return found + [line for below in plan.get("Plans", ()) for line in scans(below)]
