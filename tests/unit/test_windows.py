"""Windows: open by the clock on the wall, across midnight and across both changes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headersweep import durations, windows
from headersweep.windows import Opening, Window

BERLIN = "Europe/Berlin"
NIGHT = "01:00-05:00"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "opens", "closes"),
    [
        ("01:00-05:00", 60, 300),
        ("22:00-04:30", 1320, 270),
        ("00:00-24:00", 0, 1440),
        ("23:59-00:00", 1439, 0),
        ("00:00-00:01", 0, 1),
    ],
)
def test_a_window_is_two_times_of_the_day(text: str, opens: int, closes: int) -> None:
    assert windows.parse(text) == Window(opens, closes)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no window"),
        ("1:00-5:00", "no window"),
        ("01:00", "no window"),
        ("01:00 - 05:00", "no window"),
        ("0१:00-05:00", "no window"),
        ("24:00-05:00", "00:00 to 23:59"),
        ("01:60-05:00", "00:00 to 23:59"),
        ("01:00-24:01", "00:00 to 23:59"),
        ("01:00-01:00", "no length"),
    ],
)
def test_a_wrong_window_is_told_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        windows.parse(text)


@pytest.mark.parametrize(
    ("text", "now", "is_open"),
    [
        (NIGHT, "2026-05-04T00:59:59", False),
        (NIGHT, "2026-05-04T01:00", True),
        (NIGHT, "2026-05-04T04:59:59", True),
        (NIGHT, "2026-05-04T05:00", False),
        ("22:00-04:30", "2026-05-04T21:59:59", False),
        ("22:00-04:30", "2026-05-04T22:00", True),
        ("22:00-04:30", "2026-05-04T00:00", True),
        ("22:00-04:30", "2026-05-04T04:29:59", True),
        ("22:00-04:30", "2026-05-04T04:30", False),
        ("20:00-24:00", "2026-05-04T23:59:59", True),
        ("20:00-24:00", "2026-05-04T00:00", False),
    ],
)
def test_a_window_is_open_from_its_first_minute_to_its_last(text: str, now: str, is_open: bool) -> None:
    assert windows.is_open(windows.parse(text), "UTC", utc(now)) is is_open


@pytest.mark.parametrize(
    ("now", "opens", "closes"),
    [
        # In Berlin, 01:00 to 05:00 is 23:00Z to 03:00Z in summer, 00:00Z to 04:00Z in winter.
        ("2026-07-10T12:00", "2026-07-10T23:00", "2026-07-10T12:00"),
        ("2026-07-10T23:00", "2026-07-10T23:00", "2026-07-11T03:00"),
        ("2026-07-11T03:00", "2026-07-11T23:00", "2026-07-11T03:00"),
        ("2026-01-10T12:00", "2026-01-11T00:00", "2026-01-10T12:00"),
        # An hour shorter in the night of spring, an hour longer in that of autumn.
        ("2026-03-29T00:30", "2026-03-29T00:30", "2026-03-29T03:00"),
        ("2026-10-24T23:30", "2026-10-24T23:30", "2026-10-25T04:00"),
    ],
)
def test_a_window_follows_the_clock_of_its_zone(now: str, opens: str, closes: str) -> None:
    night = windows.parse(NIGHT)
    assert windows.opens_at(night, BERLIN, utc(now)) == utc(opens)
    assert windows.closes_at(night, BERLIN, utc(now)) == utc(closes)


def test_a_window_in_the_hour_that_spring_skips_opens_the_day_after() -> None:
    assert windows.opens_at(windows.parse("02:00-03:00"), BERLIN, utc("2026-03-28T12:00")) == utc(
        "2026-03-30T00:00"
    )


def test_a_window_in_the_hour_that_autumn_repeats_is_open_in_both() -> None:
    half = windows.parse("02:00-02:30")
    assert windows.closes_at(half, BERLIN, utc("2026-10-25T00:00")) == utc("2026-10-25T00:30")
    assert windows.opens_at(half, BERLIN, utc("2026-10-25T00:30")) == utc("2026-10-25T01:00")
    assert windows.closes_at(half, BERLIN, utc("2026-10-25T01:00")) == utc("2026-10-25T01:30")


def test_a_zone_that_skipped_a_whole_day_opens_on_the_next() -> None:
    # Apia had no 30 December 2011.
    assert windows.opens_at(windows.parse("12:00-13:00"), "Pacific/Apia", utc("2011-12-30T00:00")) == utc(
        "2011-12-30T22:00"
    )


def test_a_window_of_a_whole_day_never_closes() -> None:
    assert windows.closes_at(windows.parse("00:00-24:00"), BERLIN, utc("2026-03-28T12:00")) is None


def test_a_run_inside_of_its_window_starts_at_once_and_has_an_end() -> None:
    now = utc("2026-05-04T02:00")
    assert windows.opening(NIGHT, "UTC", now, timedelta(minutes=7)) == Opening(now, utc("2026-05-04T05:00"))


def test_a_run_outside_of_its_window_waits_for_it_and_for_its_splay() -> None:
    noon = utc("2026-05-04T12:00")
    assert windows.opening(NIGHT, "UTC", noon) == Opening(utc("2026-05-05T01:00"), utc("2026-05-05T05:00"))
    assert windows.opening(NIGHT, "UTC", noon, timedelta(minutes=7)).start == utc("2026-05-05T01:07")


def test_a_splay_longer_than_the_window_goes_round_in_it() -> None:
    opening = windows.opening(NIGHT, "UTC", utc("2026-05-04T12:00"), timedelta(hours=5, minutes=7))
    assert opening.start == utc("2026-05-05T02:07")


def test_without_a_window_a_run_has_no_end() -> None:
    now = utc("2026-05-04T12:00")
    assert windows.opening(None, "UTC", now, timedelta(minutes=7)) == Opening(now, None)


MINUTES = st.integers(0, 24 * 60 - 1)
ZONES = st.sampled_from(
    ["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata"]
)
DAYS = st.sampled_from(
    ["2026-03-07", "2026-03-28", "2026-04-04", "2026-09-05", "2026-10-03", "2026-10-24", "2026-11-01"]
)
MOMENTS = st.builds(
    lambda day, minute: utc(day) + timedelta(minutes=minute), DAYS, st.integers(0, 2 * 24 * 60)
)


@settings(max_examples=60, deadline=None)
@given(st.tuples(MINUTES, MINUTES).filter(lambda pair: pair[0] != pair[1]), ZONES, MOMENTS)
def test_openings_and_closings_agree_with_asking_every_minute(
    pair: tuple[int, int], zone: str, moment: datetime
) -> None:
    window = Window(*pair)
    found = {True: windows.opens_at(window, zone, moment), False: windows.closes_at(window, zone, moment)}
    for is_wanted_open, instant in found.items():
        asked = moment
        while windows.is_open(window, zone, asked) is not is_wanted_open:
            asked += timedelta(minutes=1)
        assert instant == asked


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("24h", 86_400),
        ("7d", 604_800),
        ("1h30m", 5_400),
        ("1d1h1m1s", 90_061),
        ("0s", 0),
    ],
)
def test_a_duration_is_read_and_written(text: str, seconds: int) -> None:
    assert durations.parse(text) == timedelta(seconds=seconds)
    assert durations.parse(durations.shown(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "m", "-1h", "1h 30m", "30m1h", "1.5h", "1w", "१h", "9999999s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 90s"):
        durations.parse(text)
