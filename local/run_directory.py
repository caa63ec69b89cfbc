"""The directory of a run: cleaned at its start, and held by one run at a time."""

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any

KEPT = frozenset({"run.lock", "synth"})  # the lock itself, and the cache of synthesized templates


class AlreadyRunningError(Exception):
    """Another local cloud is alive in the same directory."""


class RunDirectory:
    """Holds `path` between `open` and `close`; everything of an earlier run is removed first."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: int | None = None

    def open(self) -> None:
        """Take the directory; AlreadyRunningError names the process that has it."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path / "run.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(lock, 32).decode().strip() or "unknown"
            os.close(lock)
            raise AlreadyRunningError(
                f"the local cloud already runs in {self.path} (process {owner}); stop it first"
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        self._lock = lock
        self._clean()

    def close(self) -> None:
        """Let the directory go; what was written stays for reading, except the announcement of being ready."""
        if self._lock is not None:
            (self.path / "endpoints.json").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file at once: a reader sees all of it or none."""
        part = self.path / f"{name}.part"
        part.write_text(json.dumps(value, indent=2) + "\n")
        part.replace(self.path / name)

    def _clean(self) -> None:
        for entry in self.path.iterdir():
            if entry.name in KEPT:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
