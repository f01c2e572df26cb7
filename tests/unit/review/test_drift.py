"""Drift between two answers: on what browsers make of them, with directions, and nothing for what differs always."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review import drift, table
from review import received as reading
from review.directions import Direction
from review.drift import Change
from review.received import Received

HTML = ("Content-Type", "text/html")
SEEN = datetime(2026, 11, 22, 10, tzinfo=UTC)
YEAR = {"max_age": 31_536_000, "include_subdomains": True}
DAY = {"max_age": 86_400, "include_subdomains": True}
ZERO = {"max_age": 0, "include_subdomains": False}


def answer(*pairs: tuple[str, str], status: int = 200) -> Received:
    return reading.received((HTML, *pairs), status=status)


def moved(old: Received, new: Received, **options: Any) -> dict[str, Direction]:
    return {change.header: change.direction for change in drift.changes(old, new, **options)}


def test_an_answer_did_not_drift_from_itself() -> None:
    one = answer(("X-Frame-Options", "DENY"), ("Set-Cookie", "a=b; Secure"))
    assert drift.changes(one, one) == ()


def test_what_differs_on_every_answer_is_no_drift() -> None:
    old = answer(("Date", "Mon, 23 Nov 2026 08:00:00 GMT"), ("Set-Cookie", "sid=1; Path=/"))
    new = answer(("Date", "Tue, 24 Nov 2026 08:00:00 GMT"), ("Set-Cookie", "sid=2; Path=/"))
    assert drift.changes(old, new) == ()


def test_protection_that_comes_is_stricter_and_that_goes_is_looser() -> None:
    bare, sure = answer(), answer(("X-Content-Type-Options", "nosniff"))
    assert moved(bare, sure) == {"x-content-type-options": Direction.STRICTER}
    (gone,) = drift.changes(sure, bare)
    assert gone == Change("x-content-type-options", Direction.LOOSER, "nosniff", "", "is gone")


def test_another_spelling_of_the_same_effect_is_equal() -> None:
    old, new = (answer(("X-Content-Type-Options", value)) for value in ("nosniff", "NoSniff, x"))
    assert moved(old, new) == {"x-content-type-options": Direction.EQUAL}


def test_a_value_that_browsers_ignore_is_as_good_as_none() -> None:
    sure, broken = (answer(("X-Content-Type-Options", value)) for value in ("nosniff", "nosnif"))
    (change,) = drift.changes(sure, broken)
    assert (change.direction, change.text) == (Direction.LOOSER, "browsers ignore the new value")
    (change,) = drift.changes(answer(), broken)
    assert (change.direction, change.text) == (Direction.EQUAL, "browsers ignore both")


def test_a_header_without_a_known_effect_is_not_comparable() -> None:
    old, new = answer(("X-Powered-By", "A")), answer(("X-Powered-By", "B"))
    assert drift.changes(old, new) == (Change("x-powered-by", Direction.INCOMPARABLE, "A", "B"),)


def test_masked_headers_are_left_out() -> None:
    old, new = answer(("X-Pod", "a")), answer(("X-Pod", "b"))
    assert moved(old, new, ignored={"x-pod"}) == {}


def test_a_change_of_the_status_within_a_class_leaves_the_headers_comparable() -> None:
    found = moved(answer(("X-Content-Type-Options", "nosniff"), status=404), answer(status=500))
    assert found == {drift.STATUS: Direction.INCOMPARABLE, "x-content-type-options": Direction.LOOSER}


def test_a_redirect_without_the_headers_of_the_page_lost_none() -> None:
    old = answer(("X-Content-Type-Options", "nosniff"))
    (change,) = drift.changes(old, answer(status=301))
    assert (change.header, change.old, change.new) == (drift.STATUS, "200", "301")
    assert "document to redirect" in change.text


def test_secrets_are_not_shown() -> None:
    (change,) = drift.changes(answer(("X-Api-Key", "hunter2")), answer())
    assert "hunter2" not in repr(change)
    (change,) = drift.changes(answer(), answer(("Set-Cookie", "sid=hunter2; Secure")))
    assert change.new == "sid=<cookie>; secure"


def test_a_malformed_line_that_comes_is_told() -> None:
    old, new = (reading.received((HTML,), malformed=lines) for lines in ((), ("no header",)))
    assert moved(old, new) == {drift.MALFORMED: Direction.INCOMPARABLE}


@pytest.fixture
def hsts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader of HSTS that knows just what the tests send."""
    values = {"year": YEAR, "year; preload": YEAR, "day": DAY, "zero": ZERO}
    monkeypatch.setitem(
        table.EFFECTIVE, drift.HSTS, lambda received: values.get(received.combined(drift.HSTS) or "")
    )


