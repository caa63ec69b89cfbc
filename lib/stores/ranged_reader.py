"""A seekable file over a place that is read by ranges, so that decoding never holds the whole file."""

import io
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

BLOCK_BYTES = 512 * 1024
BLOCKS = 16
"""8 MiB in all: demuxers jump between a few places (the index at the end, the pictures, the sound)."""


class RangedReader(io.RawIOBase):
    """Reads blocks by `fetch(start, length)` when they are needed and keeps the latest few.

    An error of `fetch` passes through. `fetch` must give all the bytes that lie within `size`.
    """

    def __init__(
        self,
        fetch: Callable[[int, int], bytes],
        size: int,
        block_bytes: int = BLOCK_BYTES,
        blocks: int = BLOCKS,
    ) -> None:
        super().__init__()
        self._fetch, self._size = fetch, size
        self._block_bytes, self._capacity = block_bytes, blocks
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; nothing is fetched."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if origin + offset < 0:
            raise ValueError(f"negative position {origin + offset}")
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` up to the end of a block; 0 at the end of the file."""
        view = memoryview(buffer).cast("B")
        if self._position >= self._size or not view:
            return 0
        number, offset = divmod(self._position, self._block_bytes)
        chunk = self._block(number)[offset : offset + len(view)]
        view[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        start = number * self._block_bytes
        block = self._fetch(start, min(self._block_bytes, self._size - start))
        self._blocks[number] = block
        if len(self._blocks) > self._capacity:
            self._blocks.popitem(last=False)
        return block
