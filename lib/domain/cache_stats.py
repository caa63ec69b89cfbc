"""What the query cache has done since its process began."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CacheStats:
    """Counts of one process. Each look-up is a memory hit, a shared hit or a miss.

    Args:
        memory_hits: answered from this process's memory.
        shared_hits: answered from Redis.
        misses: answered by neither; those of `get_or_set` became a computation or a join.
        computations: calls of a `compute`, failed ones too.
        joins: look-ups that got the value of a computation that another thread or process had begun.
        evictions: values dropped from memory because it was full.
        invalidations: calls that forgot something.
        refusals: computed values not kept, because an invalidation came after their computation had begun.
        oversized: values not kept because they are too large.
        errors: calls to Redis that failed; the memory answered alone.
        size: values in memory now; some may be past their life.
        max_size: values in memory at most.
    """

    memory_hits: int
    shared_hits: int
    misses: int
    computations: int
    joins: int
    evictions: int
    invalidations: int
    refusals: int
    oversized: int
    errors: int
    size: int
    max_size: int

    @property
    def hits(self) -> int:
        """Look-ups that were answered at once."""
        return self.memory_hits + self.shared_hits

    @property
    def hit_rate(self) -> float:
        """Hits among all look-ups, 0.0 to 1.0; 0.0 before the first."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0
