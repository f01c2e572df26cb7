"""The second level: what caches on the way said that they had done with a request, in their many words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from headersweep.cachematch import Claim
from headersweep.cacherules import Shared
from review import readers
from review.cacherules import policy, rules
from review.finding import Finding, Severity
from review.received import Received


class State(StrEnum):
    """What a cache did, in one word for all vendors."""

    HIT = "hit"
    MISS = "miss"
    BYPASS = "bypass"
    EXPIRED = "expired"
    STALE = "stale"
    REVALIDATED = "revalidated"
    DYNAMIC = "dynamic"
    UNKNOWN = "unknown"

    @property
    def from_store(self) -> bool:
        """Whether the answer had been made for an earlier request."""
        return self in {State.HIT, State.STALE, State.REVALIDATED}

    @property
    def past_store(self) -> bool:
        """Whether the cache does not keep such answers at all."""
        return self in {State.BYPASS, State.DYNAMIC}


@dataclass(frozen=True, slots=True)
class Observation:
    """What one answer says about the cache nearest to us: the word for all vendors, and the line as it came."""

    state: State
    evidence: str = ""


_WORDS = {
    "hit": State.HIT,
    "hit-fresh": State.HIT,
    "memory-hit": State.HIT,
    "mem-hit": State.HIT,
    "disk-hit": State.HIT,
    "remotehit": State.HIT,
    "prerender": State.HIT,
    "error_hit": State.HIT,
    "cached": State.HIT,
    "origin-hit": State.HIT,
    "miss": State.MISS,
    "refreshmiss": State.EXPIRED,
    "expired": State.EXPIRED,
    "stale": State.STALE,
    "hit-stale": State.STALE,
    "hit stale": State.STALE,
    "updating": State.STALE,
    "revalidated": State.REVALIDATED,
    "refreshhit": State.REVALIDATED,
    "bypass": State.BYPASS,
    "pass": State.BYPASS,
    "private": State.BYPASS,
    "none": State.BYPASS,
    "uncacheable": State.DYNAMIC,
    "dynamic": State.DYNAMIC,
}
_AKAMAI = {
    "tcp_hit": State.HIT,
    "tcp_mem_hit": State.HIT,
    "tcp_ims_hit": State.HIT,
    "tcp_negative_hit": State.HIT,
    "tcp_refresh_hit": State.REVALIDATED,
    "tcp_refresh_fail_hit": State.STALE,
    "tcp_expired_hit": State.STALE,
    "tcp_miss": State.MISS,
    "tcp_refresh_miss": State.EXPIRED,
    "tcp_expired_miss": State.EXPIRED,
    "tcp_client_refresh_miss": State.BYPASS,
}
_FROM_CLOUDFRONT = re.compile(r"(.+) from cloudfront")
_NAMES = (
    "cf-cache-status",
    "x-cache-status",
    "x-proxy-cache",
    "x-nginx-cache",
    "x-fastcgi-cache",
    "x-vercel-cache",
    "x-nextjs-cache",
    "x-litespeed-cache",
    "x-sucuri-cache",
    "x-drupal-cache",
    "cdn-cache",
    "x-varnish-cache",
    "x-cache",
)
"""Headers with a word, those first whose words say most."""


def observe(received: Received) -> Observation:
    """What the cache nearest to us did: by Cache-Status (RFC 9211), by a vendor's word, else by Age and X-Varnish."""
    for reader in (_cache_status, _by_words, _by_varnish, _by_age):
        found = reader(received)
        if found is not None:
            return found
    return Observation(State.UNKNOWN)


def _cache_status(received: Received) -> Observation | None:
    """The last member is the cache nearest to us (RFC 9211, 2)."""
    members = readers.structured(received.combined("cache-status") or "", "list")
    if not members:
        return None
    last = members[-1]
    parameters: dict[str, Any] = last[1] if isinstance(last, tuple) else {}
    return Observation(_state_of(parameters), received.line("cache-status"))


