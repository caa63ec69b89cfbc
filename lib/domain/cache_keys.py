"""The keys of the query cache: a path of segments, `job:{id}:details`, so that whole branches can be forgotten."""

from dataclasses import dataclass

SEPARATOR = ":"
DEEPEST = 6  # segments that can be named in a prefix: each costs the shared store one more look


@dataclass(frozen=True)
class Target:
    """What an invalidation names: one key, or (as a prefix) a key and all below it.

    A prefix is whole segments: `job:1` covers `job:1` and `job:1:details`, never `job:12`. The prefix "" covers all.
    """

    text: str
    exact: bool

    @classmethod
    def key(cls, key: str) -> "Target":
        """This key alone."""
        return cls(key, exact=True)

    @classmethod
    def prefix(cls, prefix: str) -> "Target":
        """All below it. More than `DEEPEST` segments are cut to that: rather too much is forgotten than too little."""
        return cls(SEPARATOR.join(prefix.split(SEPARATOR)[:DEEPEST]), exact=False)

    def covers(self, key: str) -> bool:
        """Whether an invalidation of this forgets the key."""
        if self.exact or not self.text:
            return not self.exact or key == self.text
        return key == self.text or key.startswith(self.text + SEPARATOR)


EVERYTHING = Target("", exact=False)


def targets_covering(key: str) -> tuple[Target, ...]:
    """Every target that covers the key, the widest first: `DEEPEST` + 2 at most."""
    segments = key.split(SEPARATOR)[:DEEPEST]
    branches = (SEPARATOR.join(segments[:count]) for count in range(1, len(segments) + 1))
    return (EVERYTHING, *(Target(branch, exact=False) for branch in branches if branch), Target.key(key))
