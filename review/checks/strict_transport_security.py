"""Strict-Transport-Security (RFC 6797), and whether the browsers' preload list would take it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from review import contexts, hsts
from review.finding import Finding, Rule, Severity
from review.hsts import Policy, Refused
from review.received import Received

HEADER = "strict-transport-security"
_RFC = "https://www.rfc-editor.org/rfc/rfc6797"
_LIST = "https://hstspreload.org/#submission-requirements"
_FIX = "Strict-Transport-Security: max-age=31536000; includeSubDomains"

MISSING = Rule(
    code="hsts.missing",
    severity=Severity.MEDIUM,
    title="Nothing tells browsers to use https alone",
    browser="It follows http links to this host, and lets the user click certificate warnings away.",
    why="Whoever sits on the network can catch the first http request and stay in between, and reads cookies that are not Secure.",
    fix=_FIX,
    link=f"{_RFC}#section-7.1",
)
IGNORED = Rule(
    code="hsts.ignored",
    severity=Severity.MEDIUM,
    title="Strict-Transport-Security has a value that browsers ignore",
    browser="One error in the value and it ignores all of it; max-age must be there once, in digits.",
    why="The header looks as if it protected, and does not.",
    fix=_FIX,
    link=f"{_RFC}#section-6.1",
)
OFF = Rule(
    code="hsts.off",
    severity=Severity.MEDIUM,
    title="Strict-Transport-Security is switched off",
    browser="max-age=0 makes it forget that the host wanted https alone.",
    why="Every visitor who comes by loses the protection that earlier answers gave.",
    fix=f"{_FIX}\nKeep max-age=0 only while https is being rolled back on purpose.",
    link=f"{_RFC}#section-6.1.1",
)
SHORT = Rule(
    code="hsts.short",
    severity=Severity.LOW,
    title="Strict-Transport-Security lasts less than a year",
    browser="It forgets the host when max-age has passed since the last visit. Chromium caps it at one year, Firefox at a hundred.",
    why="Visitors who come less often are unprotected again; a year is what the preload list asks for, 180 days the least that the MDN Observatory accepts.",
    fix=_FIX,
    link=f"{_RFC}#section-6.1.1",
)
WITHOUT_SUBDOMAINS = Rule(
    code="hsts.without_subdomains",
    severity=Severity.LOW,
    title="Strict-Transport-Security leaves out the subdomains",
    browser="It still goes to subdomains over http when asked to.",
    why="Whoever sits on the network can invent a subdomain, and there set or read cookies of the whole domain.",
    fix=f"{_FIX}\nFirst make sure that every subdomain answers over https.",
    link=f"{_RFC}#section-14.4",
)
REPEATED = Rule(
    code="hsts.repeated",
    severity=Severity.LOW,
    title="Strict-Transport-Security is sent several times",
    browser="It reads the first line alone.",
    why="Two places set it; what counts depends on their order, and a change in the other one does nothing.",
    fix=f"{_FIX}\nSend it once: usually the proxy and the application both add it.",
    link=f"{_RFC}#section-8.1",
)
OVER_HTTP = Rule(
    code="hsts.over_http",
    severity=Severity.INFO,
    title="Strict-Transport-Security is sent over http",
    browser="It ignores the header on answers that came over http.",
    why="It does no harm and no good; only the answers over https count.",
    fix="Redirect http to https, and send the header there.",
    link=f"{_RFC}#section-7.2",
)
ON_ADDRESS = Rule(
    code="hsts.on_address",
    severity=Severity.INFO,
    title="Strict-Transport-Security is sent by a host without a name",
    browser="It never notes an IP address.",
    why="The header has no effect here.",
    fix="Serve the site under a host name.",
    link=f"{_RFC}#section-8.1.1",
)
NOT_ELIGIBLE = Rule(
    code="hsts.preload_not_eligible",
    severity=Severity.LOW,
    title="Strict-Transport-Security asks for preloading, and is not eligible",
    browser="Its built-in list takes and keeps only hosts with max-age of at least a year, includeSubDomains and preload.",
    why="The host is not put on the list, or may be taken off it.",
    fix="Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\nOr leave out preload.",
    link=_LIST,
)
PRELOAD_MISSING = Rule(
    code="hsts.preload_missing",
    severity=Severity.INFO,
    title="Strict-Transport-Security does not ask for preloading",
    browser="It learns of https on the first visit; for hosts on its built-in list it knows from the start.",
    why="Opinion: preloading protects the very first visit as well, but it is slow to undo and binds all subdomains.",
    fix="Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\nThen submit the registrable domain at hstspreload.org.",
    link=_LIST,
    opinion=True,
)
RULES = (
    MISSING,
    IGNORED,
    OFF,
    SHORT,
    WITHOUT_SUBDOMAINS,
    REPEATED,
    OVER_HTTP,
    ON_ADDRESS,
    NOT_ELIGIBLE,
    PRELOAD_MISSING,
)


def effective(received: Received) -> dict[str, Any] | None:
    """What a browser notes for the host, or None where it ignores the header."""
    policy = hsts.read(received.values(HEADER), received.scheme, received.host)
    if policy is None:
        return None
    return {"max_age": policy.max_age, "include_subdomains": policy.include_subdomains}


EFFECTIVE: dict[str, Any] = {HEADER: effective}


def check(received: Received) -> Iterator[Finding]:
    """Say where browsers are not bound to https, or less than it looks."""
    lines = received.lines(HEADER)
    if not received.secure:
        if lines:
            yield OVER_HTTP.found(received.line(HEADER))
    elif contexts.is_address(received.host):
        if lines:
            yield ON_ADDRESS.found(received.line(HEADER))
    elif not lines:
        yield MISSING.found()
    else:
        yield from _lines(received, lines)


def _lines(received: Received, lines: tuple[str, ...]) -> Iterator[Finding]:
    if len(lines) > 1:
        yield REPEATED.found(received.line(HEADER))
    policy = hsts.parse(received.values(HEADER)[0])
    if isinstance(policy, Refused):
        yield IGNORED.found(lines[0], detail=policy.reason)
    elif policy.max_age == 0:
        yield OFF.found(lines[0])
    else:
        yield from _in_force(policy, lines[0])


def _in_force(policy: Policy, line: str) -> Iterator[Finding]:
    long_enough = policy.max_age >= hsts.YEAR_SECONDS
    if not long_enough:
        yield SHORT.found(line)
    if not policy.include_subdomains:
        yield WITHOUT_SUBDOMAINS.found(line)
    eligible = long_enough and policy.include_subdomains
    if policy.preload and not eligible:
        yield NOT_ELIGIBLE.found(line)
    if eligible and not policy.preload:
        yield PRELOAD_MISSING.found(line)
