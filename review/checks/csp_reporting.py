"""Content-Security-Policy: where violations are reported to (CSP3, section 6.5)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from review import endpoints
from review.csp import parse
from review.csp.parse import Policy
from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received

_LINK = "https://www.w3.org/TR/CSP3/#directives-reporting"
_rule = functools.partial(Rule, classes=DOCUMENTS, link=_LINK)

REPORT_TO_UNRESOLVED = _rule(
    code="csp.report_to_unresolved",
    severity=Severity.LOW,
    title="report-to names an endpoint that browsers cannot send to",
    browser="It looks the name up in Reporting-Endpoints (older Chromium: Report-To), and takes only URLs over https. Without one, it sends nothing, "
    "and one that knows report-to does not look at report-uri.",
    why="Nobody hears of attacks, nor of what the policy breaks.",
    fix='Reporting-Endpoints: csp="https://reports.example.com/csp"\n'
    "The name is the one in the policy: Content-Security-Policy: ...; report-to csp",
)
REPORTS_NOWHERE = _rule(
    code="csp.reports_nowhere",
    severity=Severity.LOW,
    title="A policy on trial reports to nobody",
    browser="It writes what the policy would have stopped to the console of the visitor's browser, and nowhere else.",
    why="A policy that only reports has no other use than its reports.",
    fix="Content-Security-Policy-Report-Only: default-src 'self'; report-to csp; report-uri /csp-reports",
)
REPORT_URI_ONLY = _rule(
    code="csp.report_uri_only",
    severity=Severity.INFO,
    title="Violations are reported by report-uri alone",
    browser="All of them still obey report-uri. The standard calls it deprecated and wants report-to beside it.",
    why="A fact, not a fault: one day a browser may stop.",
    fix="Content-Security-Policy: default-src 'self'; report-to csp; report-uri /csp-reports\n"
    'With Reporting-Endpoints: csp="https://reports.example.com/csp"',
)
RULES = (REPORT_TO_UNRESOLVED, REPORTS_NOWHERE, REPORT_URI_ONLY)
EFFECTIVE: dict[str, Callable[[Received], Any]] = {}


def check(received: Received) -> Iterator[Finding]:
    """Say which reports get lost."""
    names = endpoints.reachable(received)
    for header in (parse.ENFORCED, parse.REPORT_ONLY):
        for policy in parse.header(received.values(header)):
            yield from _of_policy(policy, header, names, parse.evidence(received, policy, header))


def _of_policy(policy: Policy, header: str, names: frozenset[str], line: str) -> Iterator[Finding]:
    reports = policy.directives.get("report-to")
    by_uri = bool(policy.directives.get("report-uri"))
    if reports and reports[0] not in names:
        yield REPORT_TO_UNRESOLVED.found(line, reports[0][:80])
    elif not reports and by_uri:
        yield REPORT_URI_ONLY.found(line)
    elif not reports and header == parse.REPORT_ONLY:
        yield REPORTS_NOWHERE.found(line)
