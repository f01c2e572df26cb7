"""Cache-Control and its kin where they concern safety and truth (RFC 9111); speed is not judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from review import caching, cookies, sessions
from review.caching import CacheControl, Sharing
from review.finding import Finding, Rule, Severity
from review.received import Received
from review.sessions import Likeness

HEADER = caching.HEADER
_RFC = "https://www.rfc-editor.org/rfc/rfc9111.html"

PERSONAL_SHARED = Rule(
    code="cache.personal_shared",
    severity=Severity.HIGH,
    title="A shared cache may hand one person's session to others",
    browser=(
        "Browsers keep it for one person; a proxy or CDN may store the answer with its Set-Cookie and give both to the next "
        "visitor. Many caches refuse answers with Set-Cookie by a rule of their own; the standard does not ask them to."
    ),
    why="Whoever gets the stored answer continues with somebody else's session. That has happened to large sites.",
    fix="Cache-Control: private, no-store",
    link=f"{_RFC}#section-7.3",
)
COOKIE_CACHEABLE = Rule(
    code="cache.cookie_cacheable",
    severity=Severity.LOW,
    title="A shared cache may give one visitor's cookies to others",
    browser="Browsers keep it for one person; a proxy or CDN may store the answer with its Set-Cookie for the stated time.",
    why="Visitors share what the cookie tells apart: language, basket, consent, identity in statistics.",
    fix="Cache-Control: private, no-cache",
    link=f"{_RFC}#section-7.3",
)
CONFLICTING = Rule(
    code="cache.conflicting",
    severity=Severity.LOW,
    title="Cache directives contradict each other",
    browser="Caches are told to honour the stricter one (RFC 9111, 4.2.1), but differ when one directive is sent twice: Chromium takes the first, Firefox the last.",
    why="Two places decide about caching; which of them wins may change with the next cache on the way.",
    fix="Cache-Control: private, no-cache\nSay each thing once.",
    link=f"{_RFC}#section-4.2.1",
)
IGNORED_DIRECTIVE = Rule(
    code="cache.ignored_directive",
    severity=Severity.LOW,
    title="A cache directive has no effect",
    browser="Browsers and caches skip what they do not know or cannot read, and obey the rest. Firefox reads the digits that a time begins with, so it keeps what comes with `max-age=60; no-store`.",
    why="What it was meant to forbid stays allowed.",
    fix="Cache-Control: no-store\nNames have a hyphen where words meet, parts are separated by commas, seconds are whole numbers.",
    link=f"{_RFC}#section-5.2",
)
PRAGMA_ONLY = Rule(
    code="cache.pragma_only",
    severity=Severity.LOW,
    title="Pragma alone shall prevent caching",
    browser="Chromium and Firefox take it for no-cache; shared caches need not, since it is only defined for requests.",
    why="The answer may be stored and shown to others although its author thinks that it is not.",
    fix="Cache-Control: no-store",
    link=f"{_RFC}#section-5.4",
)
TARGETED_IGNORED = Rule(
    code="cache.cdn_ignored",
    severity=Severity.LOW,
    title="CDN-Cache-Control cannot be read",
    browser="Browsers do not look at it. A CDN ignores it whole unless it is a structured dictionary; Cache-Control counts then.",
    why="A CDN that was told not to store the answer may store it.",
    fix="CDN-Cache-Control: no-store",
    link="https://www.rfc-editor.org/rfc/rfc9213.html#section-2.1",
)
RULES = (PERSONAL_SHARED, COOKIE_CACHEABLE, CONFLICTING, IGNORED_DIRECTIVE, PRAGMA_ONLY, TARGETED_IGNORED)

MOST_NAMED = 5
REQUESTS_ONLY = frozenset({"max-stale", "min-fresh", "only-if-cached"})
OF_OLD = frozenset({"pre-check", "post-check"})
"""Of Internet Explorer; harmless, and so usual that they are no finding."""
_SQUASHED = {name.replace("-", ""): name for name in caching.KNOWN}


def effective(received: Received) -> dict[str, Any] | None:
    """The directives as caches read them; None without any that can be read."""
    control = caching.read(received)
    if control is None or not control.directives:
        return None
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in control.directives.items()
    }


EFFECTIVE: dict[str, Any] = {HEADER: effective}


def check(received: Received) -> Iterator[Finding]:
    """Say where caches may keep what is personal, and where directives do nothing."""
    control = caching.read(received)
    yield from _shared_cookies(received, control)
    if control is not None:
        yield from _lists(received, control)
    elif "no-cache" in (received.combined("pragma") or "").lower():
        yield PRAGMA_ONLY.found(received.line("pragma"))
    if received.has(caching.TARGETED) and caching.targeting(received) is None:
        yield TARGETED_IGNORED.found(received.line(caching.TARGETED))


def _shared_cookies(received: Received, control: CacheControl | None) -> Iterator[Finding]:
    if not received.has("set-cookie") or _held_back(control):
        return
    sharing = caching.sharing(received)
    if sharing.rank < Sharing.GUESSING.rank:
        return
    kept = [each for each in cookies.read(received) if each.accepted and not each.removed]
    evidence = _evidence(received)
    for each in kept:
        session = sessions.likeness(each.name)
        if session is not Likeness.NONE:
            yield _personal(each.name, f"{each.evidence}\n{evidence}".strip(), sharing, session)
        elif session is Likeness.NONE and sharing is Sharing.FRESH:
            yield COOKIE_CACHEABLE.found(f"{each.evidence}\n{evidence}".strip(), each.name)


def _held_back(control: CacheControl | None) -> bool:
    """Whether caches may store the answer, but not its cookies."""
    return control is not None and any(
        control.names_field(name, "set-cookie") for name in ("private", "no-cache")
    )


def _evidence(received: Received) -> str:
    names = (HEADER, caching.TARGETED, "expires")
    return "\n".join(line for name in names for line in received.lines(name))


def _personal(name: str, evidence: str, sharing: Sharing, session: Likeness) -> Finding:
    """High where the answer says for how long; one level less where a cache would have to guess, or the name only suggests."""
    if sharing is Sharing.FRESH:
        found = PERSONAL_SHARED.found(evidence, name, "for a stated time")
    else:
        found = PERSONAL_SHARED.found(evidence, name, "nothing says for how long, so a cache may guess")
        found = found._replace(severity=found.severity.lowered())
    return found if session is Likeness.KNOWN else found._replace(severity=found.severity.lowered())


def _lists(received: Received, control: CacheControl) -> Iterator[Finding]:
    contradictions = list(_contradictions(control))
    if contradictions:
        yield CONFLICTING.found(received.line(HEADER), detail="; ".join(contradictions))
    for part, reason in list(dict(_without_effect(control)).items())[:MOST_NAMED]:
        yield IGNORED_DIRECTIVE.found(received.line(HEADER), part[:60], reason)


def _contradictions(control: CacheControl) -> Iterator[str]:
    has = control.has
    if has("public") and (has("private") or has("no-store")):
        yield f"public and {'private' if has('private') else 'no-store'}"
    if has("private") and control.seconds("s-maxage"):
        yield "private and s-maxage"
    if has("no-store") and (control.seconds("max-age") or control.seconds("s-maxage")):
        yield "no-store and a time to keep it"
    if control.repeated:
        yield f"twice with different values: {', '.join(control.repeated[:5])}"


def _without_effect(control: CacheControl) -> Iterator[tuple[str, str]]:
    for part in control.ignored:
        yield part, _why_unreadable(part)
    for name in control.directives:
        if name in REQUESTS_ONLY:
            yield name, "only requests have it"
        elif name not in caching.KNOWN | OF_OLD and _meant(name):
            yield name, f"no such directive; {_meant(name)} is one"


def _why_unreadable(part: str) -> str:
    if ";" in part:
        return "a semicolon does not separate directives"
    name = part.partition("=")[0].strip().lower()
    return "not a whole number of seconds" if name in caching.SECONDS else "not a directive"


def _meant(name: str) -> str:
    """The directive that a mistyped one was meant to be; empty for an extension that somebody may know."""
    squashed = name.replace("-", "").replace("_", "").replace(".", "")
    return _SQUASHED.get(squashed, "")
