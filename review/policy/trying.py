"""What another policy would make of the same pages: findings that would come, go, or count differently."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from review.finding import Severity
from review.report import Cause


class Effect(StrEnum):
    """What becomes of a finding."""

    COMES = "comes"
    GOES = "goes"
    CHANGES = "changes"
    STAYS = "stays"


@dataclass(frozen=True, slots=True)
class Weight:
    """How a finding counts: its severity, its pages, and how many of these are excused, by whom."""

    severity: Severity
    pages: int
    waived_pages: int
    waived_by: str

    @property
    def is_waived(self) -> bool:
        """Whether it is excused on all of its pages."""
        return bool(self.waived_by) and self.pages == self.waived_pages


@dataclass(frozen=True, slots=True)
class Change:
    """One finding under two policies; None where one of them does not have it."""

    code: str
    subject: str
    title: str
    detail: str
    before: Weight | None
    after: Weight | None

    @property
    def effect(self) -> Effect:
        """What becomes of it."""
        if self.before is None:
            return Effect.COMES
        if self.after is None:
            return Effect.GOES
        return Effect.STAYS if self.before == self.after else Effect.CHANGES


def compare(before: Iterable[Cause], after: Iterable[Cause]) -> tuple[Change, ...]:
    """Every finding of either policy: by effect, and then the worst first."""
    old, new = _by_cause(before), _by_cause(after)
    changes = [
        Change(
            *key, _shown(parts).rule.title, _shown(parts).detail, _weight(old.get(key)), _weight(new.get(key))
        )
        for key, parts in (old | new).items()
    ]
    return tuple(sorted(changes, key=_order))


def _by_cause(causes: Iterable[Cause]) -> dict[tuple[str, str], list[Cause]]:
    found: dict[tuple[str, str], list[Cause]] = {}
    for cause in causes:
        found.setdefault((cause.code, cause.subject), []).append(cause)
    return found


def _shown(parts: list[Cause]) -> Cause:
    return max(parts, key=lambda cause: (cause.severity.rank, cause.pages))


def _weight(parts: list[Cause] | None) -> Weight | None:
    if parts is None:
        return None
    waived = [cause for cause in parts if cause.waived_by]
    return Weight(
        _shown(parts).severity,
        sum(cause.pages for cause in parts),
        sum(cause.pages for cause in waived),
        "; ".join(sorted(cause.waived_by for cause in waived)),
    )


def _order(change: Change) -> tuple[int, int, int, str, str]:
    weight = change.after or change.before
    rank, pages = (weight.severity.rank, weight.pages) if weight else (0, 0)
    return list(Effect).index(change.effect), -rank, -pages, change.code, change.subject
