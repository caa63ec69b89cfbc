"""Errors of the backing services.

BackingError
+-- PortInUseError
"""


class BackingError(Exception):
    """A backing service could not be started; the message names it and says why."""


class PortInUseError(BackingError):
    """The port is taken by another process."""

    def __init__(self, name: str, port: int) -> None:
        self.port = port
        super().__init__(f"{name} cannot listen on 127.0.0.1:{port}: the port is in use")
