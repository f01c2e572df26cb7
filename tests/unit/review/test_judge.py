"""Judging: what holds for every finding, whichever check it comes from."""

from __future__ import annotations

from datetime import date

import pytest

from headersweep.policies import Policy, Profile
from review import judge
from review.finding import Severity
from review.policy import applying
from review.received import received
from review.report import HeaderSet

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


@pytest.mark.parametrize(
    ("lines", "is_document"),
    [
        ([HTML], True),
        ([], True),
        ([("Content-Type", "image/svg+xml")], True),
        ([("Content-Type", "text/plain")], False),
        ([("Content-Type", "image/png")], False),
        ([("Content-Type", "text/css")], False),
    ],
)
def test_an_error_that_is_no_document_is_not_judged_as_one(
    lines: list[tuple[str, str]], is_document: bool
) -> None:
    found = {finding.code for finding in judge.judge(received(lines, status=404)).findings}
    assert ("csp.missing" in found) is is_document
    assert "hsts.missing" in found


def test_a_profile_demands_of_an_error_what_fits_its_type() -> None:
    def missed(kind: str) -> set[str]:
        pairs = (("Content-Type", kind),)
        judgement = judge.judge(received(pairs, status=404))
        one = HeaderSet("sha256:1", 404, "https", 1, pairs, judgement)
        causes = applying.apply(Policy(profile=Profile.ASVS_5_L3), [one], date(2026, 11, 28))
        return {cause.code for cause in causes if cause.code.startswith("policy.")}

    assert "policy.coop" in missed("text/html")
    assert "policy.coop" not in missed("text/plain")
    assert "policy.hsts_year_subdomains" in missed("text/plain")


def test_a_page_of_a_firewall_is_not_judged() -> None:
    judgement = judge.judge(received([HTML, ("cf-mitigated", "challenge")], status=403))
    assert (judgement.judged, judgement.findings) == (False, ())


def test_the_worst_comes_first() -> None:
    ranks = [finding.severity.rank for finding in judge.judge(received([HTML])).findings]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) > 1
