"""What the body of a page gives away: a list of a folder that nobody meant to publish, and secrets in the page itself.

Read by the worker along with the links (headersweep/bodyread.py); without facts of the body nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received

LISTING = Rule(
    code="body.directory_listing",
    severity=Severity.MEDIUM,
    title="The page lists a folder of the server",
    browser="It shows the list; so do search engines.",
    why="It shows files that nothing links to: back-ups, old versions, uploads of others.",
    fix='nginx: `autoindex off;`, Apache: `Options -Indexes`, IIS: `directoryBrowse enabled="false"`',
    link="https://cwe.mitre.org/data/definitions/548.html",
    classes=DOCUMENTS,
)
SECRET = Rule(
    code="body.secret",
    severity=Severity.HIGH,
    title="The page holds what looks like a key or a token",
    browser="It shows it to everybody who looks at the source of the page, and keeps it in its cache.",
    why="Keys in pages are found by programs within hours. Whoever has it has the rights that it gives.",
    fix="Withdraw it and issue a new one first. What a page must call with a key goes through a server of yours.",
    link="https://cwe.mitre.org/data/definitions/522.html",
    classes=DOCUMENTS,
)
RULES = (LISTING, SECRET)
EFFECTIVE: dict[str, Any] = {}


def check(received: Received) -> Iterator[Finding]:
    """Say what the body gives away, where it was read."""
    if received.facts is None:
        return
    if received.facts.is_listing:
        yield LISTING.found()
    for kind in received.facts.secrets:
        yield SECRET.found(subject=kind)
