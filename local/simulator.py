"""Starts the Replicate simulator (`local.replicate`) as a process of its own."""

import subprocess
import sys
from pathlib import Path

from local.backing import ports
from local.backing.moto import REPOSITORY
from local.backing.service import Service


class Simulator(Service):
    """The simulator's API on `port`, its files on `media_port`. SIM_* variables of the caller reach it."""

    name = "the Replicate simulator"

    def __init__(self, data_dir: Path, port: int = 0) -> None:
        super().__init__(data_dir, port, further_ports=1)

    @property
    def media_port(self) -> int:
        """The port of its files; 0 before the first start."""
        return self.further_ports[0]

    @property
    def url(self) -> str:
        """Its base address, without /v1."""
        return f"http://{ports.LOOPBACK}:{self.port}"

    def _prepare(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        module = [sys.executable, "-m", "local.replicate"]
        return self._launch(
            [*module, "--port", str(self.port), "--media-port", str(self.media_port)], REPOSITORY
        )

    def _ready(self) -> bool:
        return ports.accepts_connections(self.port) and ports.accepts_connections(self.media_port)
