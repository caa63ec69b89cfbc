"""Calls the functions of the schema for the seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from lib.database.seed_data import Model
from lib.stores.postgres.migrator import Connection


@dataclass(frozen=True)
class SeedWriter:
    """A transaction as the owner; `base` is the moment that the data ends."""

    connection: Connection
    base: datetime

    def run(self, sql: str, *parameters: object) -> Any:
        """The first value of the first row, or None."""
        cursor = self.connection.execute(sql.encode(), [_adapted(value) for value in parameters])
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def call(self, function: str, *parameters: object) -> Any:
        """What a function of the schema answers."""
        marks = ", ".join(["%s"] * len(parameters))
        return self.run(f"select {function}({marks})", *parameters)


def _adapted(value: object) -> object:
    return Jsonb(value) if isinstance(value, dict | list) else value


def outputs_of(model: Model, stem: str, output_ids: Sequence[str], sha256: str) -> list[dict[str, Any]]:
    """Stored outputs as `complete_job` takes them."""
    return [
        {
            "index": index,
            "outputId": output_id,
            "key": f"{stem}/{index}.{model.extension}",
            "contentType": model.content_type,
            "fileSize": model.size + index,
            "sha256": sha256,
            "width": model.width,
            "height": model.height,
            "duration": model.seconds,
            "thumbnailKey": f"{stem}/{index}-thumb.webp" if model.width else None,
        }
        for index, output_id in enumerate(output_ids)
    ]
