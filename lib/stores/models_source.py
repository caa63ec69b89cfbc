"""Where the model catalogue is read from: `MODELS_CONFIG` is inline JSON, a file, a directory or an `s3://` URI."""

from pathlib import Path

from lib.domain.catalogue import Catalogue, load_models_files
from lib.domain.errors import ConfigurationError
from lib.stores.checked_catalogue import is_checked
from lib.stores.config_source import BUNDLE_ROOT, ObjectReader, read_config, read_file

VARIABLE = "MODELS_CONFIG"


def load_catalogue(
    setting: str, *, read_object: ObjectReader | None = None, root: Path = BUNDLE_ROOT
) -> Catalogue:
    """The catalogue that the setting names, or ConfigurationError saying what is wrong with it."""
    texts = read_models_config(setting, read_object=read_object, root=root)
    return load_models_files(texts, checked=is_checked(texts, root))


def read_models_config(
    setting: str, *, read_object: ObjectReader | None = None, root: Path = BUNDLE_ROOT
) -> dict[str, str]:
    """The texts that the setting names, by the names of their files; the name of a single text is empty.

    A relative path starts at `root`, the root of the bundle. Of a directory, every `*.json` file in it is read, in
    the order of their names.
    """
    value = setting.strip()
    names_a_file = bool(value) and not value.startswith(("{", "s3://"))
    if names_a_file and (root / value).is_dir():
        return _read_directory(root / value)
    return {"": read_config(VARIABLE, value, read_object=read_object, root=root)}


def _read_directory(directory: Path) -> dict[str, str]:
    paths = sorted(directory.glob("*.json"))
    if not paths:
        raise ConfigurationError(f"{VARIABLE} {str(directory)!r} is a directory without *.json files.")
    return {path.name: read_file(VARIABLE, path) for path in paths}
