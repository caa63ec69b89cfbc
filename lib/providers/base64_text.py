"""Base64 as it stands inside a JSON string: escaped, in either alphabet, with or without padding and line breaks.

Encoders differ: PHP writes `/` as `\\/`, .NET writes `+` as `\\u002B`, some break lines as MIME does. All of it is
done with C-speed calls on large pieces; a piece never ends inside an escape (`unfinished_escape`).
"""

import binascii
import re

_STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_ALLOWED = _STANDARD + b"-_"
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_LINE_BREAKS = b"\r\n"
_SHORT_ESCAPES = (
    (rb"\/", b"/"),
    (rb"\n", b"\n"),
    (rb"\r", b"\r"),
    (rb"\u002b", b"+"),
    (rb"\u002B", b"+"),
    (rb"\u002f", b"/"),
    (rb"\u002F", b"/"),
    (rb"\u003d", b"="),
    (rb"\u003D", b"="),
)
_OTHER_ESCAPE = re.compile(rb"\\u00([0-9a-fA-F]{2})")
_LONGEST_UNFINISHED = 5
_SHORTEST_LINE = 20


def unfinished_escape(span: bytes) -> int:
    """How many bytes at the end of `span` begin an escape that goes on behind it."""
    at = span.rfind(b"\\", max(0, len(span) - _LONGEST_UNFINISHED))
    if at < 0:
        return 0
    tail = len(span) - at
    return tail if tail == 1 or span[at + 1 : at + 2] == b"u" else 0


def base64_characters(span: bytes) -> bytes | None:
    """The characters of base64 in a piece of a JSON string, padding included; None if anything else is in it."""
    text = _unescaped(span).translate(None, _LINE_BREAKS)
    return None if text.translate(None, _ALLOWED) else text


def begins_as_base64(span: bytes) -> bool:
    """Whether a string that begins so is taken for base64: lines, if it has any, are of one length, as MIME's are."""
    text = _unescaped(span)
    if text.translate(None, _ALLOWED + _LINE_BREAKS):
        return False
    lengths = {len(line.rstrip(b"\r")) for line in text.split(b"\n")[:-1]}
    return not lengths or (len(lengths) == 1 and lengths.pop() >= _SHORTEST_LINE)


class Base64Tally:
    """Counts what was seen of one string, and says whether the whole is base64."""

    def __init__(self) -> None:
        self._digits = 0
        self._padding = 0

    def add(self, span: bytes) -> bool:
        """Whether the string can still be base64 with this piece."""
        text = base64_characters(span)
        if text is None:
            return False
        digits = text.rstrip(b"=")
        if b"=" in digits or (self._padding and digits):
            return False
        self._digits += len(digits)
        self._padding += len(text) - len(digits)
        return self._padding <= 2

    @property
    def complete(self) -> bool:
        """Whether it may end here: padding is missing or right, and no digit is alone."""
        whole = self._digits + self._padding
        return self._digits % 4 != 1 and (not self._padding or whole % 4 == 0)

    @property
    def size(self) -> int:
        """How many bytes it decodes to."""
        return self._digits * 3 // 4


class Base64Decoder:
    """Decodes a string that a `Base64Tally` found complete, piece by piece."""

    def __init__(self) -> None:
        self._escape = b""
        self._digits = b""

    def feed(self, raw: bytes) -> bytes:
        """The bytes that are whole after this piece."""
        span = self._escape + raw
        cut = len(span) - unfinished_escape(span)
        self._escape = span[cut:]
        text = _unescaped(span[:cut]).translate(_TO_STANDARD, _LINE_BREAKS + b"=")
        digits = self._digits + text
        whole = len(digits) - len(digits) % 4
        self._digits = digits[whole:]
        return binascii.a2b_base64(digits[:whole])

    def end(self) -> bytes:
        """The last bytes, where padding was or should have been."""
        return binascii.a2b_base64(self._digits + b"=" * (-len(self._digits) % 4))


def _unescaped(span: bytes) -> bytes:
    r"""`span` with its escapes undone; one that base64 cannot have (`\\`, `\"`, `\t`) keeps its backslash."""
    if b"\\" not in span or b"\\\\" in span:
        return span
    for escape, character in _SHORT_ESCAPES:
        span = span.replace(escape, character)
    if b"\\" in span:
        span = _OTHER_ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), span)
    return span
