"""Where the model catalogue is read from: `MODELS_CONFIG` is inline JSON, a file, a directory or an `s3://` URI."""

from collections.abc import Callable
from pathlib import Path

from lib.domain.catalogue import Catalogue, load_models_files
from lib.domain.errors import ConfigurationError

BUNDLE_ROOT = Path(__file__).parents[2]

ObjectReader = Callable[[str, str], bytes]
"""Reads an object, given its bucket and key; what it raises is the caller's to see."""


def load_catalogue(
    setting: str, *, read_object: ObjectReader | None = None, root: Path = BUNDLE_ROOT
) -> Catalogue:
    """The catalogue that the setting names, or ConfigurationError saying what is wrong with it."""
    return load_models_files(read_models_config(setting, read_object=read_object, root=root))


def read_models_config(
    setting: str, *, read_object: ObjectReader | None = None, root: Path = BUNDLE_ROOT
) -> dict[str, str]:
    """The texts that the setting names, by the names of their files; the name of a single text is empty.

    A relative path starts at `root`, the root of the bundle. Of a directory, every `*.json` file in it is read, in
    the order of their names.
    """
    value = setting.strip()
    if value.startswith("{"):
        return {"": value}
    if value.startswith("s3://"):
        return {"": _text(value, _read_s3(value, read_object))}
    if not value:
        raise ConfigurationError("MODELS_CONFIG is empty: give inline JSON, a path or an s3:// URI.")
    if (root / value).is_dir():
        return _read_directory(root / value)
    return {"": _text(value, _read_file(root / value))}


def _read_directory(directory: Path) -> dict[str, str]:
    paths = sorted(directory.glob("*.json"))
    if not paths:
        raise ConfigurationError(f"MODELS_CONFIG {str(directory)!r} is a directory without *.json files.")
    return {path.name: _text(str(path), _read_file(path)) for path in paths}


def _read_s3(uri: str, read_object: ObjectReader | None) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket or not key:
        raise ConfigurationError(f"MODELS_CONFIG {uri!r} must be s3://bucket/key.")
    if read_object is None:
        raise ConfigurationError(f"MODELS_CONFIG {uri!r} is in S3, which this function does not read.")
    return read_object(bucket, key)


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"MODELS_CONFIG {str(path)!r} cannot be read: {error.strerror}.") from error


def _text(origin: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"MODELS_CONFIG {origin!r} is not UTF-8 text.") from error
