"""How lists look on the wire: `{success, data, pagination}`."""

from datetime import datetime
from typing import Any

from lib.api.views import JobView
from lib.services.list_jobs import JobPage


def page_view(page: JobPage, view: JobView, now: datetime) -> dict[str, Any]:
    """A page of jobs."""
    return {
        "success": True,
        "data": [view(job, None, now) for job in page.jobs],
        "pagination": {
            "page": page.page,
            "limit": page.limit,
            "total": page.total,
            "totalPages": page.total_pages,
            "hasNext": page.has_next,
            "hasPrev": page.has_prev,
            "nextCursor": page.next_cursor,
        },
    }


def whole_list_view(items: list[dict[str, Any]]) -> dict[str, Any]:
    """A list that is always whole, in the form of a page."""
    pagination = {
        "page": 1,
        "limit": len(items),
        "total": len(items),
        "totalPages": 1,
        "hasNext": False,
        "hasPrev": False,
        "nextCursor": None,
    }
    return {"success": True, "data": items, "pagination": pagination}
