"""Who was given which address."""

from psycopg.types.json import Jsonb

from lib.domain.cursor import decode_ids, encode_ids
from lib.domain.observations import UrlAccess
from lib.domain.page import Page, check_limit
from lib.domain.snapshot import format_time
from lib.stores.postgres.holdable import holdable
from lib.stores.postgres.repositories.rows import read_page
from lib.stores.postgres.statements import Statements

OF_JOB = """
select to_jsonb(r) from (
    select * from url_access_logs
    where job_id = %(job_id)s::uuid and (%(last_id)s::uuid is null or access_id < %(last_id)s::uuid)
    order by access_id desc
    limit %(rows)s) r
order by r.access_id desc
"""


class PostgresUrlAccesses:
    """`lib.ports.repositories.UrlAccesses`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    def log(self, access: UrlAccess) -> bool:
        """See the port."""
        fields = {
            "accessId": access.access_id,
            "outputId": access.output_id,
            "jobId": access.job_id,
            "userId": access.user_id,
            "accessType": access.access_type.value,
            "clientIp": access.client_ip,
            "userAgent": holdable(access.user_agent),
            "requestId": holdable(access.request_id),
            "at": format_time(access.accessed_at),
        }
        return bool(self._connection.fetch("select log_url_access(%s)", (Jsonb(fields),))[0][0])

    def of_job(self, job_id: str, *, limit: int = 20, cursor: str | None = None) -> Page[UrlAccess]:
        """See the port."""
        check_limit(limit)
        (last_id,) = decode_ids(cursor, 1) if cursor is not None else (None,)
        params = {"job_id": job_id, "last_id": last_id, "rows": limit + 1}
        rows = [row for (row,) in self._connection.fetch(OF_JOB, params)]
        return read_page(UrlAccess, rows, limit, lambda row: encode_ids(row.access_id))
