"""Secure contexts: where browsers read headers that they ignore elsewhere."""

from __future__ import annotations

import ipaddress

from review.received import Received


def trustworthy(received: Received) -> bool:
    """Whether a browser takes the answer for one of a trustworthy origin: https, or a server on its own machine."""
    return received.secure or _is_local(received.host)


def is_address(host: str) -> bool:
    """Whether a host, with or without a port, is an IP address rather than a name."""
    return _address(host) is not None


def _is_local(host: str) -> bool:
    address = _address(host)
    if address is not None:
        return address.is_loopback
    name = host.partition(":")[0].lower().removesuffix(".")
    return name == "localhost" or name.endswith(".localhost")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
