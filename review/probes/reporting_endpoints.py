"""Where browsers send reports: which endpoints a site names, and whether anybody answers there.

An endpoint is asked as browsers ask before they report across origins: OPTIONS for a POST of reports. No report is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urljoin

from review import endpoints
from review.csp import parse
from review.finding import Finding, Found, Rule, Severity
from review.probes.answered import Answered, grouped
from review.received import Received

MAX_ENDPOINTS = 10
GONE = frozenset({404, 410})

SILENT = Rule(
    code="reporting.endpoint_silent",
    severity=Severity.LOW,
    title="Nobody takes the reports that browsers are asked to send",
    browser="It sends reports there, gets an error, and after a few tries throws them away.",
    why="Attacks and mistakes that a policy stops, and crashes and failures of the network, are reported to nobody.",
    fix="Mend the endpoint, or name one that answers: it takes POST, and OPTIONS where it is on another origin.",
    link="https://www.w3.org/TR/reporting-1/#try-delivery",
)
RULES = (SILENT,)


def named(received: Received, url: str) -> list[str]:
    """The URLs that an answer has reports sent to, whole, each once."""
    found = [*endpoints.usable(received).values()]
    found += [each for group in endpoints.groups(received) for each in group["endpoints"]]
    found += [each for policy in _policies(received) for each in policy]
    absolute = [urljoin(url, each) for each in found]
    return list(dict.fromkeys(each for each in absolute if each.startswith(("https://", "http://"))))


def _policies(received: Received) -> Iterator[list[str]]:
    for name in (parse.ENFORCED, parse.REPORT_ONLY):
        for policy in parse.header(received.values(name)):
            yield list(policy.directives.get("report-uri", ()))


def judge(answers: Iterable[Answered]) -> tuple[Found, ...]:
    """One finding for every endpoint that is not there."""
    return grouped(found for answer in answers for found in _of(answer))


def _of(one: Answered) -> Iterator[tuple[Finding, str]]:
    status = one.answer.status
    if status in GONE or status >= 500:  # noqa: PLR2004 - the class of server errors
        yield SILENT.found(f"OPTIONS {one.url}: {status}", one.url), one.context.get("named_by", one.url)