def _state_of(parameters: dict[str, Any]) -> State:
    if parameters.get("hit"):
        ttl = parameters.get("ttl")
        return State.STALE if isinstance(ttl, int) and ttl < 0 else State.HIT
    forwarded = parameters.get("fwd")
    word = str(forwarded)
    if word == "stale":
        return State.REVALIDATED if parameters.get("fwd-status") == 304 else State.EXPIRED  # noqa: PLR2004 - the status
    return _FORWARDED.get(word, State.UNKNOWN)


_FORWARDED = {
    "bypass": State.BYPASS,
    "method": State.BYPASS,
    "request": State.BYPASS,
    "uri-miss": State.MISS,
    "vary-miss": State.MISS,
    "miss": State.MISS,
    "partial": State.MISS,
}


def _by_words(received: Received) -> Observation | None:
    for name in _NAMES:
        if received.has(name):
            state = _of_words(received.values(name)[-1])
            if state is not State.UNKNOWN:
                return Observation(state, received.line(name))
    return None


def _of_words(value: str) -> State:
    """The state that a vendor's words mean; of a list (one word a cache) the last, which is nearest to us."""
    text = value.lower().rpartition(",")[2].strip()
    cloudfront = _FROM_CLOUDFRONT.fullmatch(text)
    text = cloudfront[1].split()[0] if cloudfront else text
    first = re.split(r"[ :;(]", text, maxsplit=1)[0]
    return _WORDS.get(text) or _WORDS.get(first) or _AKAMAI.get(first) or State.UNKNOWN


def _by_varnish(received: Received) -> Observation | None:
    """Varnish names two requests where the second stored what the first got; a single number is a miss or a pass."""
    value = received.combined("x-varnish")
    if value is None or not re.fullmatch(r"[0-9]+( [0-9]+)?", value):
        return None
    return Observation(State.HIT if " " in value else State.MISS, received.line("x-varnish"))


def _by_age(received: Received) -> Observation | None:
    value = received.combined("age") or ""
    return (
        Observation(State.HIT, received.line("age")) if re.fullmatch(r"0*[1-9][0-9]{0,17}", value) else None
    )


_Reader = Callable[[Received], Observation | None]


# --- against the rules -------------------------------------------------------------------------------------------


def findings(claim: Claim, received: Received, age_s: int | None) -> Iterator[Finding]:
    """What is wrong with how caches treated a page that a rule claims.

    ``age_s`` is the Age that this very answer had. Words are those of the first answer with these headers, which may have
    been that of another page: what only they say counts one level less.
    """
    if not claim.rule.enabled:
        return
    aged = age_s is not None and age_s > 0
    seen = Observation(State.HIT, f"Age: {age_s}") if aged else observe(received)
    kept = list(_wrong(claim, received, seen, age_s or 0))
    yield from kept if aged else [_by_words_alone(each) for each in kept]


def _by_words_alone(finding: Finding) -> Finding:
    severity = finding.severity.lowered() if finding.severity.rank > Severity.LOW.rank else finding.severity
    return finding._replace(severity=severity, detail=f"{finding.detail}; as first seen with these headers")


def _wrong(claim: Claim, received: Received, seen: Observation, age_s: int) -> Iterator[Finding]:
    subject, expected = policy.subject(claim), claim.rule.expect
    if seen.state.from_store:
        if claim.shared is Shared.NOT_CACHED:
            said = policy.detail(claim, f"the cache said {seen.state}")
            yield rules.PRIVATE_HIT.found(seen.evidence, subject, said)
        if received.has("set-cookie") and not expected.set_cookie:
            evidence = f"{seen.evidence}\n{received.line('set-cookie')}"
            yield rules.SET_COOKIE_ON_HIT.found(evidence, subject, policy.detail(claim, str(seen.state)))
    if claim.shared is Shared.CACHED:
        if seen.state.past_store:
            said = policy.detail(claim, f"the cache said {seen.state}")
            yield rules.NEVER_HIT.found(seen.evidence, subject, said)
        if expected.max_lifetime is not None and age_s > expected.max_lifetime:
            said = f"{policy.shown(age_s)} old, allowed are {policy.shown(expected.max_lifetime)}"
            yield rules.TOO_OLD.found(seen.evidence, subject, policy.detail(claim, said))
