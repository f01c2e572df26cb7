"""Whether a header is as an owner expects it."""

from __future__ import annotations

from headersweep.policies import Expectation, ValueTest
from review.received import Received


def is_met(expectation: Expectation, received: Received) -> bool:
    """Whether the lines of the header, joined, pass the expectation's test; case counts."""
    value = received.combined(expectation.header)
    if expectation.test is ValueTest.ABSENT:
        return value is None
    if value is None:
        return False
    if expectation.test is ValueTest.EQUALS:
        return value == expectation.value
    if expectation.test is ValueTest.CONTAINS:
        return expectation.value in value
    return expectation.test is ValueTest.PRESENT or fits(expectation.value, value)


def fits(pattern: str, value: str) -> bool:
    """Whether a value is the pattern, where ``*`` is any run of characters. Linear: a server chose the value."""
    first, *rest = pattern.split("*")
    if not rest:
        return value == pattern
    *middle, last = rest
    at, end = len(first), len(value) - len(last)
    if not value.startswith(first):
        return False
    for piece in middle:
        found = value.find(piece, at, max(end, 0))
        if found < 0:
            return False
        at = found + len(piece)
    return at <= end and value.endswith(last)


def said(expectation: Expectation) -> str:
    """The expectation in a few words."""
    test = (
        f"{expectation.test} {expectation.value!r}"
        if expectation.test.takes_text
        else f"is {expectation.test}"
    )
    return f"{expectation.header} {test}"
