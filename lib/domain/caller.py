"""Who is asking, from where, and what that lets them see."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from lib.domain.actor import Actor

LONGEST_USER_AGENT = 500


class UserKind(StrEnum):
    """What a user is; a GUEST is known by a token alone, and sees what was made with that token."""

    SYSTEM = "system"
    GUEST = "guest"
    REGISTERED = "registered"


class AccessRole(StrEnum):
    """What a user may do; an ADMIN may read everything, and write nothing that is somebody else's."""

    USER = "user"
    TEST = "test"
    ADMIN = "admin"


@dataclass(frozen=True)
class Caller:
    """A caller whose key was checked.

    `rate_limit_per_hour` None means the operator's default; `guest_token` is the hash of a guest's key.
    """

    user_id: str
    rate_limit_per_hour: int | None = None
    kind: UserKind = UserKind.REGISTERED
    role: AccessRole = AccessRole.USER
    guest_token: str | None = field(default=None, repr=False)

    @property
    def is_admin(self) -> bool:
        """Whether the record called the user an admin when the key was checked; the record itself asks again."""
        return self.role is AccessRole.ADMIN and self.kind is not UserKind.GUEST

    @cached_property
    def actor(self) -> Actor:
        """Whom the record is to act for."""
        return Actor(user_id=self.user_id, guest_token=self.guest_token)


@dataclass(frozen=True)
class Origin:
    """Where a request came from, as far as it can be told: recorded, and proof of nothing.

    `client_ip` is an address that Postgres takes as inet; `user_agent` has at most 500 characters.
    """

    client_ip: str | None = None
    user_agent: str | None = None
