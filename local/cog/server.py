"""Starts Cog's own HTTP server (the package `cog`) with the example predictor, as a process of its own."""

import contextlib
import os
import shutil
import subprocess
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from local.backing import ports
from local.backing.moto import REPOSITORY
from local.backing.service import Service
from local.cog.predict_name import PREDICTOR, RUNS

HERE = Path(__file__).parent
_HEALTH_SECONDS = 1.0


class CogServer(Service):
    """`upload_url` is what the server is given as `--upload-url`; "" for none, then files come as data URLs."""

    name = "Cog"

    def __init__(
        self, data_dir: Path, port: int = 0, *, upload_url: str = "", webhook_token: str = ""
    ) -> None:
        super().__init__(data_dir, port)
        self.upload_url = upload_url
        self._webhook_token = webhook_token

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://{ports.LOOPBACK}:{self.port}"

    @property
    def runs(self) -> int:
        """How often the predictor has run since the directory was made."""
        lines = self.data_dir / RUNS
        return len(lines.read_text(encoding="utf-8").splitlines()) if lines.exists() else 0

    def _prepare(self) -> None:
        described = self.data_dir / ".cog"
        described.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(HERE / "openapi_schema.json", described / "openapi_schema.json")

    def _spawn(self) -> "subprocess.Popen[bytes]":
        module = [sys.executable, "-m", "cog.server.http", "--host", ports.LOOPBACK]
        upload = ["--upload-url", self.upload_url] if self.upload_url else []
        return self._launch([*module, *upload], self.data_dir, env=self._environment())

    def _environment(self) -> dict[str, str]:
        """Cog starts its worker by the command `python`, whichever PATH finds first: it must be this one."""
        beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        token = {"WEBHOOK_AUTH_TOKEN": self._webhook_token} if self._webhook_token else {}
        return {
            **os.environ,
            "PATH": beside,
            "PYTHONPATH": str(REPOSITORY),
            "PORT": str(self.port),
            "COG_PREDICT_TYPE_STUB": PREDICTOR,
            **token,
        }

    def _ready(self) -> bool:
        try:
            connection = HTTPConnection(ports.LOOPBACK, self.port, timeout=_HEALTH_SECONDS)
            with contextlib.closing(connection):
                connection.request("GET", "/health-check")
                return b'"status":"READY"' in connection.getresponse().read()
        except (OSError, HTTPException):
            return False
