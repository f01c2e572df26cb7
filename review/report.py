"""What a report of a run is made of, as plain values: every renderer takes this, and knows nothing of databases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from headersweep.bodyfacts import BodyFacts
from headersweep.responses import ResponseClass
from review import table
from review.finding import Finding, Found, Rule, Severity
from review.judge import Judgement

SAMPLES = 3
"""How many sample URLs stand beside a cause or a header set."""

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class HeaderSet:
    """Pages of a run that answered with one snapshot and one status over one scheme, and their judgement."""

    content_hash: str
    """``sha256:`` and the hash in hex."""
    status: int
    scheme: str
    pages: int
    pairs: tuple[Pair, ...]
    judgement: Judgement
    malformed: tuple[str, ...] = ()
    sample_urls: tuple[str, ...] = ()
    is_new: bool = False
    facts: BodyFacts | None = None
    """What was read in the bodies of these pages; None: nobody read them."""
    zones: tuple[str, ...] | None = None
    """Those path scopes of the policy that hold all of its pages; the others hold none. None: pages were not told apart."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong, however many pages show it."""

    rule: Rule
    severity: Severity
    """The worst that it has on any of the pages."""
    subject: str
    detail: str
    evidence: str
    pages: int
    snapshots: int
    classes: tuple[ResponseClass, ...]
    sample_urls: tuple[str, ...]
    waived_by: str = ""
    """Which waiver excuses it; empty: none. A waived cause is shown, and fails nothing."""
    is_new: bool = False
    """There is a baseline, and it does not have this."""

    @property
    def code(self) -> str:
        """The stable code of the rule."""
        return self.rule.code


@dataclass(frozen=True, slots=True)
class Report:
    """One run of one site, judged."""

    run_id: int
    site: str
    slot: datetime
    state: str
    digest: str = ""
    owner: str = ""
    rollback_note: str = ""
    pages: int = 0
    accounting: dict[str, int] = field(default_factory=dict)
    rules_version: int = 0
    grade: dict[str, Any] | None = None
    sets: tuple[HeaderSet, ...] = ()
    causes: tuple[Cause, ...] = ()
    changed_pages: int | None = None
    not_judged: int = 0
    """Pages where a firewall or a challenge answered in the site's place."""


def causes(sets: Iterable[HeaderSet]) -> tuple[Cause, ...]:
    """The findings of header sets, grouped by cause: the worst first, then those on the most pages."""
    found: dict[tuple[str, str], list[tuple[HeaderSet, Finding]]] = {}
    for one in sets:
        for finding in one.judgement.findings:
            found.setdefault((finding.code, finding.subject), []).append((one, finding))
    grouped = [_cause(members) for members in found.values()]
    return ordered(grouped)


def of_run(found: Iterable[Found]) -> tuple[Cause, ...]:
    """The causes that only a whole run shows: of its redirects, its nonces."""
    return tuple(
        Cause(
            rule=table.RULES[finding.code],
            severity=finding.severity,
            subject=finding.subject,
            detail=finding.detail,
            evidence=finding.evidence,
            pages=pages,
            snapshots=0,
            classes=(),
            sample_urls=urls,
        )
        for finding, pages, urls in found
    )


def about(rule: Rule, subject: str, detail: str) -> Cause:
    """A cause that is about the policy itself and so on no page."""
    return Cause(rule, rule.severity, subject, detail, "", 0, 0, (), ())


def ordered(found: Iterable[Cause]) -> tuple[Cause, ...]:
    """Causes as reports show them: the worst first, then those on the most pages."""
    return tuple(sorted(found, key=order))


def order(cause: Cause) -> tuple[int, int, str, str, str]:
    """The place of a cause among others: the worst first, then those on the most pages."""
    return -cause.severity.rank, -cause.pages, cause.code, cause.subject, cause.waived_by


def _cause(members: list[tuple[HeaderSet, Finding]]) -> Cause:
    _, finding = max(members, key=lambda member: (member[1].severity.rank, member[0].pages))
    sets = {id(one): one for one, _ in members}.values()
    urls = [url for one in sorted(sets, key=lambda one: -one.pages) for url in one.sample_urls]
    return Cause(
        rule=table.RULES[finding.code],
        severity=max((each.severity for _, each in members), key=lambda severity: severity.rank),
        subject=finding.subject,
        detail=finding.detail,
        evidence=finding.evidence,
        pages=sum(one.pages for one in sets),
        snapshots=len({one.content_hash for one in sets}),
        classes=tuple(sorted({one.judgement.response_class for one in sets})),
        sample_urls=tuple(dict.fromkeys(urls))[:SAMPLES],
    )
