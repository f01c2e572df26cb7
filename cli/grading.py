"""The grade of a run: the place where the public scoring is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scheduler.reviewed import Answered


def grade(answers: Sequence[Answered]) -> dict[str, Any] | None:  # noqa: ARG001 - nobody grades yet
    """The grade of the last of these answers, to which the others redirected; None without any, or where none is given.

    As ``{"scheme", "algorithm", "score", "grade"}``. ``review.grades`` is not there yet: until then no run has a grade.
    """
    return None
