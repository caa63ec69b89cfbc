"""TCP ports on the loopback address."""

import errno
import socket
from contextlib import ExitStack

from local.backing.errors import PortInUseError

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listened on a moment ago."""
    (port,) = free_ports(1)
    return port


def free_ports(count: int) -> list[int]:
    """So many ports of 127.0.0.1, all different, that nobody listened on a moment ago."""
    with ExitStack() as stack:
        held = [stack.enter_context(hold_port()) for _ in range(count)]
        return [port_of(each) for each in held]


def hold_port() -> socket.socket:
    """A socket on a free port of 127.0.0.1 that nobody else is given until it is closed (`port_of` tells which)."""
    held = socket.socket()
    held.bind((LOOPBACK, 0))
    return held


def port_of(bound: socket.socket) -> int:
    """The port of a bound socket."""
    return int(bound.getsockname()[1])


def require_free(name: str, port: int) -> None:
    """Nothing, if `port` can be listened on; else PortInUseError, which names the service."""
    if not is_free(port):
        raise PortInUseError(name, port)


def is_free(port: int) -> bool:
    """Whether `port` can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def accepts_connections(port: int) -> bool:
    """True if somebody accepts TCP connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0
