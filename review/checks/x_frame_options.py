"""X-Frame-Options (HTML, "check a navigation response's adherence to X-Frame-Options") beside frame-ancestors."""

from __future__ import annotations

import functools
import heapq
from collections.abc import Iterator

from review import readers
from review.csp import effective as csp
from review.csp import parse
from review.csp.effective import Allowed
from review.csp.places import Place
from review.csp.sources import SELF
from review.finding import DOCUMENTS, Finding, Rule, Severity
from review.received import Received

HEADER = "x-frame-options"
_VALUES = frozenset({"deny", "sameorigin"})
_CONTRADICTING = _VALUES | {"allowall"}
"""Of several different values one of these makes a browser refuse all framing."""
_ALLOWED = {"deny": Allowed(), "sameorigin": Allowed(places=frozenset({Place("https", SELF)}))}
"""What each value would allow, as a list of frame-ancestors."""

_MOST_NAMED = 4

_LINK = "https://html.spec.whatwg.org/multipage/document-lifecycle.html#the-x-frame-options-header"
_rule = functools.partial(Rule, classes=DOCUMENTS, link=_LINK)

MISSING = _rule(
    code="x_frame_options.missing",
    severity=Severity.MEDIUM,
    title="Every site may show the page in a frame",
    browser="Without frame-ancestors and X-Frame-Options it shows the page in a frame of any site.",
    why="Another site can lay the page under its own buttons and have visitors click what they do not see.",
    fix="Content-Security-Policy: frame-ancestors 'self'\nFor old browsers beside it: X-Frame-Options: SAMEORIGIN",
)
IGNORED = _rule(
    code="x_frame_options.ignored",
    severity=Severity.MEDIUM,
    title="X-Frame-Options has a value that browsers ignore",
    browser="It knows DENY and SAMEORIGIN, in any case. ALLOW-FROM is no value any more: any site may frame the page.",
    why="The header looks as if it protected, and does not.",
    fix="Content-Security-Policy: frame-ancestors 'self' https://partner.example.com\n"
    "For the own origin alone, X-Frame-Options: SAMEORIGIN does.",
)
OVERRIDDEN = _rule(
    code="x_frame_options.overridden",
    severity=Severity.LOW,
    title="frame-ancestors allows more framing than X-Frame-Options says",
    browser="It does not look at X-Frame-Options where an enforced policy has frame-ancestors.",
    why="Who reads X-Frame-Options believes the page safer than it is. As a fallback for old browsers it may be meant.",
    fix="Content-Security-Policy: frame-ancestors 'self'\nHave both say the same.",
)
CONFLICTING = _rule(
    code="x_frame_options.conflicting",
    severity=Severity.LOW,
    title="X-Frame-Options has several different values",
    browser="It refuses all framing, also by the page's own origin, as if DENY stood there alone. Where one of the values "
    "is no value, some older browsers obey the other.",
    why="Two places set the header, and frames of the site itself break where one of them is not expected.",
    fix="X-Frame-Options: SAMEORIGIN\nSend one value, from one place: application, server or network.",
)
RULES = (MISSING, IGNORED, OVERRIDDEN, CONFLICTING)


def effective(received: Received) -> str | None:
    """``deny``, ``sameorigin``, or None where the header has no effect."""
    return None if _ancestors(received) is not None else _value(_given(received))


EFFECTIVE = {HEADER: effective}


def limits_framing(received: Received) -> bool:
    """Whether not every site may show the answer in a frame, by frame-ancestors, or else by X-Frame-Options."""
    ancestors = _ancestors(received)
    if ancestors is None:
        return _value(_given(received)) is not None
    return not ancestors.reaches(Place("https", "*"))


def check(received: Received) -> Iterator[Finding]:
    """Say who may frame the page although it seems otherwise."""
    given, ancestors = _given(received), _ancestors(received)
    line = received.line(HEADER)
    if ancestors is not None:
        if _allows_more(ancestors, _value(given)):
            yield OVERRIDDEN.found("\n".join(filter(None, (line, received.line(parse.ENFORCED)))))
    elif _value(given) is None:
        yield (IGNORED if received.has(HEADER) else MISSING).found(line)
    elif len(given) > 1:
        yield CONFLICTING.found(line, detail=", ".join(heapq.nsmallest(_MOST_NAMED, given))[:80])


def _given(received: Received) -> frozenset[str]:
    """The different values over all lines and commas, in lower case."""
    return _split(received.combined(HEADER))


@functools.lru_cache(maxsize=64)
def _split(combined: str | None) -> frozenset[str]:
    return frozenset([value.lower() for value in set(readers.decoded_and_split(combined))])


def _value(given: frozenset[str]) -> str | None:
    if len(given) > 1:
        return None if given.isdisjoint(_CONTRADICTING) else "deny"
    return next(iter(given & _VALUES), None)


def _ancestors(received: Received) -> Allowed | None:
    """Who may frame the page by all enforced policies; None where none of them has frame-ancestors."""
    policies = [one for one in parse.enforced(received) if "frame-ancestors" in one.directives]
    return csp.together(policies, "frame-ancestors") if policies else None


def _allows_more(ancestors: Allowed, value: str | None) -> bool:
    return value is not None and not ancestors.within(_ALLOWED[value])
