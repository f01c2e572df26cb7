from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headersweep import traps, urls
from headersweep.states import TrapReason

TODAY = date(2026, 5, 12)


def verdict(path_query: str) -> TrapReason | None:
    page = urls.parse("https://h" + path_query)
    assert page is not None
    return traps.reason(page, TODAY)


def test_a_url_of_2048_characters_passes_and_one_more_does_not() -> None:
    room = 2048 - len("https://h/")
    assert verdict("/" + "x" * room) is None
    assert verdict("/" + "x" * (room + 1)) is TrapReason.URL_TOO_LONG


def segments(number: int) -> str:
    return "".join(f"/s{index}" for index in range(number))


@pytest.mark.parametrize("end", ["", "/", "?a/b/c/d"])
def test_a_path_of_20_segments_passes_and_one_more_does_not(end: str) -> None:
    assert verdict(segments(20) + end) is None
    assert verdict(segments(21) + end) is TrapReason.TOO_MANY_SEGMENTS


@pytest.mark.parametrize(
    ("path_query", "trapped"),
    [
        ("/", False),
        ("//", False),
        ("/a/a", False),
        ("/a/a/", False),
        ("/a/b/a/b", False),
        ("/a/a/a", True),
        ("/a/b/a/c/a/", True),
        ("/a/b/a/b/a/b", True),
        ("/a/a/A", False),
        ("/a/a?/a/a", False),
        ("/x//y//z", False),
        ("/x//y//z/", False),
        ("/x////y", True),
        ("/web/https://example.com/a", False),
    ],
)
def test_a_segment_may_stand_twice_but_not_three_times(path_query: str, trapped: bool) -> None:
    assert verdict(path_query) is (TrapReason.REPEATED_SEGMENTS if trapped else None)


FAR = [
    # Future, day by day and month by month, both sides
    ("/2027/05/12", False),
    ("/2027/05/13", True),
    ("/2027/5/13/title", True),
    ("/2027/05", False),
    ("/2027/06", True),
    ("/2027/06.html", True),
    ("/news-2027-05-12", False),
    ("/news-2027-05-13", True),
    ("/x/2031_05_12/", True),
    ("/2031-05-12T10:00", True),
    ("/?date=2027-05-12", False),
    ("/?date=2027-05-13", True),
    ("/?when=2031%2F05%2F12", True),
    ("/?at=2031/05/12", True),
    ("/?file=report-2031-05.pdf", True),
    ("/calendar/2031-05", True),
    # Past: only in a value that begins with it, or behind a calendar's segment
    ("/?date=2025-05-12", False),
    ("/?date=2025-05-11", True),
    ("/?month=2025-05", False),
    ("/?month=2025-04", True),
    ("/?file=report-2019-05.pdf", False),
    ("/calendar/2025-05-12", False),
    ("/calendar/2025-05-11", True),
    ("/Events/2019/05/12/", True),
    ("/eventsourcing/2019/05/12/", False),
    ("/blog/2019/05/12/post", False),
    ("/blog/2019-05-12-post", False),
    # Eight digits: only where a day is expected
    ("/calendar/20310512", True),
    ("/calendar/20190512", True),
    ("/?date=20310512", True),
    ("/?DATE=20190512", True),
    ("/?date=20260512", False),
    ("/?id=20310512", False),
    ("/questions/20310512", False),
    # Year and month in two parameters
    ("/?year=2031&month=5", True),
    ("/?m=5&y=2025", False),
    ("/?m=4&y=2025", True),
    ("/?year=2031", False),
    ("/?month=5", False),
    ("/?myyear=2031&month=5", False),
    # No dates
    ("/2031/", False),
    ("/2031/13", False),
    ("/2031/0/", False),
    ("/2031-00-12", False),
    ("/12031-05-12", False),
    ("/2045/1-introduction", False),
    ("/2045/05x", False),
    ("/issues/2200/10", False),
    ("/api/0d2e6ca1-2041-1123-8a20-2031a0bbcc19", False),
    ("/python3.11/whatsnew/2.0.html", False),
]


@pytest.mark.parametrize(("path_query", "trapped"), FAR)
def test_calendars_end_a_year_from_today(path_query: str, trapped: bool) -> None:
    assert verdict(path_query) is (TrapReason.FAR_DATE if trapped else None)


def test_a_leap_day_has_a_year_around_it_too() -> None:
    page = urls.parse("https://h/?date=2025-03-01")
    assert page is not None
    assert traps.reason(page, date(2024, 2, 29)) is TrapReason.FAR_DATE


@settings(deadline=None)
@given(st.text(st.sampled_from("/?=&-_%2F20319T.a"), max_size=60), st.dates())
def test_judging_never_raises(path_query: str, today: date) -> None:
    page = urls.parse("https://h/" + path_query)
    if page is not None:
        traps.reason(page, today)
