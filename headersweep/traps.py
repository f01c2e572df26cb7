"""Traps: URLs that a site can make up without end. What a trap swallows is counted and shown, never dropped silently.

The limit on pages of one template is not here: it needs to know the other pages of the run.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

from headersweep.states import TrapReason
from headersweep.urls import PageUrl

MAX_URL_LENGTH = 2048
MAX_SEGMENTS = 20
MAX_SAME_SEGMENT = 2
FAR_YEARS = 1

CALENDAR_SEGMENTS = frozenset(
    {"agenda", "archive-view", "cal", "calendar", "calendars", "day", "events", "month", "schedule", "week"}
)
"""Path segments behind which dates are views of a calendar rather than the birthdays of articles."""

DATE_PARAMETERS = frozenset(
    {"after", "before", "cal", "calendar", "date", "day", "end", "from", "month", "since", "start", "to"}
    | {"tribe-bar-date", "until", "week"}
)
"""Query parameters in which eight digits are a day, not the number of an article."""

# Years of two centuries only: 2200/10 is far more often the tenth part of something numbered 2200.
_YEAR = r"(?P<year>(?:19|20)[0-9]{2})"
_MONTH = r"(?P<month>0?[1-9]|1[0-2])"
_DAY = r"(?P<day>0?[1-9]|[12][0-9]|3[01])"
_SEPARATED = re.compile(
    rf"(?<![0-9]){_YEAR}(?P<sep>[-_]|%2[Ff]){_MONTH}(?:(?P=sep){_DAY})?(?=T[0-9]|[^0-9A-Za-z]|$)"
)
_SEGMENTS = re.compile(rf"(?:^|/){_YEAR}/{_MONTH}(?:/{_DAY})?(?=/|\.[A-Za-z]|$)")
_COMPACT = re.compile(
    r"(?<![0-9])(?P<year>(?:19|20)[0-9]{2})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12][0-9]|3[01])(?![0-9])"
)
_YEAR_PARAMETER = re.compile(rf"(?:^|&)(?:year|yr|y)={_YEAR}(?=&|$)", re.IGNORECASE)
_MONTH_PARAMETER = re.compile(rf"(?:^|&)(?:month|mon|m)={_MONTH}(?=&|$)", re.IGNORECASE)


def reason(page: PageUrl, today: date) -> TrapReason | None:
    """Why this page is not followed, or ``None``.

    - A URL of 2,048 characters passes, one of 2,049 does not.
    - A path of 20 segments passes, one of 21 does not.
    - A segment may stand in the path twice; the third time is a trap. Empty segments (``//``) count as well, the
      one behind a closing slash does not.
    - Dates more than a year from ``today``: see ``is_far_date``.

    ``today`` is the day of the run's slot, so that resuming a run decides as it began.
    """
    if len(page.url) > MAX_URL_LENGTH:
        return TrapReason.URL_TOO_LONG
    path, _, query = page.path_query.partition("?")
    segments = path[1:].removesuffix("/").split("/")
    if len(segments) > MAX_SEGMENTS:
        return TrapReason.TOO_MANY_SEGMENTS
    if len(segments) > MAX_SAME_SEGMENT and _repeats(segments):
        return TrapReason.REPEATED_SEGMENTS
    if ("19" in page.path_query or "20" in page.path_query) and is_far_date(path, query, today):
        return TrapReason.FAR_DATE
    return None


def _repeats(segments: list[str]) -> bool:
    # Only a path with at least two duplicates can hold one segment three times: most paths stop here.
    if len(segments) - len(set(segments)) < MAX_SAME_SEGMENT:
        return False
    return max(Counter(segments).values()) > MAX_SAME_SEGMENT


def is_far_date(path: str, query: str, today: date) -> bool:
    """Whether path or query name a month or a day of a calendar without end.

    Future: any month or day later than a year from today, in the path or in a parameter's value: nobody has
    written those articles yet. Past: a month or day earlier than a year ago counts only where a parameter's value
    begins with it, or in a path with a segment such as ``calendar`` or ``events``; ``/blog/2019/05/12/post`` is an
    archive, and content.
    Dates are ``2031-05-12``, ``2031/05``, ``2031_5_1`` and, in a date parameter or behind a calendar's segment,
    ``20310512``; also ``year=2031&month=5``. Years alone are no dates: there are too few of them to be a trap.
    """
    is_calendar = not CALENDAR_SEGMENTS.isdisjoint(path.lower().split("/"))
    if any(_any_far(pattern, path, today, past=is_calendar) for pattern in (_SEPARATED, _SEGMENTS)):
        return True
    if is_calendar and _any_far(_COMPACT, path, today, past=True):
        return True
    return bool(query) and _is_far_query(query, today)


def _is_far_query(query: str, today: date) -> bool:
    for parameter in query.split("&"):
        name, _, value = parameter.partition("=")
        if _is_far_value(value, today):
            return True
        if name.lower() in DATE_PARAMETERS and _any_far(_COMPACT, value, today, past=True):
            return True
    year, month = _YEAR_PARAMETER.search(query), _MONTH_PARAMETER.search(query)
    if year is None or month is None:
        return False
    return _is_far((int(year["year"]), int(month["month"])), today, past=True)


def _is_far_value(value: str, today: date) -> bool:
    for pattern in (_SEPARATED, _SEGMENTS):
        first = pattern.match(value)
        if first and _is_far(_numbers(first), today, past=True):
            return True
        if _any_far(pattern, value, today, past=False):
            return True
    return False


def _any_far(pattern: re.Pattern[str], text: str, today: date, *, past: bool) -> bool:
    return any(_is_far(_numbers(match), today, past=past) for match in pattern.finditer(text))


def _numbers(match: re.Match[str]) -> tuple[int, ...]:
    year, month, day = match["year"], match["month"], match["day"]
    return (int(year), int(month), int(day)) if day else (int(year), int(month))


def _is_far(when: tuple[int, ...], today: date, *, past: bool) -> bool:
    """Compared in the date's own precision: the very month, or the very day, a year away is near."""
    latest = (today.year + FAR_YEARS, today.month, today.day)[: len(when)]
    earliest = (today.year - FAR_YEARS, today.month, today.day)[: len(when)]
    return when > latest or (past and when < earliest)
