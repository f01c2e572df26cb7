"""A site before and after a change, as numbers: what headers protect, what caches may do, findings, latency, grade.

Everything is weighted by pages and made from header sets, so it costs as much as there are distinct sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from headersweep.policies import Policy
from headersweep.responses import ResponseClass
from review.caching import Sharing
from review.finding import Severity
from review.policy import applying
from review.policy.rules import EXPECTATION
from review.posture import PROTECTIONS, posture
from review.report import Cause, HeaderSet, order


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the pages that count have something."""

    part: int = 0
    whole: int = 0

    def __add__(self, other: Share) -> Share:
        return Share(self.part + other.part, self.whole + other.whole)

    @property
    def ratio(self) -> float | None:
        """From 0 to 1; None where no page counts."""
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True, slots=True)
class Coverage:
    """On how many pages one protection holds, in all and by response class."""

    name: str
    pages: Share
    by_class: dict[ResponseClass, Share]


@dataclass(frozen=True, slots=True)
class Cacheability:
    """How many pages a shared cache may store, by what it may do with them, and for how long without asking."""

    by_sharing: dict[Sharing, int]
    seconds: tuple[int, ...] = ()
    """Of pages with a stated time: the shortest, the median over pages, and the longest; empty without any."""

    @property
    def storable(self) -> Share:
        """The pages that a shared cache may store at all."""
        whole = sum(self.by_sharing.values())
        return Share(whole - self.by_sharing.get(Sharing.NEVER, 0), whole)


@dataclass(frozen=True, slots=True)
class Latency:
    """How long the answers of a run took, in milliseconds: half of them, nine tenths, and all but a hundredth."""

    answers: int
    p50: int
    p90: int
    p99: int


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs."""

    run_id: int
    slot: datetime
    state: str
    finished_at: datetime | None
    pages: int
    """Those that were judged; where a firewall answered, nothing is known of the site."""
    not_judged: int
    coverage: tuple[Coverage, ...]
    caching: Cacheability
    causes: tuple[Cause, ...]
    policy: Policy = field(default_factory=Policy)
    owner: str = ""
    latency: Latency | None = None
    """None: nobody measured it, or the run's visits are past retention."""
    from_cache: Share | None = None
    """The answers that a cache gave; None: no cache said so of any, or the visits are past retention."""
    grade: dict[str, Any] | None = None
    """None: there is none, or what the start page answered is past retention."""


def coverage(sets: Sequence[HeaderSet]) -> tuple[tuple[Coverage, ...], Cacheability]:
    """What header sets protect and what caches may do with them, each protection in its place even where none counts."""
    found: dict[str, dict[ResponseClass, Share]] = {one.name: {} for one in PROTECTIONS}
    shared: dict[Sharing, int] = {}
    lives: list[tuple[int, int]] = []
    for one in sets:
        if not one.judgement.judged:
            continue
        received = applying.received_of(one)
        has = posture(received)
        for name, holds in has.held.items():
            by_class = found[name]
            kind = received.response_class
            by_class[kind] = by_class.get(kind, Share()) + Share(one.pages if holds else 0, one.pages)
        shared[has.sharing] = shared.get(has.sharing, 0) + one.pages
        if has.fresh_for is not None:
            lives.append((has.fresh_for, one.pages))
    listed = tuple(
        Coverage(name, _sum(shares.values()), dict(sorted(shares.items()))) for name, shares in found.items()
    )
    ordered = {kind: shared[kind] for kind in reversed(Sharing) if kind in shared}
    return listed, Cacheability(ordered, _spread(lives))


def _sum(shares: Iterable[Share]) -> Share:
    return sum(shares, Share())


def _spread(lives: list[tuple[int, int]]) -> tuple[int, ...]:
    """The least, the median and the greatest of weighted values."""
    if not lives:
        return ()
    lives.sort()
    half, passed = sum(weight for _, weight in lives) / 2, 0
    for value, weight in lives:
        passed += weight
        if passed >= half:
            return lives[0][0], value, lives[-1][0]
    raise AssertionError("half of a whole is reached")  # pragma: no cover


# --- what became of findings -------------------------------------------------------------------------------------


class Turn(StrEnum):
    """What became of a cause between two runs."""

    OPENED = "opened"
    WORSE = "worse"
    CLOSED = "closed"
    WAIVED = "waived"
    STAYED = "stayed"


@dataclass(frozen=True, slots=True)
class Turned:
    """A cause, who has to see to it, and what became of it."""

    turn: Turn
    owner: str
    cause: Cause
    pages_before: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs of one site, the earlier one first."""

    site: str
    before: Side
    after: Side
    rules_version: int
    """Both runs were judged by these rules, whichever were in force when they ran."""

    @property
    def turned(self) -> tuple[Turned, ...]:
        """What became of the causes of both runs, the worst first."""
        return turned(self.before, self.after)

    @property
    def policy_changed(self) -> bool:
        """Whether the site's file demands or excuses something else than before."""
        return self.before.policy != self.after.policy


def turned(before: Side, after: Side) -> tuple[Turned, ...]:
    """The causes of two runs with what became of them, the worst first, each with its owner."""
    old, new = _open(before.causes), _open(after.causes)
    waived = {_key(cause): cause for cause in after.causes if cause.waived_by}
    found = [_of_new(cause, old.get(key), after) for key, cause in new.items()]
    for key, cause in old.items():
        if key in new:
            continue
        if key in waived:
            found.append(Turned(Turn.WAIVED, owner_of(waived[key], after), waived[key], cause.pages))
        else:
            found.append(Turned(Turn.CLOSED, owner_of(cause, before), cause, cause.pages))
    return tuple(sorted(found, key=lambda one: (list(Turn).index(one.turn), order(one.cause))))


def _of_new(cause: Cause, was: Cause | None, side: Side) -> Turned:
    owner = owner_of(cause, side)
    if was is None:
        return Turned(Turn.OPENED, owner, cause)
    worse = cause.severity.rank > was.severity.rank
    return Turned(Turn.WORSE if worse else Turn.STAYED, owner, cause, was.pages)


def _open(causes: Iterable[Cause]) -> dict[tuple[str, str], Cause]:
    return {_key(cause): cause for cause in causes if not cause.waived_by}


def _key(cause: Cause) -> tuple[str, str]:
    return cause.code, cause.subject


def owner_of(cause: Cause, side: Side) -> str:
    """Who has to see to a cause: of a waiver (or what it excuses) and of an expectation its own owner, else the site's."""
    waivers, expectations = side.policy.waivers, side.policy.expectations
    if cause.waived_by:
        named = [one.owner for one in waivers if cause.waived_by.startswith(f"{one.label} ({one.owner}, ")]
    elif cause.code.startswith("waiver."):
        named = [one.owner for one in waivers if one.label == cause.subject]
    elif cause.code == EXPECTATION.code:
        named = [one.owner for one in expectations if one.name == cause.subject]
    else:
        named = []
    return named[0] if named else side.owner


def by_owner(found: Iterable[Turned]) -> dict[str, dict[Turn, int]]:
    """How many causes took which turn, by owner."""
    counts: dict[str, dict[Turn, int]] = {}
    for one in found:
        mine = counts.setdefault(one.owner, dict.fromkeys(Turn, 0))
        mine[one.turn] += 1
    return dict(sorted(counts.items()))


def by_severity(causes: Iterable[Cause]) -> Mapping[Severity, int]:
    """How many open causes there are of each severity, the worst first."""
    opened = list(_open(causes).values())
    return {one: sum(cause.severity is one for cause in opened) for one in reversed(Severity)}
