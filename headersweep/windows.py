"""Politeness windows: between which times of the clock on the wall a site may be asked at all. Pure.

A window is read from the clock of the site's zone. What the clock skips in spring is not in the window; what it shows
twice in autumn is in it twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from headersweep import zones

MINUTES_A_DAY = 24 * 60
HORIZON_DAYS = 4
"""A window that exists only in an hour that a zone skips opens on the day after; whole days were skipped, too."""

_PATTERN = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")


@dataclass(frozen=True)
class Window:
    """From which minute of the day on it is open, and from which on closed again; it may cross midnight."""

    opens: int
    closes: int

    def holds(self, minute: int) -> bool:
        """Whether a minute of the day is inside."""
        if self.opens < self.closes:
            return self.opens <= minute < self.closes
        return minute >= self.opens or minute < self.closes


@dataclass(frozen=True)
class Opening:
    """When a run may be worked on: from ``start`` on and before ``end``; without an end, for good."""

    start: datetime
    end: datetime | None


def parse(text: str) -> Window:
    """The window that a text such as ``01:00-05:00`` means; ValueError, saying how to write one."""
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise ValueError("it is no window, such as 01:00-05:00 or 22:00-04:30 (hours and minutes)")
    from_hour, from_minute, to_hour, to_minute = map(int, found.groups())
    opens, closes = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if max(from_minute, to_minute) > 59 or opens >= MINUTES_A_DAY or closes > MINUTES_A_DAY:  # noqa: PLR2004 - minutes
        raise ValueError("the times of a window are 00:00 to 23:59; only its end may be 24:00")
    if opens == closes:
        raise ValueError("the window has no length; leave the key out where there is no limit")
    return Window(opens, closes)


def is_open(window: Window, timezone: str, moment: datetime) -> bool:
    """Whether the window is open at an instant."""
    return _is_open(window, zones.get(timezone), moment)


def opens_at(window: Window, timezone: str, moment: datetime) -> datetime:
    """The first instant at or after a moment at which the window is open."""
    found = _first(window, zones.get(timezone), moment, is_wanted_open=True)
    if found is None:  # no zone ever skipped so many days
        raise ValueError(f"the window does not open within {HORIZON_DAYS} days of {moment.isoformat()}")
    return found


def closes_at(window: Window, timezone: str, moment: datetime) -> datetime | None:
    """The first instant at or after a moment at which the window is closed; None when it never is."""
    return _first(window, zones.get(timezone), moment, is_wanted_open=False)


def opening(text: str | None, timezone: str, moment: datetime, offset: timedelta = timedelta()) -> Opening:
    """When a run that may start at a moment is worked on first, by a site's window (None: no limit).

    ``offset`` is the site's splay: where a run has to wait for a window, not all sites start as it opens. Where the
    window is shorter than that, the offset is counted round its length.
    """
    if text is None:
        return Opening(moment, None)
    window = parse(text)
    start = opens_at(window, timezone, moment)
    end = closes_at(window, timezone, start)
    if end is not None and start > moment:
        start += offset % (end - start)
    return Opening(start, end)


def _is_open(window: Window, zone: tzinfo, moment: datetime) -> bool:
    local = moment.astimezone(zone)
    return window.holds(local.hour * 60 + local.minute)


def _first(window: Window, zone: tzinfo, moment: datetime, *, is_wanted_open: bool) -> datetime | None:
    if _is_open(window, zone, moment) is is_wanted_open:
        return moment
    until = moment + timedelta(days=HORIZON_DAYS)
    # Between two of these nothing changes, so the first with the wanted state is where it begins.
    for candidate in sorted({each for each in _turns(window, zone, moment, until) if each > moment}):
        if _is_open(window, zone, candidate) is is_wanted_open:
            return candidate
    return None


def _turns(window: Window, zone: tzinfo, moment: datetime, until: datetime) -> Iterator[datetime]:
    """Every instant at which the window may open or close."""
    today = moment.astimezone(zone).date()
    for day in range(HORIZON_DAYS + 2):
        midnight = datetime.combine(today + timedelta(days=day), time())
        for minute in (window.opens, window.closes):
            wall = (midnight + timedelta(minutes=minute)).replace(tzinfo=zone)
            yield from (wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    after = moment
    while change := zones.first_change(zone, after, until):
        yield change
        after = change
