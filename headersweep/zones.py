"""Time zones: the instants at which a clock on the wall is put forward or back. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_STEP = timedelta(days=1)
"""No zone ever changed twice within so short a time."""

_FINEST = timedelta(seconds=1)


def get(name: str) -> tzinfo:
    """The zone of a name of the IANA database; ValueError with what is allowed where this machine knows none."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"unknown time zone {name!r}; use a name of the IANA database such as 'UTC' or 'Europe/Berlin'"
        ) from error


def offset(zone: tzinfo, moment: datetime) -> timedelta:
    """How far the zone's clock is ahead of UTC at an instant."""
    return moment.astimezone(zone).utcoffset() or timedelta()


def first_change(zone: tzinfo, after: datetime, until: datetime) -> datetime | None:
    """The first instant in (after, until] at which the clock was put forward or back."""
    low = after
    while low < until:
        high = min(low + _STEP, until)
        if offset(zone, low) != offset(zone, high):
            return _changed_between(zone, low, high)
        low = high
    return None


def last_change(zone: tzinfo, after: datetime, until: datetime) -> datetime | None:
    """The last instant in (after, until] at which the clock was put forward or back."""
    high = until
    while after < high:
        low = max(high - _STEP, after)
        if offset(zone, low) != offset(zone, high):
            return _changed_between(zone, low, high)
        high = low
    return None


def _changed_between(zone: tzinfo, low: datetime, high: datetime) -> datetime:
    """The first whole second with the offset of ``high``, which ``low`` does not have."""
    low, wanted = low.replace(microsecond=0), offset(zone, high)
    while high - low > _FINEST:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if offset(zone, middle) == wanted:
            high = middle
        else:
            low = max(middle, low + _FINEST) if middle == low else middle
    return high.replace(microsecond=0)
