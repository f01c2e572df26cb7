"""Redirects of a whole run: which origins stay on http, leave their host too early, lead back, or take too many hops."""

from __future__ import annotations

import pytest

from review import redirects, report
from review.redirects import Chain, Hop

STAYS, OTHER, DOWN, LONG = (rule.code for rule in redirects.RULES)


def hop(source: str, target: str = "", pages: int = 1) -> Hop:
    return Hop(source, target, pages, f"{source}/page")


def codes(*hops: Hop) -> list[tuple[str, str]]:
    return [(found.finding.code, found.finding.subject) for found in redirects.judge(hops)]


CASES = {
    "no redirects": ((), []),
    "to https on the same host": ((hop("http://h", "https://h"),), []),
    "to https on the same host at another port": ((hop("http://h:8080", "https://h:8443"),), []),
    "served over http": ((hop("http://h"),), [(STAYS, "http://h")]),
    "served over http beside redirects": ((hop("http://h"), hop("http://h", "https://h")), [(STAYS, "http://h")]),
    "served over http after a redirect": ((hop("http://h"), hop("http://h", "http://h")), [(STAYS, "http://h")]),
    "served over https": ((hop("https://h"),), []),
    "first to another host": ((hop("http://h", "https://www.h"),), [(OTHER, "http://h")]),
    "first to another host over http": ((hop("http://h", "http://www.h"),), [(OTHER, "http://h")]),
    "to another host, and elsewhere to https": ((hop("http://h", "https://www.h"), hop("http://h", "https://h")), []),
    "to http on the same host alone": ((hop("http://h", "http://h"),), []),
    "https to another host": ((hop("https://h", "https://www.h"),), []),
    "https to http": ((hop("https://h", "http://h"),), [(DOWN, "https://h")]),
    "https to http elsewhere": ((hop("https://h", "http://www.h"),), [(DOWN, "https://h")]),
    "https to this very computer": ((hop("https://h", "http://127.0.0.1:8080"),), []),
    "this very computer": ((hop("http://127.0.0.1:8000"), hop("http://[::1]:8000"), hop("http://localhost")), []),
    "what only looks like this computer": ((hop("http://localhost.example"),), [(STAYS, "http://localhost.example")]),
    "two origins": ((hop("http://b"), hop("http://a")), [(STAYS, "http://a"), (STAYS, "http://b")]),
    "the worst first": ((hop("http://a"), hop("https://b", "http://b")), [(DOWN, "https://b"), (STAYS, "http://a")]),
    "addresses of version 6": ((hop("http://[2001:db8::1]:80", "https://[2001:db8::1]"),), []),
    "nonsense": ((hop(""), hop("http:"), hop("http://["), hop("x", "y")), [(STAYS, "http:"), (STAYS, "http://[")]),
}  # fmt: skip


@pytest.mark.parametrize(("hops", "expected"), CASES.values(), ids=CASES)
def test_redirects(hops: tuple[Hop, ...], expected: list[tuple[str, str]]) -> None:
    assert codes(*hops) == expected


def test_a_finding_counts_its_pages_and_shows_one_of_them() -> None:
    hops = [hop("http://h", "https://a", 5), hop("http://h", "https://b", 2), hop("http://h", "", 1)]
    other, stays = sorted(redirects.judge(hops), key=lambda one: one.finding.code)
    assert (other.pages, other.finding.detail) == (7, "to https://a")
    assert other.finding.evidence == "http://h/page -> https://a"
    assert (stays.pages, stays.urls) == (1, ("http://h/page",))


def test_long_chains_are_said_as_they_were_counted() -> None:
    (found,) = redirects.judge([], [Chain("https://h", 3, "https://h/a")])
    assert (found.finding.code, found.finding.subject, found.pages) == (LONG, "https://h", 3)


def test_causes_of_a_run_stand_among_the_others() -> None:
    causes = report.of_run(redirects.judge([hop("http://h"), hop("https://h", "http://h", 9)]))
    assert [(cause.code, cause.pages, cause.sample_urls) for cause in report.ordered(reversed(causes))] == [
        (DOWN, 9, ("https://h/page",)),
        (STAYS, 1, ("http://h/page",)),
    ]
