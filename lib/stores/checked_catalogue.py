"""The mark of a catalogue that was checked when the bundle was built: checking it again takes a third of a second.

The mark is a digest of the files and their schema, and is made by the code that it is bundled with. A catalogue that
differs by a byte, or comes from elsewhere, is checked when it is loaded.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from lib.domain.catalogue import load_models_files
from lib.domain.catalogue_schema import SCHEMA_PATH

MARK = Path("config") / "models.checked"


def is_checked(texts: Mapping[str, str], root: Path) -> bool:
    """Whether these very texts were found right when the bundle at `root` was built."""
    try:
        return (root / MARK).read_text(encoding="ascii") == _digest(texts)
    except (OSError, ValueError):
        return False


def mark_checked(texts: Mapping[str, str], root: Path) -> None:
    """Check the texts, and leave the mark in the bundle at `root`. Raises ConfigurationError: they are wrong."""
    load_models_files(texts)
    (root / MARK).write_text(_digest(texts), encoding="ascii")


def _digest(texts: Mapping[str, str]) -> str:
    digest = hashlib.sha256(SCHEMA_PATH.read_bytes())
    for name, text in texts.items():
        digest.update(f"\0{name}\0{len(text)}\0".encode())
        digest.update(text.encode())
    return digest.hexdigest()
