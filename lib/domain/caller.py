"""Who is asking."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """A caller whose key was checked; `rate_limit_per_hour` None means the operator's default."""

    user_id: str
    rate_limit_per_hour: int | None = None
