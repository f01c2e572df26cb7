"""Directions: whether a header's new value lets through more or less than its old one, judged on what browsers make of both.

Every comparison takes effective values, None where the header is missing or without effect. What is compared has often
more than one side (which pages, which addresses, how long): a value is stricter only if it is on no side looser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

EVERYONE = "*"
MOST_PARTS = 12
"""So many parts of a change are named: a server may send thousands of cookies."""


class Direction(StrEnum):
    """Where a change leads. ``equal``: written otherwise, the same in effect."""

    EQUAL = "equal"
    STRICTER = "stricter"
    LOOSER = "looser"
    INCOMPARABLE = "incomparable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A direction, and in a few words what it consists of."""

    direction: Direction
    text: str = ""


Compare = Callable[[Any, Any], Verdict]


def together(directions: Iterable[Direction]) -> Direction:
    """The direction of a whole whose parts go these ways: parts that go both ways make it incomparable."""
    ways = set(directions) - {Direction.EQUAL}
    if not ways:
        return Direction.EQUAL
    return ways.pop() if len(ways) == 1 else Direction.INCOMPARABLE


def of_numbers(old: float, new: float) -> Direction:
    """The direction between two degrees of strictness."""
    if old == new:
        return Direction.EQUAL
    return Direction.STRICTER if new > old else Direction.LOOSER


def of_allowances(old: frozenset[str], new: frozenset[str]) -> Direction:
    """The direction between two sets of what is allowed; ``*`` allows everything."""
    if EVERYONE in old or EVERYONE in new:
        return of_numbers(EVERYONE not in old, EVERYONE not in new)
    if old == new:
        return Direction.EQUAL
    if new < old:
        return Direction.STRICTER
    return Direction.LOOSER if new > old else Direction.INCOMPARABLE


def _ranked(ranks: Mapping[Any, tuple[int, ...]]) -> Compare:
    """Compare by a table: for each value its strictness on each side that it has."""

    def _compare(old: Any, new: Any) -> Verdict:
        if not isinstance(old, str | bool | None) or not isinstance(new, str | bool | None):
            return _opaque(old, new)
        if old not in ranks or new not in ranks:
            return _opaque(old, new)
        sides = zip(ranks[old], ranks[new], strict=True)
        return Verdict(together(of_numbers(before, after) for before, after in sides))

    return _compare


def _opaque(old: Any, new: Any) -> Verdict:
    """For values of which nothing is known but whether they are the same."""
    return Verdict(Direction.EQUAL if old == new else Direction.INCOMPARABLE)


def _allowing(old: Any, new: Any) -> Verdict:
    """For lists of what is allowed: None allows nothing."""
    return Verdict(of_allowances(_tokens(old), _tokens(new)))


def _demanding(old: Any, new: Any) -> Verdict:
    """For lists of what is demanded or cleared: more is stricter."""
    return Verdict(of_allowances(_tokens(new), _tokens(old)))


def _tokens(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        value = value.split(",")
    return frozenset(str(item).strip(" \t").lower() for item in value or ()) - {""}


def hsts(old: Any, new: Any) -> Verdict:
    """For how long, and for which hosts; ``max-age=0`` takes back what browsers remember, and so is less than nothing."""
    (before, wide_before), (after, wide_after) = _pin(old), _pin(new)
    parts = {"max-age": of_numbers(before, after), "subdomains": of_numbers(wide_before, wide_after)}
    return Verdict(together(parts.values()), _parts(parts))


def _pin(value: Any) -> tuple[int, bool]:
    if value is None:
        return 0, False
    seconds = int(value["max_age"])
    return (seconds, bool(value["include_subdomains"])) if seconds else (-1, False)


def permissions(old: Any, new: Any) -> Verdict:
    """Feature by feature; one that is not named is left to every frame that the page allows it (Permissions Policy, 9.7)."""
    old, new = old or {}, new or {}
    features = {name: _feature(old.get(name), new.get(name)) for name in sorted({*old, *new})}
    return Verdict(together(features.values()), _parts(features))


def _feature(old: Any, new: Any) -> Direction:
    before, after = (frozenset({EVERYONE}) if side is None else frozenset(side) for side in (old, new))
    return of_allowances(before, after)


_SAME_SITE = {"none": 0, "default": 1, "lax": 2, "strict": 3}


def cookies(old: Any, new: Any) -> Verdict:
    """Cookie by cookie (name and path), those that browsers accept; one that comes or goes has no direction of its own."""
    before, after = _jar(old), _jar(new)
    parts: dict[str, Direction] = {}
    for key in sorted({*before, *after}):
        if key not in before or key not in after:
            parts[f"{key[0]} {'set' if key in after else 'no longer set'}"] = Direction.INCOMPARABLE
        else:
            parts |= {f"{key[0]} {name}": way for name, way in _cookie(before[key], after[key])}
    return Verdict(together(parts.values()), _parts(parts))


def _jar(value: Any) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {
        (str(one["name"]), str(one.get("path") or "")): one
        for one in value or ()
        if one.get("accepted", True)
    }


def _cookie(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Direction]]:
    yield "Secure", of_numbers(bool(old["secure"]), bool(new["secure"]))
    yield "HttpOnly", of_numbers(bool(old["http_only"]), bool(new["http_only"]))
    yield "SameSite", of_numbers(_SAME_SITE.get(old["same_site"], 1), _SAME_SITE.get(new["same_site"], 1))
    yield "Partitioned", of_numbers(bool(old.get("partitioned")), bool(new.get("partitioned")))
    yield "lifetime", of_numbers(not old.get("persistent"), not new.get("persistent"))
    yield "Domain", _domain(old.get("domain"), new.get("domain"))


