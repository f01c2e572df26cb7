"""Causes: one finding for one thing that is wrong, with the pages that show it."""

from __future__ import annotations

from review import judge, report
from review import received as reading
from review.finding import Severity
from review.report import HeaderSet

NOSNIFF = ("X-Content-Type-Options", "nosniff")
HTML = ("Content-Type", "text/html")


def a_set(number: int, pages: int, *pairs: tuple[str, str], status: int = 200) -> HeaderSet:
    judgement = judge.judge(reading.received(pairs, status=status))
    urls = (f"https://site.example/{number}",)
    return HeaderSet(f"sha256:{number}", status, "https", pages, pairs, judgement, sample_urls=urls)


def test_findings_of_several_sets_with_one_cause_are_one() -> None:
    sets = [a_set(1, 900, HTML), a_set(2, 30, HTML, ("X-Powered", "x")), a_set(3, 70, HTML, NOSNIFF)]
    (cause,) = [each for each in report.causes(sets) if each.code == "x_content_type_options.missing"]
    assert (cause.pages, cause.snapshots) == (930, 2)
    assert cause.sample_urls == ("https://site.example/1", "https://site.example/2")


def test_a_cause_has_the_worst_severity_that_any_page_gives_it() -> None:
    sets = [a_set(1, 900, HTML, status=404), a_set(2, 1, HTML)]
    (cause,) = [each for each in report.causes(sets) if each.code == "x_content_type_options.missing"]
    assert cause.severity is Severity.LOW


def test_without_findings_there_are_no_causes() -> None:
    assert report.causes([a_set(1, 5, HTML, status=429)]) == ()
