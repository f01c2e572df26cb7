"""The third level: which requests would show what caches really do with a rule's examples, and what the answers mean.

Only dummy values are ever sent, and no Authorization at all. Where a rule allows any query, a try gets a page of its own
by a parameter that nobody else sends, so that nothing which visitors see is stored or disturbed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from headersweep import cachematch
from headersweep.cachematch import Claim, Matcher
from headersweep.cacherules import Bypass, CacheKind, CacheRule, Condition, Shared
from headersweep.definition import SiteDefinition
from review import cachekinds, lists
from review.cacherules import observed, policy, rules
from review.cacherules.observed import Observation, State
from review.caching import Sharing
from review.finding import Finding
from review.received import Received

MAX_EXAMPLES = 5
"""So many examples of each kind are tried for a rule."""

PAUSE_SECONDS = 1.5
"""Between two requests for one page: so that an Age that grows shows."""

PARAMETER = "headersweep-try"
DUMMY = "headersweep-dummy"
UNSENT = frozenset({"authorization", "proxy-authorization"})
"""Nobody's credentials are ever sent, not even false ones."""


class Try(StrEnum):
    """What a few requests together shall show."""

    CACHED = "cached"
    """An example that should be cached, three times: at least one answer is second-hand."""
    NOT_CACHED = "not_cached"
    """An example that should not, twice: none is."""
    READING = "reading"
    """A page, again, then with the condition: the last is not second-hand."""
    STORING = "storing"
    """A page of its own with the condition, then without: the last is not what was made for the first."""
    STILL_CACHED = "still_cached"
    """A page, again, then twice with a condition that should change nothing: the last is second-hand."""
    DIFFERING = "differing"
    """Two pages of their own, one with a dummy cookie: the same, unless Vary says so."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request; ``gap``: so many seconds behind the one before."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    gap: float = 0.0


@dataclass(frozen=True, slots=True)
class Trial:
    """Requests that belong together; ``bypass`` is the place of the rule's bypass that they are about."""

    key: str
    kind: Try
    rule: CacheRule
    url: str
    steps: tuple[Step, ...]
    bypass: int | None = None

    @property
    def context(self) -> dict[str, Any]:
        """What the judge must know, as plain values."""
        return {"try": str(self.kind), "rule": self.rule.as_json(), "bypass": self.bypass, "url": self.url}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, with a digest of its body where one was taken."""

    received: Received
    digest: str = ""

    @property
    def seen(self) -> Observation:
        """What the cache nearest to us said."""
        return observed.observe(self.received)


def kept_of_body(_status: int, body: bytes) -> dict[str, Any]:
    """What is kept of a body: enough to tell it from another."""
    return {"digest": hashlib.sha256(body).hexdigest()[:16]}


def from_context(key: str, context: dict[str, Any], steps: int) -> Trial:
    """The trial that ``context`` was written for, as far as its judge needs it."""
    url = context["url"]
    rule = CacheRule.from_json(context["rule"])
    return Trial(key, Try(context["try"]), rule, url, (Step(url),) * steps, context["bypass"])


# --- which requests ----------------------------------------------------------------------------------------------


def plan(definition: SiteDefinition, token: str) -> Iterator[Trial]:
    """The tries of all rules that are switched on; ``token`` makes their parameters differ from those of other runs."""
    matcher = Matcher(definition.cache)
    for rule in definition.cache:
        if rule.enabled:
            yield from _of_rule(rule, matcher, definition.start_urls[0], token)


def _of_rule(rule: CacheRule, matcher: Matcher, start_url: str, token: str) -> Iterator[Trial]:
    for shows in Shared:
        for claim, url in _own_examples(rule, shows, matcher, start_url)[:MAX_EXAMPLES]:
            yield _example(claim, url, shows)
    for place, bypass in enumerate(rule.bypass):
        page = cachematch.resolve(bypass.example, rule.match, start_url) if bypass.example else None
        if page and bypass.condition is not Condition.QUERY and bypass.name.lower() not in UNSENT:
            yield from _bypass(rule, place, page, token)
    cached = _own_examples(rule, Shared.CACHED, matcher, start_url)
    if cached and _takes_parameters(rule) and rule.expect.shared is Shared.CACHED:
        yield _differing(rule, cached[0][1], token)


def _own_examples(
    rule: CacheRule, shows: Shared, matcher: Matcher, start_url: str
) -> list[tuple[Claim, str]]:
    """Examples that this rule itself holds; those of other rules are tried with them."""
    listed = rule.should_cache if shows is Shared.CACHED else rule.should_not_cache
    resolved = (cachematch.resolve(text, rule.match, start_url) for text in listed)
    claims = ((matcher.claim(url), url) for url in resolved if url)
    return [(claim, url) for claim, url in claims if claim is not None and claim.rule is rule]


def _example(claim: Claim, url: str, shows: Shared) -> Trial:
    kind, times = (Try.CACHED, 3) if shows is Shared.CACHED else (Try.NOT_CACHED, 2)
    again = Step(url, gap=PAUSE_SECONDS)
    place = None if claim.bypass is None else claim.rule.bypass.index(claim.bypass)
    return Trial(
        _key(claim.rule, kind, url), kind, claim.rule, url, (Step(url), *[again] * (times - 1)), place
    )


def _bypass(rule: CacheRule, place: int, url: str, token: str) -> Iterator[Trial]:
    bypass = rule.bypass[place]
    headers = condition_headers(bypass)
    plain, again = Step(url), Step(url, gap=PAUSE_SECONDS)
    if bypass.expect is Shared.CACHED:
        last = Step(url, headers, PAUSE_SECONDS)
        key = _key(rule, Try.STILL_CACHED, url, place)
        yield Trial(key, Try.STILL_CACHED, rule, url, (plain, again, last, last), place)
        return
    key = _key(rule, Try.READING, url, place)
    yield Trial(key, Try.READING, rule, url, (plain, again, Step(url, headers, PAUSE_SECONDS)), place)
    if _takes_parameters(rule):
        own = _own_page(url, f"{token}-{place}")
        steps = (Step(own, headers), Step(own, gap=PAUSE_SECONDS))
        yield Trial(_key(rule, Try.STORING, url, place), Try.STORING, rule, url, steps, place)


def _differing(rule: CacheRule, url: str, token: str) -> Trial:
    pages = [_own_page(url, f"{token}-{letter}") for letter in "abc"]
    cookie = (("Cookie", f"{PARAMETER}={DUMMY}"),)
    steps = (Step(pages[0]), Step(pages[1]), Step(pages[2], cookie))
    return Trial(_key(rule, Try.DIFFERING, url), Try.DIFFERING, rule, url, steps)


def _key(rule: CacheRule, kind: Try, url: str, place: int | None = None) -> str:
    return f"{rule.name} {kind}{'' if place is None else f' {place}'} {url}"


def _takes_parameters(rule: CacheRule) -> bool:
    return rule.match.query is None


def _own_page(url: str, value: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{PARAMETER}={value}"


def condition_headers(bypass: Bypass) -> tuple[tuple[str, str], ...]:
    """The header that meets a condition, with a dummy value."""
    name = bypass.name.replace("*", "headersweep")
    return (("Cookie", f"{name}={DUMMY}"),) if bypass.condition is Condition.COOKIE else ((name, DUMMY),)


# --- what the answers mean ---------------------------------------------------------------------------------------


def judge(trial: Trial, answers: Sequence[Answer | None], kind: CacheKind) -> list[Finding]:
    """What is wrong, by the answers to all steps; nothing where one of them is missing."""
    whole = [each for each in answers if each is not None]
    if len(whole) != len(trial.steps):
        return []
    bypass = None if trial.bypass is None else trial.rule.bypass[trial.bypass]
    return list(_judge(trial, Claim(trial.rule, bypass), whole, kind))


def _judge(trial: Trial, claim: Claim, answers: Sequence[Answer], kind: CacheKind) -> Iterator[Finding]:
    last = answers[-1]
    if trial.kind is Try.CACHED:
        yield from _never_hit(claim, answers[1:])
        yield from _hits(claim, answers)
    elif trial.kind is Try.NOT_CACHED:
        if last.seen.state.from_store:
            yield _found(rules.PRIVATE_HIT, claim, last, _states(answers))
        yield from _hits(claim, answers)
    elif trial.kind is Try.READING:
        if last.seen.state.from_store or _is_second_hand(answers[0], last):
            yield _found(rules.BYPASS_HIT, claim, last, f"asked with {claim.bypass and claim.bypass.label}")
    elif trial.kind is Try.STORING:
        if last.seen.state.from_store:
            yield _found(rules.BYPASS_STORED, claim, last, "asked once with it, then without")
    elif trial.kind is Try.STILL_CACHED:
        if answers[1].seen.state.from_store:
            yield from _never_hit(claim, [last])
    else:
        yield from _differs(claim, answers, kind)


def _never_hit(claim: Claim, answers: Sequence[Answer]) -> Iterator[Finding]:
    """Only where the cache speaks at all: silence proves nothing."""
    states = {each.seen.state for each in answers}
    if State.UNKNOWN not in states and not any(state.from_store for state in states):
        yield _found(rules.NEVER_HIT, claim, answers[-1], _states(answers))


def _hits(claim: Claim, answers: Sequence[Answer]) -> Iterator[Finding]:
    expected = claim.rule.expect
    hits = [each for each in answers if each.seen.state.from_store]
    with_cookie = [each for each in hits if each.received.has("set-cookie")]
    if with_cookie and not expected.set_cookie:
        yield _found(rules.SET_COOKIE_ON_HIT, claim, with_cookie[0], _states(answers), "set-cookie")
    oldest = max((cachekinds.age(each.received) for each in hits), default=0)
    if expected.max_lifetime is not None and oldest > expected.max_lifetime:
        said = f"{policy.shown(oldest)} old, allowed are {policy.shown(expected.max_lifetime)}"
        yield _found(rules.TOO_OLD, claim, hits[-1], said)


def _is_second_hand(first: Answer, later: Answer) -> bool:
    """Whether a silent cache gave the same answer again: the origin's clock stood still in it."""
    dates = first.received.values("date"), later.received.values("date")
    return bool(dates[0]) and dates[0] == dates[1] and later.seen.state is State.UNKNOWN


def _differs(claim: Claim, answers: Sequence[Answer], kind: CacheKind) -> Iterator[Finding]:
    """A page that is the same for two visitors, differs for one with a cookie, and may be kept for all."""
    first, second, with_cookie = answers
    stable = first.digest and first.digest == second.digest
    if not stable or with_cookie.digest in {"", first.digest} or with_cookie.seen.state.from_store:
        return
    may_share = cachekinds.permitted(with_cookie.received, kind).sharing.rank >= Sharing.GUESSING.rank
    if may_share and "cookie" not in lists.tokens(with_cookie.received, "vary"):
        yield _found(rules.DIFFERS, claim, with_cookie, "asked with a dummy cookie, and without", "vary")


def _states(answers: Sequence[Answer]) -> str:
    return f"the cache said {', '.join(each.seen.state for each in answers)}"


def _found(rule: Any, claim: Claim, answer: Answer, said: str, line: str = "cache-control") -> Finding:
    evidence = "\n".join(each for each in (answer.seen.evidence, answer.received.line(line)) if each)
    finding: Finding = rule.found(evidence, policy.subject(claim), policy.detail(claim, said))
    return finding
