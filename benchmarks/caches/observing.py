"""Asking a cache twice in eight ways for each case, and writing down whether the second answer was second-hand."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from benchmarks.caches import cases, origin
from benchmarks.caches.cases import CASES, Case, Headers

LATE_SECONDS = 3.5
"""Behind the lifetime of 2 s of the brief cases."""
VERY_LATE_SECONDS = 14.0
"""Behind that and the ten seconds of grace that Varnish gives by itself."""


class Question(NamedTuple):
    """Two requests for a case: headers of the first and the second, the second's query, and the pause between."""

    name: str
    first: Headers = ()
    second: Headers = ()
    query: str = ""
    pause: float = 0.0


COOKIE = (("Cookie", "sid=dummy"),)
AUTHORIZATION = (("Authorization", "Basic ZHVtbXk6ZHVtbXk="),)

QUESTIONS = (
    Question("soon"),
    Question("late", pause=LATE_SECONDS),
    Question("very_late", pause=VERY_LATE_SECONDS),
    Question("then_cookie", second=COOKIE),
    Question("cookie_first", first=COOKIE),
    Question("then_authorization", second=AUTHORIZATION),
    Question("authorization_first", first=AUTHORIZATION),
    Question("other_query", query="&other=1"),
    Question("other_variant", first=(("X-Variant", "a"),), second=(("X-Variant", "b"),)),
)


def respond(target: str, _fields: dict[str, str]) -> tuple[int, Headers, str]:
    """The origin's answer to ``/case/NAME?...``."""
    case = BY_NAME[origin.path_of(target).rpartition("/")[2]]
    return case.status, cases.filled(case, origin.now()), case.name


BY_NAME: dict[str, Case] = {case.name: case for case in CASES}


def ask(port: int, target: str, headers: Iterable[tuple[str, str]] = ()) -> tuple[int, Headers, str]:
    """Status, headers and body of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", target, headers={"Accept-Encoding": "identity", **dict(headers)})
        answer = connection.getresponse()
        return answer.status, tuple(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def observe(port: int, cache: str) -> Iterator[dict[str, Any]]:
    """One line a case: for each question whether the second answer had been made for the first request."""
    second_hand: dict[str, dict[str, bool]] = {case.name: {} for case in CASES}
    firsts: list[tuple[float, Case, Question, str]] = []
    for case in CASES:
        for question in QUESTIONS:
            body = ask(port, _target(case, question), question.first)[2]
            if question.pause:
                firsts.append((time.monotonic() + question.pause, case, question, body))
            else:
                second_hand[case.name][question.name] = _again(port, case, question, body)
    for due, case, question, body in sorted(firsts, key=lambda each: each[0]):
        time.sleep(max(0.0, due - time.monotonic()))
        second_hand[case.name][question.name] = _again(port, case, question, body)
    for case in CASES:
        yield {"cache": cache, "case": case.name, **second_hand[case.name]}


def _again(port: int, case: Case, question: Question, body: str) -> bool:
    return ask(port, _target(case, question) + question.query, question.second)[2] == body


def _target(case: Case, question: Question) -> str:
    return f"/case/{case.name}?question={question.name}"
