"""Reporting-Endpoints (W3C Reporting API), its predecessor Report-To, and NEL (W3C Network Error Logging)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from review import endpoints, lists
from review.endpoints import ENDPOINTS, NEL, REPORT_TO
from review.finding import EXECUTED, Finding, Rule, Severity
from review.received import Received

TOLD = 20
_LINK = "https://w3c.github.io/reporting/"
_NEL_LINK = "https://w3c.github.io/network-error-logging/"
_FIX = 'Reporting-Endpoints: main="https://reports.example/csp"'
_REPORT_TO_FIX = (
    'Report-To: {"group": "main", "max_age": 604800, "endpoints": [{"url": "https://reports.example/nel"}]}'
)
_NEL_FIX = 'NEL: {"report_to": "main", "max_age": 604800}'

ENDPOINTS_IGNORED = Rule(
    code="reporting.endpoints_ignored",
    severity=Severity.LOW,
    title="Reporting-Endpoints has a value that browsers ignore whole",
    browser="It reads a structured dictionary (RFC 9651) of strings; one error anywhere, and none of it counts.",
    why="No reports arrive, which looks like a page without violations.",
    fix=_FIX,
    link=f"{_LINK}#header",
    classes=EXECUTED,
)
ENDPOINT_IGNORED = Rule(
    code="reporting.endpoint_ignored",
    severity=Severity.LOW,
    title="An endpoint for reports is no URL in quotes",
    browser="It skips the endpoint; where the value is no string, Chromium ignores the whole header. A path must begin with one slash.",
    why="What is to be reported there is lost.",
    fix=_FIX,
    link=f"{_LINK}#header",
    classes=EXECUTED,
)
INSECURE = Rule(
    code="reporting.insecure_endpoint",
    severity=Severity.LOW,
    title="An endpoint for reports does not use https",
    browser="It sends reports over https alone, and skips the endpoint.",
    why="What is to be reported there is lost.",
    fix=_FIX,
    link=f"{_LINK}#header",
    classes=EXECUTED,
)
UNRESOLVED = Rule(
    code="reporting.unresolved",
    severity=Severity.LOW,
    title="Reports go to an endpoint that does not exist",
    browser="It looks the name up in Reporting-Endpoints of the same answer, and drops the report when it is not there.",
    why="No reports arrive, which looks like a page without violations.",
    fix=f"{_FIX}\nUse the same name in both headers.",
    link=f"{_LINK}#generate-report",
    classes=EXECUTED,
)
REPORT_TO_IGNORED = Rule(
    code="reporting.report_to_ignored",
    severity=Severity.LOW,
    title="Report-To has nothing that browsers understand",
    browser="Chromium wants JSON objects with max_age and endpoints over https, 16 KiB at most; others do not read it.",
    why="No reports arrive, neither of violations nor of network errors.",
    fix=_REPORT_TO_FIX,
    link="https://www.w3.org/TR/2018/WD-reporting-1-20180925/#header",
)
ONLY_REPORT_TO = Rule(
    code="reporting.only_report_to",
    severity=Severity.INFO,
    title="Reports are set up with the old header alone",
    browser="Chromium alone reads Report-To, and needs it only for network errors; Safari reads Reporting-Endpoints, Firefox neither unless told to.",
    why="Reports of most browsers are missing.",
    fix=_FIX,
    link=f"{_LINK}#header",
    classes=EXECUTED,
)
NEL_IGNORED = Rule(
    code="nel.ignored",
    severity=Severity.LOW,
    title="NEL has a value that browsers ignore",
    browser="Chromium wants one JSON object with report_to, max_age and fractions between 0 and 1; others do not read it.",
    why="Network errors of users are not reported.",
    fix=_NEL_FIX,
    link=f"{_NEL_LINK}#nel-response-header",
)
NEL_UNRESOLVED = Rule(
    code="nel.unresolved",
    severity=Severity.LOW,
    title="NEL reports to a group that is not defined",
    browser="Chromium looks for the group in Report-To, never in Reporting-Endpoints, and drops the report when it is not there.",
    why="Network errors of users are not reported.",
    fix=f"{_NEL_FIX}\n{_REPORT_TO_FIX}",
    link=f"{_NEL_LINK}#the-report_to-member",
)
RULES = (
    ENDPOINTS_IGNORED,
    ENDPOINT_IGNORED,
    INSECURE,
    UNRESOLVED,
    REPORT_TO_IGNORED,
    ONLY_REPORT_TO,
    NEL_IGNORED,
    NEL_UNRESOLVED,
)


def effective_endpoints(received: Received) -> dict[str, str] | None:
    """The names that reports can be sent to, or None where there are none."""
    return endpoints.usable(received) or None


def effective_groups(received: Received) -> list[dict[str, Any]] | None:
    """The groups of Report-To that count, or None where there are none."""
    return endpoints.groups(received) or None


EFFECTIVE: dict[str, Any] = {
    ENDPOINTS: effective_endpoints,
    REPORT_TO: effective_groups,
    NEL: endpoints.nel,
}


def check(received: Received) -> Iterator[Finding]:
    """Say which reports will not arrive; over http browsers set up none."""
    if not received.secure:
        return
    groups = endpoints.groups(received) if received.has(REPORT_TO) else []
    if received.has(ENDPOINTS):
        yield from _endpoints(received)
    if received.has(REPORT_TO):
        yield from _report_to(received, groups)
    yield from _unresolved(received)
    if received.has(NEL):
        yield from _nel(received)


def _endpoints(received: Received) -> Iterator[Finding]:
    line = received.line(ENDPOINTS)
    if endpoints.named(received) is None:
        yield ENDPOINTS_IGNORED.found(line)
        return
    faulty = ((name, fault) for name, fault in endpoints.faults(received).items() if fault)
    for name, fault in itertools.islice(faulty, TOLD):
        yield (INSECURE if fault == "insecure" else ENDPOINT_IGNORED).found(line, name)


def _report_to(received: Received, groups: list[dict[str, Any]]) -> Iterator[Finding]:
    if not groups:
        yield REPORT_TO_IGNORED.found(received.line(REPORT_TO))
    elif not received.has(ENDPOINTS) and not received.has(NEL):
        yield ONLY_REPORT_TO.found(received.line(REPORT_TO))


def _unresolved(received: Received) -> Iterator[Finding]:
    known = endpoints.reachable(received)
    missing = (pair for pair in endpoints.wanted(received) if pair[1] not in known)
    for header, name in lists.some(missing, TOLD):
        yield UNRESOLVED.found(received.line(header), f"{header} {name}"[:120])


def _nel(received: Received) -> Iterator[Finding]:
    policy = endpoints.nel(received)
    if policy is None:
        yield NEL_IGNORED.found(received.line(NEL))
    elif policy["max_age"] > 0 and policy["report_to"] not in endpoints.alive(received):
        yield NEL_UNRESOLVED.found(received.line(NEL), policy["report_to"][:120])
