"""The address of a provider: the only host that its key is sent to."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from lib.domain.errors import ConfigurationError


def checked_base_url(base_url: str) -> str:
    """Return the address without a trailing slash.

    Raises `ConfigurationError` unless it is https, or http on this machine (the local simulator): over plain
    http a key could be read on the way.
    """
    parts = urlsplit(base_url.strip())
    plain_and_local = parts.scheme == "http" and _is_loopback(parts.hostname or "")
    unfit = not parts.hostname or parts.username or parts.query or parts.fragment
    if unfit or not (parts.scheme == "https" or plain_and_local):
        raise ConfigurationError(
            "a provider's base URL must be https://host[:port], or http:// on this machine; "
            f"it is {parts.scheme}://{parts.hostname}"
        )
    return base_url.strip().rstrip("/")


def checked_private_url(base_url: str) -> str:
    """As `checked_base_url`, and http also to a private address (RFC 1918, RFC 4193), given as a number.

    For servers of the operator's own, and only where the operator asks for it: a name could lead anywhere.
    """
    parts = urlsplit(base_url.strip())
    if parts.scheme == "http" and _is_private(parts.hostname or ""):
        checked_base_url(base_url.strip().replace("http:", "https:", 1))
        return base_url.strip().rstrip("/")
    return checked_base_url(base_url)


def _is_private(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_private and not address.is_link_local and not address.is_unspecified


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
