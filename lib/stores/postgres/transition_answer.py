"""What the SQL functions that change a job answer, read."""

from collections.abc import Mapping
from typing import Any

from lib.domain.snapshot import JobSnapshot
from lib.ports.record import OutboxMessage, Transition


def read_transition(answer: Mapping[str, Any]) -> Transition:
    """The JSON of `transition_result` in 006_transaction_functions; what only some functions answer is `extra`."""
    rest = dict(answer)
    job = rest.pop("job")
    return Transition(
        outcome=rest.pop("outcome"),
        changed=rest.pop("changed"),
        snapshot=JobSnapshot(job) if job else None,
        outbox=read_outbox(rest.pop("outbox")),
        extra=rest,
    )


def read_outbox(rows: list[dict[str, Any]]) -> tuple[OutboxMessage, ...]:
    """Messages as `emit` and `take_outbox` write them."""
    return tuple(
        OutboxMessage(row["id"], row["topic"], row["group"], row["payload"], float(row["delay"]))
        for row in rows
    )
