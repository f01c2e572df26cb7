"""The dates of Expires in a cookie, which browsers read far more leniently than other dates (RFC 6265bis, 5.1.1)."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime

_DELIMITERS = re.compile(r"[\t\x20-/;-@\[-`{-~]+")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY = re.compile(r"([0-9]{1,2})(?![0-9])")
_YEAR = re.compile(r"([0-9]{2,4})(?![0-9])")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST = 200

LAST_CENTURY = range(70, 100)
THIS_CENTURY = range(70)


@functools.lru_cache(maxsize=1024)
def instant(text: str) -> int | None:
    """Seconds since 1970; None for what a browser takes for no date. The parts may stand in any order.

    A year before 1601 is one long past to Chromium and Firefox, although 5.1.1 refuses it.
    """
    clock = day = month = year = None
    for token in _DELIMITERS.split(text[:_LONGEST]):
        if clock is None and (match := _TIME.match(token)):
            clock = tuple(map(int, match.groups()))
        elif day is None and (match := _DAY.match(token)):
            day = int(match[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (match := _YEAR.match(token)):
            year = _full(int(match[1]))
    if clock is None or day is None or month is None or year is None:
        return None
    return _seconds(year, month, day, clock)


def _full(year: int) -> int:
    if year in LAST_CENTURY:
        return year + 1900
    return year + 2000 if year in THIS_CENTURY else year


def _seconds(year: int, month: int, day: int, clock: tuple[int, ...]) -> int | None:
    hour, minute, second = clock
    try:
        return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError:
        return None
