"""Slots: what a cron line and a zone name, also where the clock jumps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headersweep import slots

BERLIN = "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def following(expression: str, zone: str, after: str, count: int) -> list[str]:
    moment, found = utc(after), []
    for _ in range(count):
        slot = slots.next_slot(expression, zone, moment)
        assert slot is not None
        found.append(slot.strftime("%m-%d %H:%M"))
        moment = slot
    return found


def test_a_daily_slot_is_the_local_time_of_day_in_utc() -> None:
    assert slots.next_slot("30 2 * * *", BERLIN, utc("2026-01-10 12:00")) == utc("2026-01-11 01:30")
    assert slots.next_slot("30 2 * * *", BERLIN, utc("2026-07-10 12:00")) == utc("2026-07-11 00:30")


def test_slots_come_out_aware_in_utc_whatever_zone_goes_in() -> None:
    after = datetime(2026, 1, 10, 13, 0, tzinfo=timezone(timedelta(hours=5)))
    slot = slots.next_slot("0 9 * * *", "Asia/Tokyo", after)
    assert slot == utc("2026-01-11 00:00")
    assert slot.tzinfo is UTC


def test_the_next_slot_is_later_than_the_given_one() -> None:
    assert slots.next_slot("0 3 * * *", "UTC", utc("2026-01-10 03:00")) == utc("2026-01-11 03:00")


def test_in_autumn_a_daily_slot_in_the_repeated_hour_fires_once() -> None:
    # 2026-10-25 03:00 CEST becomes 02:00 CET: 02:30 happens at 00:30Z and at 01:30Z.
    assert following("30 2 * * *", BERLIN, "2026-10-23 12:00", 4) == [
        "10-24 00:30",
        "10-25 00:30",
        "10-26 01:30",
        "10-27 01:30",
    ]


def test_in_autumn_a_planner_that_looks_during_the_second_pass_does_not_fire_again() -> None:
    second_pass = utc("2026-10-25 01:10")  # 02:10 CET, before the second 02:30
    assert slots.next_slot("30 2 * * *", BERLIN, second_pass) == utc("2026-10-26 01:30")
    assert slots.previous_slot("30 2 * * *", BERLIN, second_pass) == utc("2026-10-25 00:30")


def test_in_spring_a_daily_slot_in_the_missing_hour_fires_at_the_first_moment_after_it() -> None:
    # 2026-03-29 02:00 CET becomes 03:00 CEST, at 01:00Z.
    assert following("30 2 * * *", BERLIN, "2026-03-27 12:00", 3) == [
        "03-28 01:30",
        "03-29 01:00",
        "03-30 00:30",
    ]
    assert slots.previous_slot("30 2 * * *", BERLIN, utc("2026-03-29 01:00")) == utc("2026-03-29 01:00")
    assert slots.previous_slot("30 2 * * *", BERLIN, utc("2026-03-29 00:59:59")) == utc("2026-03-28 01:30")


def test_two_slots_in_the_missing_hour_become_one() -> None:
    assert following("0,30 2 * * *", BERLIN, "2026-03-28 12:00", 2) == ["03-29 01:00", "03-30 00:00"]


def test_an_interval_follows_real_time_through_both_changes() -> None:
    assert following("*/30 * * * *", BERLIN, "2026-10-24 23:59", 5) == [
        "10-25 00:00",
        "10-25 00:30",
        "10-25 01:00",
        "10-25 01:30",
        "10-25 02:00",
    ]
    assert following("*/30 * * * *", BERLIN, "2026-03-29 00:15", 3) == [
        "03-29 00:30",
        "03-29 01:00",
        "03-29 01:30",
    ]


def test_a_zone_whose_midnight_is_missing_still_gets_its_daily_slot() -> None:
    # America/Santiago goes from 00:00 to 01:00 on 2026-09-06, at 04:00Z.
    assert following("0 0 * * *", "America/Santiago", "2026-09-05 12:00", 2) == ["09-06 04:00", "09-07 03:00"]


def test_the_previous_slot_may_be_this_very_moment() -> None:
    assert slots.previous_slot("0 3 * * *", "UTC", utc("2026-01-10 03:00")) == utc("2026-01-10 03:00")
    assert slots.previous_slot("0 3 * * *", "UTC", utc("2026-01-10 03:00:00.5")) == utc("2026-01-10 03:00")
    assert slots.previous_slot("0 3 * * *", "UTC", utc("2026-01-10 02:59:59.999")) == utc("2026-01-09 03:00")


def test_macros_mean_what_crontab_says() -> None:
    assert slots.next_slot("@daily", "UTC", utc("2026-01-10 03:00")) == utc("2026-01-11 00:00")
    assert slots.next_slot(" @Weekly ", "UTC", utc("2026-01-10 03:00")) == utc("2026-01-11 00:00")
    for macro in slots.MACROS:
        slots.check_cron(macro)


LINES = st.sampled_from(
    [
        "30 2 * * *",
        "0 0 * * *",
        "*/20 * * * *",
        "15 1-3 * * *",
        "0,30 2 * * *",
        "59 23 * * 0",
        "0 3 L * *",
        "5 * * * *",
        "* 2 * * *",
        "0 */2 * * *",
    ]
)
ZONES = st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
MOMENTS = st.one_of(
    st.integers(0, 3 * 3600 * 24).map(lambda s: utc("2026-10-24 00:00") + timedelta(seconds=s)),
    st.integers(0, 3 * 3600 * 24).map(lambda s: utc("2026-03-28 00:00") + timedelta(seconds=s)),
    st.integers(0, 370 * 24 * 60).map(lambda m: utc("2026-01-01 00:00") + timedelta(minutes=m)),
)


@settings(max_examples=300, deadline=None)
@given(LINES, ZONES, MOMENTS)
def test_looking_back_and_looking_forward_agree_everywhere(line: str, zone: str, moment: datetime) -> None:
    last, upcoming = slots.previous_slot(line, zone, moment), slots.next_slot(line, zone, moment)
    assert last is not None
    assert upcoming is not None
    assert last <= moment < upcoming
    assert slots.next_slot(line, zone, last) == upcoming
    assert slots.previous_slot(line, zone, upcoming) == upcoming


BAD_LINES = [
    ("61 * * * *", "minute '61'"),
    ("0 24 * * *", "hour '24'"),
    ("0 0 0 * *", "day-of-month '0'"),
    ("0 0 * 13 *", "month '13'"),
    ("0 0 * FOO *", "month 'FOO'"),
    ("0 0 * * 8", "day-of-week '8'"),
    ("0 0 31 2 *", "day-of-month '31'"),
    ("*/0 * * * *", "minute '*/0'"),
    ("5-1 * * * *", "minute '5-1'"),
    ("0 0 * *", "has 4 fields; it needs five"),
    ("0 0 0 * * *", "has 6 fields"),
    ("@reboot", "has 1 fields"),
    ("", "has 0 fields"),
    ("9" * 5000 + " * * * *", "at most 200"),
    ("² * * * *", "minute"),
]


@pytest.mark.parametrize(("line", "complaint"), BAD_LINES)
def test_a_wrong_line_is_told_which_field_is_wrong(line: str, complaint: str) -> None:
    with pytest.raises(ValueError, match="cron line") as caught:
        slots.check_cron(line)
    assert complaint in str(caught.value)


def test_a_wrong_field_is_told_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="allowed: 0-23"):
        slots.check_cron("0 25 * * *")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "/etc/localtime", "Europe", "a\0b"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone"):
        slots.check_timezone(zone)
