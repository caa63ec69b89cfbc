"""A job whose result is stored, and what the gateway writes of that work: its steps, and what was moved."""

from collections.abc import Sequence
from functools import partial
from typing import Any, LiteralString, NamedTuple

import psycopg
from psycopg.rows import dict_row

from lib.domain.provider import ProviderOutput
from lib.domain.stored_output import CopyLimits
from lib.services.store_output import StoragePorts, store_output
from tests.fakes.darkroom import FakeDarkroom
from tests.integration.world import World

Row = dict[str, Any]


class Step(NamedTuple):
    """A step as far as most tests look at it; `success` is None while it is open."""

    step: str
    success: bool | None
    details: dict[str, Any]


QUERIES: dict[str, LiteralString] = {
    "processing_timeline": "select * from processing_timeline order by started_at, step_order",
    "storage_operations": "select * from storage_operations order by operation_id",
}


def rows(url: str, table: str) -> list[Row]:
    """All rows of a table, in the order of their making."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(QUERIES[table]).fetchall()


def steps(url: str) -> list[Step]:
    """The steps of all jobs."""
    return [Step(row["step"], row["success"], row["details"]) for row in rows(url, "processing_timeline")]


def operations(url: str) -> list[Row]:
    """What was moved for all jobs."""
    return rows(url, "storage_operations")


def generate(world: World) -> str:
    """A job whose provider has succeeded; its outputs are still to be stored."""
    job_id = world.start_job()
    world.provider.work(world.prediction)
    world.provider.work(world.prediction)
    world.webhook(world.prediction)
    while world.work(world.advance_queue):
        pass
    return job_id


def store(world: World) -> None:
    """A worker handles the next message of the copy."""
    assert world.work(world.store_queue)


def small_parts(world: World) -> None:
    """Outputs are copied in parts of 100 bytes, read by 50."""
    limits = CopyLimits(part_bytes=100, read_bytes=50, parts_in_flight=2, resumes=0, restarts=0)
    darkroom = FakeDarkroom()
    ports = StoragePorts(world.bucket, world.source, darkroom, darkroom)
    object.__setattr__(world.store, "store_one", partial(store_output, ports=ports, limits=limits))


def only(found: Sequence[Row], operation: str) -> Row:
    """The only line of this operation that is not about a small picture."""
    (row,) = [row for row in found if row["operation"] == operation and "thumbnail" not in row["metadata"]]
    return row


def replace_outputs(world: World, outputs: Sequence[ProviderOutput]) -> None:
    """The job has these outputs, whatever its provider said."""
    real = world.store.record.begin_storing

    def begin(*args: Any, **kwargs: Any) -> Any:
        begun = real(*args, **kwargs)
        if begun.outcome == "storing":
            begun.extra["work"]["outputs"] = [output.as_json() for output in outputs]
        return begun

    class Replaced:
        begin_storing = staticmethod(begin)

        def __getattr__(self, name: str) -> Any:
            return getattr(world.record, name)

    object.__setattr__(world.store, "record", Replaced())
