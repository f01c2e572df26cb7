"""Set-Cookie without what differs by visitor: the name, the attributes, and whether it has run out."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime

SPACE = " \t"
ATTRIBUTES = frozenset(
    {"expires", "max-age", "domain", "path", "secure", "httponly", "samesite", "partitioned", "priority"}
)
FOLDED_COOKIE = re.compile(r"(,[ \t\r\n]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+=)([^;]*)")
"""A further cookie behind a comma: some proxy folded several Set-Cookie lines into one."""
FLAG = re.compile(r"[A-Za-z-]{1,20}")
"""An attribute without a value that may be a misspelt flag (evidence), not a piece of a cookie's value."""

EXPIRY_TOLERANCE_SECONDS = 5
"""An application that says "expires now" may take a moment to say so; that must not make it the future."""

_ANY_CASE = frozenset({"domain", "samesite", "priority"})
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_OLDEST_YEAR = 1601
_DAY_FIRST = re.compile(
    r"([0-9]{1,2})[ -]([A-Za-z]{3})[a-z]{0,6}[ -]([0-9]{2,4}) +([0-9]{1,2}):([0-9]{2}):([0-9]{2})"
)
_YEAR_LAST = re.compile(
    r"([A-Za-z]{3}) +([0-9]{1,2}) ([0-9]{1,2}):([0-9]{2}):([0-9]{2}) ([0-9]{4})",
)


def canonical(value: str, date: str) -> str:
    """The cookie as it counts: its value replaced, attributes in one case and order."""
    pair, *rest = value.split(";")
    attributes = [_attribute(part, date) for part in rest if part.strip(SPACE)]
    attributes.sort(key=lambda text: text.partition("=")[0])
    return "; ".join((_pair(pair), *attributes))


def _pair(text: str) -> str:
    name, equals, value = text.partition("=")
    if not equals:
        return "<cookie>" if text.strip(SPACE) else ""
    return f"{name.strip(SPACE)}={'<cookie>' if value.strip(SPACE) else ''}"


def _attribute(text: str, date: str) -> str:
    key, equals, value = text.partition("=")
    name, value = key.strip(SPACE).lower(), value.strip(SPACE)
    if name not in ATTRIBUTES:
        return _unknown(key.strip(SPACE), equals, value)
    value = FOLDED_COOKIE.sub(r"\1<cookie>", value)
    if name == "expires":
        value = expiry(value, date) if value else value
    elif name in _ANY_CASE:
        value = value.lower()
    return f"{name}={value}" if value else name


def _unknown(name: str, equals: str, value: str) -> str:
    if equals:
        return f"{name.lower()}={'<cookie>' if value else ''}"
    return name.lower() if FLAG.fullmatch(name) else "<cookie>"


def expiry(value: str, date: str) -> str:
    """Whether an instant lies after the response's Date; the instant itself is volatile."""
    if value.startswith("<expires"):
        return value
    until = instant(value)
    if until is None:
        return "<expires:invalid>"
    now = instant(date)
    if now is None:
        return "<expires>"
    return "<expires:future>" if until > now + EXPIRY_TOLERANCE_SECONDS else "<expires:past>"


@functools.lru_cache(maxsize=1024)
def instant(text: str) -> int | None:
    """Seconds since 1970 of a date as servers write them, three HTTP formats and Netscape's; None if it is none."""
    match = _DAY_FIRST.search(text)
    if match is not None:
        day, month, year, *clock = match.groups()
        return _seconds(_full_year(year), month, day, clock)
    match = _YEAR_LAST.search(text)
    if match is not None:
        month, day, *clock, year = match.groups()
        return _seconds(int(year), month, day, clock)
    return None


def _full_year(text: str) -> int:
    year = int(text)
    if len(text) > 2:  # noqa: PLR2004  # two digits are a year of this or the last century (RFC 6265)
        return year
    return year + (1900 if year >= 70 else 2000)  # noqa: PLR2004  # RFC 6265, 5.1.1


def _seconds(year: int, month_name: str, day: str, clock: list[str]) -> int | None:
    month = _MONTHS.get(month_name.lower(), 0)
    if year < _OLDEST_YEAR:
        return None
    hour, minute, second = map(int, clock)
    try:
        return int(datetime(year, month, int(day), hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError:
        return None
