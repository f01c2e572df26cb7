"""Judging: what holds for every finding, whichever check it comes from."""

from __future__ import annotations

from review import judge
from review.finding import Severity
from review.received import received

HTML = ("Content-Type", "text/html")
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


def test_no_finding_shows_a_secret_that_stands_in_its_line() -> None:
    line = ("Strict-Transport-Security", f"max-age=abc; x={TOKEN}")
    found = {finding.code: finding for finding in judge.judge(received([HTML, line])).findings}
    assert "hsts.ignored" in found
    assert not [finding for finding in found.values() if TOKEN in finding.evidence]


def test_an_error_page_matters_one_level_less() -> None:
    def severity(status: int) -> Severity:
        findings = judge.judge(received([HTML], status=status)).findings
        return next(finding.severity for finding in findings if finding.code == "csp.missing")

    assert severity(500) is severity(200).lowered()


def test_a_page_of_a_firewall_is_not_judged() -> None:
    judgement = judge.judge(received([HTML, ("cf-mitigated", "challenge")], status=403))
    assert (judgement.judged, judgement.findings) == (False, ())


def test_the_worst_comes_first() -> None:
    ranks = [finding.severity.rank for finding in judge.judge(received([HTML])).findings]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) > 1
