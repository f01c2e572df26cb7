from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headersweep import guard, headers
from tests.unit.strategies import BOUNDED

Response = tuple[tuple[str, str], ...]


def counted(responses: list[Response]) -> guard.ValueCounter:
    counter = guard.ValueCounter()
    for response in responses:
        counter.seen(response)
    return counter


def pods(distinct: int, responses: int) -> list[Response]:
    return [(("x-pod", str(min(number, distinct - 1))),) for number in range(responses)]


@pytest.mark.parametrize(
    ("distinct", "responses", "masked"),
    [(51, 60, True), (50, 60, False), (51, 59, False), (50, 10_000, False), (60, 60, True)],
)
def test_a_header_is_masked_beyond_fifty_values_in_sixty_responses(
    distinct: int, responses: int, masked: bool
) -> None:
    masks = counted(pods(distinct, responses)).masks()

    assert masks == ({"x-pod": (distinct, responses)} if masked else {})


def test_the_headers_that_the_review_judges_are_never_masked() -> None:
    responses: list[Response] = [(("content-security-policy", str(number)),) for number in range(100)]

    assert counted(responses).masks() == {}
    assert {"set-cookie", "strict-transport-security", "vary", "location", "server"} <= guard.EXEMPT
    assert all(name == name.lower() for name in guard.EXEMPT)


def test_repeated_lines_of_one_name_count_as_one_value() -> None:
    responses: list[Response] = [
        (("x-a", str(number % 2)), ("x-a", str(number % 3))) for number in range(100)
    ]

    assert len(counted(responses)._values["x-a"]) == 6
    assert counted(responses)._responses["x-a"] == 100


def test_malformed_lines_that_differ_everywhere_are_masked_too() -> None:
    counter = guard.ValueCounter()
    for number in range(60):
        counter.seen(headers.value_lines(headers.canonical_text([], [f"request {number}"])))

    assert set(counter.masks()) == {headers.MALFORMED}


def test_volatile_headers_never_reach_the_guard() -> None:
    counter = guard.ValueCounter()
    for number in range(100):
        counter.seen(
            headers.value_lines(
                headers.canonical_text([("ETag", str(number)), ("X-Request-Id", str(number))])
            )
        )

    assert counter.masks() == {}


def test_a_snapshot_counts_as_often_as_pages_show_it() -> None:
    counter = guard.ValueCounter()
    for number in range(51):
        counter.seen((("x-pod", str(number)),), times=2)

    assert counter.masks() == {"x-pod": (51, 102)}


def test_memory_is_bounded() -> None:
    counter = counted([(("x-pod", str(number)),) for number in range(guard.COUNTED_LIMIT * 3)])

    assert counter.masks() == {"x-pod": (guard.COUNTED_LIMIT, guard.COUNTED_LIMIT * 3)}
    assert len(counter._values["x-pod"]) == guard.COUNTED_LIMIT


@BOUNDED
@given(st.integers(1, 4), st.integers(30, 90), st.integers(40, 200), st.randoms(use_true_random=False))
def test_what_any_worker_masks_early_is_masked_in_the_end(
    workers: int, values: int, amount: int, chance: random.Random
) -> None:
    responses: list[Response] = [
        (("x-pod", str(chance.randrange(values))), ("x-zone", str(chance.randrange(4))))
        for _ in range(amount)
    ]
    final = set(counted(responses).masks())
    chance.shuffle(responses)
    counters = [guard.ValueCounter() for _ in range(workers)]
    early: set[str] = set()
    for response in responses:
        counter = chance.choice(counters)
        counter.seen(response)
        early |= set(counter.masks())

    assert early <= final <= {"x-pod"}
    assert set(counted(responses).masks()) == final


def test_the_property_above_speaks_about_something() -> None:
    responses: list[Response] = [(("x-pod", str(number)), ("x-zone", "1")) for number in range(200)]

    assert set(counted(responses[:100]).masks()) == {"x-pod"}
