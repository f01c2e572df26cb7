from __future__ import annotations

from collections import Counter

import pytest

from headersweep.states import Outcome
from tests.site_plan import CALM, LINKING, OUTSIDE_URL, Kind, SitePlan

ORIGINS = ("http://127.0.0.1:1001", "http://127.0.0.1:1002", "http://127.0.0.1:1003")


def reachable(plan: SitePlan) -> set[str]:
    """What somebody finds who follows links and redirects and reads the sitemaps, from the start URLs on."""
    found: set[str] = set()
    waiting = [*plan.start_urls, *(url for origin in plan.origins for url in plan.sitemap(origin))]
    while waiting:
        url = waiting.pop()
        if url in found:
            continue
        found.add(url)
        number = plan.numbers.get(url)
        if number is None:
            continue
        if plan.kind(number) is Kind.REDIRECT:
            waiting.append(plan.redirect_target(number))
        waiting += [link if "://" in link else plan.origin(number) + link for link in plan.links(number)]
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("pages", [25, 60, 401])
def test_the_truth_is_exactly_what_can_be_found(seed: int, pages: int) -> None:
    plan = SitePlan(ORIGINS, pages=pages, seed=seed)
    assert reachable(plan) == set(plan.truth())


def test_the_same_seed_gives_the_same_site_and_another_seed_another() -> None:
    assert SitePlan(ORIGINS, seed=1).truth() == SitePlan(ORIGINS, seed=1).truth()
    assert SitePlan(ORIGINS, seed=1).truth() != SitePlan(ORIGINS, seed=2).truth()


def test_the_default_site_has_every_kind_but_the_one_that_must_be_asked_for() -> None:
    plan = SitePlan(ORIGINS)
    kinds = Counter(plan.kind(number) for number in range(plan.pages))
    assert set(kinds) == set(Kind) - {Kind.RESET}
    assert {truth.outcome for truth in plan.truth().values()} == {
        Outcome.STORED,
        Outcome.ROBOTS_DENIED,
        Outcome.OUT_OF_SCOPE,
        Outcome.TRAPPED,
    }


def test_a_calm_site_makes_nobody_wait() -> None:
    plan = SitePlan(ORIGINS, shares=CALM)
    kinds = {plan.kind(number) for number in range(plan.pages)}
    assert kinds.isdisjoint({Kind.SLOW, Kind.BUSY, Kind.LIMITED})


def test_the_end_of_the_chain_is_linked_from_its_predecessor_alone() -> None:
    plan = SitePlan(ORIGINS)
    last = plan.pages - 1
    linking = [number for number in range(plan.pages) if plan.kind(number) in LINKING]
    fathers = [n for n in linking if {plan.path(last), plan.url(last)} & set(plan.links(n))]
    assert fathers == [last - 1]


def test_every_origin_has_a_start_page_and_its_share_of_pages() -> None:
    plan = SitePlan(ORIGINS, pages=300)
    assert [url.rpartition(":")[2].partition("/")[0] for url in plan.start_urls] == ["1001", "1002", "1003"]
    counts = Counter(plan.origin(number) for number in range(plan.pages))
    assert set(counts.values()) == {100}
    assert OUTSIDE_URL in plan.links(0)
