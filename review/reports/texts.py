"""What all reports share: foreign text made harmless to look at, header lines without secrets, numbers in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

from headersweep import masking
from review.finding import Rule, Severity
from review.report import Cause, HeaderSet, Report

SHORT_HASH = 12
_VALUE = re.compile(r"<|headersweep |[A-Za-z-]+: ")
"""How a fix begins that can be copied: an element, a command, a header line. The others are advice."""
_SCHEMES = {"mdn": "MDN Observatory"}
LONGEST_LINE = 2_000
"""A header line is cut there in a report; the snapshot keeps all of it."""


def visible(text: str) -> str:
    """The text with everything escaped that does not print: control characters, and what turns the writing around."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def visible_lines(text: str) -> list[str]:
    """The lines of a text that may have several, each made visible."""
    return [visible(line) for line in text.split("\n")]


def count(number: int, noun: str, nouns: str = "") -> str:
    """``1 page``, ``2,000 pages``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {nouns or f'{noun}s'}"


def share(part: int, whole: int) -> str:
    """The part of a whole in percent; what is there is never 0 %."""
    if not part or not whole:
        return "0 %"
    percent = 100 * part / whole
    return "under 1 %" if percent < 1 else f"{percent:.0f} %"


def instant(moment: datetime) -> str:
    """An instant in UTC, ISO 8601 with a Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def short(content_hash: str) -> str:
    """The beginning of a hash, by which people tell header sets apart."""
    return content_hash.rpartition(":")[2][:SHORT_HASH]


def lines(one: HeaderSet) -> Iterator[str]:
    """The header lines of a set as received, without cookie values and other secrets."""
    for name, value in one.pairs:
        yield _cut(visible(_masked(f"{name}: {value}")))
    for line in one.malformed:
        yield _cut(f"malformed: {visible(_masked(line))}")


def _masked(line: str) -> str:
    return masking.mask(line.encode("latin-1", "replace")).decode("latin-1")


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}... ({len(line):,} characters)"


def evidence(cause: Cause) -> list[str]:
    """The received lines that a cause is about; none where the fault is that there is none."""
    return visible_lines(cause.evidence) if cause.evidence else []


def title(cause: Cause) -> str:
    """What is wrong, with what tells it apart from other causes of its kind."""
    subject = f": {visible(cause.subject)}" if cause.subject else ""
    return f"{cause.rule.title}{subject}"


def prose(text: str) -> Iterator[tuple[bool, str]]:
    """The pieces of a rule's text, each with whether it is code: that stands between backticks."""
    for place, piece in enumerate(text.split("`")):
        if piece:
            yield place % 2 == 1, piece


def fix(rule: Rule) -> tuple[str, str]:
    """What to copy, empty where there is nothing, and what else there is to say."""
    value, _, rest = rule.fix.partition("\n")
    return (value, rest.strip()) if _VALUE.match(value) else ("", " ".join(rule.fix.split("\n")))


def sentence(text: str) -> str:
    """A detail as a sentence of its own."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', ')')) else '.'}"


def source(link: str) -> str:
    """How a rule's link is called: by the host, since not all of them are standards."""
    return f"More at {urlsplit(link).hostname}"


def where(cause: Cause) -> str:
    """On how much of the site a cause stands."""
    kinds = ", ".join(str(kind) for kind in cause.classes)
    return f"{count(cause.pages, 'page')}, {count(cause.snapshots, 'header set')} ({kinds})"


def grade(report: Report) -> str:
    """The grade with the scheme and its version; empty where none was given."""
    found = report.grade or {}
    if found.get("grade") is None:
        return ""
    scheme = _SCHEMES.get(str(found.get("scheme")), found.get("scheme"))
    return f"{found['grade']} ({found.get('score')} points, {scheme}, algorithm {found.get('algorithm')})"


def accounting(report: Report) -> list[tuple[str, int]]:
    """The counts that are above 0, in words; ``stored`` always."""
    return [
        (name.replace("_", " "), number)
        for name, number in report.accounting.items()
        if number or name == "stored"
    ]


def by_severity(report: Report) -> list[tuple[Severity, int]]:
    """How many causes there are of each severity, the worst first; waived ones are not counted."""
    open_causes = [cause for cause in report.causes if not cause.waived_by]
    return [
        (severity, sum(cause.severity is severity for cause in open_causes))
        for severity in reversed(Severity)
    ]
