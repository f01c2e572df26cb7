"""Slots: what a cron line and a zone name, also where the clock jumps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headersweep import slots
from headersweep.definition import CatchUp
from headersweep.slots import Oddity

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
    ("5-5/2 * * * *", "no steps"),
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


def test_half_an_hour_of_daylight_saving_loses_no_slot() -> None:
    # Lord Howe goes from 02:00 back to 01:30 at 15:00Z on 2026-04-04, and from 02:00 to 02:30 at 15:30Z on 2026-10-03.
    howe = "Australia/Lord_Howe"
    assert following("*/15 2 * * *", howe, "2026-04-04 14:00", 3) == [
        "04-04 15:30",
        "04-04 15:45",
        "04-04 16:00",
    ]
    assert following("*/20 1 * * *", howe, "2026-04-04 14:30", 3) == [
        "04-04 14:40",
        "04-04 15:10",
        "04-05 14:30",
    ]
    assert following("*/15 2 * * *", howe, "2026-10-03 15:00", 3) == [
        "10-03 15:30",
        "10-03 15:45",
        "10-04 15:00",
    ]
    assert slots.previous_slot("*/30 0 * * *", howe, utc("2026-04-04 15:20")) == utc("2026-04-04 13:30")


def test_an_hour_that_begins_with_a_star_is_skipped_in_spring_and_repeated_in_autumn() -> None:
    assert following("30 */2 * * *", BERLIN, "2026-03-28 22:59", 3) == [
        "03-28 23:30",
        "03-29 02:30",
        "03-29 04:30",
    ]
    assert following("30 */2 * * *", BERLIN, "2026-10-24 22:00", 3) == [
        "10-24 22:30",
        "10-25 00:30",
        "10-25 01:30",
    ]


NOON = utc("2026-05-04 12:00")
HOUR = timedelta(hours=1)


def due(
    catch_up: CatchUp, *, due_at: str, now: str, window: timedelta = 24 * HOUR, limit: int = 24
) -> list[str]:
    found = slots.due_slots(
        "0 * * * *", "UTC", due_at=utc(due_at), now=utc(now), catch_up=catch_up, window=window, limit=limit
    )
    return [f"{slot:%d %H:%M}" for slot in found]


@pytest.mark.parametrize("catch_up", CatchUp)
@pytest.mark.parametrize("now", ["2026-05-04 12:00", "2026-05-04 12:00:10", "2026-05-04 12:01:00"])
def test_a_slot_within_its_grace_is_run_by_every_policy(catch_up: CatchUp, now: str) -> None:
    assert due(catch_up, due_at="2026-05-04 12:00", now=now) == ["04 12:00"]


@pytest.mark.parametrize(
    ("catch_up", "expected"), [(CatchUp.NONE, []), (CatchUp.LAST, ["04 12:00"]), (CatchUp.ALL, ["04 12:00"])]
)
def test_behind_its_grace_a_slot_was_missed(catch_up: CatchUp, expected: list[str]) -> None:
    assert due(catch_up, due_at="2026-05-04 12:00", now="2026-05-04 12:01:01") == expected


def test_none_still_runs_the_slot_that_has_just_come() -> None:
    assert due(CatchUp.NONE, due_at="2026-05-04 09:00", now="2026-05-04 12:00:30") == ["04 12:00"]


def test_the_last_of_missed_slots_is_caught_up_within_the_window() -> None:
    assert due(CatchUp.LAST, due_at="2026-05-04 09:00", now="2026-05-04 12:30") == ["04 12:00"]
    half = timedelta(minutes=30)
    assert due(CatchUp.LAST, due_at="2026-05-04 09:00", now="2026-05-04 12:30", window=half) == ["04 12:00"]
    assert due(CatchUp.LAST, due_at="2026-05-04 09:00", now="2026-05-04 12:30:01", window=half) == []


def test_all_missed_slots_are_caught_up_oldest_first() -> None:
    assert due(CatchUp.ALL, due_at="2026-05-04 09:00", now="2026-05-04 12:30") == [
        "04 09:00",
        "04 10:00",
        "04 11:00",
        "04 12:00",
    ]


def test_all_are_those_of_the_window_and_at_most_the_limit_the_youngest() -> None:
    two_hours = timedelta(hours=2)
    at_noon: dict[str, Any] = {"due_at": "2026-05-04 02:00", "now": "2026-05-04 12:00"}
    assert due(CatchUp.ALL, **at_noon, window=two_hours) == ["04 10:00", "04 11:00", "04 12:00"]
    just_less = two_hours - timedelta(seconds=1)
    assert due(CatchUp.ALL, **at_noon, window=just_less) == ["04 11:00", "04 12:00"]
    assert due(CatchUp.ALL, **at_noon, limit=1) == ["04 12:00"]
    assert due(CatchUp.ALL, **at_noon, limit=11)[0] == "04 02:00"


def test_a_site_that_waits_for_an_instant_between_slots_still_runs_exact_slots() -> None:
    # Put off for an hour while its definition could not be read, or planned by other daylight saving rules.
    assert due(CatchUp.LAST, due_at="2026-05-04 12:17", now="2026-05-04 12:20") == ["04 12:00"]
    assert due(CatchUp.ALL, due_at="2026-05-04 12:17", now="2026-05-04 12:20") == ["04 12:00"]


def test_years_without_a_tick_are_caught_up_in_no_time() -> None:
    found = slots.due_slots(
        "* * * * *",
        BERLIN,
        due_at=utc("2016-01-01 00:00"),
        now=NOON,
        catch_up=CatchUp.ALL,
        window=timedelta(days=366),
        limit=24,
    )
    assert found == tuple(NOON - timedelta(minutes=number) for number in range(23, -1, -1))


def test_a_splay_is_the_same_for_a_site_every_time_and_stays_below_its_length() -> None:
    assert slots.splay_offset("docs", 10 * HOUR) == slots.splay_offset("docs", 10 * HOUR)
    assert slots.splay_offset("docs", timedelta()) == timedelta()
    assert slots.splay_offset("docs", timedelta(seconds=1)) == timedelta()
    offsets = {slots.splay_offset(f"site{number}", timedelta(seconds=10)) for number in range(500)}
    assert offsets == {timedelta(seconds=number) for number in range(10)}


def test_a_splay_never_moves_between_versions() -> None:
    # A changed formula would move every site's start; that is a decision, not an accident.
    assert slots.splay_offset("docs", HOUR) == timedelta(seconds=1654)


def test_a_thousand_sites_are_spread_evenly() -> None:
    buckets = [0] * 10
    for number in range(1_000):
        buckets[int(slots.splay_offset(f"site{number}", timedelta(minutes=10)).total_seconds()) // 60] += 1
    assert max(buckets) < 150
    assert min(buckets) > 60


@pytest.mark.parametrize(
    ("late", "starts_after_slot"),
    [
        (0, 300),  # on time: its offset behind the slot
        (60, 300),
        (61, 361),  # missed: its offset behind now, or all that is caught up starts at once
        (7200, 7500),
    ],
)
def test_a_run_starts_its_offset_behind_its_slot_or_behind_now(late: int, starts_after_slot: int) -> None:
    start = slots.start_of(NOON, NOON + timedelta(seconds=late), timedelta(minutes=5))
    assert start == NOON + timedelta(seconds=starts_after_slot)


def test_a_run_planned_within_grace_but_behind_its_offset_starts_now() -> None:
    now = NOON + timedelta(seconds=30)
    assert slots.start_of(NOON, now, timedelta(seconds=10)) == now


@pytest.mark.parametrize(
    ("line", "slot", "odd"),
    [
        ("30 2 * * *", "2026-03-29 01:00", Oddity.MOVED),
        ("30 2 * * *", "2026-03-28 01:30", None),
        ("30 2 * * *", "2026-10-25 00:30", Oddity.FIRST),
        ("*/30 * * * *", "2026-10-25 00:30", Oddity.FIRST),
        ("*/30 * * * *", "2026-10-25 01:30", Oddity.SECOND),
        ("*/30 * * * *", "2026-10-25 02:00", None),
        ("*/30 * * * *", "2026-03-29 01:00", None),
        ("@daily", "2026-03-28 23:00", None),
    ],
)
def test_what_daylight_saving_does_to_a_slot_has_a_name(line: str, slot: str, odd: Oddity | None) -> None:
    assert slots.oddity(line, BERLIN, utc(slot)) is odd
