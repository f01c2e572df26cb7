"""Directions of what two headers decide together: who may read an answer, and who may frame a page."""

from __future__ import annotations

from typing import Any

from review.directions import EVERYONE, Direction, Verdict, of_numbers, together


def access(old: tuple[Any, Any], new: tuple[Any, Any]) -> Verdict:
    """Which origins may read the answer, each side with whether credentials are allowed along with it."""
    before, after = _readers(*old), _readers(*new)
    if before[1] != after[1] and before[0] == after[0] == _ORIGIN:
        return Verdict(Direction.INCOMPARABLE, "another origin")
    if EVERYONE in (old[0], new[0]) and before[2] != after[2]:
        return Verdict(
            Direction.INCOMPARABLE, "more origins, but none with credentials, or the other way round"
        )
    ways = (of_numbers(before[0], after[0]), of_numbers(not before[2], not after[2]))
    return Verdict(together(ways))


_ORIGIN = 2


def _readers(origin: Any, credentials: Any) -> tuple[int, Any, bool]:
    """How few may read, who, and whether with credentials; for ``*`` browsers refuse those (Fetch, CORS check)."""
    few = {None: 3, "null": 1, EVERYONE: 0}.get(origin, _ORIGIN)
    return few, origin, bool(credentials) and origin not in (None, EVERYONE)


def framing(old: tuple[Any, Any], new: tuple[Any, Any]) -> Verdict:
    """Who may frame a page, each side with X-Frame-Options and the policies: frame-ancestors decides where it is (HTML, 7.5)."""
    decides = [_ancestors(policies) for _, policies in (old, new)]
    ranks = [
        _FRAMES.get(side[0], 0) if found is None else found
        for side, found in zip((old, new), decides, strict=True)
    ]
    said = {
        (True, True): "frame-ancestors decides, before and after",
        (False, True): "frame-ancestors decides now",
    }
    text = said.get((decides[0] is not None, decides[1] is not None), "frame-ancestors decides no longer")
    return Verdict(of_numbers(*ranks), text)


_FRAMES = {"sameorigin": 1.0, "deny": 2.0}
_SOME = 0.5
"""Stricter than nothing, less strict than the own origin alone."""


def _ancestors(policies: Any) -> float | None:
    """How strict the enforced policies are about framing, as strict as the strictest; None where none says anything."""
    found = [
        policy["directives"]["frame-ancestors"]
        for policy in (policies or {}).get("policies", ())
        if "frame-ancestors" in policy["directives"]
    ]
    return max(map(_ancestor, found), default=None)


def _ancestor(sources: Any) -> float:
    allowed = {str(source).lower() for source in sources} - {"'none'"}
    if not allowed:
        return _FRAMES["deny"]
    if any(source == EVERYONE or source.endswith(":") for source in allowed):
        return 0.0
    return _FRAMES["sameorigin"] if allowed == {"'self'"} else _SOME
