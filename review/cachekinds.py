"""What each kind of shared cache makes of an answer: one by the standard, and nginx and Varnish where they differ.

Each is a small function from an answer to what the cache may do with it. Sources stand with the functions; what nginx 1.22
and Varnish 7.1 really did with each case of ``benchmarks.caches`` is kept in tests/data/caches, and tests hold this to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from headersweep.cacherules import CacheKind
from review import caching, lists
from review.caches import nginx, varnish
from review.caches.permitted import Permitted, instant
from review.caching import CacheControl, Sharing
from review.received import Received

HEURISTIC_SHARE = 10
"""Caches guess a tenth of the time since the last change (RFC 9111, 4.2.2)."""


def permitted(received: Received, kind: CacheKind, now: int | None = None) -> Permitted:
    """What that kind of cache, configured to cache at all and for nothing else, makes of the answer to a plain GET.

    ``now`` is the cache's clock; without it, that of the answer's Date.
    """
    return _KINDS[kind](received, now)


@dataclass(frozen=True, slots=True)
class Asked:
    """What in a request makes a difference to caches: its query, and its headers by lower-case name."""

    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def value(self, name: str) -> str | None:
        """The value of a header; None without it."""
        return next((value for each, value in self.headers if each == name), None)


@dataclass(frozen=True, slots=True)
class Later:
    """A second request for the same path: the first one, itself, and how many seconds lie between."""

    first: Asked
    second: Asked
    after: float


def serves(received: Received, kind: CacheKind, later: Later, now: int | None = None) -> bool | None:
    """Whether the cache answers a request from what it stored for an earlier one; None where it would have to guess."""
    if later.first.query != later.second.query or not _PASSES[kind](received, later):
        return False
    varied = _VARIED[kind](received)
    if any(later.first.value(name) != later.second.value(name) for name in varied):
        return False
    return permitted(received, kind, now).reusable(later.after)


# --- by the standard ---------------------------------------------------------------------------------------------


def _rfc9111(received: Received, _now: int | None) -> Permitted:
    """RFC 9111, sections 3 and 4."""
    return _by_directives(received, caching.read(received))


def _cdn(received: Received, now: int | None) -> Permitted:
    """RFC 9213, 2.2: the targeted field in place of Cache-Control and Expires, where it can be read."""
    targeted = caching.targeting(received)
    return (
        _rfc9111(received, now) if targeted is None else _by_directives(received, targeted, caching.TARGETED)
    )


def _by_directives(received: Received, control: CacheControl | None, name: str = caching.HEADER) -> Permitted:
    rules = control or CacheControl({})
    sharing = caching.allowed(received, control)
    seconds = caching.lifetime(received, rules)
    if sharing is Sharing.NEVER:
        return Permitted(sharing, why=_why_never(received, rules, name))
    if sharing is Sharing.ASKING:
        return Permitted(sharing, 0, why=f"{name} or expires: to be asked for before each use")
    if sharing is Sharing.GUESSING:
        return Permitted(sharing, guessed(received), age(received), "nothing says for how long")
    return Permitted(sharing, seconds, age(received), _why_fresh(rules, name))


def _why_never(received: Received, rules: CacheControl, name: str) -> str:
    for directive in ("no-store", "private"):
        if rules.has(directive):
            return f"{name}: {directive}"
    if caching.varies_by_all(received):
        return "vary: *"
    return f"status {received.status}"


def _why_fresh(rules: CacheControl, name: str) -> str:
    said = next((each for each in ("s-maxage", "max-age") if rules.seconds(each) is not None), "")
    return f"{name}: {said}" if said else "expires"


def age(received: Received) -> int:
    """The seconds that the answer has spent in caches, by its first readable Age (RFC 9111, 5.1)."""
    first = lists.members(received.combined("age"))[:1]
    return min(int(first[0]), caching.LONGEST_LIFE) if first and re.fullmatch(r"[0-9]{1,18}", first[0]) else 0


def guessed(received: Received) -> int | None:
    """For how long caches usually guess that an answer is fresh; None where there is nothing to guess by."""
    date, modified = (instant(received, name) for name in ("date", "last-modified"))
    if date is None or modified is None or modified > date:
        return None
    return (date - modified) // HEURISTIC_SHARE


# --- one request after another -----------------------------------------------------------------------------------


def _rfc_passes(received: Received, later: Later) -> bool:
    """RFC 9111, 3.5: what was made for a request with Authorization is for others only where the answer says so."""
    authorized = later.first.value("authorization") is not None
    return not authorized or caching.storable_by_shared_cache(received, authorized=True)


def _nginx_passes(_received: Received, _later: Later) -> bool:
    """It looks at neither Cookie nor Authorization unless its configuration says so."""
    return True


def _varnish_passes(_received: Received, later: Later) -> bool:
    """The built-in VCL neither reads from the cache nor stores for requests with Cookie or Authorization."""
    names = ("cookie", "authorization")
    return all(asked.value(name) is None for asked in (later.first, later.second) for name in names)


def _varied(received: Received) -> frozenset[str]:
    return lists.tokens(received, "vary")


_PASSES: dict[CacheKind, Callable[[Received, Later], bool]] = {
    CacheKind.RFC9111: _rfc_passes,
    CacheKind.CDN: _rfc_passes,
    CacheKind.NGINX: _nginx_passes,
    CacheKind.VARNISH: _varnish_passes,
}
_VARIED: dict[CacheKind, Callable[[Received], frozenset[str]]] = dict.fromkeys(CacheKind, _varied)
_KINDS: dict[CacheKind, Callable[[Received, int | None], Permitted]] = {
    CacheKind.RFC9111: _rfc9111,
    CacheKind.CDN: _cdn,
    CacheKind.NGINX: nginx.permitted,
    CacheKind.VARNISH: varnish.permitted,
}
