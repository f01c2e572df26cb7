"""Cross-Origin-Opener-Policy and its report-only form (HTML, section 7.1.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headersweep.responses import ResponseClass
from review import contexts, fields
from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received

HEADER = "cross-origin-opener-policy"
REPORT_ONLY = "cross-origin-opener-policy-report-only"
POLICIES = frozenset({"unsafe-none", "same-origin", "same-origin-allow-popups", "noopener-allow-popups"})
"""With same-origin, and a Cross-Origin-Embedder-Policy that is compatible, HTML speaks of same-origin-plus-COEP."""

_LINK = "https://html.spec.whatwg.org/multipage/browsers.html#the-coop-headers"
_FIX = "Cross-Origin-Opener-Policy: same-origin\nWith log-in windows of others: same-origin-allow-popups."

MISSING = Rule(
    code="coop.missing",
    severity=Severity.LOW,
    title="Other sites keep a handle on windows of this one",
    browser="A page that opened this one, or was opened by it, can navigate it, count its frames and message it.",
    why="Such handles serve leaks between sites and swapped log-in windows.",
    fix=_FIX,
    link=_LINK,
    classes=frozenset({ResponseClass.DOCUMENT}),
)
IGNORED = Rule(
    code="coop.ignored",
    severity=Severity.LOW,
    title="Cross-Origin-Opener-Policy has a value that browsers ignore",
    browser="It wants one token, in lower case and without quotes; with several lines or a list it falls back to unsafe-none.",
    why="The header looks as if it protected, and does not.",
    fix=_FIX,
    link=_LINK,
    classes=DOCUMENTS,
)
OFF = Rule(
    code="coop.off",
    severity=Severity.INFO,
    title="Cross-Origin-Opener-Policy is set to unsafe-none",
    browser="It does what it does without the header.",
    why="Windows of other sites keep their handle on this one; pages that need that are rare.",
    fix=_FIX,
    link=_LINK,
    classes=DOCUMENTS,
)
ONLY_REPORTED = Rule(
    code="coop.only_reported",
    severity=Severity.LOW,
    title="Cross-Origin-Opener-Policy is reported, not enforced",
    browser="It reports what the policy would have cut, and cuts nothing. Only Chromium does so.",
    why="The report-only form protects nobody; it is meant for a trial.",
    fix=_FIX,
    link=_LINK,
    classes=DOCUMENTS,
)
REPORT_ONLY_IGNORED = Rule(
    code="coop.report_only_ignored",
    severity=Severity.INFO,
    title="Cross-Origin-Opener-Policy-Report-Only has a value that browsers ignore",
    browser="It wants one token, in lower case and without quotes; nothing is reported otherwise.",
    why="The trial looks clean because nothing is tried.",
    fix='Cross-Origin-Opener-Policy-Report-Only: same-origin; report-to="main"',
    link=_LINK,
    classes=DOCUMENTS,
)
NOT_EVERYWHERE = Rule(
    code="coop.not_everywhere",
    severity=Severity.INFO,
    title="Cross-Origin-Opener-Policy has a value that not all browsers know",
    browser="Chromium since 131 and Safari since 18.4 know noopener-allow-popups. Firefox does not, and falls back to unsafe-none.",
    why="In Firefox windows of other sites keep their handle on this one.",
    fix=_FIX,
    link=_LINK,
    classes=DOCUMENTS,
)
RULES = (MISSING, IGNORED, OFF, ONLY_REPORTED, REPORT_ONLY_IGNORED, NOT_EVERYWHERE)


def effective(received: Received) -> str | None:
    """The policy, or None where the browser ignores the header."""
    return _policy(received, HEADER)


def reported(received: Received) -> str | None:
    """The policy on trial, or None where the browser ignores the header."""
    return _policy(received, REPORT_ONLY)


EFFECTIVE: dict[str, Any] = {HEADER: effective, REPORT_ONLY: reported}


def check(received: Received) -> Iterator[Finding]:
    """Say where windows of other sites keep a handle; over http browsers read neither header."""
    if contexts.trustworthy(received):
        yield from _enforced(received)
        if received.has(REPORT_ONLY) and reported(received) is None:
            yield REPORT_ONLY_IGNORED.found(received.line(REPORT_ONLY))


def _enforced(received: Received) -> Iterator[Finding]:
    policy = effective(received)
    if received.has(HEADER):
        if policy is None:
            yield IGNORED.found(received.line(HEADER))
        elif policy == "unsafe-none":
            yield OFF.found(received.line(HEADER))
        elif policy == "noopener-allow-popups":
            yield NOT_EVERYWHERE.found(received.line(HEADER))
    elif reported(received) not in {None, "unsafe-none"}:
        yield ONLY_REPORTED.found(received.line(REPORT_ONLY))
    else:
        yield MISSING.found()


def _policy(received: Received, name: str) -> str | None:
    found = fields.token_item(received.combined(name)) if contexts.trustworthy(received) else None
    return found[0] if found is not None and found[0] in POLICIES else None
