"""Nonces that came more than once are found when a run closes, kept with it, and reported like any finding."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from cli import report, results, reviewed
from demosite.serving import Answer
from review.finding import Severity
from scheduler import finishing, policies
from tests.integration._lab import Lab, definition
from tests.integration._web import Headers, Web, page

CSP = "Content-Security-Policy"
CODE = "csp.nonce_reused"
NUMBERS = itertools.count(1)


def with_nonce(nonce: str, *links: str, more: Headers = (), status: int = 200) -> Answer:
    policy = (CSP, f"script-src 'nonce-{nonce}' 'self'")
    return page(*links, headers=(policy, *more), status=status)


def drawn(*links: str) -> Callable[[], Answer]:
    """A page with a nonce that is new in every answer."""
    return lambda: with_nonce(f"bmV3{next(NUMBERS):012d}", *links)


def found(lab: Lab, run_id: int) -> list[tuple[str, Severity, int]]:
    with lab.engine.connect() as connection:
        causes = policies.others(connection, run_id)
    return [(cause.subject, cause.severity, cause.pages) for cause in causes if cause.code == CODE]


def swept(lab: Lab, web: Web) -> int:
    return int(lab.sweep(definition(web.start, sitemaps=False)).id)


def test_nonces_that_are_new_in_every_answer_are_well(lab: Lab, web: Web) -> None:
    web.pages(home=drawn("/a", "/b"), a=drawn(), b=drawn())
    assert [found(lab, swept(lab, web)) for _ in range(2)] == [[], []]


def test_the_same_nonce_on_several_pages_is_a_hole(lab: Lab, web: Web) -> None:
    web.pages(home=drawn("/a", "/b", "/c"), a=with_nonce("c2FtZQ=="), b=with_nonce("c2FtZQ=="), c=drawn())
    first = swept(lab, web)
    assert found(lab, first) == [("on several pages", Severity.HIGH, 2)]
    second = swept(lab, web)
    assert found(lab, second) == [("on several pages", Severity.HIGH, 2)]
    assert lab.rows("SELECT run_id, most, before FROM run_nonces ORDER BY run_id") == [
        (first, 2, 0),
        (second, 4, 2),
    ]


def test_a_nonce_that_stays_the_same_from_run_to_run_is_a_hole(lab: Lab, web: Web) -> None:
    web.pages(home=drawn("/a"), a=with_nonce("c2FtZQ=="))
    assert found(lab, swept(lab, web)) == []
    assert found(lab, swept(lab, web)) == [("over several runs", Severity.HIGH, 1)]


def test_of_a_cached_page_the_cache_is_named(lab: Lab, web: Web) -> None:
    aged = with_nonce("Y2FjaGVk", more=[("Age", "30")])
    web.pages(home=drawn("/a", "/b"), a=with_nonce("Y2FjaGVk"), b=aged)
    assert found(lab, swept(lab, web)) == [("on several pages, from a cache", Severity.MEDIUM, 2)]
    web.pages(home=drawn("/a"), a=aged, b=drawn())
    assert found(lab, swept(lab, web)) == [("over several runs, from a cache", Severity.MEDIUM, 1)]


@pytest.mark.parametrize(
    "answer",
    [
        page(headers=[(f"{CSP}-Report-Only", "script-src 'nonce-c2FtZQ=='")]),
        page(headers=[(CSP, "script-src 'nonce-{{nonce}}'")]),
        Answer(200, [(CSP, "script-src 'nonce-c2FtZQ=='"), ("Content-Type", "image/png")]),
        Answer(302, [(CSP, "script-src 'nonce-c2FtZQ=='"), ("Location", "/")]),
    ],
    ids=["only reported", "no nonce", "no document", "a redirect"],
)
def test_where_no_browser_runs_scripts_by_it_a_nonce_may_repeat(lab: Lab, web: Web, answer: Answer) -> None:
    web.pages(home=drawn("/a", "/b"), a=answer, b=answer)
    assert found(lab, swept(lab, web)) == []


def test_it_is_known_past_retention_and_counts_for_fail_on(lab: Lab, web: Web) -> None:
    web.pages(home=with_nonce("c2FtZQ==", "/a"), a=with_nonce("c2FtZQ=="))
    run_id = swept(lab, web)
    lab.execute("DELETE FROM visits")
    with lab.engine.connect() as connection:
        run = report.find_run(connection, run_id)
    review = reviewed.of_run(lab.engine, run)
    assert review is not None
    (cause,) = [one for one in review.causes if one.code == CODE]
    assert (cause.pages, set(cause.sample_urls)) == (2, {web.start, web.url("/a")})
    assert results.exit_code([run], "high", {run_id: review}) == 3


def test_a_run_that_is_closed_again_counts_again(lab: Lab, web: Web) -> None:
    web.pages(home=with_nonce("c2FtZQ==", "/a"), a=with_nonce("c2FtZQ=="))
    run_id = swept(lab, web)
    lab.execute("UPDATE run_nonces SET pages = 99, most = 99")
    lab.execute("UPDATE runs SET state = 'running', finished_at = NULL, digest = NULL, generation = 2")
    assert finishing.finish(lab.engine, run_id)
    assert found(lab, run_id) == [("on several pages", Severity.HIGH, 2)]
