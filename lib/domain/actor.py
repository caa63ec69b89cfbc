"""Who a transaction of the record acts for: the row-level security policies compare rows with it."""

from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Actor:
    """What is known of the caller; None for what is not. The policies see nothing else of the caller.

    Args:
        user_id: the user whose rows are seen and written.
        guest_token: for a guest, the hash of the guest's token; None for a registered user.
        key_hash: the hash of the API key that is being looked up, before its user is known.
    """

    user_id: str | None = None
    guest_token: str | None = field(default=None, repr=False)
    key_hash: str | None = field(default=None, repr=False)

    @classmethod
    def user(cls, user_id: str) -> Self:
        """A registered user."""
        return cls(user_id=user_id)

    @classmethod
    def guest(cls, user_id: str, token_hash: str) -> Self:
        """A guest, who sees what was made with this token, and never what merely shares an address."""
        return cls(user_id=user_id, guest_token=token_hash)

    @classmethod
    def key(cls, key_hash: str) -> Self:
        """Somebody who has shown an API key: sees that key and nothing more."""
        return cls(key_hash=key_hash)
