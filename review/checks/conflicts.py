"""Lines that contradict each other or are no headers: what browsers refuse, choose among, or skip."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

from review import lists, tokens
from review.finding import Finding, Rule, Severity
from review.received import Received

_RFC_9110 = "https://www.rfc-editor.org/rfc/rfc9110.html"
_RFC_9112 = "https://www.rfc-editor.org/rfc/rfc9112.html"

REFUSED = Rule(
    code="header.refused",
    severity=Severity.MEDIUM,
    title="Browsers refuse the answer for contradicting lines",
    browser=(
        "Chromium and Firefox end with a network error when Content-Length, Location or Content-Disposition is sent several "
        "times with different values; Safari takes one of them."
    ),
    why="They take it for an injected header, and it may be one: input with a line break in it reached the headers.",
    fix="Location: /one\nSend the header once.",
    link="https://chromium.googlesource.com/chromium/src/+/main/net/base/net_error_list.h",
)
REPEATED = Rule(
    code="header.repeated",
    severity=Severity.LOW,
    title="A header that may be sent once has several values",
    browser="Which line counts differs: mostly the first, for some headers the last, and proxies may join or drop lines.",
    why="Two places set the header, and which of them wins changes with the next proxy.",
    fix="Last-Modified: Tue, 01 Jan 2030 00:00:00 GMT\nSend the header once.",
    link=f"{_RFC_9110}#section-5.3",
)
CONTENT_TYPE = Rule(
    code="header.conflicting_content_type",
    severity=Severity.LOW,
    title="The answer has several content types",
    browser='It takes the last one that it can read (Fetch, "extract a MIME type"); proxies and scanners often the first.',
    why="A filter judges another type than the browser runs.",
    fix="Content-Type: text/html; charset=utf-8",
    link="https://fetch.spec.whatwg.org/#concept-header-extract-mime-type",
)
CONTENT_LENGTH = Rule(
    code="header.content_length",
    severity=Severity.LOW,
    title="The length of the answer is said wrongly",
    browser="It goes by Transfer-Encoding where there is one, and ignores or refuses a length that is no whole number.",
    why="Machines on the way that count differently take part of one answer for the next (response smuggling).",
    fix="Content-Length: 1234\nEither this or Transfer-Encoding.",
    link=f"{_RFC_9112}#section-6.3",
)
MALFORMED = Rule(
    code="header.malformed",
    severity=Severity.LOW,
    title="Lines among the headers are no headers",
    browser="It skips a line without a colon or with a space before it; a NUL makes Chromium refuse the whole answer.",
    why="What the line was meant to say is not said; strict clients and proxies refuse such answers.",
    fix="X-Content-Type-Options: nosniff\nA name without spaces, a colon, a value.",
    link=f"{_RFC_9112}#section-5.1",
)
NON_ASCII = Rule(
    code="header.non_ascii",
    severity=Severity.INFO,
    title="A header has letters beyond ASCII",
    browser="It reads each byte as one letter of Latin-1, or guesses UTF-8 in a file's name; browsers differ.",
    why="The text arrives as something else than was meant.",
    fix="Content-Disposition: attachment; filename*=UTF-8''na%C3%AFve.txt\nEncode the value in a way its header defines.",
    link=f"{_RFC_9110}#section-5.5",
)
CONTROL = Rule(
    code="header.control_character",
    severity=Severity.LOW,
    title="A header has control characters",
    browser="It keeps them, drops the header, or drops the line, by header and by browser.",
    why="Input reached the header unchecked; with a line break it could add headers of its own.",
    fix="X-Example: plain text\nTake out control characters before the value is set.",
    link=f"{_RFC_9110}#section-5.5",
)
RULES = (REFUSED, REPEATED, CONTENT_TYPE, CONTENT_LENGTH, MALFORMED, NON_ASCII, CONTROL)
EFFECTIVE: dict[str, Any] = {}

FATAL = ("content-length", "location", "content-disposition")
SINGLE = (
    "access-control-max-age",
    "age",
    "content-location",
    "content-range",
    "date",
    "etag",
    "expires",
    "last-modified",
    "refresh",
    "retry-after",
    "server",
)
"""Headers of one value that no other check looks at."""

COOKIES = frozenset({"set-cookie", "set-cookie2"})
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")
MOST = 20
"""No more lines in one evidence, no more findings of one kind."""


def check(received: Received) -> Iterator[Finding]:
    """Say which lines contradict each other, and which are none."""
    yield from _several(received)
    yield from _content_type(received)
    yield from _content_length(received)
    if received.malformed:
        lines = "\n".join(received.malformed[:MOST])
        yield MALFORMED.found(tokens.masked(lines), detail=f"{len(received.malformed)} lines")
    yield from _letters(received)


def _several(received: Received) -> Iterator[Finding]:
    for name in FATAL:
        if _differs(received, name):
            yield REFUSED.found(_evidence(received, name), name)
    for name in SINGLE:
        if _differs(received, name):
            yield REPEATED.found(_evidence(received, name), name)


def _differs(received: Received, name: str) -> bool:
    """Whether there are several values; lengths may also stand in a list (Fetch, "extract a length")."""
    values = received.values(name)
    return len(set(_lengths(received) if name == "content-length" else values)) > 1


def _lengths(received: Received) -> list[str]:
    return lists.members(received.combined("content-length"))


def _evidence(received: Received, name: str) -> str:
    return tokens.masked("\n".join(received.lines(name)[:MOST]))


def _content_type(received: Received) -> Iterator[Finding]:
    parts = lists.members(received.combined("content-type"))
    essences = {part.partition(";")[0].strip().lower() for part in parts}
    if len({essence for essence in essences if "/" in essence}) > 1:
        yield CONTENT_TYPE.found(_evidence(received, "content-type"))


def _content_length(received: Received) -> Iterator[Finding]:
    if not received.has("content-length"):
        return
    values = _lengths(received)
    evidence = "\n".join((_evidence(received, "content-length"), received.line("transfer-encoding"))).strip()
    if received.has("transfer-encoding"):
        yield CONTENT_LENGTH.found(evidence, detail="Transfer-Encoding is there too")
    elif not values or not all(_WHOLE_NUMBER.fullmatch(value) or _is_placeholder(value) for value in values):
        yield CONTENT_LENGTH.found(evidence, detail="not a whole number")


def _is_placeholder(value: str) -> bool:
    """Whether a canonical text stands here in place of the length."""
    return value.startswith("<") and value.endswith(">")


def _letters(received: Received) -> Iterator[Finding]:
    text = "".join(value for _, value in received.pairs)
    if not text.isascii():
        yield from _where(received, NON_ASCII, lambda value: not value.isascii())
    if _CONTROL.search(text):
        yield from _where(received, CONTROL, lambda value: _CONTROL.search(value) is not None)


def _where(received: Received, rule: Rule, holds: Callable[[str], bool]) -> Iterator[Finding]:
    """The headers for whose values it holds; cookies are judged by their own rules, and their values not shown."""
    names = (
        name for name in received.names if name not in COOKIES and any(map(holds, received.values(name)))
    )
    for name in itertools.islice(names, MOST):
        yield rule.found(_evidence(received, name), name)
