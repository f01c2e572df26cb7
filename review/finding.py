"""Findings: what the review says about one answer, and the texts that explain each kind of finding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from headersweep.responses import ResponseClass

EVIDENCE_LENGTH = 300
"""A longer line is cut in a finding; the snapshot keeps all of it."""


class Severity(StrEnum):
    """How much a finding matters. ``info`` is for facts without a fault, and for opinions."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    # Equal to its text, and hashed like it; an enumeration's own way is written in Python, and slow.
    __hash__ = str.__hash__

    rank: int
    """Greater is worse."""

    def lowered(self) -> Severity:
        """One level less, ``info`` at the least."""
        return _LOWERED[self]


for _rank, _severity in enumerate(Severity):
    _severity.rank = _rank
_LOWERED: dict[Severity, Severity] = dict(zip(Severity, (Severity.INFO, *Severity), strict=False))

ANY = frozenset(ResponseClass) - {ResponseClass.BLOCKED}
DOCUMENTS = frozenset({ResponseClass.DOCUMENT, ResponseClass.ERROR})
"""What a browser shows; an error page can carry a script as well as any other."""
EXECUTED = frozenset({ResponseClass.DOCUMENT, ResponseClass.ERROR, ResponseClass.SCRIPT})
CONTENT = ANY - {ResponseClass.REDIRECT}


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of finding: its stable code, and what a person needs to understand and mend it.

    ``browser``: what a browser does. ``why``: why that matters. ``fix``: what to do, with a value to copy.
    ``opinion``: not a fact of a standard; its severity is ``info`` and the texts say so.
    """

    code: str
    severity: Severity
    title: str
    browser: str
    why: str
    fix: str
    link: str
    classes: frozenset[ResponseClass] = ANY
    opinion: bool = False

    def found(
        self, evidence: str = "", subject: str = "", detail: str = "", *, severity: Severity | None = None
    ) -> Finding:
        """A finding of this kind. ``subject`` tells causes of one code apart: a directive, a cookie's name."""
        if len(evidence) > EVIDENCE_LENGTH:
            evidence = _cut(evidence)
        return Finding(self.code, severity or self.severity, evidence, subject, detail)


class Finding(NamedTuple):
    """One verdict on one answer. (code, subject) is its cause, by which findings are grouped over pages."""

    code: str
    severity: Severity
    evidence: str = ""
    """The very line, as received; empty where the fault is that there is none."""
    subject: str = ""
    detail: str = ""
    """What exactly is wrong here, in a few words, where the rule's texts cannot know."""


class Found(NamedTuple):
    """A finding that only a whole run shows, on how many pages, and some of them."""

    finding: Finding
    pages: int
    urls: tuple[str, ...]


def _cut(evidence: str) -> str:
    return f"{evidence[:EVIDENCE_LENGTH]}... ({len(evidence)} characters)"
