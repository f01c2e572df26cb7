"""Judging: one answer in, findings and effective values out. Pure: the same values always have the same judgement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from headersweep.responses import ResponseClass
from review import table, tokens
from review.finding import Finding
from review.received import Received

RULES_VERSION = 2
"""Grows whenever a judgement of any answer may differ from before; kept beside every judgement."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be said about one answer; ``judged`` is False where a firewall answered in the site's place."""

    response_class: ResponseClass
    findings: tuple[Finding, ...]
    judged: bool = True


def judge(received: Received) -> Judgement:
    """The findings on an answer, by its class, the worst first. Never raises, whatever the bytes were."""
    kind = received.response_class
    if kind is ResponseClass.BLOCKED:
        return Judgement(kind, (), judged=False)
    found = {
        _placed(finding, kind)
        for check in table.CHECKS
        for finding in check.check(received)
        if applies(table.RULES[finding.code].classes, received)
    }
    return Judgement(kind, tuple(sorted(found, key=order)))


def applies(classes: frozenset[ResponseClass], received: Received) -> bool:
    """Whether what holds for these classes holds for an answer.

    An error page of plain text runs no script: what is said of documents is said of error pages that are documents.
    """
    kind = received.response_class
    return kind in classes and (kind is not ResponseClass.ERROR or received.shown_as in classes)


def effective(received: Received) -> dict[str, Any]:
    """What a browser makes of each header that it was sent and that is known here; None where it is ignored."""
    return {name: table.EFFECTIVE[name](received) for name in received.names if name in table.EFFECTIVE}


def _placed(finding: Finding, kind: ResponseClass) -> Finding:
    """A finding without secrets; an error page matters one level less than the page that it stands for."""
    severity = finding.severity.lowered() if kind is ResponseClass.ERROR else finding.severity
    # Here, so that no check can put a token that stands in the same line into tables, logs and reports.
    evidence = _masked(finding.evidence)
    if severity is finding.severity and evidence is finding.evidence:
        return finding
    return replace(finding, severity=severity, evidence=evidence)


_masked = lru_cache(maxsize=1024)(tokens.masked)


def order(finding: Finding) -> tuple[int, str, str, str, str]:
    """The place of a finding among others: the worst first."""
    return -finding.severity.rank, finding.code, finding.subject, finding.evidence, finding.detail
