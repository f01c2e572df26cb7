"""The grade of a run: from the answers of its first start page, in order."""

from __future__ import annotations

from cli import grading
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
