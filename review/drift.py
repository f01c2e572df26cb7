"""Drift: what changed between two answers of one page, header by header, with the direction that it took."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from headersweep import headers, masking
from review import directions, joint, judge, table
from review.directions import Direction, Verdict
from review.received import Received

STATUS = ":status"
"""Stands where a header's name would, for a change of the status."""
MALFORMED = headers.MALFORMED

RECENT_RUNS = 5
"""Over how many runs back and forth counts as flapping."""

HSTS = "strict-transport-security"
POLICY = "content-security-policy"
FRAMES = "x-frame-options"
ORIGIN, CREDENTIALS = "access-control-allow-origin", "access-control-allow-credentials"

NOT_ENFORCED = frozenset(
    {
        f"{POLICY}-report-only",
        "cross-origin-opener-policy-report-only",
        "cross-origin-embedder-policy-report-only",
        "integrity-policy-report-only",
        "permissions-policy-report-only",
    }
)
_NONCE = re.compile(r"'nonce-[^']*'", re.IGNORECASE)
_ANY_NONCE = "'nonce-AAAAAAAAAAAAAAAAAAAAAA=='"


Effects = tuple[dict[str, Any], dict[str, Any]]
"""The effective values of the old answer and of the new one."""


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One header that differs. ``old`` and ``new`` are its values without what differs on every answer; empty: not sent."""

    header: str
    direction: Direction
    old: str
    new: str
    text: str = ""
    """What the direction consists of, and what follows from it."""


def changes(
    old: Received, new: Received, *, seen: datetime | None = None, ignored: Collection[str] = ()
) -> tuple[Change, ...]:
    """What differs between two answers, by header. ``seen``: when ``old`` was seen last; ``ignored``: masked headers.

    Answers of different classes are compared in their status alone: a redirect without a policy lost none.
    """
    moved = [] if old.status == new.status else [_status(old, new)]
    if old.response_class is not new.response_class:
        return tuple(moved)
    before, after = _comparable(old), _comparable(new)
    effects = judge.effective(old), judge.effective(new)
    for name in sorted({*before, *after} - set(ignored)):
        if before.get(name) != after.get(name):
            verdict = _verdict(name, old, new, effects, seen)
            shown = (_shown(name, before.get(name, ())), _shown(name, after.get(name, ())))
            moved.append(Change(name, verdict.direction, *shown, verdict.text))
    return tuple(moved)


def flapping(history: Sequence[Any]) -> bool:
    """Whether a page goes back and forth: A, B, A within the last runs, or two sets in one run.

    One item a run, the oldest first: the key of what the page answered with, a set of keys where it answered with
    several, None where it was not asked.
    """
    recent = [keys for item in history if (keys := _keys(item))][-RECENT_RUNS:]
    if any(len(keys) > 1 for keys in recent):
        return True
    steps = [keys for place, keys in enumerate(recent) if place == 0 or recent[place - 1] != keys]
    return len(set(steps)) < len(steps)


def _keys(item: Any) -> frozenset[Any]:
    if item is None:
        return frozenset()
    return frozenset(item) if isinstance(item, set | frozenset) else frozenset({item})


def _status(old: Received, new: Received) -> Change:
    kinds = f"{old.response_class} to {new.response_class}"
    text = "" if old.response_class is new.response_class else f"{kinds}: the headers are not compared"
    return Change(STATUS, Direction.INCOMPARABLE, str(old.status), str(new.status), text)


def _comparable(received: Received) -> dict[str, tuple[str, ...]]:
    """The values by name in their canonical form, without what differs on every answer."""
    found: dict[str, list[str]] = {}
    canonical = headers.canonical_text(received.pairs, received.malformed)
    for name, value in headers.value_lines(canonical):
        found.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in found.items()}


def _shown(name: str, values: Iterable[str]) -> str:
    return "\n".join(masking.MASK if name in masking.SECRET_NAMES else value for value in values)


def _verdict(name: str, old: Received, new: Received, effects: Effects, seen: datetime | None) -> Verdict:
    if name in _TOGETHER and (found := _TOGETHER[name](old, new, effects)) is not None:
        return found
    if name in directions.COMPARE_LISTS:
        return directions.COMPARE_LISTS[name](old.combined(name), new.combined(name))
    if name not in table.EFFECTIVE:
        return Verdict(Direction.INCOMPARABLE, _presence(name, old, new))
    before, after = (side.get(name) for side in effects)
    if before is None and after is None:
        return Verdict(Direction.EQUAL, "browsers ignore both")
    found = directions.compare(name, before, after)
    notes = [found.text, _ignored(name, old, new, before, after), _not_enforced(name)]
    if name == HSTS and found.direction is not Direction.EQUAL:
        notes.append(pinned(before, after, seen, preloaded="preload" in (old.combined(HSTS) or "").lower()))
    return Verdict(found.direction, "; ".join(filter(None, notes)))


def _framing(_old: Received, _new: Received, effects: Effects) -> Verdict | None:
    """Who may frame the page, where a policy has a say in it."""
    if not any(_has_ancestors(side) for side in effects):
        return None
    before, after = ((side.get(FRAMES), side.get(POLICY)) for side in effects)
    return joint.framing(before, after)


def _has_ancestors(effects: dict[str, Any]) -> bool:
    policies = (effects.get(POLICY) or {}).get("policies", ())
    return any("frame-ancestors" in policy["directives"] for policy in policies)


def _presence(name: str, old: Received, new: Received) -> str:
    if not old.has(name):
        return "is new"
    return "" if new.has(name) else "is gone"


def _ignored(name: str, old: Received, new: Received, before: Any, after: Any) -> str:
    """That a header which was sent has no effect: what looks like more protection may be none."""
    if new.has(name) and after is None:
        return "browsers ignore the new value"
    return "browsers ignored the old value" if old.has(name) and before is None else _presence(name, old, new)


def _not_enforced(name: str) -> str:
    return "it reports and enforces nothing" if name in NOT_ENFORCED else ""


def _policies(old: Received, new: Received, _effects: Effects) -> Verdict:
    """Whether everything that the new policies allow was allowed before, and the other way round."""
    before, after = (
        tuple(_NONCE.sub(_ANY_NONCE, value) for value in side.values(POLICY)) for side in (old, new)
    )
    compare = _subsume()
    if compare is None:
        return Verdict(_by_presence(before, after), _presence(POLICY, old, new))
    way, parts = compare(before, after)
    said = ", ".join(f"{directive} {word}" for directive, word in parts)
    return Verdict(Direction(way), "; ".join(filter(None, (_presence(POLICY, old, new), said))))


def _by_presence(before: Sequence[str], after: Sequence[str]) -> Direction:
    if bool(before) == bool(after):
        return Direction.INCOMPARABLE
    return Direction.STRICTER if after else Direction.LOOSER


Subsume = Callable[[Sequence[str], Sequence[str]], tuple[str, Sequence[tuple[str, str]]]]


def _subsume() -> Subsume | None:
    """The comparison of policies, where this version has it."""
    try:
        from review.csp import subsume  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    except ImportError:
        return None
    compare: Subsume = subsume.direction
    return compare


def _access(_old: Received, _new: Received, effects: Effects) -> Verdict | None:
    """Who may read the answer, and whether with credentials."""
    if ORIGIN not in table.EFFECTIVE:
        return None
    before, after = ((side.get(ORIGIN), side.get(CREDENTIALS)) for side in effects)
    return joint.access(before, after)


_TOGETHER: dict[str, Callable[[Received, Received, Effects], Verdict | None]] = {
    POLICY: _policies,
    FRAMES: _framing,
    ORIGIN: _access,
    CREDENTIALS: _access,
}
"""Headers that are not judged by themselves; None where they are after all."""


def pinned(before: Any, after: Any, seen: datetime | None, *, preloaded: bool = False) -> str:
    """What browsers that were here before still do after HSTS shrank, and how to take it back; empty where it grew."""
    seconds = before["max_age"] if before else 0
    if not seconds or (
        after and after["max_age"] >= seconds and after["include_subdomains"] >= before["include_subdomains"]
    ):
        return ""
    hosts = "this host and all below it" if before["include_subdomains"] else "this host"
    until = _until(seen, seconds)
    says = f"browsers that saw the old value use https alone for {hosts} {until}"
    if after is None:
        says += "; to end that, serve `Strict-Transport-Security: max-age=0` over https until then"
    elif not after["max_age"]:
        says += ", unless they come back over https before and see max-age=0: keep serving it until then"
    else:
        says += ", unless they come back over https before and see the new value"
    if preloaded:
        says += "; on the preload list it stays for months longer, until the browsers' next lists are out"
    return says


def _until(seen: datetime | None, seconds: int) -> str:
    if seen is None:
        return f"for {seconds} s after they saw it"
    try:
        moment = (seen.astimezone(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)
    except OverflowError:
        return "for good"
    return f"until {moment.isoformat().replace('+00:00', 'Z')}"
