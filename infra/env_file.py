"""Reads `.env`: one `NAME=value` per line, `#` comments, optional quotes."""

import os
import re
from pathlib import Path

from infra.bundle_paths import ROOT

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


def read_env_file(path: Path) -> dict[str, str]:
    """The values in the file at `path`; empty where there is no file.

    A value in quotes is taken as it stands; one without ends at ` #`. Raises ValueError naming a line that
    says nothing.
    """
    if not path.is_file():
        return {}
    values = {}
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(
                f"{path.name}, line {number}: expected NAME=value, found {line.partition('=')[0]!r}"
            )
        values[match[1]] = _unquoted(match[2])
    return values


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] in "'\"" and text[-1] == text[0]:
        return text[1:-1]
    return "" if text.startswith("#") else text.partition(" #")[0].strip()


def load_into_environment(path: Path = ROOT / ".env") -> dict[str, str]:
    """The file's values under the environment's; the AWS settings among them go where AWS's libraries look."""
    from_file = read_env_file(path)
    for name, value in from_file.items():
        if name.startswith("AWS_") and value:
            os.environ.setdefault(name, value)
    return {**from_file, **os.environ}
