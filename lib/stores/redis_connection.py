"""One connection to Redis: address, TLS, login, and a limit of time on every step."""

import select
import socket
import time
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import hiredis

from lib.domain.errors import ConfigurationError

Part = str | bytes | int
Reply = bytes | int | None | hiredis.ReplyError | list["Reply"]

_DEFAULT_PORT = 6379
_CHUNK_BYTES = 65_536


@dataclass(frozen=True)
class RedisAddress:
    """Where Redis is and who we are there."""

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0

    @classmethod
    def from_url(cls, url: str) -> "RedisAddress":
        """From `redis[s]://[[user]:password@]host[:port][/database]`.

        Raises:
            ConfigurationError: it is no such address. The message does not show it: it may hold a password.
        """
        try:
            parts = urlsplit(url)
            if parts.scheme not in {"redis", "rediss"} or not parts.hostname:
                raise ValueError
            return cls(
                host=parts.hostname,
                port=parts.port or _DEFAULT_PORT,
                tls=parts.scheme == "rediss",
                user=unquote(parts.username) if parts.username else None,
                password=unquote(parts.password) if parts.password else None,
                database=int(parts.path.strip("/") or 0),
            )
        except ValueError:
            raise ConfigurationError(
                "the Redis address must be redis[s]://[[user]:password@]host[:port][/database]"
            ) from None


class RedisConnection:
    """A connected, logged-in socket; hiredis speaks the protocol. After any exception it must be closed.

    `timeout_seconds` limits each step: the connect, the TLS handshake, every wait for bytes. Raises OSError
    (TimeoutError, ConnectionError and TLS errors are such), and hiredis.HiredisError: ProtocolError for what is
    not Redis, ReplyError for a refused login.
    """

    def __init__(self, address: RedisAddress, timeout_seconds: float) -> None:
        self._socket = _connect(address, timeout_seconds)
        self._reader = hiredis.Reader()
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._used_at = time.monotonic()
        try:
            self._log_in(address)
        except BaseException:
            self.close()
            raise

    def call(self, *parts: Part) -> Reply:
        """Send one command and wait for its reply; an error reply is returned as a hiredis.ReplyError."""
        self._socket.sendall(hiredis.pack_command(cast("Any", parts)))
        while (reply := self._reader.gets()) is False:  # not all of it is here yet
            data = self._socket.recv(_CHUNK_BYTES)
            if not data:
                raise ConnectionError("Redis closed the connection")
            self._reader.feed(data)
        self._used_at = time.monotonic()
        return cast("Reply", reply)

    def reusable(self, max_idle_seconds: float) -> bool:
        """Whether it is worth a try: neither closed by the other side nor idle for long.

        Nothing is due from Redis between commands, so a readable socket has an end in it. A long idle
        connection may have been dropped on the way without a word, as happens while a function is frozen.
        """
        if time.monotonic() - self._used_at > max_idle_seconds:
            return False
        return not self._poll.poll(0)

    def close(self) -> None:
        """Close the socket. Harmless a second time."""
        self._socket.close()

    def _log_in(self, address: RedisAddress) -> None:
        if address.password is not None:
            user = (address.user,) if address.user else ()
            self._must_succeed("AUTH", *user, address.password)
        if address.database:
            self._must_succeed("SELECT", address.database)

    def _must_succeed(self, *parts: Part) -> None:
        reply = self.call(*parts)
        if isinstance(reply, hiredis.ReplyError):
            raise reply


def _connect(address: RedisAddress, timeout_seconds: float) -> socket.socket:
    plain = socket.create_connection((address.host, address.port), timeout_seconds)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not address.tls:
            return plain
        import ssl  # noqa: PLC0415 - 5 ms of a cold start that plain connections need not pay

        return ssl.create_default_context().wrap_socket(plain, server_hostname=address.host)
    except BaseException:
        plain.close()
        raise
