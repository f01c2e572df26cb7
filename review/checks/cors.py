"""Cross-origin reading (Fetch, "CORS check"): who else may read an answer, as far as the answer itself says it.

Whether an origin is reflected takes a request with a foreign Origin: see review/probes/cors.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from headersweep.responses import ResponseClass
from review import caching, lists
from review.finding import Finding, Rule, Severity
from review.received import Received

ORIGIN = "access-control-allow-origin"
CREDENTIALS = "access-control-allow-credentials"
METHODS = "access-control-allow-methods"
HEADERS = "access-control-allow-headers"
EXPOSED = "access-control-expose-headers"

_CHECK = "https://fetch.spec.whatwg.org/#concept-cors-check"
_RESPONSES = "https://fetch.spec.whatwg.org/#http-responses"
_FIX = (
    "Access-Control-Allow-Origin: https://app.example\nOne origin that needs it, and Vary: Origin beside it."
)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
LONGEST = 300
"""No host's name is so long."""
_USUAL_PORT = {"http": ":80", "https": ":443"}

ANY_ORIGIN = Rule(
    code="cors.any_origin",
    severity=Severity.LOW,
    title="Scripts of every site may read the answer",
    browser="It shows the answer to every page that asks without cookies; with cookies `*` allows nothing.",
    why="Public data loses nothing; what a host tells only to its own network is read through any visitor's browser.",
    fix=_FIX,
    link=_CHECK,
    classes=frozenset({ResponseClass.DOCUMENT, ResponseClass.API, ResponseClass.ERROR}),
)
WILDCARD_WITH_CREDENTIALS = Rule(
    code="cors.wildcard_with_credentials",
    severity=Severity.LOW,
    title="Credentials are allowed beside a wildcard",
    browser="With credentials it takes `*` for an origin of that name, which nobody has: the request fails.",
    why="It does not work, and whoever mends it by echoing any Origin opens the site to all others.",
    fix=_FIX,
    link=_CHECK,
)
NULL_ORIGIN = Rule(
    code="cors.null_origin",
    severity=Severity.MEDIUM,
    title="The origin `null` may read the answer",
    browser="It sends `null` for every sandboxed frame, data: URL and local file, whoever made them.",
    why="Any site can put its script into a sandboxed frame, and so has that origin. With credentials it reads as the user.",
    fix=_FIX,
    link=_CHECK,
)
IGNORED = Rule(
    code="cors.ignored",
    severity=Severity.LOW,
    title="Access-Control-Allow-Origin has a value that matches no origin",
    browser="It compares the whole value, all lines together, letter by letter with the asking page's origin.",
    why="Lists, patterns, paths, capitals and usual ports never match: nobody is let in who was meant to be.",
    fix=_FIX,
    link=_CHECK,
)
CREDENTIALS_IGNORED = Rule(
    code="cors.credentials_ignored",
    severity=Severity.LOW,
    title="Access-Control-Allow-Credentials has a value that browsers ignore",
    browser="It knows `true`, in small letters and sent once; anything else allows nothing.",
    why="Requests with credentials fail that were meant to work.",
    fix="Access-Control-Allow-Credentials: true",
    link=_CHECK,
)
INSECURE_ORIGIN = Rule(
    code="cors.insecure_origin",
    severity=Severity.MEDIUM,
    title="A page that came without encryption may read the answer",
    browser="It shows an answer that came over https to scripts of that http origin.",
    why="Whoever sits on the network path writes that page, and so reads the answer; with credentials as the user.",
    fix=_FIX,
    link=_CHECK,
)
CREDENTIALED_ORIGIN = Rule(
    code="cors.credentialed_origin",
    severity=Severity.INFO,
    title="Another origin may read the answer as the user",
    browser="It shows the answer to a request with cookies to scripts of that origin.",
    why="A script injected there acts here. Whether that origin is trusted so far is the owner's to know.",
    fix=_FIX,
    link=_CHECK,
)
VARY_MISSING = Rule(
    code="cors.vary_missing",
    severity=Severity.INFO,
    title="The answer names one origin, and Vary does not say so",
    browser="Its cache, and every other, may give the answer for one origin to a page of another, which then fails to read it.",
    why="If the value depends on the request, answers are mixed up between origins. A value that is always the same is fine.",
    fix="Vary: Origin",
    link="https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches",
)
CREDENTIALS_WILDCARDS = Rule(
    code="cors.credentials_wildcards",
    severity=Severity.LOW,
    title="A wildcard that is none for requests with credentials",
    browser="With credentials it takes `*` in these lists for a method or header of that name.",
    why="Requests fail that were meant to work.",
    fix="Access-Control-Allow-Headers: Content-Type, X-Requested-With\nName each one.",
    link=_RESPONSES,
)
EXPOSES_AUTHORIZATION = Rule(
    code="cors.exposes_authorization",
    severity=Severity.LOW,
    title="Scripts of other origins may read the header that authorises",
    browser="It shows Authorization of the answer to the foreign script; Set-Cookie it never shows.",
    why="A token in the answer ends up in another origin, with all scripts that run there.",
    fix="Access-Control-Expose-Headers: X-Request-Id\nWithout Authorization.",
    link=_RESPONSES,
)
RULES = (
    ANY_ORIGIN,
    WILDCARD_WITH_CREDENTIALS,
    NULL_ORIGIN,
    IGNORED,
    CREDENTIALS_IGNORED,
    INSECURE_ORIGIN,
    CREDENTIALED_ORIGIN,
    VARY_MISSING,
    CREDENTIALS_WILDCARDS,
    EXPOSES_AUTHORIZATION,
)


