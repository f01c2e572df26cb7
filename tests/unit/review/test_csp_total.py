"""Any bytes: the checks of policies and of framing never raise, and cost no more than the length of what they read."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headersweep.bodyfacts import BodyFacts
from review import judge
from review import received as reading
from review.csp import subsume
from review.finding import EVIDENCE_LENGTH

NAMES = (
    "Content-Security-Policy",
    "Content-Security-Policy-Report-Only",
    "X-Frame-Options",
    "Report-To",
    "Reporting-Endpoints",
)
SIZE = 128 * 1024
SECONDS = 0.5
"""Ten times of what is promised: the machines that run tests are slow and shared. Quadratic is a hundred times."""

_PIECES = st.sampled_from(
    [
        "script-src",
        "default-src",
        "frame-ancestors",
        "'self'",
        "'none'",
        "'unsafe-inline'",
        "'nonce-",
        "'sha256-a'",
    ]
)
_MARKS = st.sampled_from(
    [" ", ";", ",", "*", ".", ":", "/", "'", '"', "\\", "\x00", "\xff", "\u2018", "[", "{"]
)
_TEXTS = st.one_of(st.text(max_size=100), st.lists(st.one_of(_PIECES, _MARKS), max_size=40).map("".join))


@given(st.lists(st.tuples(st.sampled_from(NAMES), _TEXTS), max_size=5), st.lists(_TEXTS, max_size=2))
def test_no_lines_make_the_review_raise(pairs: list[tuple[str, str]], metas: list[str]) -> None:
    answer = reading.received(pairs, facts=BodyFacts(meta_policies=tuple(metas)))
    for finding in judge.judge(answer).findings:
        assert len(finding.evidence) < EVIDENCE_LENGTH + 30
        assert len(finding.subject) <= SIZE
    judge.effective(answer)


def _filled(unit: Callable[[int], str]) -> str:
    return "".join(unit(number) for number in range(SIZE // len(unit(0))))[:SIZE]


LONG = {
    "short hosts": "script-src " + _filled(lambda number: f"{number:x} "),
    "the same host": "script-src " + _filled(lambda _: "a "),
    "wildcards": "script-src " + _filled(lambda number: f"*.{number:x}.com "),
    "deep names and paths": "script-src " + _filled(lambda number: f"{number}.a.b.c.d.e.f/g/h/i/j/k/l "),
    "one deep path": "script-src a.test/" + "a/" * (SIZE // 2),
    "one deep name": "script-src " + "a." * (SIZE // 2),
    "dots": "script-src " + "." * SIZE,
    "commas": "," * SIZE,
    "semicolons": ";" * SIZE,
    "policies": _filled(lambda number: f"script-src {number:x},"),
    "directives": _filled(lambda number: f"{number:x};"),
    "misspelt directives": _filled(lambda number: f"script-sr{number:x};"),
    "repeated directives": _filled(lambda _: "a;"),
    "quotes": "script-src " + "'" * SIZE,
    "nonces": "script-src " + _filled(lambda number: f"'nonce-{number}' "),
    "hashes": "script-src " + _filled(lambda number: f"'sha256-{number}' "),
    "spaces": "script-src" + " " * SIZE + "a",
    "brackets": "[" * SIZE,
    "wide sources": "script-src " + _filled(lambda number: f"https://*:{number} "),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", LONG.values(), ids=LONG.keys())
def test_long_values_cost_no_more_than_their_length(name: str, value: str) -> None:
    answer = reading.received([(name, value)])
    started = time.process_time()
    judge.judge(answer)
    judge.effective(answer)
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize("value", LONG.values(), ids=LONG.keys())
def test_long_policies_are_compared_in_no_more_time_than_their_length(value: str) -> None:
    started = time.process_time()
    subsume.direction([value], [value[: SIZE // 2], value[SIZE // 2 :]])
    assert time.process_time() - started < SECONDS
