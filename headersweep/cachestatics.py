"""What is wrong between right cache rules, found without asking any server: contradictions, hidden rules, untried bypasses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headersweep import cachematch, durations
from headersweep.cachekeys import BYPASS, CACHE
from headersweep.cachematch import Matcher, MatchTest
from headersweep.cacherules import CacheRule, Condition, Shared
from headersweep.scope import Glob
from headersweep.sitevalues import Complaint

_KEYS = {Shared.CACHED: "should_cache", Shared.NOT_CACHED: "should_not_cache"}


def complaints(rules: Sequence[CacheRule], start_url: str) -> list[Complaint]:
    """Everything that is wrong, each with the key that it is about."""
    found = [
        ((CACHE, str(number), *path), said)
        for number, rule in enumerate(rules)
        for path, said in _of_rule(rule, start_url)
    ]
    found += _repeated(rules)
    found += _hidden(rules)
    if start_url:
        found += _wrong_examples(rules, start_url)
    return found


# --- one rule ----------------------------------------------------------------------------------------------------


def _of_rule(rule: CacheRule, start_url: str) -> Iterator[Complaint]:
    yield from _wrong_lifetimes(rule)
    yield from _wrong_bypasses(rule, start_url)
    for url in set(rule.should_cache) & set(rule.should_not_cache):
        place = str(rule.should_not_cache.index(url))
        yield ("should_not_cache", place), f"{url!r} stands in should_cache and in should_not_cache"


def _wrong_lifetimes(rule: CacheRule) -> Iterator[Complaint]:
    low, high = rule.expect.min_lifetime, rule.expect.max_lifetime
    if rule.expect.shared is Shared.NOT_CACHED:
        for name, value in (("min_lifetime", low), ("max_lifetime", high)):
            if value is not None:
                yield ("expect", name), f'{name} does not go with shared = "not_cached": nothing is kept'
    elif low is not None and high is not None and low > high:
        yield (
            ("expect", "min_lifetime"),
            f"min_lifetime is above max_lifetime ({durations.of_seconds(low)}, {durations.of_seconds(high)})",
        )


def _wrong_bypasses(rule: CacheRule, start_url: str) -> Iterator[Complaint]:
    seen: dict[str, Shared] = {}
    for number, bypass in enumerate(rule.bypass):
        place = (BYPASS, str(number))
        if bypass.label in seen:
            other = "" if seen[bypass.label] is bypass.expect else ", and expect opposite things"
            yield place, f"there are two bypasses for {bypass.label}{other}"
        seen[bypass.label] = bypass.expect
        if bypass.expect is rule.expect.shared:
            yield place, f"the bypass expects {bypass.expect} as the rule itself does, so it changes nothing"
        if bypass.condition is Condition.QUERY:
            if start_url and not _has_example(rule, bypass.name, bypass.expect, start_url):
                said = f"no example in {_KEYS[bypass.expect]} has a parameter {bypass.name}, so nothing shows this bypass"
                yield place, said
        elif not bypass.example:
            yield (
                place,
                f'no example shows this bypass; add example = "/..." (a page to ask for with that {bypass.condition})',
            )
        elif start_url and not _holds(rule, bypass.example, start_url):
            yield (*place, "example"), f"{bypass.example!r} does not match its own rule"


def _has_example(rule: CacheRule, name: str, expected: Shared, start_url: str) -> bool:
    glob = Glob(name)
    for url, shared in rule.examples:
        page = cachematch.resolve(url, rule.match, start_url)
        if shared is expected and page and any(map(glob.matches, cachematch.parts(page)[2])):
            return True
    return False


def _holds(rule: CacheRule, example: str, start_url: str) -> bool:
    page = cachematch.resolve(example, rule.match, start_url)
    test = MatchTest(rule.match)
    return page is not None and any(test.holds(*cachematch.parts(page), each) for each in rule.match.methods)


# --- several rules -----------------------------------------------------------------------------------------------


def _repeated(rules: Sequence[CacheRule]) -> Iterator[Complaint]:
    seen: set[str] = set()
    for number, rule in enumerate(rules):
        if rule.name in seen:
            yield (CACHE, str(number), "name"), f"there are two rules called {rule.name!r}"
        seen.add(rule.name)


def _hidden(rules: Sequence[CacheRule]) -> Iterator[Complaint]:
    """Rules of which nothing is left, since one above holds all that they do."""
    for number, rule in enumerate(rules):
        above = next((each for each in rules[:number] if cachematch.covers(each.match, rule.match)), None)
        if above is not None:
            yield (
                (CACHE, str(number)),
                f"the rule {above.name!r} above holds every page of this one; put the narrower rule first",
            )


@dataclass(frozen=True)
class _Example:
    rule: CacheRule
    text: str
    shows: Shared


def _wrong_examples(rules: Sequence[CacheRule], start_url: str) -> Iterator[Complaint]:
    matcher = Matcher(rules)
    for number, rule in enumerate(rules):
        for shows, key in _KEYS.items():
            for item, text in enumerate(getattr(rule, key)):
                said = _wrong_example(matcher, _Example(rule, text, shows), start_url)
                if said:
                    yield (CACHE, str(number), key, str(item)), f"{text!r} {said}"


def _wrong_example(matcher: Matcher, example: _Example, start_url: str) -> str:
    """What is wrong with an example; empty where it shows what it says."""
    rule = example.rule
    page = cachematch.resolve(example.text, rule.match, start_url)
    if page is None:
        return "is no URL that can be fetched"
    if example.shows is rule.expect.shared and not _holds(rule, example.text, start_url):
        return "does not match its own rule"
    claim = next((found for each in rule.match.methods if (found := matcher.claim(page, each))), None)
    if claim is None:
        return "matches no rule, so nothing is ever looked at there"
    if claim.shared is not example.shows:
        by = f" (bypass {claim.bypass.label})" if claim.bypass else ""
        return (
            f"contradicts the rule {claim.rule.name!r}{by}, which holds it first and expects {claim.shared}"
        )
    if example.shows is rule.expect.shared and claim.rule is not rule:
        return f"is held by the rule {claim.rule.name!r} above, so it shows nothing of this one"
    return ""
