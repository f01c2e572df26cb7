"""X-Content-Type-Options (Fetch, section 3.6 "determine nosniff")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from review import readers
from review.finding import EXECUTED, Finding, Rule, Severity
from review.received import Received

HEADER = "x-content-type-options"
_LINK = "https://fetch.spec.whatwg.org/#x-content-type-options-header"

MISSING = Rule(
    code="x_content_type_options.missing",
    severity=Severity.LOW,
    title="Nothing forbids guessing the content type",
    browser="It may run a response as a script or apply it as a style sheet although its Content-Type says otherwise.",
    why="A file that users can upload, or text that they can put into a response, can become a script of the site.",
    fix="X-Content-Type-Options: nosniff",
    link=_LINK,
    classes=EXECUTED,
)
IGNORED = Rule(
    code="x_content_type_options.ignored",
    severity=Severity.LOW,
    title="X-Content-Type-Options has a value that browsers ignore",
    browser="It looks at the first value of the list alone, and only at `nosniff`, in any case.",
    why="The header looks as if it protected, and does not.",
    fix="X-Content-Type-Options: nosniff",
    link=_LINK,
    classes=EXECUTED,
)
RULES = (MISSING, IGNORED)


def effective(received: Received) -> str | None:
    """``nosniff``, or None where the header has no effect."""
    value = readers.first(received.combined(HEADER))
    return "nosniff" if value is not None and value.lower() == "nosniff" else None


EFFECTIVE: dict[str, Any] = {HEADER: effective}


def check(received: Received) -> Iterator[Finding]:
    """Say where sniffing stays allowed."""
    if effective(received) is None:
        yield (IGNORED if received.has(HEADER) else MISSING).found(received.line(HEADER))
