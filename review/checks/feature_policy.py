"""Feature-Policy: the header before Permissions-Policy, in its own syntax; Chromium still reads it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from review import features
from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received

HEADER = "feature-policy"
LONGEST = 65_536
"""Chromium ignores a longer header whole."""

_NEW = "permissions-policy"
_LINK = "https://www.w3.org/TR/permissions-policy/#permissions-policy-http-header-field"
_FIX = "Permissions-Policy: camera=(), geolocation=(), microphone=()"

IGNORED = Rule(
    code="feature_policy.ignored",
    severity=Severity.LOW,
    title="Feature-Policy has nothing that browsers understand",
    browser="It expects `camera 'none'; microphone 'self'`, and skips features that it does not know.",
    why="The header looks as if it switched features off, and does not.",
    fix=_FIX,
    link=_LINK,
    classes=DOCUMENTS,
)
ALONE = Rule(
    code="feature_policy.alone",
    severity=Severity.INFO,
    title="Features are switched off in the old header alone",
    browser="Chromium still reads Feature-Policy where Permissions-Policy does not name the feature; new browsers may not.",
    why="The header is no longer in any standard, and will stop working one day.",
    fix=_FIX,
    link=_LINK,
    classes=DOCUMENTS,
)
RULES = (IGNORED, ALONE)


def effective(received: Received) -> dict[str, list[str]] | None:
    """For each feature who may use it, or None where nothing is understood; Permissions-Policy wins where both speak."""
    combined = received.combined(HEADER)
    return _policy(combined) if combined is not None and len(combined) <= LONGEST else None


EFFECTIVE: dict[str, Any] = {HEADER: effective}


def check(received: Received) -> Iterator[Finding]:
    """Say where the old header does nothing, or is the only one."""
    if not received.has(HEADER):
        return
    if effective(received) is None:
        yield IGNORED.found(received.line(HEADER))
    elif not received.has(_NEW):
        yield ALONE.found(received.line(HEADER))


@lru_cache(maxsize=16)
def _policy(combined: str) -> dict[str, list[str]] | None:
    """Kept for as long as one answer is judged; nobody may change it."""
    policy: dict[str, list[str]] = {}
    for entry in dict.fromkeys(combined.replace(",", ";").split(";")):
        name, *allowed = entry.split() or ("",)
        if name not in policy and name.replace("-", "").isalnum():
            policy[name] = _allowlist(allowed)
    return policy if any(name in features.KNOWN for name in policy) else None


def _allowlist(entries: list[str]) -> list[str]:
    """A feature without a list is for the page itself."""
    if not entries:
        return ["self"]
    return features.folded(found for entry in entries if (found := _entry(entry)))


def _entry(entry: str) -> str | None:
    if entry == "*":
        return entry
    return "self" if entry.lower() == "'self'" else features.origin(entry)
