"""Slots: the instants that a cron line names in a time zone. Pure; every time that comes out is aware UTC.

Across daylight saving, the rules are those of Debian's cron (cronsim): a line with a fixed time of day fires
exactly once on every day, at the first moment after a gap, at the first of two equal clock times otherwise.
A line whose minutes or hours begin with ``*`` goes by the clock on the wall instead: what the clock skips is skipped,
what it shows twice fires twice, so that every 15 minutes stays every 15 minutes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from cronsim import CronSim, CronSimError

from headersweep import zones
from headersweep.definition import CatchUp

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIELDS = {
    "minute": "0-59",
    "hour": "0-23",
    "day-of-month": "1-31, or L for the last day",
    "month": "1-12 or JAN-DEC",
    "day-of-week": "0-7 or SUN-SAT (0 and 7 are Sunday), 5L for the last Friday, MON#1 for the first Monday",
}
MAX_LENGTH = 200
LONGEST_REPEATED_PERIOD = timedelta(hours=3)
"""No zone repeats more of its clock than this when it is put back."""

GRACE = timedelta(seconds=60)
"""A slot that is planned so soon after its instant is on time; a tick or two may have been late."""

CACHED = 4096
"""Sites share schedules, and a tick asks about one moment for all of them."""

_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_RANGE_OF_ONE = re.compile(r"(?:^|,)([0-9]+)-\1/")


def check_cron(expression: str) -> None:
    """Raise ValueError, saying which field is wrong and what is allowed, unless this is a cron line we can plan by."""
    line = _without_macro(expression)
    if len(line) > MAX_LENGTH:
        raise ValueError(f"cron line of {len(line)} characters; at most {MAX_LENGTH} are allowed")
    fields = line.split()
    if len(fields) != len(FIELDS):
        raise ValueError(
            f"cron line {expression!r} has {len(fields)} fields; it needs five: {' '.join(FIELDS)}, "
            f"or one of {', '.join(MACROS)}"
        )
    if any(_RANGE_OF_ONE.search(field) for field in fields):
        raise ValueError(f"cron line {expression!r}: a range from a number to itself has no steps")
    if next(_moments(expression, _EPOCH), None) is None:
        raise ValueError(f"cron line {expression!r} never comes due")


def check_timezone(name: str) -> None:
    """Raise ValueError unless this is a time zone of the IANA database that this machine knows."""
    zones.get(name)


@lru_cache(CACHED)
def next_slot(expression: str, timezone: str, after: datetime) -> datetime | None:
    """The first slot later than ``after``; None when there is none within 50 years."""
    if _follows_the_wall(expression):
        return _next_by_the_wall(expression, timezone, after)
    for moment in _moments(expression, after.astimezone(zones.get(timezone))):
        slot = moment.astimezone(UTC)
        # In an hour that happens twice the line's time of day may belong to the first pass, which is over.
        if slot > after:
            return slot
    return None


@lru_cache(CACHED)
def previous_slot(expression: str, timezone: str, not_after: datetime) -> datetime | None:
    """The last slot at or before ``not_after``; None when there was none within 50 years."""
    if _follows_the_wall(expression):
        return _previous_by_the_wall(expression, timezone, not_after)
    local = not_after.astimezone(zones.get(timezone))
    # Reverse search works by the clock on the wall: in the second pass of an hour that happens twice, slots of the
    # first pass may carry later clock times, so it begins behind both.
    margin = LONGEST_REPEATED_PERIOD if local.fold else _SECOND
    start = (not_after.replace(microsecond=0) + margin).astimezone(local.tzinfo)
    for moment in _moments(expression, start, reverse=True):
        slot = moment.astimezone(UTC)
        if slot <= not_after:
            return slot
    return None


def due_slots(  # noqa: PLR0913 - what a schedule says, by keyword
    expression: str,
    timezone: str,
    *,
    due_at: datetime,
    now: datetime,
    catch_up: CatchUp,
    window: timedelta,
    limit: int,
) -> tuple[datetime, ...]:
    """The slots since ``due_at`` that shall have a run now, the oldest first.

    A slot is on time for ``GRACE``. What is older was missed: ``none`` of these are caught up, the ``last``, or
    ``all`` of the last ``window``, at most ``limit``.
    """
    latest = previous_slot(expression, timezone, now)
    reach = GRACE if catch_up is CatchUp.NONE else max(window, GRACE)
    if latest is None or now - latest > reach:
        return ()
    found = [latest]
    while catch_up is CatchUp.ALL and len(found) < limit:
        earlier = previous_slot(expression, timezone, found[-1] - _SECOND)
        if earlier is None or earlier < max(due_at, now - reach):
            break
        found.append(earlier)
    return tuple(reversed(found))


def splay_offset(name: str, splay: timedelta) -> timedelta:
    """By how much a site starts after its slots: the same every time, spread evenly over the sites' names."""
    seconds = int(splay.total_seconds())
    if seconds < 1:
        return timedelta()
    number = int.from_bytes(hashlib.sha256(f"splay/1 {name}".encode()).digest()[:8])
    return timedelta(seconds=number % seconds)


