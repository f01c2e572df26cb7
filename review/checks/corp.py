"""Cross-Origin-Resource-Policy (Fetch, section 3.7): an exact value, no structured field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headersweep.responses import ResponseClass
from review.finding import Finding, Rule, Severity
from review.received import Received

HEADER = "cross-origin-resource-policy"
POLICIES = frozenset({"same-origin", "same-site", "cross-origin"})
_LINK = "https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header"
_FIX = "Cross-Origin-Resource-Policy: same-origin\nFor what other sites may embed: cross-origin."

MISSING = Rule(
    code="corp.missing",
    severity=Severity.INFO,
    title="Any site may embed this",
    browser="It hands the response to pages of other sites that load it as a picture, script or style sheet, with cookies where these allow it.",
    why="Opinion: what is made for one's own pages alone should say so; it keeps it out of other sites' processes.",
    fix=_FIX,
    link=_LINK,
    classes=frozenset({ResponseClass.DOCUMENT, ResponseClass.SCRIPT}),
    opinion=True,
)
IGNORED = Rule(
    code="corp.ignored",
    severity=Severity.LOW,
    title="Cross-Origin-Resource-Policy has a value that browsers ignore",
    browser="It compares the whole value, with case; anything but one of three words is as if there were none.",
    why="The header looks as if it protected, and does not; under require-corp pages of other sites cannot load it either.",
    fix=_FIX,
    link=_LINK,
)
RULES = (MISSING, IGNORED)


def effective(received: Received) -> str | None:
    """The policy, or None where the browser ignores the header."""
    combined = received.combined(HEADER)
    return combined if combined in POLICIES else None


EFFECTIVE: dict[str, Any] = {HEADER: effective}


def check(received: Received) -> Iterator[Finding]:
    """Say what other sites may embed although it was not meant, or not decided."""
    if effective(received) is None:
        yield (IGNORED if received.has(HEADER) else MISSING).found(received.line(HEADER))
