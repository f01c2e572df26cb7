"""Permissions-Policy and its report-only form (W3C Permissions Policy, sections 5.2 and 9.3): a dictionary of allowlists."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from review import features, fields, spelling
from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received
from review.structured_fields import Token

HEADER = "permissions-policy"
REPORT_ONLY = "permissions-policy-report-only"
TOLD = 20
"""So many unknown features are told, and so many features with entries that are ignored."""

_OLD = "feature-policy"
_WORDS = frozenset({"*", "self"})
_QUOTED = {"*": "*", "'self'": "self"}
"""What Chromium alone understands in quotes."""

_LINK = "https://www.w3.org/TR/permissions-policy/"
_FIX = "Permissions-Policy: camera=(), geolocation=(), microphone=()"
_OTHERS = "Only Chromium reads the header so far."

MISSING = Rule(
    code="permissions_policy.missing",
    severity=Severity.INFO,
    title="No Permissions-Policy is set",
    browser=f"It lets the page, and frames that the page allows, ask for camera, position and the like. {_OTHERS}",
    why="Opinion: what the site never uses can be switched off, so that a script of somebody else cannot ask for it in its name.",
    fix=_FIX,
    link=f"{_LINK}#permissions-policy-http-header-field",
    classes=DOCUMENTS,
    opinion=True,
)
IGNORED = Rule(
    code="permissions_policy.ignored",
    severity=Severity.LOW,
    title="Permissions-Policy has a value that browsers ignore whole",
    browser="It reads a structured dictionary (RFC 9651); one error anywhere, and none of it counts.",
    why="The header looks as if it switched features off, and does not.",
    fix=f"{_FIX}\nNames in lower case, commas between features, origins in double quotes, no comma at the end.",
    link=f"{_LINK}#structured-header-serialization",
    classes=DOCUMENTS,
)
WIDE = Rule(
    code="permissions_policy.wide",
    severity=Severity.LOW,
    title="A powerful feature is given to every embedded page",
    browser="With * any frame may use the feature as soon as the frame's allow attribute, or the feature's default, lets it.",
    why="An advertisement or a hijacked frame can ask for it in the name of this site.",
    fix="Permissions-Policy: camera=(self)\nName the origins that need it, in double quotes.",
    link=f"{_LINK}#allowlists",
    classes=DOCUMENTS,
)
IGNORED_ENTRY = Rule(
    code="permissions_policy.ignored_entry",
    severity=Severity.LOW,
    title="Permissions-Policy has an entry that browsers skip",
    browser='In an allowlist it knows *, self and origins in double quotes, and skips the rest; a list with nothing left is taken as (). Chromium reads "*" and "\'self\'" in quotes as if they had none.',
    why="A feature is given to fewer or others than it looks.",
    fix='Permissions-Policy: camera=(), fullscreen=(self "https://video.example")',
    link=f"{_LINK}#algo-parse-policy-directive",
    classes=DOCUMENTS,
)
UNKNOWN = Rule(
    code="permissions_policy.unknown_feature",
    severity=Severity.INFO,
    title="Permissions-Policy names a feature that no browser knows",
    browser="It skips the feature, and reads the others.",
    why="A name with a typing mistake switches nothing off.",
    fix=f"{_FIX}\nCorrect the name, or leave it out.",
    link="https://github.com/w3c/webappsec-permissions-policy/blob/main/features.md",
    classes=DOCUMENTS,
)
REPORT_ONLY_IGNORED = Rule(
    code="permissions_policy.report_only_ignored",
    severity=Severity.INFO,
    title="Permissions-Policy-Report-Only has a value that browsers ignore whole",
    browser="It reads a structured dictionary (RFC 9651); one error anywhere, and nothing is reported.",
    why="The trial looks clean because nothing is tried.",
    fix="Permissions-Policy-Report-Only: geolocation=();report-to=main",
    link=f"{_LINK}#permissions-policy-report-only-http-header-field",
    classes=DOCUMENTS,
)
RULES = (MISSING, IGNORED, WIDE, IGNORED_ENTRY, UNKNOWN, REPORT_ONLY_IGNORED)


def effective(received: Received) -> dict[str, list[str]] | None:
    """For each feature who may use it, or None where the browser ignores the header."""
    return _policy(received, HEADER)


def reported(received: Received) -> dict[str, list[str]] | None:
    """The policy on trial, or None where the browser ignores the header."""
    return _policy(received, REPORT_ONLY)


EFFECTIVE: dict[str, Any] = {HEADER: effective, REPORT_ONLY: reported}


def check(received: Received) -> Iterator[Finding]:
    """Say where features stay open although it looks otherwise."""
    if received.has(HEADER):
        yield from _enforced(received)
    elif not received.has(_OLD):
        yield MISSING.found()
    if received.has(REPORT_ONLY) and _members(received, REPORT_ONLY) is None:
        yield REPORT_ONLY_IGNORED.found(received.line(REPORT_ONLY))


def _enforced(received: Received) -> Iterator[Finding]:
    line = received.line(HEADER)
    members = _members(received, HEADER)
    if members is None:
        yield IGNORED.found(line, detail=_reason(received.combined(HEADER) or ""))
        return
    for name in itertools.islice((name for name in members if name not in features.KNOWN), TOLD):
        meant = spelling.suggestion(name, features.KNOWN)
        yield UNKNOWN.found(line, name, f"perhaps {meant} is meant" if meant else "")
    skipping = ((name, skipped) for name, member in members.items() if (skipped := _skipped(member)))
    for name, skipped in itertools.islice(skipping, TOLD):
        yield IGNORED_ENTRY.found(line, name, f"skipped: {skipped}")
    for name in features.POWERFUL & members.keys():
        if _allowlist(members[name]) == ["*"]:
            yield WIDE.found(line, name)


def _reason(value: str) -> str:
    if not value.strip(" ,"):
        return "it is empty"
    if len(value) > fields.LONGEST:
        return "it is longer than 64 KiB"
    if "'" in value:
        return "single quotes belong to the old Feature-Policy"
    return "it is a list of the old Feature-Policy" if ";" in value and "=" not in value else ""


def _policy(received: Received, name: str) -> dict[str, list[str]] | None:
    members = _members(received, name)
    if members is None:
        return None
    return {feature: _allowlist(member) for feature, member in members.items()}


def _members(received: Received, name: str) -> dict[str, Any] | None:
    """The dictionary, or None where it has no effect."""
    return fields.dictionary(received.combined(name)) or None


def _allowlist(member: Any) -> list[str]:
    item = member[0]
    if type(item) is list:
        return features.folded(entry for each, _ in item if (entry := _entry(each)))
    only = None if type(item) is bool else _entry(item)
    return [only] if only else []


def _entry(item: Any) -> str | None:
    """What an item allows; None where browsers skip it."""
    if type(item) is Token:
        return str(item) if item in _WORDS else None
    if type(item) is not str:
        return None
    return _QUOTED.get(item) or features.origin(item)


def _is_skipped(item: Any) -> bool:
    return _entry(item) is None or (fields.is_string(item) and item in _QUOTED)


def _skipped(member: Any) -> str:
    items = [item for item, _ in member[0][:TOLD]] if type(member[0]) is list else [member[0]]
    skipped = [str(fields.plain(item)) for item in items if _is_skipped(item)]
    return ", ".join(skipped)[:100] if skipped else ""
