"""The first level: what the headers of an answer permit, against what the rule that holds its page expects."""

from __future__ import annotations

from collections.abc import Iterator

from headersweep import durations
from headersweep.cachematch import Claim
from headersweep.cacherules import CacheKind, Shared
from headersweep.responses import ResponseClass
from review import cachekinds, caching, lists
from review.cacherules import rules
from review.caches.permitted import Permitted
from review.caching import Sharing
from review.finding import Finding, Rule
from review.received import Received

_LINES = (caching.HEADER, caching.TARGETED, "x-accel-expires", "surrogate-control", "expires", "vary")


def findings(claim: Claim, received: Received, kind: CacheKind) -> Iterator[Finding]:
    """What is wrong with an answer to a page that a rule claims; nothing where the rule is switched off."""
    if not claim.rule.enabled:
        return
    found = cachekinds.permitted(received, kind)
    if claim.shared is Shared.NOT_CACHED:
        yield from _private(claim, received, found)
    elif _is_page(received):
        yield from _cached(claim, received, found)


def _is_page(received: Received) -> bool:
    """Whether it is what was asked for: nobody wants errors cached, nor minds if redirects are not."""
    return _SUCCESS <= received.status < _REDIRECTED


_SUCCESS, _REDIRECTED = 200, 300


def _private(claim: Claim, received: Received, found: Permitted) -> Iterator[Finding]:
    """A page for one person is judged by the most that any cache may do: that of the named kind, or one by the standard."""
    may = {found.sharing, caching.sharing(received)}
    rule = rules.PRIVATE_CACHEABLE if Sharing.FRESH in may else rules.PRIVATE_HEURISTIC
    if may & {Sharing.FRESH, Sharing.GUESSING}:
        finding = _found(rule, claim, received, _permits(received, found))
        kind = received.response_class
        yield (
            finding._replace(severity=finding.severity.lowered()) if kind is ResponseClass.ERROR else finding
        )


def _permits(received: Received, found: Permitted) -> str:
    if found.sharing.rank >= Sharing.GUESSING.rank:
        return f"{found.why}{_for(found.lifetime)}"
    return f"by the standard: {caching.sharing(received)}"


def _cached(claim: Claim, received: Received, found: Permitted) -> Iterator[Finding]:
    if found.sharing.rank < Sharing.GUESSING.rank:
        blocked_by_cookie = received.has("set-cookie") and found.why == "set-cookie"
        rule = (
            rules.SET_COOKIE
            if blocked_by_cookie and not claim.rule.expect.set_cookie
            else rules.NOT_CACHEABLE
        )
        yield _found(rule, claim, received, found.why)
        return
    if received.has("set-cookie") and not claim.rule.expect.set_cookie:
        yield _found(rules.SET_COOKIE, claim, received, "the headers permit to store it", "set-cookie")
    if found.sharing is Sharing.GUESSING and found.why != "its own default":
        yield _found(rules.UNSTATED, claim, received, found.why)
    else:
        yield from _lifetime(claim, received, found)
    yield from _vary(claim, received)


def _lifetime(claim: Claim, received: Received, found: Permitted) -> Iterator[Finding]:
    expected, seconds = claim.rule.expect, found.lifetime or 0
    if expected.max_lifetime is not None and seconds > expected.max_lifetime:
        said = f"{found.why}{_for(seconds)}, allowed are {shown(expected.max_lifetime)}"
        yield _found(rules.TOO_LONG, claim, received, said)
    if expected.min_lifetime is not None and seconds < expected.min_lifetime:
        said = f"{found.why}{_for(seconds)}, wanted are {shown(expected.min_lifetime)}"
        yield _found(rules.TOO_SHORT, claim, received, said)


def _vary(claim: Claim, received: Received) -> Iterator[Finding]:
    allowed = claim.rule.expect.vary
    if allowed is not None:
        others = sorted(lists.tokens(received, "vary") - set(allowed))
        if others:
            yield _found(rules.VARY, claim, received, f"by {', '.join(others[:5])}")


def _for(seconds: int | None) -> str:
    return "" if seconds is None else f", {shown(seconds)}"


def shown(seconds: int) -> str:
    """Seconds as people write them."""
    return durations.of_seconds(seconds)


def _found(rule: Rule, claim: Claim, received: Received, said: str, line: str = "") -> Finding:
    evidence = "\n".join(each for name in (line, *_LINES) if name for each in received.lines(name))
    return rule.found(evidence, subject(claim), detail(claim, said))


def subject(claim: Claim) -> str:
    """What a finding is about: the rule, and the bypass if there is one."""
    return claim.rule.name if claim.bypass is None else f"{claim.rule.name} ({claim.bypass.label})"


def detail(claim: Claim, said: str) -> str:
    """What is wrong, whose rule it is and why it is there."""
    why = claim.rule.why if claim.bypass is None else claim.bypass.why
    return f"{said} ({claim.rule.owner}: {why})"
