"""Integrity-Policy and its report-only form (W3C Subresource Integrity, section 3.8): a dictionary of lists of tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from review import fields, lists
from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received

HEADER = "integrity-policy"
REPORT_ONLY = "integrity-policy-report-only"
DESTINATIONS = frozenset({"script"})
"""The standard has style as well; Chromium 156 and Firefox 153 were seen to load style sheets all the same."""
SOURCES = frozenset({"inline"})
TOLD = 20

_LINK = "https://w3c.github.io/webappsec-subresource-integrity/#integrity-policy-section"
_FIX = "Integrity-Policy: blocked-destinations=(script)"

IGNORED = Rule(
    code="integrity_policy.ignored",
    severity=Severity.LOW,
    title="Integrity-Policy has a value that blocks nothing",
    browser="Chromium since 138 and Firefox since 145 read a structured dictionary (RFC 9651) with tokens in parentheses: blocked-destinations=(script). One error, and none of it counts. Safari does not read it.",
    why="Scripts without integrity are loaded as before.",
    fix=_FIX,
    link=_LINK,
    classes=DOCUMENTS,
)
UNKNOWN = Rule(
    code="integrity_policy.unknown",
    severity=Severity.INFO,
    title="Integrity-Policy has a part that browsers skip",
    browser="It knows the destination script and the source inline; style stands in the standard, and neither Chromium 156 nor Firefox 153 blocks style sheets. Chromium skips other items, Firefox drops the policy for an item that is no token, and sends no reports yet.",
    why="Less is blocked than it looks.",
    fix=_FIX,
    link=_LINK,
    classes=DOCUMENTS,
)
RULES = (IGNORED, UNKNOWN)


def effective(received: Received) -> dict[str, list[str]] | None:
    """What is blocked without integrity, and where that is reported; None where nothing is."""
    return _policy(received, HEADER)


def reported(received: Received) -> dict[str, list[str]] | None:
    """The policy on trial, or None where the browser ignores the header."""
    return _policy(received, REPORT_ONLY)


EFFECTIVE: dict[str, Any] = {HEADER: effective, REPORT_ONLY: reported}


def check(received: Received) -> Iterator[Finding]:
    """Say where less is blocked than it looks."""
    for name in (HEADER, REPORT_ONLY):
        if not received.has(name):
            continue
        if _policy(received, name) is None:
            yield IGNORED.found(received.line(name), name)
        else:
            members = fields.dictionary(received.combined(name)) or {}
            for part in lists.some(_unknown(members), TOLD):
                yield UNKNOWN.found(received.line(name), part if name == HEADER else f"{part} (report-only)")


def _policy(received: Received, name: str) -> dict[str, list[str]] | None:
    members = fields.dictionary(received.combined(name)) or {}
    sources = _known(members, "sources", SOURCES) if "sources" in members else ["inline"]
    blocked = _known(members, "blocked-destinations", DESTINATIONS)
    if not blocked or not sources:
        return None
    endpoints = _tokens(members, "endpoints")
    return {"blocked_destinations": blocked, "sources": sources, "endpoints": endpoints}


def _tokens(members: dict[str, Any], key: str) -> list[str]:
    return list(dict.fromkeys(fields.tokens(members[key]) or [])) if key in members else []


def _known(members: dict[str, Any], key: str, known: frozenset[str]) -> list[str]:
    return [token for token in _tokens(members, key) if token in known]


def _unknown(members: dict[str, Any]) -> Iterator[str]:
    lists: dict[str, frozenset[str] | None] = {
        "blocked-destinations": DESTINATIONS,
        "sources": SOURCES,
        "endpoints": None,
    }
    for key, member in members.items():
        if key not in lists or fields.tokens(member) is None:
            yield key
            continue
        known = lists[key]
        for item in fields.items(member):
            text = str(fields.plain(item))
            if fields.is_string(item) or (known is not None and text not in known):
                yield f"{key} {text}"
