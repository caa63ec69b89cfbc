"""RESP2, the Redis protocol: commands out, replies in (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""

from typing import BinaryIO

Part = str | bytes | int


class RedisReplyError(Exception):
    """Redis answered the command with an error; its text begins with a word such as `WRONGTYPE`."""


class ProtocolError(Exception):
    """What came is not RESP2; the connection is of no use any more."""


Reply = bytes | int | None | RedisReplyError | list["Reply"]


def encode_command(parts: tuple[Part, ...]) -> bytes:
    """One command as an array of binary-safe strings."""
    chunks = [b"*%d\r\n" % len(parts)]
    for part in parts:
        value = part if isinstance(part, bytes) else str(part).encode()
        chunks.append(b"$%d\r\n%b\r\n" % (len(value), value))
    return b"".join(chunks)


def read_reply(stream: BinaryIO) -> Reply:
    """The next reply of the stream; an error reply is returned, not raised, so that the stream stays in step.

    Raises:
        ConnectionError: the stream ended.
        ProtocolError: something else than RESP2 came.
        OSError: the socket below failed or timed out.
    """
    line = _read_line(stream)
    kind, rest = line[:1], line[1:]
    match kind:
        case b"+":
            return rest
        case b"-":
            return RedisReplyError(rest.decode(errors="replace"))
        case b":":
            return _number(rest)
        case b"$":
            return _read_string(stream, _number(rest))
        case b"*":
            count = _number(rest)
            return None if count < 0 else [read_reply(stream) for _ in range(count)]
        case _:
            raise ProtocolError(f"a reply of Redis begins with {line[:20]!r}")


def _read_line(stream: BinaryIO) -> bytes:
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("Redis closed the connection")
    return line[:-2]


def _read_string(stream: BinaryIO, size: int) -> bytes | None:
    if size < 0:
        return None
    value = stream.read(size + 2)
    if len(value) < size + 2:
        raise ConnectionError("Redis closed the connection")
    return value[:-2]


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise ProtocolError(f"a number of Redis is {text[:20]!r}") from None