def hsts_text(old: str, new: str, seen: datetime | None = SEEN) -> str:
    lines = [[("Strict-Transport-Security", value)] if value else [] for value in (old, new)]
    (change,) = drift.changes(*(answer(*line) for line in lines), seen=seen)
    return f"{change.direction}: {change.text}"


@pytest.mark.usefixtures("hsts")
def test_hsts_that_goes_keeps_returning_browsers_pinned_until_its_old_age_is_over() -> None:
    found = hsts_text("year", "")
    assert found.startswith("looser: ")
    assert "this host and all below it until 2027-11-22T10:00:00Z" in found
    assert "serve `Strict-Transport-Security: max-age=0`" in found


@pytest.mark.usefixtures("hsts")
def test_hsts_that_shrinks_keeps_those_who_do_not_come_back() -> None:
    assert "until 2027-11-22T10:00:00Z, unless they come back over https" in hsts_text("year", "day")
    assert "keep serving it until then" in hsts_text("year", "zero")


@pytest.mark.usefixtures("hsts")
def test_a_preloaded_host_is_not_rolled_back_by_a_header() -> None:
    assert "preload list" in hsts_text("year; preload", "zero")
    assert "preload list" not in hsts_text("year", "zero")


@pytest.mark.usefixtures("hsts")
def test_hsts_that_grows_pins_nobody_against_the_new_value() -> None:
    assert hsts_text("day", "year") == "stricter: max-age stricter"
    assert "until" not in hsts_text("", "year")


@pytest.mark.usefixtures("hsts")
def test_without_a_last_time_the_age_itself_is_told() -> None:
    assert "for 86400 s after they saw it" in hsts_text("day", "", seen=None)


def test_an_age_beyond_the_calendar_is_for_good() -> None:
    forever = {"max_age": 10**30, "include_subdomains": False}
    assert "for good" in drift.pinned(forever, None, SEEN)


def test_a_policy_that_goes_is_looser_and_one_that_comes_stricter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "_subsume", lambda: None)
    policy = answer(("Content-Security-Policy", "default-src 'self'"))
    assert moved(answer(), policy) == {drift.POLICY: Direction.STRICTER}
    assert moved(policy, answer()) == {drift.POLICY: Direction.LOOSER}
    other = answer(("Content-Security-Policy", "default-src 'none'"))
    assert moved(policy, other) == {drift.POLICY: Direction.INCOMPARABLE}


def test_policies_are_compared_by_what_they_allow_and_not_by_their_nonces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Any] = []

    def compare(old: Any, new: Any) -> tuple[str, list[tuple[str, str]]]:
        seen.append((old, new))
        return "looser", [("img-src", "looser")]

    monkeypatch.setattr(drift, "_subsume", lambda: compare)
    old = answer(("Content-Security-Policy", "script-src 'nonce-YWFhYWFhYWFhYWFhYWFh'"))
    new = answer(("Content-Security-Policy", "script-src 'nonce-YmJiYmJiYmJiYmJiYmJi'; img-src *"))
    (change,) = drift.changes(old, new)
    assert (change.direction, change.text) == (Direction.LOOSER, "img-src looser")
    ((before, after),) = seen
    assert after == (f"{before[0]}; img-src *",)


@pytest.mark.parametrize(
    ("history", "flaps"),
    [
        ((), False),
        ((1,), False),
        ((1, 1, 1), False),
        ((1, 2), False),
        ((1, 2, 3), False),
        ((1, 2, 1), True),
        ((1, 1, 2, 2, 1), True),
        ((1, None, 1), False),
        ((1, 2, None, 1), True),
        ((1, 2, 1, 3, 4, 5, 6), False),  # long ago
        (({1, 2},), True),
        (({1}, {2}, {1}), True),
        (({1}, {1}), False),
        ((set(), {1}), False),
    ],
)
def test_flapping_is_there_and_back_again(history: Any, flaps: bool) -> None:
    assert drift.flapping(history) is flaps


NAMES = st.sampled_from(
    ["Strict-Transport-Security", "Content-Security-Policy", "Set-Cookie", "Cache-Control", "X-Frame-Options",
     "Permissions-Policy", "Referrer-Policy", "Access-Control-Allow-Origin", "X-Content-Type-Options", "X-Any"]
)  # fmt: skip
ANSWERS = st.lists(st.tuples(NAMES, st.text(max_size=40)), max_size=6)


@given(old=ANSWERS, new=ANSWERS)
def test_no_values_make_it_raise_and_the_way_back_is_the_opposite(old: Any, new: Any) -> None:
    there, back = moved(answer(*old), answer(*new)), moved(answer(*new), answer(*old))
    opposite = {Direction.STRICTER: Direction.LOOSER, Direction.LOOSER: Direction.STRICTER}
    assert there == {name: opposite.get(way, way) for name, way in back.items()}
