"""Byte ranges (RFC 9110, section 14), one at a time."""

import re

RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class UnsatisfiableRangeError(Exception):
    """No byte of the range exists."""


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last, or None for the whole; raises UnsatisfiableRangeError.

    A header that is no single byte range is ignored, as the RFC allows.
    """
    found = RANGE.fullmatch(header.replace(" ", "")) if header else None
    if found is None or found[0] == "bytes=-":
        return None
    if not found[1]:
        start, end = max(0, size - int(found[2])), size
    else:
        start = int(found[1])
        end = min(size, int(found[2]) + 1) if found[2] else size
    if start >= size or end <= start:
        raise UnsatisfiableRangeError
    return start, end
