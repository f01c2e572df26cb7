"""What changed between two runs, as plain values: changes by header over pages, pages that came and went, causes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from review import drift
from review.directions import Direction
from review.drift import Change
from review.received import Received
from review.report import SAMPLES, Cause

WORST_FIRST = (Direction.LOOSER, Direction.INCOMPARABLE, Direction.STRICTER, Direction.EQUAL)


class Move(StrEnum):
    """What became of pages between two runs."""

    CHANGED = "changed"
    APPEARED = "appeared"
    VANISHED = "vanished"
    ANSWERED = "answered_again"
    NOT_ANSWERED = "not_answered"
    NOT_VISITED = "not_visited"


@dataclass(frozen=True, slots=True)
class Group:
    """Pages that moved alike: the same answer before, the same after."""

    move: Move
    pages: int
    sample_urls: tuple[str, ...]
    old: Received | None = None
    new: Received | None = None
    outcome: str = ""
    """How the visit ended that brought no answer."""
    is_back: bool = False
    """Whether the pages answer again as they did before the old run."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One change of one header, and the pages that show it."""

    change: Change
    pages: int
    sample_urls: tuple[str, ...]
    flapping_pages: int = 0
    """How many of the pages answer again as they did shortly before the old run."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Pages of which only one run has an answer, by what that was."""

    move: Move
    status: int
    outcome: str
    pages: int
    sample_urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two runs of one site, compared. ``came`` and ``went`` are causes of findings."""

    site: str
    old_run: int
    new_run: int
    changed_pages: int = 0
    changes: tuple[Changed, ...] = ()
    moves: tuple[Moved, ...] = ()
    came: tuple[Cause, ...] = ()
    went: tuple[Cause, ...] = ()
    from_spans: bool = False
    """Whether the visits of a run are gone: then pages that were not fetched count as they were before."""

    def pages(self, direction: Direction) -> int:
        """On how many pages some header changed that way, at the most: a page with two changes counts twice."""
        return sum(one.pages for one in self.changes if one.change.direction is direction)

    @property
    def is_looser(self) -> bool:
        """Whether anything protects less than before."""
        return any(one.change.direction is Direction.LOOSER for one in self.changes)


def changes(
    groups: Iterable[Group], *, seen: datetime | None = None, ignored: Collection[str] = ()
) -> tuple[int, tuple[Changed, ...]]:
    """How many pages changed, and what by header and cause: the worst first, then what is on the most pages."""
    found: dict[Change, list[Group]] = {}
    pages = 0
    for group in groups:
        if group.old is None or group.new is None:
            continue
        moved = drift.changes(group.old, group.new, seen=seen, ignored=ignored)
        pages += group.pages if moved else 0
        for change in moved:
            found.setdefault(change, []).append(group)
    listed = [
        Changed(change, _pages(members), _urls(members), _pages([one for one in members if one.is_back]))
        for change, members in found.items()
    ]
    return pages, tuple(sorted(listed, key=_order))


def _order(one: Changed) -> tuple[int, int, str, str, str]:
    change = one.change
    return WORST_FIRST.index(change.direction), -one.pages, change.header, change.old, change.new


def moves(groups: Iterable[Group]) -> tuple[Moved, ...]:
    """The pages of which one run has no answer, by what happened and the status that the other has."""
    found: dict[tuple[Move, int, str], list[Group]] = {}
    for group in groups:
        side = group.old if group.new is None else group.new
        if group.move is not Move.CHANGED and side is not None:
            found.setdefault((group.move, side.status, group.outcome), []).append(group)
    order = list(Move)
    listed = [Moved(*key, _pages(members), _urls(members)) for key, members in found.items()]
    return tuple(sorted(listed, key=lambda one: (order.index(one.move), -one.pages, one.status, one.outcome)))


def came_and_went(old: Iterable[Cause], new: Iterable[Cause]) -> tuple[tuple[Cause, ...], tuple[Cause, ...]]:
    """The causes that only the new run has, and those that only the old one had, each in their order."""
    before = {(cause.code, cause.subject): cause for cause in old}
    after = {(cause.code, cause.subject): cause for cause in new}
    came = tuple(cause for key, cause in after.items() if key not in before)
    return came, tuple(cause for key, cause in before.items() if key not in after)


def _pages(groups: Sequence[Group]) -> int:
    return sum(group.pages for group in groups)


def _urls(groups: Sequence[Group]) -> tuple[str, ...]:
    common_first = sorted(groups, key=lambda group: (-group.pages, group.sample_urls))
    return tuple(dict.fromkeys(url for group in common_first for url in group.sample_urls))[:SAMPLES]
