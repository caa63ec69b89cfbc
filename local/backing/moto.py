"""AWS from the package moto, as a server process on TCP 127.0.0.1."""

import http.client
import subprocess
import sys
from pathlib import Path

from local.backing.ports import LOOPBACK
from local.backing.service import Service

REPOSITORY = Path(__file__).resolve().parents[2]


class Moto(Service):
    """DynamoDB, S3, SQS and the rest in memory: `kill` loses everything, `freeze` nothing."""

    name = "AWS (moto)"

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, for `endpoint_url` and AWS_ENDPOINT_URL."""
        return f"http://{LOOPBACK}:{self.port}"

    def _prepare(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        return self._launch([sys.executable, "-m", "local.backing.moto_server", str(self.port)], REPOSITORY)

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=2)
        try:
            connection.request("GET", "/moto-api/data.json")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()
