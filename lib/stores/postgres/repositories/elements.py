"""What composed jobs are made of."""

from datetime import datetime

from psycopg.types.json import Jsonb

from lib.domain.element import Element
from lib.ports.repositories import ElementChange
from lib.stores.postgres.holdable import holdable
from lib.stores.postgres.repositories.composition_json import element_json
from lib.stores.postgres.repositories.rows import read_rows
from lib.stores.postgres.statements import Statements

OF_JOB = """
select (select coalesce(jsonb_agg(to_jsonb(e) order by e.track, e.element_order), '[]')
        from elements e where e.job_id = j.job_id)
from jobs j
where j.job_id = %(job_id)s::uuid and (%(user_id)s::text is null or j.user_id = %(user_id)s)
"""


class PostgresElements:
    """`lib.ports.repositories.Elements`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    def add(self, element: Element, now: datetime) -> str | None:
        """See the port."""
        params = (Jsonb(element_json(element)), now)
        added = self._connection.fetch("select add_job_element(%s, %s)::text", params)[0][0]
        return None if added is None else str(added)

    def update_status(self, element_id: str, change: ElementChange, now: datetime) -> bool:
        """See the port."""
        fields = {
            "elementId": element_id,
            "downloaded": change.downloaded,
            "processed": change.processed,
            "localPath": change.local_path,
            "sourceSize": change.source_size,
            "errorMessage": holdable(change.error_message),
        }
        return bool(
            self._connection.fetch("select update_element_status(%s, %s)", (Jsonb(fields), now))[0][0]
        )

    def of_job(self, job_id: str, *, user_id: str | None = None) -> tuple[Element, ...] | None:
        """See the port."""
        rows = self._connection.fetch(OF_JOB, {"job_id": job_id, "user_id": user_id})
        return read_rows(Element, rows[0][0]) if rows else None
