"""Slots against a second implementation: every minute of a window is asked whether it is a slot.

It shares nothing with the first: cron fields are read here once more, and the rules for daylight saving are those that
docs/site-files.md states. A line with a fixed time of day fires at the first of equal clock times, and at the first
minute behind a gap for all that the gap swallowed; any other line fires whenever the clock on the wall matches.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from headersweep import slots

MINUTE = timedelta(minutes=1)
REACH = timedelta(hours=30)
NEAR_SECONDS = 4 * 3600
FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
CHANGES = (
    ("Europe/Berlin", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-10-25T01:00"),
    ("America/New_York", "2026-03-08T07:00"),
    ("America/New_York", "2026-11-01T06:00"),
    ("Australia/Lord_Howe", "2026-10-03T15:30"),  # by half an hour
    ("Australia/Lord_Howe", "2026-04-04T15:00"),
    ("America/Santiago", "2026-09-06T04:00"),  # at midnight, so that a date has no 00:00
    ("America/Santiago", "2026-04-05T03:00"),
    ("Asia/Kolkata", "2026-03-01T00:00"),
    ("UTC", "2026-03-01T00:00"),
)


class Minute(NamedTuple):
    """A minute of real time: what the clock shows, whether for the second time, and what it skipped just before."""

    moment: datetime
    wall: datetime
    is_repeated: bool
    skipped: tuple[datetime, ...]


@cache
def minutes(zone: str, change: str) -> list[Minute]:
    """The minutes around a change."""
    around = datetime.fromisoformat(change).replace(tzinfo=UTC)
    moment, found = around - REACH, []
    before = (moment - MINUTE).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    while moment < around + REACH:
        local = moment.astimezone(ZoneInfo(zone))
        wall = local.replace(tzinfo=None, fold=0)
        jumped = int((wall - before) / MINUTE)
        skipped = tuple(before + number * MINUTE for number in range(1, jumped))
        found.append(Minute(moment, wall, local.fold == 1, skipped))
        moment, before = moment + MINUTE, wall
    return found


def numbers(field: str, low: int, high: int) -> set[int]:
    """The numbers that a field of a cron line stands for."""
    found: set[int] = set()
    for term in field.split(","):
        body, _, step = term.partition("/")
        first, _, last = body.partition("-")
        begin = low if body == "*" else int(first)
        end = int(last) if last else high if body == "*" or step else begin
        found.update(range(begin, end + 1, int(step or 1)))
    return found


def matcher(line: str) -> Callable[[datetime], bool]:
    """Whether a clock time is named by a line."""
    fields = line.split()
    minute, hour, day, month, weekday = (
        numbers(field, *limits) for field, limits in zip(fields, FIELDS, strict=True)
    )
    must_both = fields[2].startswith("*") or fields[4].startswith("*")

    def matches(wall: datetime) -> bool:
        # Most minutes end here: it is asked a million times.
        if wall.minute not in minute or wall.hour not in hour or wall.month not in month:
            return False
        days = (wall.day in day, not weekday.isdisjoint({wall.isoweekday(), wall.isoweekday() % 7}))
        return all(days) if must_both else any(days)

    return matches


def expected(line: str, zone: str, change: str) -> list[datetime]:
    """All slots around a change."""
    matches, fields = matcher(line), line.split()
    if fields[0].startswith("*") or fields[1].startswith("*"):
        return [each.moment for each in minutes(zone, change) if matches(each.wall)]
    return [
        each.moment
        for each in minutes(zone, change)
        if (matches(each.wall) and not each.is_repeated) or any(map(matches, each.skipped))
    ]


def field(low: int, high: int) -> st.SearchStrategy[str]:
    """One field: star, number, list, range, each with and without steps."""
    number = st.integers(low, high).map(str)
    ranges = st.tuples(st.integers(low, high), st.integers(low, high)).filter(lambda pair: pair[0] < pair[1])
    span = ranges.map(lambda pair: f"{pair[0]}-{pair[1]}")
    step = st.integers(1, high).map(str)
    term = st.one_of(number, span, st.tuples(span, step).map("/".join), st.tuples(number, step).map("/".join))
    stars = st.one_of(st.just("*"), st.tuples(st.just("*"), step).map("/".join))
    return st.one_of(stars, term, st.lists(term, min_size=2, max_size=3).map(",".join))


LINES = st.tuples(
    field(0, 59),
    st.one_of(field(0, 23), field(0, 4)),
    st.one_of(st.just("*"), field(1, 31)),
    st.one_of(st.just("*"), field(1, 12)),
    st.one_of(st.just("*"), field(0, 7)),
).map(" ".join)


def plannable(line: str) -> bool:
    try:
        slots.check_cron(line)
    except ValueError:
        return False
    return True


@settings(max_examples=250, deadline=None)
@given(
    LINES.filter(plannable),
    st.sampled_from(CHANGES),
    st.lists(st.integers(-NEAR_SECONDS, NEAR_SECONDS), min_size=4, max_size=4),
)
def test_both_directions_agree_with_asking_every_minute(
    line: str, at: tuple[str, str], seconds: list[int]
) -> None:
    zone, change = at
    every = expected(line, zone, change)
    around = datetime.fromisoformat(change).replace(tzinfo=UTC)
    for number in seconds:
        moment = around + timedelta(seconds=number)
        upcoming = slots.next_slot(line, zone, moment)
        last = slots.previous_slot(line, zone, moment)
        assert within(upcoming, around) == min((slot for slot in every if slot > moment), default=None)
        assert within(last, around) == max((slot for slot in every if slot <= moment), default=None)


def within(slot: datetime | None, around: datetime) -> datetime | None:
    """A slot that lies among the minutes that were asked."""
    return slot if slot is not None and around - REACH <= slot < around + REACH else None


def test_the_oracle_itself_knows_the_known_nights() -> None:
    def times(line: str, zone: str, change: str) -> list[str]:
        return [f"{slot:%d %H:%M}" for slot in expected(line, zone, change)]

    assert times("30 2 * * *", *CHANGES[0]) == ["28 01:30", "29 01:00", "30 00:30"]
    assert times("30 2 * * *", *CHANGES[1]) == ["24 00:30", "25 00:30", "26 01:30"]
    assert times("45 1 * * *", *CHANGES[5]) == ["03 14:45", "04 14:45", "05 15:15"]
    assert times("*/30 2 * * *", *CHANGES[0]) == ["28 01:00", "28 01:30", "30 00:00", "30 00:30"]
