"""What the model says to the same questions, and where it and a cache disagree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from benchmarks.caches import cases
from benchmarks.caches.observing import BY_NAME, QUESTIONS, Question
from headersweep.cacherules import CacheKind
from review import cachekinds
from review import received as reading
from review.cachekinds import Asked, Later

NOW = 1_800_000_000
"""The clock of what is kept: observations that say the same are the same, whenever they were made."""


class Difference(NamedTuple):
    """A case in which a cache did something else than the model says."""

    cache: str
    case: str
    question: str
    observed: bool
    expected: bool | None


def line(observed: Mapping[str, Any]) -> dict[str, Any]:
    """An observation as it is kept: with what the origin sent, by a clock that stands still."""
    case = BY_NAME[observed["case"]]
    answers = {question.name: observed[question.name] for question in QUESTIONS}
    head = {"cache": observed["cache"], "case": case.name, "status": case.status, "now": NOW}
    return {**head, "headers": [list(pair) for pair in cases.filled(case, NOW)], "second_hand": answers}


def differences(lines: Iterable[Mapping[str, Any]]) -> Iterator[Difference]:
    """Every question to which the model gives another answer than the cache gave."""
    for each in lines:
        received = reading.received([(name, value) for name, value in each["headers"]], status=each["status"])
        for question in QUESTIONS:
            expected = cachekinds.serves(received, CacheKind(each["cache"]), later(question), each["now"])
            observed = each["second_hand"][question.name]
            if observed is not expected:
                yield Difference(each["cache"], each["case"], question.name, observed, expected)


def later(question: Question) -> Later:
    """A question as the model is asked it."""
    first, second = (
        tuple((name.lower(), value) for name, value in headers)
        for headers in (question.first, question.second)
    )
    return Later(Asked("", first), Asked(question.query, second), question.pause)
