"""One answer judged by itself: findings with their texts, effective values and the grade, as one JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from headersweep import masking
from headersweep.bodyfacts import BodyFacts
from review import judge, preload, table
from review import received as reading
from review.finding import Finding, Severity
from review.grades import mdn
from review.grades.mdn import Grade
from review.grades.scan import Scan, host_of, scheme_of
from review.inputs import Answer
from review.judge import Judgement
from review.preload import PreloadList

UNKNOWN_URL = "https:///"
"""Stands for an address that nobody said: over https, on no host in particular."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that is to be said about one answer."""

    answer: Answer
    judgement: Judgement
    effective: dict[str, Any]
    grade: Grade
    preload: Mapping[str, Any] | None = None
    """What the preload list says of the host; None: no list was given, or nobody said the host."""

    def worst(self) -> Severity | None:
        """The severity of its worst finding; None without any."""
        return max(
            (finding.severity for finding in self.judgement.findings), key=lambda one: one.rank, default=None
        )

    def as_json(self) -> dict[str, Any]:
        """The contract of ``headersweep check --format json``."""
        return {
            "findings": [as_object(finding) for finding in self.judgement.findings],
            "effective": self.effective,
            "grade": self.grade.explained(),
            "response_class": str(self.judgement.response_class),
            "judged": self.judgement.judged,
            "rules_version": judge.RULES_VERSION,
            "preload": self.preload,
        }


def verdict(
    answer: Answer,
    facts: BodyFacts | None = None,
    algorithm: int = mdn.NEWEST,
    known: PreloadList | None = None,
) -> Verdict:
    """The verdict on an answer; never raises, whatever was received."""
    url = answer.url or UNKNOWN_URL
    received = reading.received(
        answer.pairs,
        status=answer.status,
        scheme=scheme_of(url) or "https",
        host=host_of(url),
        malformed=answer.malformed,
        facts=facts,
    )
    scan = looked_up(Scan(url, answer.pairs, answer.status, answer.chain, facts=facts), known)
    grade, judgement = mdn.grade(scan, algorithm), judge.judge(received)
    if known is None or not received.host:
        return Verdict(answer, judgement, judge.effective(received), grade)
    told = (*preload.explained(judgement.findings, received.host, known), *preload.judge(received, known))
    judgement = replace(judgement, findings=tuple(sorted(told, key=judge.order)))
    return Verdict(answer, judgement, judge.effective(received), grade, preload.as_json(received.host, known))


def looked_up(scan: Scan, known: PreloadList | None) -> Scan:
    """What a scanner saw, with what the preload list says of each host on the way."""
    if known is None or not host_of(scan.url):
        return scan
    chain = tuple(replace(hop, preloaded=known.entry(host_of(hop.url)) is not None) for hop in scan.chain)
    return replace(scan, chain=chain, preloaded=known.entry(host_of(scan.url)) is not None)


def as_object(finding: Finding) -> dict[str, str]:
    """A finding with the texts of its rule."""
    rule = table.RULES[finding.code]
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "title": rule.title,
        "evidence": shown(finding.evidence),
        "subject": finding.subject,
        "detail": finding.detail,
        "browser": rule.browser,
        "why": rule.why,
        "fix": rule.fix,
        "link": rule.link,
    }


def shown(evidence: str) -> str:
    """Evidence without cookie values and tokens, which snapshots do not keep either."""
    return masking.mask(evidence.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
