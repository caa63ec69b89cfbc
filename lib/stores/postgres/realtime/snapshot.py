"""A snapshot of Postgres as data: which transactions it sees (`pg_snapshot`, section 9.27 of Postgres's manual)."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What had ended when it was taken: all below `xmax` but those of `running`.

    The numbers are `xid8`: they never wrap around. Subtransactions have none in it; `job_transitions.xid` is that
    of the top.
    """

    xmin: int
    xmax: int
    running: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Self:
        """From Postgres's own words, such as `10:20:10,14`."""
        xmin, xmax, running = text.split(":")
        return cls(int(xmin), int(xmax), frozenset(int(xid) for xid in running.split(",") if xid))

    def sees(self, xid: int) -> bool:
        """Whether the transaction had ended when the snapshot was taken."""
        return xid < self.xmax and xid not in self.running
