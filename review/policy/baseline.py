"""A baseline: the run whose state somebody approved. What a later run finds beyond it is new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from review import report
from review.policy import rules
from review.report import Cause

_NEVER_NEW = ("waiver.", "baseline.", "switch.", "preload.")
"""What a run does not show by itself: it is about the policy, or about a list with a date of its own."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Who approved which run, why, until which day, and what that run showed.

    ``causes`` are (code, subject) of everything found in the approved run under the policy of today, by the rules of
    today: a rule that was made since finds in both runs what it finds, and makes nothing new. None: what the run
    showed is no longer known, so nothing can be called new.
    """

    run_id: int
    owner: str
    reason: str
    expires: date
    rollback_note: str
    causes: frozenset[tuple[str, str]] | None = frozenset()

    def is_expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return today > self.expires

    def mark(self, causes: Iterable[Cause]) -> Iterator[Cause]:
        """The causes, those that the approved run did not have marked as new; also after the last day."""
        for cause in causes:
            yield replace(cause, is_new=self._is_new(cause))

    def _is_new(self, cause: Cause) -> bool:
        if self.causes is None or cause.code.startswith(_NEVER_NEW):
            return False
        return (cause.code, cause.subject) not in self.causes

    def expired(self, today: date) -> Iterator[Cause]:
        """The finding that nobody approves of the baseline any longer, if so."""
        if self.is_expired(today):
            said = f"its last day was {self.expires} ({self.owner}: {self.reason}); {self.rollback_note}"
            yield report.about(rules.BASELINE_EXPIRED, f"run {self.run_id}", said)


def known(causes: Iterable[Cause]) -> frozenset[tuple[str, str]]:
    """What a baseline remembers of the causes of its run."""
    return frozenset((cause.code, cause.subject) for cause in causes)