def allowed_origin(received: Received) -> str | None:
    """``*``, ``null`` or the one origin that may read the answer; None where no origin can match the value."""
    value = received.combined(ORIGIN)
    if value is None or value in {"*", "null"}:
        return value
    return (
        value if len(value) <= LONGEST and _ORIGIN.fullmatch(value) and not _has_usual_port(value) else None
    )


def _has_usual_port(origin: str) -> bool:
    """Origins leave the usual port out, so a value with it never matches."""
    return origin.endswith(_USUAL_PORT.get(origin.partition(":")[0], "never"))


def allows_credentials(received: Received) -> bool | None:
    """True, or None where the header has no effect."""
    return True if received.combined(CREDENTIALS) == "true" else None


EFFECTIVE: dict[str, Any] = {ORIGIN: allowed_origin, CREDENTIALS: allows_credentials}


def check(received: Received) -> Iterator[Finding]:
    """Say who may read the answer, and what of it does nothing."""
    credentials = bool(allows_credentials(received))
    if received.has(ORIGIN):
        yield from _origin(received, allowed_origin(received), credentials=credentials)
    if received.has(CREDENTIALS) and not credentials and received.combined(CREDENTIALS) != "false":
        yield CREDENTIALS_IGNORED.found(received.line(CREDENTIALS))
    yield from _lists(received, credentials=credentials)


def _origin(received: Received, origin: str | None, *, credentials: bool) -> Iterator[Finding]:
    evidence = "\n".join(filter(None, (received.line(ORIGIN), received.line(CREDENTIALS))))
    if origin is None:
        yield IGNORED.found(evidence)
    elif origin == "*":
        yield (WILDCARD_WITH_CREDENTIALS if credentials else ANY_ORIGIN).found(evidence)
    elif origin == "null":
        yield _graver(NULL_ORIGIN.found(evidence), credentials=credentials)
    else:
        yield from _named(received, origin, evidence, credentials=credentials)


def _graver(finding: Finding, *, credentials: bool) -> Finding:
    return finding._replace(severity=Severity.HIGH) if credentials else finding


def _named(received: Received, origin: str, evidence: str, *, credentials: bool) -> Iterator[Finding]:
    if received.secure and origin.startswith("http://"):
        yield _graver(INSECURE_ORIGIN.found(evidence, origin[:100]), credentials=credentials)
    elif credentials:
        yield CREDENTIALED_ORIGIN.found(evidence, origin[:100])
    if not lists.tokens(received, "vary") & {"origin", "*"} and not _never_stored(received):
        yield VARY_MISSING.found(f"{evidence}\n{received.line('vary')}".strip())


def _never_stored(received: Received) -> bool:
    control = caching.read(received)
    return control is not None and control.has("no-store")


def _lists(received: Received, *, credentials: bool) -> Iterator[Finding]:
    for name in (METHODS, HEADERS, EXPOSED):
        if credentials and "*" in lists.tokens(received, name):
            yield CREDENTIALS_WILDCARDS.found(received.line(name), name)
    if "authorization" in lists.tokens(received, EXPOSED):
        yield EXPOSES_AUTHORIZATION.found(received.line(EXPOSED))
