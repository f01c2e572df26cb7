"""Document-Policy and its report-only form (WICG Document Policy): a dictionary of settings; only Chromium reads it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from review import fields
from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received

HEADER = "document-policy"
REPORT_ONLY = "document-policy-report-only"
TOLD = 20
_NAMES = """
* document-write expect-no-linked-resources font-display-late-swap force-load-at-top
include-js-call-stacks-in-crash-reports js-profiling layout-animations lossless-images-max-bpp
lossless-images-strict-max-bpp lossy-images-max-bpp network-efficiency-guardrails oversized-images sync-script
sync-xhr unsized-media
"""
KNOWN = frozenset(_NAMES.split())
"""Chromium's settings, those of its experiments included, and retired ones, which do no harm."""
_NO_SETTING = frozenset({list, str})

_LINK = "https://wicg.github.io/document-policy/"
_FIX = "Document-Policy: force-load-at-top"

IGNORED = Rule(
    code="document_policy.ignored",
    severity=Severity.LOW,
    title="Document-Policy has a value that browsers ignore whole",
    browser="Chromium reads a structured dictionary (RFC 9651); one error anywhere, and none of it counts. Others do not read it.",
    why="What was asked for is not in force.",
    fix=f"{_FIX}\nNames in lower case, commas between settings, ?0 and ?1 for no and yes.",
    link=f"{_LINK}#document-policy-http-header",
    classes=DOCUMENTS,
)
UNKNOWN = Rule(
    code="document_policy.unknown_feature",
    severity=Severity.INFO,
    title="Document-Policy names a setting that no browser knows",
    browser="Chromium skips it, and reads the others.",
    why="A name with a typing mistake, or a value that is a list, sets nothing.",
    fix=_FIX,
    link=f"{_LINK}#document-policy-http-header",
    classes=DOCUMENTS,
)
RULES = (IGNORED, UNKNOWN)


def effective(received: Received) -> dict[str, Any] | None:
    """The settings that have a value of a kind that settings can have, or None where there are none."""
    return _policy(received, HEADER)


def reported(received: Received) -> dict[str, Any] | None:
    """The policy on trial, or None where the browser ignores the header."""
    return _policy(received, REPORT_ONLY)


EFFECTIVE: dict[str, Any] = {HEADER: effective, REPORT_ONLY: reported}


def check(received: Received) -> Iterator[Finding]:
    """Say which settings are not in force."""
    for name in (HEADER, REPORT_ONLY):
        if received.has(name):
            yield from _one(received, name)


def _one(received: Received, name: str) -> Iterator[Finding]:
    line = received.line(name)
    members = fields.dictionary(received.combined(name))
    if not members:
        yield IGNORED.found(line, name)
        return
    useless = (key for key, member in members.items() if key not in KNOWN or _value(member) is None)
    for key in itertools.islice(useless, TOLD):
        yield UNKNOWN.found(line, key if name == HEADER else f"{key} (report-only)")


def _policy(received: Received, name: str) -> dict[str, Any] | None:
    members = fields.dictionary(received.combined(name)) or {}
    found = {key: value for key, member in members.items() if (value := _value(member)) is not None}
    return found or None


def _value(member: Any) -> bool | float | str | None:
    """A boolean, a number or a token; a setting has no strings and no lists."""
    item = member[0]
    return None if type(item) in _NO_SETTING else fields.plain(item)
