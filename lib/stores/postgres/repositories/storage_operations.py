"""What was moved to and from the bucket."""

from datetime import datetime

from psycopg.types.json import Jsonb

from lib.domain.cursor import decode_ids, encode_ids
from lib.domain.page import Page
from lib.domain.storage_log import StorageLogEntry
from lib.ports.repositories import StorageSearch
from lib.ports.work_report import StorageOperation
from lib.stores.postgres.record_json import operation_json
from lib.stores.postgres.repositories.rows import read_page
from lib.stores.postgres.repositories.search import check_storage_search
from lib.stores.postgres.statements import Statements

OF_JOB = """
select (
    select coalesce(jsonb_agg(to_jsonb(r) order by r.operation_id), '[]')
    from (select * from storage_operations s
          where s.job_id = j.job_id
            and (%(operation)s::text is null or s.operation = %(operation)s)
            and (%(success)s::boolean is null or s.success = %(success)s)
            and (%(last_id)s::uuid is null or s.operation_id > %(last_id)s::uuid)
          order by s.operation_id
          limit %(rows)s) r)
from jobs j
where j.job_id = %(job_id)s::uuid and (%(user_id)s::text is null or j.user_id = %(user_id)s)
"""
RECENT = """
select to_jsonb(r) from (
    select * from storage_operations
    where job_id >= uuid_from(%(since)s::timestamptz)
      and (%(operation)s::text is null or operation = %(operation)s)
      and (%(success)s::boolean is null or success = %(success)s)
      and (%(last_job)s::uuid is null or (job_id, operation_id) < (%(last_job)s::uuid, %(last_id)s::uuid))
    order by job_id desc, operation_id desc
    limit %(rows)s) r
order by r.job_id desc, r.operation_id desc
"""


class PostgresStorageLog:
    """`lib.ports.repositories.StorageLog`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    def log(self, job_id: str, operation: StorageOperation, now: datetime) -> bool:
        """See the port."""
        fields = {"jobId": job_id, **operation_json(operation)}
        rows = self._connection.fetch("select log_storage_operation(%s, %s)", (Jsonb(fields), now))
        return rows[0][0] is not None

    def of_job(
        self, job_id: str, wanted: StorageSearch, *, user_id: str | None = None
    ) -> Page[StorageLogEntry] | None:
        """See the port."""
        check_storage_search(wanted)
        (last_id,) = decode_ids(wanted.cursor, 1) if wanted.cursor is not None else (None,)
        params = {
            "job_id": job_id,
            "user_id": user_id,
            "operation": wanted.operation,
            "success": wanted.success,
            "last_id": last_id,
            "rows": wanted.limit + 1,
        }
        rows = self._connection.fetch(OF_JOB, params)
        if not rows:
            return None
        return read_page(StorageLogEntry, rows[0][0], wanted.limit, lambda row: encode_ids(row.operation_id))

    def recent(self, since: datetime, wanted: StorageSearch) -> Page[StorageLogEntry]:
        """See the port."""
        check_storage_search(wanted)
        last_job, last_id = decode_ids(wanted.cursor, 2) if wanted.cursor is not None else (None, None)
        params = {
            "since": since,
            "operation": wanted.operation,
            "success": wanted.success,
            "last_job": last_job,
            "last_id": last_id,
            "rows": wanted.limit + 1,
        }
        rows = [row for (row,) in self._connection.fetch(RECENT, params)]
        return read_page(
            StorageLogEntry, rows, wanted.limit, lambda row: encode_ids(row.job_id, row.operation_id)
        )
