"""Runs one of our small servers as a process of its own, so that its memory and time are not the measured one's."""

import subprocess
import sys
from types import TracebackType
from typing import Self

from benchmarks.bench import BenchmarkError
from local.backing import children
from local.backing.moto import REPOSITORY


class ServerProcess:
    """`python -m module arguments`, which prints its port as its first line; `url` is its address.

    The process ends with the context, however its parent ends.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        self.port = 0

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=REPOSITORY, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        children.guard(self._process.pid)
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line.strip().isdigit():
            self._end()
            raise BenchmarkError(f"{' '.join(self._command[2:])} did not start: {line!r}")
        self.port = int(line)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait()
        children.release(self._process.pid)
        if self._process.stdout:
            self._process.stdout.close()
