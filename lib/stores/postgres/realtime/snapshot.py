"""A snapshot of Postgres as data: which transactions it sees (`pg_snapshot`, section 9.27 of Postgres's manual)."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Snapshot:
    """It sees what had ended when it was taken: all below `xmax` but those of `running`, none of which is below `xmin`.

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
