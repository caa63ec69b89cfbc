"""Where a document of the configuration is read from: its variable is inline JSON, a file or an `s3://` URI."""

from collections.abc import Callable
from pathlib import Path

from lib.domain.errors import ConfigurationError

BUNDLE_ROOT = Path(__file__).parents[2]

ObjectReader = Callable[[str, str], bytes]
"""Reads an object, given its bucket and key; what it raises is the caller's to see."""


def read_config(
    variable: str, setting: str, *, read_object: ObjectReader | None = None, root: Path = BUNDLE_ROOT
) -> str:
    """The text that the setting names; a relative path starts at `root`, the root of the bundle.

    Raises ConfigurationError, which names the variable.
    """
    value = setting.strip()
    if value.startswith("{"):
        return value
    if value.startswith("s3://"):
        return decoded(variable, value, _read_s3(variable, value, read_object))
    if not value:
        raise ConfigurationError(f"{variable} is empty: give inline JSON, a path or an s3:// URI.")
    return read_file(variable, root / value)


def read_file(variable: str, path: Path) -> str:
    """The text of a file. Raises as `read_config` does."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{variable} {str(path)!r} cannot be read: {error.strerror}.") from error
    return decoded(variable, str(path), content)


def decoded(variable: str, origin: str, content: bytes) -> str:
    """The bytes as text, without a mark of their order. Raises as `read_config` does."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{variable} {origin!r} is not UTF-8 text.") from error


def _read_s3(variable: str, uri: str, read_object: ObjectReader | None) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket or not key:
        raise ConfigurationError(f"{variable} {uri!r} must be s3://bucket/key.")
    if read_object is None:
        raise ConfigurationError(f"{variable} {uri!r} is in S3, which this function does not read.")
    return read_object(bucket, key)
