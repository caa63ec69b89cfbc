"""What runs SQL, as repositories see it."""

from typing import Any, Protocol


class Statements(Protocol):
    """A connection or a pool, where each statement is its own transaction; or a transaction of several."""

    def fetch(self, sql: str, params: Any = (), *, repeat: bool = True) -> list[tuple[Any, ...]]:
        """The rows of one statement. Raises as `lib.stores.postgres.sessions.RecordSessions.fetch` does."""
