"""Jobs by the ids that their providers gave them."""

from lib.domain.snapshot import JobSnapshot
from lib.stores.postgres.statements import Statements

LONGEST_ID = 1000
_FIND = """
select job_snapshot(j) from attempts a join jobs j using (job_id)
where a.provider = %s and a.provider_job_id = %s and j.user_id = %s
"""


def find_at_provider(
    connection: Statements, user_id: str, provider: str, provider_job_id: str
) -> JobSnapshot | None:
    """The user's job one of whose attempts has this id there; None if there is none, or the actor may not see it.

    Raises RecordUnavailableError.
    """
    if not all(text.isprintable() and len(text) <= LONGEST_ID for text in (provider, provider_job_id)):
        return None
    rows = connection.fetch(_FIND, (provider, provider_job_id, user_id))
    return JobSnapshot(rows[0][0]) if rows else None
