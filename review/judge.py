"""Judging: one answer in, findings and effective values out. Pure: the same values always have the same judgement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
    found = [finding for check in table.CHECKS for finding in check.check(received)]
    told = {finding.code for finding in found}
    fitting = {code for code in told if applies(table.RULES[code].classes, received)}
    placed = dict.fromkeys(_placed([finding for finding in found if finding.code in fitting], kind))
    return Judgement(kind, tuple(sorted(placed, key=order)))


def applies(classes: frozenset[ResponseClass], received: Received) -> bool:
    """Whether what holds for these classes holds for an answer.

    An error page of plain text runs no script: what is said of documents is said of error pages that are documents.
    """
    kind = received.response_class
    return kind in classes and (kind is not ResponseClass.ERROR or received.shown_as in classes)


def effective(received: Received) -> dict[str, Any]:
    """What a browser makes of each header that it was sent and that is known here; None where it is ignored."""
    return {name: table.EFFECTIVE[name](received) for name in received.names if name in table.EFFECTIVE}


def _placed(found: list[Finding], kind: ResponseClass) -> Iterable[Finding]:
    """Findings without secrets; an error page matters one level less than the page that it stands for."""
    # Here, so that no check can put a token that stands in the same line into tables, logs and reports.
    text = "\n".join({finding.evidence for finding in found})
    if kind is not ResponseClass.ERROR and not tokens.may_hold(text):
        return found
    return [_masked_and_placed(finding, kind) for finding in found]


def _masked_and_placed(finding: Finding, kind: ResponseClass) -> Finding:
    severity = finding.severity.lowered() if kind is ResponseClass.ERROR else finding.severity
    evidence = _masked(finding.evidence)
    if severity is finding.severity and evidence == finding.evidence:
        return finding
    return Finding(finding.code, severity, evidence, finding.subject, finding.detail)


_masked = lru_cache(maxsize=1024)(tokens.masked)


def order(finding: Finding) -> tuple[int, str, str, str, str]:
    """The place of a finding among others: the worst first."""
    code, severity, evidence, subject, detail = finding
    return -severity.rank, code, subject, evidence, detail
