"""Subresource Integrity (SRI, section 3; HTML, "prepare the script element"): what a page runs that others can change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from headersweep.bodyfacts import Loaded
from review import loads
from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received

_LINK = "https://www.w3.org/TR/SRI/"
_FIX = (
    '<script src="https://..." integrity="sha384-..." crossorigin="anonymous"></script>\n'
    "The hash of the very file: `openssl dgst -sha384 -binary FILE | openssl base64 -A`. Or serve the file yourself."
)

MISSING = Rule(
    code="sri.missing",
    severity=Severity.MEDIUM,
    title="A script of another origin runs unchecked",
    browser="It runs whatever the other server sends, with all rights of the page.",
    why="Who takes over that server, or the account there, runs scripts on every page that loads it.",
    fix=_FIX,
    link=_LINK,
    classes=DOCUMENTS,
)
MISSING_STYLE = Rule(
    code="sri.missing_style",
    severity=Severity.LOW,
    title="A style sheet of another origin is applied unchecked",
    browser="It applies whatever the other server sends.",
    why="A style sheet can hide and cover parts of the page, and read some of what stands in it.",
    fix='<link rel="stylesheet" href="https://..." integrity="sha384-..." crossorigin="anonymous">',
    link=_LINK,
    classes=DOCUMENTS,
)
NO_CROSSORIGIN = Rule(
    code="sri.no_crossorigin",
    severity=Severity.LOW,
    title="Integrity is asked for without CORS",
    browser="It may not look into an answer of another origin that was not asked for with CORS, so it does not load it.",
    why="The script or style sheet never arrives; nothing is unsafe, but the page does not work as it was meant to.",
    fix='Add crossorigin="anonymous" to the element, and let the other server answer with Access-Control-Allow-Origin.',
    link="https://www.w3.org/TR/SRI/#is-response-eligible-for-integrity-validation",
    classes=DOCUMENTS,
)
INSECURE = Rule(
    code="sri.insecure",
    severity=Severity.MEDIUM,
    title="A page over http loads scripts over http from elsewhere",
    browser="It runs what arrives. An integrity attribute is no help, for the page that carries it can be changed as well.",
    why="Whoever is on the way, in a wireless network say, can put a script into the page.",
    fix="Serve the page over https, and load the file over https.",
    link=_LINK,
    classes=DOCUMENTS,
)
RULES = (MISSING, MISSING_STYLE, NO_CROSSORIGIN, INSECURE)
EFFECTIVE: Mapping[str, Any] = {}

_RUN = frozenset({"script", "stylesheet"})


def check(received: Received) -> Iterator[Finding]:
    """Say what is loaded from elsewhere and not held to be what it was."""
    for loaded in loads.of(received):
        if loaded.kind in _RUN and loads.is_foreign(loaded, received):
            for rule in _rules(loaded, received):
                yield rule.found(loads.markup(loaded), subject=loads.subject(loaded))


def _rules(loaded: Loaded, received: Received) -> Iterator[Rule]:
    if loads.scheme(loaded, received) == "http":
        # On a page over https no browser loads it: that is mixed content.
        if not received.secure:
            yield INSECURE
    elif not loaded.has_integrity:
        yield MISSING if loaded.kind == "script" else MISSING_STYLE
    elif not loaded.has_crossorigin:
        yield NO_CROSSORIGIN
