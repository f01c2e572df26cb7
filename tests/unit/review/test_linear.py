"""Twice the input is at most about twice the work: calls are counted, since time is no fact of a test.

`python -m benchmarks.judging` measures the same blocks by the clock, and so also what happens inside of one call.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from benchmarks import hostile_headers
from review import judge
from review import received as reading

Pair = tuple[str, str]

SMALL, LARGE = 1_500, 3_000
MOST_GROWTH = 2.4
FIXED_CALLS = 400
"""What does not grow, and what a cache that was filled meanwhile may hide."""


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, those in C as well."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def review(pairs: tuple[Pair, ...]) -> None:
    received = reading.received(pairs, host="site.example")
    judge.judge(received)
    judge.effective(received)


def grown(small: tuple[Pair, ...], large: tuple[Pair, ...]) -> tuple[int, int]:
    few, many = calls(lambda: review(small)), calls(lambda: review(large))
    return many, round(few * MOST_GROWTH) + FIXED_CALLS


@pytest.mark.parametrize("name", hostile_headers.names())
def test_the_work_for_a_header_grows_no_faster_than_its_length(name: str) -> None:
    pairs = zip(hostile_headers.blocks(name, SMALL), hostile_headers.blocks(name, LARGE), strict=True)
    for (kind, small), (_, large) in pairs:
        many, most = grown(small, large)
        assert many <= most, f"{kind}: {many} calls, at most {most}"


def test_the_work_for_many_names_grows_no_faster_than_their_number() -> None:
    many, most = grown(hostile_headers.many_names(20_000), hostile_headers.many_names(40_000))
    assert many <= most


def test_the_counter_would_notice_a_square() -> None:
    def square(length: int) -> int:
        return calls(lambda: [len(str(one)) for one in range(length) for _ in range(length)])

    assert square(200) > square(100) * MOST_GROWTH + FIXED_CALLS
