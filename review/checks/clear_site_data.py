"""Clear-Site-Data (W3C Clear Site Data, section 3.1): quoted words between commas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headersweep.responses import ResponseClass
from review import contexts
from review.finding import Finding, Rule, Severity
from review.received import Received

HEADER = "clear-site-data"
TYPES = frozenset(
    {
        "*",
        "cache",
        "cookies",
        "storage",
        "executionContexts",
        "clientHints",
        "prefetchCache",
        "prerenderCache",
    }
)
"""The standard's, and what Chromium adds; not every browser clears all of them."""

TOLD = 20
_WHITESPACE = " \t\n\r"
_LINK = "https://w3c.github.io/webappsec-clear-site-data/"
_FIX = 'Clear-Site-Data: "cache", "cookies", "storage"\nSend it with the answer to a log-out.'

IGNORED = Rule(
    code="clear_site_data.ignored",
    severity=Severity.LOW,
    title="Clear-Site-Data has nothing that browsers understand",
    browser='It knows "cache", "cookies", "storage" and "*", in double quotes and with exact case, and clears nothing otherwise. Which of them it clears fully differs, above all for the cache.',
    why="After a log-out the data stays in the browser although it should be gone.",
    fix=_FIX,
    link=f"{_LINK}#header",
)
UNKNOWN = Rule(
    code="clear_site_data.unknown_type",
    severity=Severity.INFO,
    title="Clear-Site-Data names data that browsers do not know",
    browser="It skips the word, and clears the others.",
    why="What was meant stays in the browser.",
    fix=_FIX,
    link=f"{_LINK}#header",
)
OVER_HTTP = Rule(
    code="clear_site_data.over_http",
    severity=Severity.INFO,
    title="Clear-Site-Data is sent over http",
    browser="It ignores the header on answers that came over http.",
    why="Nothing is cleared; otherwise anybody on the network could clear it.",
    fix="Redirect http to https, and send the header there.",
    link=f"{_LINK}#clear-response",
)
ON_DOCUMENT = Rule(
    code="clear_site_data.on_document",
    severity=Severity.INFO,
    title="An ordinary page clears the site's data",
    browser="It deletes what the header names on every visit; with cookies it logs the user out, with cache it loads all anew.",
    why="Right after a log-out; anywhere else users lose their session or wait, and a link to the page is enough.",
    fix=f"{_FIX}\nRemove it from all other pages.",
    link=f"{_LINK}#example-signout",
    classes=frozenset({ResponseClass.DOCUMENT}),
)
RULES = (IGNORED, UNKNOWN, OVER_HTTP, ON_DOCUMENT)


def effective(received: Received) -> list[str] | None:
    """What is cleared, or None where the browser ignores the header."""
    if not contexts.trustworthy(received):
        return None
    return [word for quoted in _words(received) if (word := _type(quoted))] or None


EFFECTIVE: dict[str, Any] = {HEADER: effective}


def check(received: Received) -> Iterator[Finding]:
    """Say where less is cleared than was meant, or more."""
    if not received.has(HEADER):
        return
    line = received.line(HEADER)
    if not contexts.trustworthy(received):
        yield OVER_HTTP.found(line)
    elif effective(received) is None:
        yield IGNORED.found(line)
    else:
        yield ON_DOCUMENT.found(line)
        for word in [word for word in _words(received) if _type(word) is None][:TOLD]:
            yield UNKNOWN.found(line, word[:60])


def _words(received: Received) -> list[str]:
    """The words with their quotes; none where a byte beyond ASCII voids the header."""
    combined = received.combined(HEADER) or ""
    words = (
        [word.strip(_WHITESPACE) for word in dict.fromkeys(combined.split(","))] if combined.isascii() else ()
    )
    return list(dict.fromkeys(word for word in words if word))


def _type(quoted: str) -> str | None:
    word = quoted[1:-1]
    return word if word in TYPES and quoted == f'"{word}"' else None
