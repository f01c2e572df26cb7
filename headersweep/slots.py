"""Slots: the instants that a cron line names in a time zone. Pure; every time that comes out is aware UTC.

Across daylight saving, the rules are those of Debian's cron (cronsim): a line with a fixed time of day fires
exactly once on every day, at the first moment after a gap, at the first of two equal clock times otherwise.
A line whose minutes or hours begin with ``*`` follows real time instead: every 15 minutes stays every 15 minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

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

_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)


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
    if next(_moments(expression, _EPOCH), None) is None:
        raise ValueError(f"cron line {expression!r} never comes due")


def check_timezone(name: str) -> None:
    """Raise ValueError unless this is a time zone of the IANA database that this machine knows."""
    _zone(name)


def next_slot(expression: str, timezone: str, after: datetime) -> datetime | None:
    """The first slot later than ``after``; None when there is none within 50 years."""
    for moment in _moments(expression, after.astimezone(_zone(timezone))):
        slot = moment.astimezone(UTC)
        # In an hour that happens twice the line's time of day may belong to the first pass, which is over.
        if slot > after:
            return slot
    return None


def previous_slot(expression: str, timezone: str, not_after: datetime) -> datetime | None:
    """The last slot at or before ``not_after``; None when there was none within 50 years."""
    local = not_after.astimezone(_zone(timezone))
    # Reverse search works by the clock on the wall: in the second pass of an hour that happens twice, slots of the
    # first pass may carry later clock times, so it begins behind both.
    margin = LONGEST_REPEATED_PERIOD if local.fold else timedelta(seconds=1)
    start = (not_after.replace(microsecond=0) + margin).astimezone(local.tzinfo)
    for moment in _moments(expression, start, reverse=True):
        slot = moment.astimezone(UTC)
        if slot <= not_after:
            return slot
    return None


def _moments(expression: str, start: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    line = _without_macro(expression)
    try:
        return iter(CronSim(line, start, reverse=reverse))
    except CronSimError as error:
        raise ValueError(_explained(expression, line.split(), str(error))) from error


def _without_macro(expression: str) -> str:
    return MACROS.get(expression.strip().lower(), expression.strip())


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"unknown time zone {name!r}; use a name of the IANA database such as 'UTC' or 'Europe/Berlin'"
        ) from error


def _explained(expression: str, fields: list[str], complaint: str) -> str:
    name = complaint.removeprefix("Bad ")
    if name not in FIELDS or len(fields) != len(FIELDS):
        return f"cron line {expression!r}: {complaint}"
    value = fields[list(FIELDS).index(name)]
    return (
        f"cron line {expression!r}: {name} {value!r} is wrong; allowed: {FIELDS[name]}, and of these * and "
        f"lists (1,2), ranges (1-5), steps (*/5)"
    )