def _domain(old: str | None, new: str | None) -> Direction:
    """Without Domain a cookie stays with its host; with one it goes to all hosts below."""
    if old and new and old != new:
        return Direction.INCOMPARABLE
    return of_numbers(not old, not new)


_UNLIMITED = float("inf")


def caching(old: Any, new: Any) -> Verdict:
    """Who may keep the answer, and for how long without asking again."""
    before, after = _kept(old or {}), _kept(new or {})
    parts = {
        "who may keep it": of_numbers(before[0], after[0]),
        "for how long": of_numbers(-before[1], -after[1]),
    }
    direction = together(parts.values())
    if direction is Direction.EQUAL and before[2] != after[2]:
        return Verdict(Direction.INCOMPARABLE)
    return Verdict(direction, _parts(parts))


_KNOWN = frozenset({"no-store", "no-cache", "private", "public", "max-age", "s-maxage", "must-revalidate"})


def _kept(value: Mapping[str, Any]) -> tuple[int, float, dict[str, Any]]:
    """How few may keep it, for how many seconds, and what else is said. Where nothing is kept the rest is moot."""
    directives = {str(name).lower().replace("_", "-"): held for name, held in value.items()}
    if _is_set(directives, "no-store"):
        return 2, 0, {}
    rest = {name: held for name, held in directives.items() if name not in _KNOWN}
    is_private = _is_set(directives, "private")
    if _is_set(directives, "no-cache"):
        return int(is_private), 0, rest
    seconds = directives.get("max-age")
    if not is_private and "s-maxage" in directives:
        seconds = directives["s-maxage"]
    # Without a lifetime a cache makes one up (RFC 9111, 4.2.2): longer than any that is named, for all one knows.
    return int(is_private), float(seconds) if isinstance(seconds, int | float) else _UNLIMITED, rest


def _is_set(directives: Mapping[str, Any], name: str) -> bool:
    """Whether a directive holds for the whole answer: a list of field names is for those fields alone."""
    return (
        name in directives
        and not isinstance(directives[name], list | tuple)
        and directives[name] is not False
    )


def _parts(parts: Mapping[str, Direction]) -> str:
    moved = [f"{name} {way}" for name, way in parts.items() if way is not Direction.EQUAL]
    more = [f"and {len(moved) - MOST_PARTS} more"] if len(moved) > MOST_PARTS else []
    return ", ".join(moved[:MOST_PARTS] + more)


_REFERRERS: dict[Any, tuple[int, ...]] = {
    # What is kept back (0 nothing, 1 path and query, 2 all): from the own origin, from others, from http.
    None: (0, 1, 2),  # the default is strict-origin-when-cross-origin (Referrer Policy, 3)
    "no-referrer": (2, 2, 2),
    "no-referrer-when-downgrade": (0, 0, 2),
    "same-origin": (0, 2, 2),
    "origin": (1, 1, 1),
    "strict-origin": (1, 1, 2),
    "origin-when-cross-origin": (0, 1, 1),
    "strict-origin-when-cross-origin": (0, 1, 2),
    "unsafe-url": (0, 0, 0),
}
_OPENERS: dict[Any, tuple[int, ...]] = {
    # Cut off from openers of other origins, from those of its own, from the windows that it opens.
    None: (0, 0, 0),
    "unsafe-none": (0, 0, 0),
    "same-origin-allow-popups": (1, 0, 0),
    "noopener-allow-popups": (1, 1, 0),
    "same-origin": (1, 0, 1),
}
_EMBEDDERS: dict[Any, tuple[int, ...]] = {
    None: (0,),
    "unsafe-none": (0,),
    "credentialless": (1,),
    "require-corp": (2,),
}
_RESOURCES: dict[Any, tuple[int, ...]] = {
    # Isolated pages (COEP) may load what says cross-origin, and not what says nothing.
    "cross-origin": (0,),
    None: (1,),
    "same-site": (2,),
    "same-origin": (3,),
}

COMPARE: dict[str, Compare] = {
    "strict-transport-security": hsts,
    "x-frame-options": _ranked({None: (0,), "sameorigin": (1,), "deny": (2,)}),
    "x-content-type-options": _ranked({None: (0,), "nosniff": (1,)}),
    "referrer-policy": _ranked(_REFERRERS),
    "permissions-policy": permissions,
    "feature-policy": permissions,
    "cross-origin-opener-policy": _ranked(_OPENERS),
    "cross-origin-embedder-policy": _ranked(_EMBEDDERS),
    "cross-origin-resource-policy": _ranked(_RESOURCES),
    "origin-agent-cluster": _ranked({False: (0,), None: (1,), True: (2,)}),
    "integrity-policy": lambda old, new: _demanding(
        (old or {}).get("blocked_destinations"), (new or {}).get("blocked_destinations")
    ),
    "clear-site-data": _demanding,
    "set-cookie": cookies,
    "cache-control": caching,
}
"""For each header whose effect is known, how two of its effective values compare; others: the same, or not comparable."""

COMPARE_LISTS: dict[str, Compare] = {
    "access-control-allow-methods": _allowing,
    "access-control-allow-headers": _allowing,
    "access-control-expose-headers": _allowing,
}
"""Headers that are lists of what is allowed, compared as they were received."""


def compare(header: str, old: Any, new: Any) -> Verdict:
    """How two effective values of a header compare."""
    return COMPARE.get(header, _opaque)(old, new)
