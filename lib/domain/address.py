"""Addresses on the network."""

from ipaddress import ip_address


def is_address(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address, without a zone, as the record can keep it."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text