def start_of(slot: datetime, now: datetime, offset: timedelta) -> datetime:
    """When the run of a slot that is planned now may start: offset behind the slot, or behind now when it was missed.

    After an outage, all that is caught up would else start at the same instant.
    """
    return max(now, slot + offset) if now - slot <= GRACE else now + offset


class Oddity(StrEnum):
    """What daylight saving does to a slot."""

    MOVED = "moved"
    FIRST = "first"
    SECOND = "second"


def oddity(expression: str, timezone: str, slot: datetime) -> Oddity | None:
    """What is odd about a slot: its clock time does not exist and it was moved, or it happens twice."""
    zone = zones.get(timezone)
    local = slot.astimezone(zone)
    line = CronSim(_without_macro(expression), local.replace(tzinfo=None))
    if local.minute not in line.minutes or local.hour not in line.hours:
        return Oddity.MOVED
    # Equal clock times are never equal aware times: compare what is added to them.
    if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
        return None
    return Oddity.SECOND if local.fold else Oddity.FIRST


def _follows_the_wall(expression: str) -> bool:
    """Whether a line is no fixed time of day: its minutes or hours begin with ``*``."""
    return any(field.startswith("*") for field in _without_macro(expression).split()[:2])


def _next_by_the_wall(expression: str, timezone: str, after: datetime) -> datetime | None:
    """One stretch of constant offset after the other, since cronsim itself is off where a clock moves by half an hour."""
    zone, start = zones.get(timezone), after
    while True:
        ahead = zones.offset(zone, start)
        # In the first stretch behind ``after``; in all others from their first moment on.
        wall = (start + ahead - (timedelta() if start == after else _SECOND)).replace(tzinfo=None)
        moment = next(_moments(expression, wall), None)
        if moment is None:
            return None
        slot = moment.replace(tzinfo=UTC) - ahead
        change = zones.first_change(zone, start, slot)
        if change is None:
            return slot
        start = change


def _previous_by_the_wall(expression: str, timezone: str, not_after: datetime) -> datetime | None:
    zone, end = zones.get(timezone), not_after.replace(microsecond=0)
    while True:
        ahead = zones.offset(zone, end)
        moment = next(_moments(expression, (end + ahead + _SECOND).replace(tzinfo=None), reverse=True), None)
        if moment is None:
            return None
        slot = moment.replace(tzinfo=UTC) - ahead
        change = zones.last_change(zone, slot, end)
        if change is None:
            return slot
        end = change - _SECOND


def _moments(expression: str, start: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    line = _without_macro(expression)
    try:
        return iter(CronSim(line, start, reverse=reverse))
    except CronSimError as error:
        raise ValueError(_explained(expression, line.split(), str(error))) from error


def _without_macro(expression: str) -> str:
    return MACROS.get(expression.strip().lower(), expression.strip())


def _explained(expression: str, fields: list[str], complaint: str) -> str:
    name = complaint.removeprefix("Bad ")
    if name not in FIELDS or len(fields) != len(FIELDS):
        return f"cron line {expression!r}: {complaint}"
    value = fields[list(FIELDS).index(name)]
    return (
        f"cron line {expression!r}: {name} {value!r} is wrong; allowed: {FIELDS[name]}, and of these * and "
        f"lists (1,2), ranges (1-5), steps (*/5)"
    )
