"""Redis over TLS (`rediss://`): the certificate is checked, and a connection serves more than one command."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lib.ports.tier import TierUnavailableError
from lib.stores.redis_client import RedisClient
from tests.fakes.tls import untrusted_context


class PongServer:
    """Answers every chunk that it receives with PONG; `accepted` counts its TLS connections."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rediss://localhost:{self._listener.getsockname()[1]}/0"
        self.accepted = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """Wakes the accepting thread and waits for its end."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            with plain:
                try:
                    self._answer(plain)
                except OSError:
                    continue  # the client turned the certificate away

    def _answer(self, plain: socket.socket) -> None:
        with self._context.wrap_socket(plain, server_side=True) as connection:
            self.accepted += 1
            while connection.recv(1000):
                connection.sendall(b"+PONG\r\n")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PongServer]:
    with closing(PongServer(untrusted_context(tmp_path))) as server:
        yield server


def test_a_trusted_server_is_spoken_to_over_one_connection(
    server: PongServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    with closing(RedisClient(server.url, timeout_seconds=2)) as client:
        assert [client.call("PING") for _ in range(3)] == [b"PONG"] * 3
    assert server.accepted == 1


def test_a_server_whose_certificate_nobody_vouches_for_is_refused(server: PongServer) -> None:
    with (
        closing(RedisClient(server.url, timeout_seconds=2)) as client,
        pytest.raises(TierUnavailableError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.call("PING")
