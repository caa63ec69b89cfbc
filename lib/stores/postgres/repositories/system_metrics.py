"""How the gateway did."""

from lib.domain.cursor import decode_ids, encode_ids
from lib.domain.observations import SystemMetric
from lib.domain.page import Page, check_limit
from lib.domain.time_range import TimeRange
from lib.stores.postgres.repositories.rows import read_page, read_rows
from lib.stores.postgres.statements import Statements

# Goes from name to name along the index instead of reading all that was ever measured.
LATEST = """
with recursive names as (
    (select name from system_metrics order by name limit 1)
    union all
    select (select m.name from system_metrics m where m.name > names.name order by m.name limit 1)
    from names where names.name is not null
)
select to_jsonb(m)
from names
cross join lateral (
    select recent.*, max(measured_at) over () as newest
    from (select * from system_metrics where name = names.name order by metric_id desc limit 100) recent) m
where m.measured_at = m.newest
order by m.name, m.metric_id
"""
OVER_TIME = """
select to_jsonb(r) from (
    select * from system_metrics
    where name = %(name)s
      and metric_id >= uuid_from(%(start)s::timestamptz) and metric_id < uuid_from(%(end)s::timestamptz)
      and (%(last_id)s::uuid is null or metric_id < %(last_id)s::uuid)
    order by metric_id desc
    limit %(rows)s) r
order by r.metric_id desc
"""


class PostgresSystemMetrics:
    """`lib.ports.repositories.SystemMetrics`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    def latest(self) -> tuple[SystemMetric, ...]:
        """See the port."""
        return read_rows(SystemMetric, (row for (row,) in self._connection.fetch(LATEST)))

    def over_time(
        self, name: str, wanted: TimeRange, *, limit: int = 100, cursor: str | None = None
    ) -> Page[SystemMetric]:
        """See the port."""
        check_limit(limit)
        (last_id,) = decode_ids(cursor, 1) if cursor is not None else (None,)
        params = {
            "name": name,
            "start": wanted.start,
            "end": wanted.end,
            "last_id": last_id,
            "rows": limit + 1,
        }
        rows = [row for (row,) in self._connection.fetch(OVER_TIME, params)]
        return read_page(SystemMetric, rows, limit, lambda row: encode_ids(row.metric_id))
