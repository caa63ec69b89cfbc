"""What the measurements share: a directory for this run, child processes, and one local cloud if it is needed."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.backing.moto import REPOSITORY
from local.cloud import LocalCloud
from local.settings import CloudSettings

CHILD_SECONDS = 240
_PARENT = REPOSITORY / ".build"


class BenchmarkError(Exception):
    """Something could not be measured."""


class Bench:
    """One run; a context manager that leaves neither processes nor files behind."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._cloud: LocalCloud | None = None

    def __enter__(self) -> Self:
        _PARENT.mkdir(exist_ok=True)
        self.directory = Path(tempfile.mkdtemp(prefix="bench-", dir=_PARENT))
        self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def cloud(self) -> LocalCloud:
        """The local cloud of this run, started when first asked for; its rate limit is out of the way."""
        if self._cloud is None:
            settings = CloudSettings(
                port=0,
                directory=self.directory / "cloud",
                parameters={"RateLimitPerHour": "1000000"},
                warm=True,
            )
            self._cloud = self._stack.enter_context(LocalCloud(settings))
        return self._cloud


def run_child(
    module: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    given: Any = None,
) -> Any:
    """What the module says: the JSON in the last line of its standard output. `given` is its input, as JSON.

    `environment` replaces the whole environment. Raises BenchmarkError with the end of what a failed child said.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=REPOSITORY,
        env=dict(os.environ if environment is None else environment),
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=CHILD_SECONDS,
        check=False,
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        raise BenchmarkError(f"{module} failed: {_end(done.stderr or done.stdout)}")
    return json.loads(lines[-1])


def _end(text: str, lines: int = 12) -> str:
    shown: Sequence[str] = text.strip().splitlines()[-lines:]
    return "\n".join(shown)
