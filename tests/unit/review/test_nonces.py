"""Nonces of a whole run: those that came more than once, where, and whether a cache repeated them."""

from __future__ import annotations

import pytest

from review import nonces, report
from review.finding import Severity
from review.nonces import Repeated

CODE = nonces.REUSED.code


def repeated(*, within_run: bool = True, cached: bool = False, before: int = 0, most: int = 3) -> Repeated:
    return Repeated(within_run, cached, 1, 3, before, most, ("https://a.example/",))


CASES = {
    "none came twice": ((), []),
    "on several pages": ((repeated(),), [("on several pages", Severity.HIGH)]),
    "over several runs": ((repeated(within_run=False),), [("over several runs", Severity.HIGH)]),
    "a cache repeated it": ((repeated(cached=True),), [("on several pages, from a cache", Severity.MEDIUM)]),
    "a cache kept it from run to run": (
        (repeated(within_run=False, cached=True),),
        [("over several runs, from a cache", Severity.MEDIUM)],
    ),
    "the worst first": (
        (repeated(cached=True), repeated(within_run=False), repeated()),
        [
            ("on several pages", Severity.HIGH),
            ("over several runs", Severity.HIGH),
            ("on several pages, from a cache", Severity.MEDIUM),
        ],
    ),
}


@pytest.mark.parametrize(("rows", "expected"), CASES.values(), ids=CASES)
def test_nonces(rows: tuple[Repeated, ...], expected: list[tuple[str, Severity]]) -> None:
    found = [one.finding for one in nonces.judge(rows)]
    assert {finding.code for finding in found} <= {CODE}
    assert [(finding.subject, finding.severity) for finding in found] == expected


def test_it_is_said_how_often_and_on_how_many_pages() -> None:
    (found,) = nonces.judge([Repeated(True, False, 2, 1500, 7, 1400, ("https://a.example/",))])
    assert found.finding.detail == (
        "2 nonces came more than once, the most repeated one 1,400 times; 7 times in runs before"
    )
    (cause,) = report.of_run([found])
    assert (cause.code, cause.pages, cause.sample_urls) == (CODE, 1500, ("https://a.example/",))


def test_of_a_cache_it_is_said_that_it_was_one() -> None:
    (found,) = nonces.judge([repeated(cached=True, most=2)])
    assert found.finding.detail == (
        "1 nonce came more than once, the most repeated one 2 times; a shared cache answered (Age)"
    )
