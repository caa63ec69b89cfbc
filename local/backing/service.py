"""What the backing services share: start, stop, kill, freeze and thaw of one server process on one port."""

import contextlib
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from local.backing import children, ports
from local.backing.errors import BackingError, PortInUseError

START_SECONDS = 30.0
STOP_SECONDS = 10.0
_POLL_SECONDS = 0.01
_FREE_PORT_ATTEMPTS = 3
_LETTING_GO_SECONDS = 2.0


class Service(ABC):
    """One server process on 127.0.0.1. `start` returns when it answers; a stopped one may be started again.

    `port=0` takes a free port at the first start and keeps it; so do the `further_ports` of a kind that listens on
    more than one. The log is `<data_dir>.log`.
    """

    name: str
    stop_signal = signal.SIGTERM

    def __init__(self, data_dir: Path, port: int = 0, *, further_ports: int = 0) -> None:
        self.data_dir = data_dir.absolute()
        self.port = port
        self.further_ports = [0] * further_ports
        self.log = self.data_dir.with_name(self.data_dir.name + ".log")
        self._given = port
        self._chosen = False
        self._held: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect to."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make the data directory ready (called before each start)."""

    @abstractmethod
    def _spawn(self) -> "subprocess.Popen[bytes]":
        """Start the server in a session of its own and return at once."""

    @abstractmethod
    def _ready(self) -> bool:
        """True if the server answers a request."""

    def _launch(self, arguments: Sequence[str], cwd: Path, **process: Any) -> "subprocess.Popen[bytes]":
        """A process in a session of its own that writes into the log; `process` is for Popen."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=cwd,
                **process,
            )

    @property
    def pid(self) -> int:
        """The server's process id; BackingError if it is not running."""
        if self._process is None:
            raise BackingError(f"{self.name} is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """True while the process exists (also when frozen)."""
        return self._process is not None and self._process.poll() is None

    def hold_port(self) -> None:
        """Choose `port` now, for those who must know it before, and keep it from others until `start` or `stop`."""
        self._held = ports.hold_port()
        self.port = self._given = ports.port_of(self._held)

    def start(self) -> Self:
        """Return when the server answers on `port`.

        Raises PortInUseError, or BackingError with the end of the server's log.
        """
        if self.running:
            return self
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        self._let_port_go()
        for attempt in range(_FREE_PORT_ATTEMPTS):
            if not self._chosen:
                port, *self.further_ports = ports.free_ports(1 + len(self.further_ports))
                self.port = self._given or port
            try:
                self._require_free_ports()
                self._start_once()
            except PortInUseError:
                if self._chosen or attempt == _FREE_PORT_ATTEMPTS - 1:
                    raise
            else:
                break
        self._chosen = True
        return self

    def stop(self) -> None:
        """End the server and wait until it has ended. Harmless if it is not running."""
        self._let_port_go()
        if self.running:
            self.thaw()
            self._signal_all([self.pid], self.stop_signal)
            try:
                self._wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._forget()

    def kill(self) -> None:
        """SIGKILL to the server and all its children, as when the machine dies. Memory-only state is lost."""
        if self.running:
            family = self._family()
            self._signal_all(family, signal.SIGKILL)
            self._wait(STOP_SECONDS)
            _wait_for_death(family)
        self._forget()

    def freeze(self) -> None:
        """SIGSTOP to the server and its children: connections stay open and nothing answers."""
        self._signal_all(self._family(), signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT after `freeze`; the state is as it was."""
        self._signal_all(self._family(), signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_once(self) -> None:
        self._prepare()
        self._process = self._spawn()
        children.guard(self._process.pid)
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            if self._process.poll() is not None:
                self._forget()
                self._require_free_ports()  # somebody may have taken one between check and start
                raise BackingError(f"{self.name} ended while starting:\n{self._log_end()}")
            if time.monotonic() > deadline:
                self.kill()
                raise BackingError(
                    f"{self.name} did not answer within {START_SECONDS:g} s:\n{self._log_end()}"
                )
            time.sleep(_POLL_SECONDS)

    def _require_free_ports(self) -> None:
        for port in (self.port, *self.further_ports):
            ports.require_free(self.name, port)

    def _let_port_go(self) -> None:
        """A process that is just being spawned has the socket too, until it becomes its program: wait for that."""
        if self._held is None:
            return
        self._held.close()
        self._held = None
        deadline = time.monotonic() + _LETTING_GO_SECONDS
        while not ports.is_free(self.port) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)

    def _family(self) -> list[int]:
        """The server first, so that it cannot replace a child that is being stopped."""
        if not self.running:
            return []
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.pid)
            return [self.pid, *(child.pid for child in process.children(recursive=True))]
        return [self.pid]

    @staticmethod
    def _signal_all(pids: list[int], number: signal.Signals) -> None:
        for pid in pids:
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(pid).send_signal(number)

    def _wait(self, seconds: float) -> None:
        if self._process is not None:
            self._process.wait(seconds)

    def _forget(self) -> None:
        if self._process is not None:
            self._process.poll()
            children.release(self._process.pid)
            self._process = None

    def _log_end(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-15:])


def _wait_for_death(pids: list[int]) -> None:
    """Children die a moment after their server, and until then hold what its successor needs (shared memory)."""
    deadline = time.monotonic() + STOP_SECONDS
    while any(_lives(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
