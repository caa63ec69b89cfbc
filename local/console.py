"""What the local cloud says: one line per request, one per step of a job, and where something failed.

Everything that a function writes is kept in `<logs>/<function>.log`.
"""

import json
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from local.runtime import FunctionError

Write = Callable[[str], None]
_LOUD = frozenset({"WARNING", "ERROR", "CRITICAL"})
_ID_LENGTH = 12


class Console:
    """Writes readable lines with `write`, and the functions' own output to files under `logs`."""

    def __init__(self, logs: Path, write: Write) -> None:
        self._logs = logs
        self._write = write
        self._files: dict[str, TextIO] = {}
        self._lock = threading.Lock()
        logs.mkdir(parents=True, exist_ok=True)

    def request(self, method: str, path: str, status: int, elapsed_ms: float) -> None:
        """One request was answered; in its path are whatever characters a caller wrote there."""
        shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in path)
        self.say(f"{method:<4} {shown}  {status}  {elapsed_ms:.0f} ms")

    def function_line(self, name: str, line: str) -> None:
        """A function wrote a line: kept in its file, and shown if it is a step of a job or a warning."""
        with self._lock:
            if name not in self._files:
                self._files[name] = (self._logs / f"{name}.log").open("a", buffering=1, encoding="utf-8")
            self._files[name].write(line + "\n")
        if shown := readable(name, line):
            self.say(shown)

    def function_error(self, name: str, error: FunctionError) -> None:
        """An invocation failed."""
        self.say(f"FAILED {name}: {error}  (see {self._logs / name}.log)")

    def say(self, text: str) -> None:
        """One line with the time of day."""
        self._write(f"{datetime.now().astimezone():%H:%M:%S}  {text}")

    def close(self) -> None:
        """Close the files; later lines open them again."""
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files.clear()


def readable(name: str, line: str) -> str | None:
    """A function's JSON log line as one for people: a step of a job, or a warning; None for all others."""
    if not line.startswith("{"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    text = entry.get("message", "")
    fields: dict[str, Any] = {**entry, **text} if isinstance(text, dict) else entry
    job, step = fields.get("jobId"), fields.get("step") or fields.get("status")
    function = name.removeprefix("vsl-local-")
    if job and step:
        status = fields.get("status")
        state = f"{status}/{step}" if status and status != step else str(step)
        detail = text if isinstance(text, str) else ""
        return (
            f"job {str(fields.get('shortId') or job)[:_ID_LENGTH]}  {state}  [{function}] {detail}".rstrip()
        )
    if entry.get("level") in _LOUD:
        return f"{entry['level']} [{function}] {text if isinstance(text, str) else json.dumps(text)}"
    return None
