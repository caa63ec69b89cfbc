"""Where providers that are all data are described: `PROVIDERS_CONFIG` is inline JSON, a file or an `s3://` URI."""

from pathlib import Path

from lib.stores.config_source import BUNDLE_ROOT, ObjectReader, read_config

VARIABLE = "PROVIDERS_CONFIG"


def read_providers_config(
    setting: str, *, read_object: ObjectReader | None = None, root: Path = BUNDLE_ROOT
) -> str:
    """The text that the setting names. Raises ConfigurationError."""
    return read_config(VARIABLE, setting, read_object=read_object, root=root)
