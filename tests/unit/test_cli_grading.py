"""The grade of a run: from the answers of its first start page, in order."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from cli import grading
from review import preload
from scheduler.reviewed import Answered

HTML = (("Content-Type", "text/html"),)


def test_without_answers_there_is_no_grade() -> None:
    assert grading.grade(()) is None


def test_a_bare_page_has_the_grade_that_the_observatory_gives_it() -> None:
    given = grading.grade((Answered("https://site.example/", 200, HTML),))
    assert given == {"scheme": "mdn", "algorithm": 6, "score": 30, "grade": "D"}


def test_an_answer_that_is_not_graded_has_its_version_all_the_same() -> None:
    given = grading.grade((Answered("https://site.example/", 404, HTML),))
    assert given == {"scheme": "mdn", "algorithm": 6, "score": None, "grade": None}


def test_a_redirect_from_http_is_better_than_none() -> None:
    moved = (*HTML, ("Location", "https://site.example/"))
    last = Answered("https://site.example/", 200, HTML)
    redirected = grading.grade((Answered("http://site.example/", 301, moved), last))
    stays = grading.grade((Answered("http://site.example/", 200, HTML),))
    assert redirected
    assert stays
    assert redirected["score"] > stays["score"]


KNOWN = preload.parse(
    (Path(__file__).parents[1] / "data" / "preload_list.json").read_text(), date(2026, 11, 20)
)


def test_a_listed_host_needs_no_redirect_and_no_header_for_its_grade() -> None:
    answers = (Answered("http://www.listed.example/", 200, HTML),)
    plain, listed = grading.grade(answers), grading.grade(answers, KNOWN)
    assert plain is not None
    assert listed is not None
    assert listed["score"] > plain["score"]


def test_each_host_of_the_start_page_is_looked_up_once() -> None:
    moved = (*HTML, ("Location", "https://listed.example/a"))
    answers = (
        Answered("https://listed.example/", 301, moved),
        Answered("https://listed.example/a", 200, HTML),
    )
    (cause,) = grading.preloading(answers, KNOWN)
    assert (cause.code, cause.subject, cause.sample_urls) == (
        "preload.removal_risk",
        "listed.example",
        ("https://listed.example/",),
    )
    assert grading.preloading(answers, None) == ()
