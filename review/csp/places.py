"""Places: what scheme and host expressions match, as sets that can be compared and intersected.

Every expression is written out by scheme, so that one place covers another or does not, and no two of them cover a
third only together. The page is taken to be served over https.
"""

from __future__ import annotations

import functools
import urllib.parse
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from review.csp.sources import SELF, Kind, Source

_UPGRADES = {"http": ("http", "https"), "ws": ("ws", "wss")}
"""CSP3 "scheme-part matches": an insecure scheme stands for its secure sister too."""
_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}
_SOCKETS = frozenset({"ws", "wss"})
_MOST_PREFIXES = 32
"""Deeper folders of a path are compared whole only: an attacker's path has thousands."""
_MOST_LABELS = 127
"""A name in the DNS has no more."""
_MOST_PAIRS = 4096
"""Larger intersections keep only places that lie wholly in the other set."""


class Place(NamedTuple):
    """A set of URLs. ``*`` is any host or port, an empty port the scheme's own, an empty path any path."""

    scheme: str
    host: str
    port: str = ""
    path: str = ""


ANYWHERE = Place("https", "*", "*")
"""All that there is over https."""


def places(sources: Iterable[Source], *, sockets: bool = False) -> frozenset[Place]:
    """The places of scheme and host expressions; those of web sockets only where they can be opened."""
    found = (place for one in sources for place in _places(one))
    return frozenset(place for place in found if sockets or place.scheme not in _SOCKETS)


def covers(outer: frozenset[Place], inner: Place) -> bool:
    """Whether every URL of a place lies in a set of places."""
    return bool(_inside(frozenset((inner,)), outer))


def within(inner: frozenset[Place], outer: frozenset[Place]) -> bool:
    """Whether all of a set of places lies in another."""
    rest = inner - outer
    return len(_inside(rest, outer)) == len(rest)


def meet(one: frozenset[Place], other: frozenset[Place]) -> frozenset[Place]:
    """The URLs that lie in both."""
    if one == other:
        return one
    if len(one) * len(other) <= _MOST_PAIRS:
        return frozenset(both for a in one for b in other if (both := _meet(a, b)) is not None)
    return _inside(one, other) | _inside(other, one)


def _places(source: Source) -> Iterator[Place]:
    if source.kind is Kind.SCHEME:
        return (Place(scheme, "*", "*") for scheme in _UPGRADES.get(source.scheme, (source.scheme,)))
    if source.value == SELF:
        return (Place(scheme, SELF) for scheme in ("https", "wss"))
    if source.text == "*":
        return (Place(scheme, "*", "*") for scheme in _DEFAULT_PORTS)
    return _hosts(source)


def _hosts(source: Source) -> Iterator[Place]:
    named = source.scheme or "https"
    path = "" if source.path == "/" else _decoded(source.path)
    for scheme in _UPGRADES.get(named, (named,)):
        for port in _ports(source, scheme):
            yield Place(scheme, source.host, port, path)


def _decoded(path: str) -> str:
    """CSP3 "path-part matches" compares pieces with their percent signs decoded; an encoded slash separates nothing."""
    if "%" not in path:
        return path
    return "/".join(urllib.parse.unquote(piece).replace("/", "%2F") for piece in path.split("/"))


def _ports(source: Source, scheme: str) -> tuple[str, ...]:
    """CSP3 "port-part matches": 80 stands for 443 too, where the scheme is the secure one."""
    if source.port == _DEFAULT_PORTS.get(scheme):
        return ("",)
    if source.port == "80" and scheme in {"https", "wss"}:
        return ("80", "") if source.scheme == scheme else ("",)
    return (source.port,)


def _inside(inner: frozenset[Place], outer: frozenset[Place]) -> frozenset[Place]:
    """Those of the inner places that one of the outer ones covers."""
    hosts = _hosts_of(outer)
    return frozenset(
        place
        for place in inner
        if place in outer or any(candidate in outer for candidate in _around(place, hosts))
    )


@functools.lru_cache(maxsize=64)
def _hosts_of(found: frozenset[Place]) -> frozenset[str]:
    return frozenset(place.host for place in found)


@functools.lru_cache(maxsize=64)
def _have_wildcards(hosts: frozenset[str]) -> bool:
    return any(host.startswith("*") for host in hosts)


def _around(place: Place, hosts: frozenset[str]) -> Iterator[Place]:
    """All places with one of the hosts that could cover this one, from near to far."""
    ports = (place.port,) if place.port == "*" else (place.port, "*")
    for host in _hosts_around(place.host) if _have_wildcards(hosts) else (place.host,):
        if host in hosts:
            for port in ports:
                for path in _paths_around(place.path):
                    yield Place(place.scheme, host, port, path)


def _hosts_around(host: str) -> Iterator[str]:
    yield host
    if host in {"*", SELF}:
        yield "*"
        return
    labels = host.removeprefix("*.").split(".")[:_MOST_LABELS]
    for start in range(1, len(labels)):
        yield f"*.{'.'.join(labels[start:])}"
    yield "*"


def _paths_around(path: str) -> Iterator[str]:
    yield path
    if not path:
        return
    end = 0
    for _ in range(_MOST_PREFIXES):
        end = path.find("/", end) + 1
        if not end:
            break
        yield path[:end]
    yield ""


def _meet(one: Place, other: Place) -> Place | None:
    host = _meet_hosts(one.host, other.host)
    port = _meet_ports(one.port, other.port)
    path = _meet_paths(one.path, other.path)
    if one.scheme != other.scheme or host is None or port is None or path is None:
        return None
    return Place(one.scheme, host, port, path)


def _meet_hosts(one: str, other: str) -> str | None:
    if one == other or _host_covers(other, one):
        return one
    return other if _host_covers(one, other) else None


def _host_covers(outer: str, inner: str) -> bool:
    return outer == "*" or (outer.startswith("*.") and inner.endswith(outer[1:]))


def _meet_ports(one: str, other: str) -> str | None:
    if other in {one, "*"}:
        return one
    return other if one == "*" else None


def _meet_paths(one: str, other: str) -> str | None:
    if one == other or _path_covers(other, one):
        return one
    return other if _path_covers(one, other) else None


def _path_covers(outer: str, inner: str) -> bool:
    return not outer or (outer.endswith("/") and inner.startswith(outer))
