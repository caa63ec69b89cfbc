"""A video of any size that nobody has to keep: an MP4 head, then filler that is different at every offset."""

from collections.abc import Iterator

BLOCK_BYTES = 1024 * 1024
_FTYP = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"


def blocks(size: int, start: int = 0) -> Iterator[memoryview]:
    """The bytes from `start` to `size`, in pieces of at most `BLOCK_BYTES`."""
    position = start
    while position < size:
        number, skipped = divmod(position, BLOCK_BYTES)
        piece = memoryview(_block(number, size))[skipped : min(BLOCK_BYTES, skipped + size - position)]
        yield piece
        position += len(piece)


def _block(number: int, size: int) -> bytes:
    """One block: stamped with its number, so that a part at the wrong place shows."""
    head = _FTYP + b"\x00\x00\x00\x01mdat" + size.to_bytes(8, "big") if number == 0 else b""
    stamp = head + number.to_bytes(8, "big")
    return stamp + _FILLER[len(stamp) :]


_FILLER = bytes(range(256)) * (BLOCK_BYTES // 256)
