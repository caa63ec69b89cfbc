"""The Redis client: few commands, hard limits of time, no retries; hiredis speaks the protocol.

redis-py loads its asyncio and cluster halves on import, which alone takes most of the status function's budget
for a cold start (docs/decisions/redis-client.md).
"""

import hiredis

from lib.ports.tier import TierUnavailableError
from lib.stores.outage import Outage
from lib.stores.redis_connection import Part, RedisAddress, RedisConnection, Reply

TIMEOUT_SECONDS = 0.1
MAX_IDLE_SECONDS = 60.0


class RedisClient:
    """Runs single commands; one per process, shared by all that uses Redis, safe between threads.

    A failed call closes its connection and marks Redis as down for a moment (`Outage`): calls meanwhile fail
    at once. Nothing is repeated: whether a command that failed took effect is not known.
    """

    def __init__(
        self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS, outage: Outage | None = None
    ) -> None:
        self._address = RedisAddress.from_url(url)
        self._timeout_seconds = timeout_seconds
        self.outage = outage or Outage("redis")
        self._idle: list[RedisConnection] = []

    def call(self, *parts: Part) -> Reply:
        """The reply to one command.

        Raises:
            TierUnavailableError: Redis is away, too slow, or refuses the command.
        """
        with self.outage.watch(OSError, hiredis.HiredisError):
            connection = self._take()
            try:
                reply = connection.call(*parts)
            except BaseException:
                connection.close()
                raise
        self._idle.append(connection)
        if isinstance(reply, hiredis.ReplyError):
            raise TierUnavailableError(f"redis refuses {parts[0]!r}: {reply}") from reply
        return reply

    def evaluate(self, script: str, key: str, *arguments: Part) -> Reply:
        """The reply of a Lua script with one key, run atomically; raises as `call` does."""
        return self.call("EVAL", script, 1, key, *arguments)

    def close(self) -> None:
        """Close all idle connections; a later call opens new ones."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> RedisConnection:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return RedisConnection(self._address, self._timeout_seconds)
            if connection.reusable(MAX_IDLE_SECONDS):
                return connection
            connection.close()
