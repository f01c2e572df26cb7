"""Grouping what is found on a million pages by cause, keeping counts and a few samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from review.cacherules import rules
from review.finding import Finding, Rule, Severity

SAMPLES = 3
_ORDER = {code: place for place, code in enumerate(rules.RULES)}


@dataclass(frozen=True, slots=True)
class Seen:
    """One page with what it answered, from a run to a run; without ``last_run``: until now."""

    url: str
    page_id: int
    snapshot_id: int
    status: int
    first_run: int = 0
    last_run: int | None = None


@dataclass
class Cause:
    """One thing that is wrong with the pages of one rule, and where."""

    code: str
    subject: str
    level: str
    severity: Severity
    detail: str
    evidence: str
    pages: int = 0
    """How many pages show it in the run that was asked about."""
    past: int = 0
    """How many showed it in earlier runs of those asked about, and answer differently now."""
    first_run: int | None = None
    """The earliest run, of those looked at, that shows it."""
    last_run: int | None = None
    """The last run that shows it; None: it goes on."""
    samples: list[Seen] = field(default_factory=list)
    waived_by: str = ""
    """Which waiver excuses it; empty: none. It is shown, and fails nothing."""

    @property
    def rule(self) -> Rule:
        """What the finding means."""
        return rules.RULES[self.code]

    @property
    def dangerous(self) -> bool:
        """Whether people can get each other's pages, not only slow ones."""
        return self.rule in rules.DANGEROUS

    def count(self, finding: Finding, seen: Seen, *, is_present: bool) -> None:
        """One more page that shows it."""
        self.pages += is_present
        self.past += not is_present
        self.first_run = seen.first_run if self.first_run is None else min(self.first_run, seen.first_run)
        if finding.severity.rank > self.severity.rank:
            self.severity, self.detail, self.evidence = finding.severity, finding.detail, finding.evidence
        if not is_present:
            self.last_run = max(self.last_run or 0, seen.last_run or 0)
        if len(self.samples) < SAMPLES or seen.url < self.samples[-1].url:
            self.samples = sorted([*self.samples, seen], key=_place)[:SAMPLES]

    def add(self, other: Cause) -> None:
        """Count the pages of another part of the same cause."""
        self.pages, self.past = self.pages + other.pages, self.past + other.past
        runs = [run for run in (self.first_run, other.first_run) if run is not None]
        self.first_run = min(runs, default=None)
        self.last_run = max((run for run in (self.last_run, other.last_run) if run is not None), default=None)
        if other.severity.rank > self.severity.rank:
            self.severity, self.detail, self.evidence = other.severity, other.detail, other.evidence
        self.samples = sorted([*self.samples, *other.samples], key=_place)[:SAMPLES]


def _place(seen: Seen) -> tuple[bool, str]:
    return seen.last_run is not None, seen.url


class Causes:
    """The causes that were found so far."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], Cause] = {}

    def add(self, level: str, findings: Iterable[Finding], seen: Seen, *, is_present: bool = True) -> None:
        """Count a page's findings."""
        for each in findings:
            key = (level, each.code, each.subject)
            cause = self._found.get(key)
            if cause is None:
                cause = Cause(each.code, each.subject, level, each.severity, each.detail, each.evidence)
                self._found[key] = cause
            cause.count(each, seen, is_present=is_present)

    def merge(self, other: Causes) -> None:
        """Add what was counted elsewhere, on other pages."""
        for key, cause in other._found.items():
            known = self._found.get(key)
            if known is None:
                self._found[key] = cause
            else:
                known.add(cause)

    def about(self, level: str, finding: Finding) -> None:
        """A finding that is on no page."""
        cause = Cause(
            finding.code, finding.subject, level, finding.severity, finding.detail, finding.evidence
        )
        self._found[level, finding.code, finding.subject] = cause

    def ordered(self) -> tuple[Cause, ...]:
        """The dangerous ones first, each kind by how severe it is and then on how many pages."""
        return tuple(
            sorted(
                self._found.values(),
                key=lambda cause: (
                    not cause.dangerous,
                    -cause.severity.rank,
                    _ORDER[cause.code],
                    -cause.pages,
                    cause.subject,
                ),
            )
        )
