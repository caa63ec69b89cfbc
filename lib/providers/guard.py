"""Connects to public addresses only, whatever a URL, a redirect or a name server says.

The address that was checked is the address that is connected to (there is no second look-up that could answer
otherwise: DNS rebinding), while TLS and the Host header keep the name. A few exact hosts and ports may be exempt
by setting.
"""

import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

import certifi

from lib.domain.errors import OutputError
from lib.domain.stored_output import OutputFault

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
Connector = Callable[[tuple[str, int], float], socket.socket]

HTTPS_PORT = 443

_NOT_PUBLIC_V4 = [
    IPv4Network(net)
    for net in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, also inside clouds
        "168.63.129.16/32",  # Azure's host services: formally public
        "169.254.0.0/16",  # link-local: metadata services
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "240.0.0.0/4",
    )
]
_GLOBAL_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = [
    IPv6Network(net)
    for net in (
        "2001::/23",  # protocol assignments, Teredo among them: may carry a private IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4: may carry a private IPv4 address
        "3fff::/20",
    )
]


def is_public(address: str) -> bool:
    """Whether this IP address belongs to the public internet, by the IANA registries and stricter.

    IPv6 counts only inside 2000::/3: that leaves out loopback, unique local, link-local and multicast, and
    the forms that embed IPv4 (mapped `::ffff:0:0/96`, NAT64 `64:ff9b::/96`).
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in net for net in _NOT_PUBLIC_V4)
    return ip in _GLOBAL_V6 and not any(ip in net for net in _NOT_PUBLIC_V6)


@dataclass(frozen=True)
class Destination:
    """Where a URL leads: checked in form; its address is checked when it is connected to."""

    scheme: str
    host: str
    port: int
    path: str
    exempt: bool

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = HTTPS_PORT if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"


class AddressGuard:
    """Turns URLs into connections to public addresses, or raises `OutputError` `output_forbidden_address`.

    `exceptions` is '' or each exact `host:port`, with commas, that may be fetched over plain http and at any address;
    another spelling of the same place is not exempt. `resolve` gives the addresses of a name, `connect` a TCP
    connection.
    """

    def __init__(
        self,
        exceptions: str = "",
        *,
        resolve: Resolver | None = None,
        connect: Connector | None = None,
        cafile: str | None = None,
    ) -> None:
        places = (place.strip() for place in exceptions.lower().split(","))
        self._exceptions = frozenset(place for place in places if place)
        self._resolve = resolve or _resolve
        self._connect = connect or socket.create_connection
        self._cafile = cafile or certifi.where()

    def destination(self, url: str) -> Destination:
        """Check everything about a URL but its address: scheme, port, no user name, a host."""
        parts, host, port = _split(url)
        bracketed = f"[{host}]" if ":" in host else host
        exempt = f"{bracketed}:{port}" in self._exceptions
        if parts.scheme not in (("http", "https") if exempt else ("https",)):
            raise _forbidden(f"scheme {parts.scheme or 'missing'!r}: only https is fetched")
        if not exempt and port != HTTPS_PORT:
            raise _forbidden(f"port {port}: only {HTTPS_PORT} is fetched")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Destination(parts.scheme, host, port, path, exempt)

    def connect(self, destination: Destination, timeout: float) -> socket.socket:
        """A connected socket, with TLS for https; the peer is one of the addresses that were checked.

        `OutputError` `output_unavailable` if the name is unknown or nobody answers (retryable), or if the
        certificate is wrong.
        """
        raw = self._dial(destination, timeout)
        if destination.scheme == "http":
            return raw
        try:
            return self._tls.wrap_socket(raw, server_hostname=destination.host.rstrip("."))
        except OSError as error:
            raw.close()
            passing = not isinstance(error, ssl.SSLCertVerificationError)
            raise unavailable(f"no TLS with {destination.host}: {error}", retryable=passing) from error

    def _dial(self, destination: Destination, timeout: float) -> socket.socket:
        try:
            addresses = self._resolve(destination.host, destination.port)
        except (OSError, UnicodeError) as error:
            raise unavailable(f"the name {destination.host} does not resolve: {error}") from error
        allowed = [item for item in addresses if destination.exempt or is_public(item)]
        if addresses and not allowed:
            raise _forbidden(f"{destination.host} is not at a public address")
        failure: OSError | None = None
        for address in allowed:
            try:
                return self._connect((address, destination.port), timeout)
            except OSError as error:
                failure = error
        raise unavailable(f"{destination.host} does not answer: {failure}") from failure

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._cafile)
        context.set_alpn_protocols(["http/1.1"])
        return context


def unavailable(message: str, *, retryable: bool = True) -> OutputError:
    """The error for a source that is away, slow or overloaded."""
    return OutputError(
        f"The output cannot be fetched: {message}.", code=OutputFault.UNAVAILABLE, retryable=retryable
    )


def _forbidden(reason: str) -> OutputError:
    return OutputError(f"The output's address is refused: {reason}.", code=OutputFault.FORBIDDEN_ADDRESS)


def _split(url: str) -> tuple[SplitResult, str, int]:
    """The parts of a URL, its host and port; refuses what parsers read differently, and credentials."""
    if not url.isascii() or any(character <= " " or character in '\\\x7f"<>' for character in url):
        raise _forbidden("it is not a well-formed URL")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _forbidden("it is not a well-formed URL") from error
    if not host or "%" in host:
        raise _forbidden("it names no host")
    if "@" in parts.netloc:
        raise _forbidden("it carries a user name")
    if port is None:
        port = HTTPS_PORT if parts.scheme == "https" else 80
    return parts, host, port


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
