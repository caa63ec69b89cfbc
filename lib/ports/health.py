"""What is asked of the parts to learn how they do. Every method may raise anything: that is the finding."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class RecordProbe(Protocol):
    """Postgres; every method opens a connection of its own, so that one in trouble does not hold up another."""

    def connect(self) -> None:
        """A new connection is accepted, and answers."""

    def read(self) -> None:
        """One read of the jobs by their index."""

    def write(self) -> None:
        """One real write, which leaves nothing behind."""

    def notify(self) -> bool:
        """A notification came back; False if this database sends none, by its option."""

    def applied_migrations(self) -> Mapping[str, str]:
        """The checksums of the migrations that the database has, by name."""


@dataclass(frozen=True)
class Backlog:
    """Messages that wait to be taken, and those that nobody could process, in all queues together."""

    waiting: int
    dead_letters: int
