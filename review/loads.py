"""What a page loads, for the checks that look at it: SRI and mixed content."""

from __future__ import annotations

import ipaddress

from headersweep.bodyfacts import Loaded
from review.received import Received

_WRITTEN = {
    "script": '<script src="{}/...">',
    "iframe": '<iframe src="{}/...">',
    "embed": '<embed src="{}/...">',
    "object": '<object data="{}/...">',
    "img": '<img src="{}/...">',
    "media": '<video src="{}/...">',
}


def of(received: Received) -> tuple[Loaded, ...]:
    """What the page loads, as far as its body was read."""
    return received.facts.loads if received.facts is not None else ()


def is_foreign(loaded: Loaded, received: Received) -> bool:
    """Whether it comes from another host than the page's, as far as that is known."""
    return bool(loaded.source) and not (received.host and host(loaded) == received.host.lower())


def scheme(loaded: Loaded, received: Received) -> str:
    """The scheme over which a browser asks for it."""
    named = loaded.source.partition("//")[0].rstrip(":")
    return named or received.scheme


def host(loaded: Loaded) -> str:
    """The host that it comes from, without the port; empty for the page's own."""
    place = loaded.source.partition("//")[2]
    return place.partition("]")[0] + "]" if place.startswith("[") else place.partition(":")[0]


def subject(loaded: Loaded) -> str:
    """What tells causes apart: host and port."""
    return loaded.source.partition("//")[2]


def is_loopback(loaded: Loaded) -> bool:
    """Whether browsers trust it without TLS (Secure Contexts, section 3.1)."""
    name = host(loaded)
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def markup(loaded: Loaded) -> str:
    """The element as far as it is kept: paths are not."""
    written = _WRITTEN.get(loaded.kind) or f'<link rel="{loaded.kind}" href="{{}}/...">'
    return written.replace("{}", loaded.source)
