"""Path scopes of a policy: which of its rules hold for the pages of a header set.

A header set stands for many pages. Whoever groups pages into sets asks ``zones_of`` for each page and keeps pages of
different zones apart; then a rule for a path holds for all pages of a set or for none. Where that was not done, all
that is known are a few sample URLs: a demand then holds where any of them fits, a waiver only where all of them do,
and both say so.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from headersweep import urls
from headersweep.cachematch import Matcher
from headersweep.policies import EVERYWHERE, Policy
from headersweep.scope import Glob
from review.policy import caching
from review.report import HeaderSet

Zone = tuple[str, Glob | Matcher]
"""A path scope: its name, which is the pattern as written, and what it holds. Or the cache rules of a policy, which hold URLs."""

BY_SAMPLES = "by its sample URLs alone: the pages of this header set were not told apart by path"


class Within(Enum):
    """How many of a set's pages a path scope holds, as far as that is known."""

    ALL = "all"
    NONE = "none"
    ALL_SAMPLES = "all samples"
    SOME_SAMPLES = "some samples"

    @property
    def is_exact(self) -> bool:
        """Whether every page was looked at."""
        return self in {Within.ALL, Within.NONE}


def zones(*policies: Policy) -> list[Zone]:
    """The path scopes that the rules of these policies name, each once."""
    patterns = [each.path for policy in policies for each in policy.expectations]
    patterns += [each.path for policy in policies for each in policy.waivers]
    scopes: list[Zone] = [
        (pattern, Glob(pattern)) for pattern in dict.fromkeys(patterns) if pattern != EVERYWHERE
    ]
    ruled = {caching.zone(policy.cache): policy.cache for policy in policies if policy.cache}
    return scopes + [(name, Matcher(rules)) for name, rules in ruled.items()]


def zones_of(path: str, known: Iterable[Zone], url: str = "") -> tuple[str, ...]:
    """The names of the scopes that hold a path (percent-encoded, without query), resp. the URL with it."""
    return tuple(found for name, test in known if (found := _zone_of(path, name, test, url)))


def _zone_of(path: str, name: str, test: Glob | Matcher, url: str) -> str:
    if isinstance(test, Glob):
        return name if test.matches(path) else ""
    claim = test.claim(url) if url else None
    return caching.claimed(name, claim) if claim else ""


def path_of(url: str) -> str:
    """The path of a page's URL, without its query."""
    page = urls.parse(url)
    return page.path_query.partition("?")[0] if page else ""


def within(one: HeaderSet, pattern: str) -> Within:
    """How many pages of a header set a path scope holds."""
    if pattern != EVERYWHERE and one.zones is not None:
        return Within.ALL if pattern in one.zones else Within.NONE
    return within_urls(one.sample_urls, pattern)


def within_urls(urls_of_pages: Iterable[str], pattern: str) -> Within:
    """How many pages a path scope holds, of which only these are known."""
    if pattern == EVERYWHERE:
        return Within.ALL
    glob = Glob(pattern)
    fitting = [glob.matches(path_of(url)) for url in urls_of_pages]
    if not any(fitting):
        return Within.NONE
    return Within.ALL_SAMPLES if all(fitting) else Within.SOME_SAMPLES
