"""What Postgres can hold in text and jsonb."""

import re
from collections.abc import Mapping
from typing import Any

_UNHOLDABLE = re.compile("[\x00\ud800-\udfff]")


def holdable(value: Any) -> Any:
    """The value without what Postgres cannot hold: NUL, and halves of surrogate pairs, become U+FFFD.

    For words of others that are kept as a note, such as a provider's message; what a caller asks for is refused.
    """
    if isinstance(value, str):
        return _UNHOLDABLE.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {holdable(key): holdable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [holdable(item) for item in value]
    return value
