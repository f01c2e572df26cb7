"""The grade of a run: the place where the public scoring is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from review.report import HeaderSet


def grade(sets: Sequence[HeaderSet], start_urls: Sequence[str]) -> dict[str, Any] | None:  # noqa: ARG001 - see below
    """The grade of what the start page answered, as ``{"scheme", "algorithm", "score", "grade"}``; None without any.

    ``review.grades`` is not there yet: until then no run has a grade.
    """
    return None
