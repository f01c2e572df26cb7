"""The grade of a run: the public scoring of what the site's first start page answered, by its newest algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.reviewed import Answered


def grade(answers: Sequence[Answered]) -> dict[str, Any] | None:
    """The grade of the last of these answers, to which the others redirected; None without any.

    As ``{"scheme", "algorithm", "score", "grade"}``; score and grade are None where the scoring gives none.
    """
    from review.grades import mdn
    from review.grades.scan import Hop, Scan

    if not answers:
        return None
    *before, last = answers
    chain = tuple(Hop(one.url, one.status, one.pairs) for one in before)
    return mdn.grade(Scan(last.url, last.pairs, last.status, chain)).as_json()
