"""What somebody tried and was refused."""

from lib.domain.cursor import decode_ids, encode_ids
from lib.domain.observations import SecurityEvent, SecurityEventKind
from lib.domain.page import Page, check_limit
from lib.stores.postgres.repositories.rows import read_page
from lib.stores.postgres.repositories.search import check_one_of
from lib.stores.postgres.statements import Statements

RECENT = """
select to_jsonb(r) from (
    select * from security_events
    where (%(kind)s::text is null or kind = %(kind)s)
      and (%(last_id)s::uuid is null or event_id < %(last_id)s::uuid)
    order by event_id desc
    limit %(rows)s) r
order by r.event_id desc
"""


class PostgresSecurityEvents:
    """`lib.ports.repositories.SecurityEvents`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    def recent(
        self, *, kind: str | None = None, limit: int = 20, cursor: str | None = None
    ) -> Page[SecurityEvent]:
        """See the port."""
        check_one_of("kind", kind, SecurityEventKind)
        check_limit(limit)
        (last_id,) = decode_ids(cursor, 1) if cursor is not None else (None,)
        params = {"kind": kind, "last_id": last_id, "rows": limit + 1}
        rows = [row for (row,) in self._connection.fetch(RECENT, params)]
        return read_page(SecurityEvent, rows, limit, lambda row: encode_ids(row.event_id))
