"""Cross-Origin-Embedder-Policy and its report-only form (HTML, section 7.1.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headersweep.responses import ResponseClass
from review import contexts, fields
from review.finding import DOCUMENTS, EXECUTED, Finding, Rule, Severity
from review.received import Received

HEADER = "cross-origin-embedder-policy"
REPORT_ONLY = "cross-origin-embedder-policy-report-only"
POLICIES = frozenset({"unsafe-none", "require-corp", "credentialless"})
_OPENER = "cross-origin-opener-policy"
_LINK = "https://html.spec.whatwg.org/multipage/browsers.html#coep"
_FIX = "Cross-Origin-Embedder-Policy: require-corp"

MISSING = Rule(
    code="coep.missing",
    severity=Severity.INFO,
    title="No Cross-Origin-Embedder-Policy is set",
    browser="It loads things of other sites into the page without asking them.",
    why="Opinion: only pages that want SharedArrayBuffer or precise timers need it; it breaks embedded things that do not agree.",
    fix=f"{_FIX}\nTry Cross-Origin-Embedder-Policy-Report-Only first.",
    link=_LINK,
    classes=frozenset({ResponseClass.DOCUMENT}),
    opinion=True,
)
IGNORED = Rule(
    code="coep.ignored",
    severity=Severity.LOW,
    title="Cross-Origin-Embedder-Policy has a value that browsers ignore",
    browser="It wants one token, in lower case and without quotes; with several lines or a list it falls back to unsafe-none.",
    why="The page is not isolated, and what depends on that (SharedArrayBuffer) does not work.",
    fix=_FIX,
    link=_LINK,
    classes=EXECUTED,
)
ONLY_REPORTED = Rule(
    code="coep.only_reported",
    severity=Severity.INFO,
    title="Cross-Origin-Embedder-Policy is reported, not enforced",
    browser="It reports what the policy would have blocked, and blocks nothing.",
    why="The report-only form is meant for a trial.",
    fix=_FIX,
    link=_LINK,
    classes=DOCUMENTS,
)
REPORT_ONLY_IGNORED = Rule(
    code="coep.report_only_ignored",
    severity=Severity.INFO,
    title="Cross-Origin-Embedder-Policy-Report-Only has a value that browsers ignore",
    browser="It wants one token, in lower case and without quotes; nothing is reported otherwise.",
    why="The trial looks clean because nothing is tried.",
    fix='Cross-Origin-Embedder-Policy-Report-Only: require-corp; report-to="main"',
    link=_LINK,
    classes=EXECUTED,
)
NOT_ISOLATED = Rule(
    code="coep.not_isolated",
    severity=Severity.INFO,
    title="Cross-Origin-Embedder-Policy without its companion",
    browser="It isolates a page that is opened by itself only when Cross-Origin-Opener-Policy is same-origin as well.",
    why="The page pays for the policy with blocked things, and does not get SharedArrayBuffer and precise timers. In a frame it may be right as it is.",
    fix="Cross-Origin-Opener-Policy: same-origin",
    link="https://html.spec.whatwg.org/multipage/browsers.html#coop-plus-coep",
    classes=frozenset({ResponseClass.DOCUMENT}),
)
CREDENTIALLESS = Rule(
    code="coep.credentialless",
    severity=Severity.INFO,
    title="Cross-Origin-Embedder-Policy has a value that not all browsers know",
    browser="Chromium and Firefox load things of other sites without cookies. Safari, and Firefox on Android, do not know credentialless and fall back to unsafe-none.",
    why="There the page is not isolated.",
    fix=_FIX,
    link=_LINK,
    classes=EXECUTED,
)
RULES = (MISSING, IGNORED, ONLY_REPORTED, REPORT_ONLY_IGNORED, NOT_ISOLATED, CREDENTIALLESS)


def effective(received: Received) -> str | None:
    """The policy, or None where the browser ignores the header."""
    return _policy(received, HEADER, POLICIES)


def reported(received: Received) -> str | None:
    """The policy on trial, or None where the browser ignores the header."""
    return _policy(received, REPORT_ONLY, POLICIES)


EFFECTIVE: dict[str, Any] = {HEADER: effective, REPORT_ONLY: reported}


def check(received: Received) -> Iterator[Finding]:
    """Say where the policy is not in force, or is in vain; over http browsers read neither header."""
    if not contexts.trustworthy(received):
        return
    policy = effective(received)
    if policy is None:
        yield from _not_enforced(received)
    elif policy != "unsafe-none":
        yield from _enforced(received, policy)
    if received.has(REPORT_ONLY) and reported(received) is None:
        yield REPORT_ONLY_IGNORED.found(received.line(REPORT_ONLY))


def _not_enforced(received: Received) -> Iterator[Finding]:
    if received.has(HEADER):
        yield IGNORED.found(received.line(HEADER))
    elif reported(received) not in {None, "unsafe-none"}:
        yield ONLY_REPORTED.found(received.line(REPORT_ONLY))
    else:
        yield MISSING.found()


def _enforced(received: Received, policy: str) -> Iterator[Finding]:
    if policy == "credentialless":
        yield CREDENTIALLESS.found(received.line(HEADER))
    if _policy(received, _OPENER, frozenset({"same-origin"})) is None:
        yield NOT_ISOLATED.found(received.line(HEADER))


def _policy(received: Received, name: str, known: frozenset[str]) -> str | None:
    found = fields.token_item(received.combined(name)) if contexts.trustworthy(received) else None
    return found[0] if found is not None and found[0] in known else None
