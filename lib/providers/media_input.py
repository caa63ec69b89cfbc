"""Media that a caller gave as a data URL, for providers that take the bytes themselves and fetch nothing."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from lib.domain.errors import InvalidError

_DATA_URL = re.compile(
    r"data:(?P<type>[\w.+-]+/[\w.+-]+)(?:;[\w.+-]+=[^;,]*)*(?P<base64>;base64)?,", re.ASCII
)


@dataclass(frozen=True)
class InlineMedia:
    """The media of one data URL: its type, and its bytes as base64 text, which is checked only when decoded."""

    content_type: str
    base64: str = field(repr=False)
    parameter: str = ""

    def decoded(self) -> bytes:
        """The bytes, also of the URL-safe alphabet and without padding. Raises `InvalidError` for what is no base64."""
        digits = self.base64.replace("-", "+").replace("_", "/")
        try:
            # not b64decode: its check of the alphabet reads all of it a second time
            return binascii.a2b_base64(digits + "=" * (-len(digits) % 4), strict_mode=True)
        except (binascii.Error, ValueError):
            raise InvalidError(f"{self.parameter} is a data URL whose base64 cannot be read") from None


def inline_media(value: object, parameter: str) -> InlineMedia:
    """The media in a data URL. Raises `InvalidError` for any other value, an https address among them."""
    head = _DATA_URL.match(value) if isinstance(value, str) else None
    if head is None or not isinstance(value, str):
        raise InvalidError(f"{parameter} is not fetched by this provider: send it as a data: URL")
    data = value[head.end() :]
    if not head["base64"]:
        data = base64.b64encode(unquote_to_bytes(data)).decode()
    return InlineMedia(head["type"].lower(), data, parameter)
