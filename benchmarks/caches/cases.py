"""Answers of the origin: status and headers. ``{now+2}`` in a value is that instant as a date, by the origin's clock."""

from __future__ import annotations

import email.utils
import re
from typing import NamedTuple

Headers = tuple[tuple[str, str], ...]


class Case(NamedTuple):
    """One answer of the origin. ``date`` is how many seconds its Date is off; None: it sends none."""

    name: str
    headers: Headers
    status: int = 200
    date: int | None = 0


def _control(value: str) -> Headers:
    return (("Cache-Control", value),)


_LONG = _control("max-age=600")
_BRIEF = _control("max-age=2")

CASES = (
    Case("nothing", ()),
    Case("last-modified-alone", (("Last-Modified", "{now-86400}"),)),
    Case("max-age-2", _BRIEF),
    Case("max-age-600", _LONG),
    Case("max-age-0", _control("max-age=0")),
    Case("s-maxage-600-max-age-0", _control("s-maxage=600, max-age=0")),
    Case("max-age-0-s-maxage-600", _control("max-age=0, s-maxage=600")),
    Case("s-maxage-0-max-age-600", _control("s-maxage=0, max-age=600")),
    Case("s-maxage-2-max-age-600", _control("s-maxage=2, max-age=600")),
    Case("public", _control("public")),
    Case("public-max-age-600", _control("public, max-age=600")),
    Case("private", _control("private")),
    Case("private-max-age-600", _control("private, max-age=600")),
    Case("private-field", _control('private="set-cookie", max-age=600')),
    Case("no-store", _control("no-store")),
    Case("no-store-max-age-600", _control("no-store, max-age=600")),
    Case("no-cache", _control("no-cache")),
    Case("no-cache-max-age-600", _control("no-cache, max-age=600")),
    Case("no-cache-field", _control('no-cache="set-cookie", max-age=600')),
    Case("must-revalidate-alone", _control("must-revalidate")),
    Case("must-revalidate-max-age-2", _control("max-age=2, must-revalidate")),
    Case("immutable", _control("max-age=600, immutable")),
    Case("must-understand", _control("no-store, must-understand, max-age=600")),
    Case("upper-case", _control("Max-Age=600, PUBLIC")),
    Case("upper-case-private", _control("PRIVATE, MAX-AGE=600")),
    Case("quoted-seconds", _control('max-age="600"')),
    Case("fraction", _control("max-age=600.5")),
    Case("negative", _control("max-age=-1")),
    Case("letters", _control("max-age=soon")),
    Case("spaces-around", _control("max-age = 600")),
    Case("semicolon", _control("public; max-age=600")),
    Case("no-seconds", _control("max-age")),
    Case("empty-control", _control("")),
    Case("huge", _control("max-age=99999999999")),
    Case("two-max-ages", _control("max-age=2, max-age=600")),
    Case("two-lines", (("Cache-Control", "public"), ("Cache-Control", "max-age=600"))),
    Case("two-lines-private", (("Cache-Control", "max-age=600"), ("Cache-Control", "private"))),
    Case("extension-with-no-cache-in-it", _control("max-age=600, x-no-cache-here")),
    Case("stale-while-revalidate", _control("max-age=2, stale-while-revalidate=60")),
    Case("stale-if-error", _control("max-age=2, stale-if-error=60")),
    Case("expires-600", (("Expires", "{now+600}"),)),
    Case("expires-2", (("Expires", "{now+2}"),)),
    Case("expires-past", (("Expires", "{now-600}"),)),
    Case("expires-0", (("Expires", "0"),)),
    Case("expires-rubbish", (("Expires", "tomorrow"),)),
    Case("expires-rfc850", (("Expires", "{850+600}"),)),
    Case("expires-lower-case", (("Expires", "{lower+600}"),)),
    Case("expires-past-max-age-600", (("Expires", "{now-600}"), *_LONG)),
    Case("max-age-600-expires-past", (*_LONG, ("Expires", "{now-600}"))),
    Case("expires-600-max-age-0", (("Expires", "{now+600}"), *_control("max-age=0"))),
    Case("expires-600-max-age-2", (("Expires", "{now+600}"), *_BRIEF)),
    Case("expires-600-no-cache", (("Expires", "{now+600}"), *_control("no-cache"))),
    Case("expires-by-slow-clock", (("Expires", "{date+600}"),), date=-3600),
    Case("expires-by-fast-clock", (("Expires", "{date+2}"),), date=3600),
    Case("expires-without-date", (("Expires", "{now+600}"),), date=None),
    Case("max-age-600-without-date", _LONG, date=None),
    Case("max-age-600-slow-clock", _LONG, date=-3600),
    Case("pragma-no-cache", (("Pragma", "no-cache"),)),
    Case("pragma-no-cache-max-age-600", (("Pragma", "no-cache"), *_LONG)),
    Case("age-598", (("Age", "598"), *_LONG)),
    Case("age-600", (("Age", "600"), *_LONG)),
    Case("age-rubbish", (("Age", "old"), *_LONG)),
    Case("set-cookie", (("Set-Cookie", "a=1; Path=/"),)),
    Case("set-cookie-max-age-600", (("Set-Cookie", "a=1; Path=/"), *_LONG)),
    Case("set-cookie-public", (("Set-Cookie", "a=1; Path=/"), *_control("public, max-age=600"))),
    Case("set-cookie-accel", (("Set-Cookie", "a=1; Path=/"), ("X-Accel-Expires", "600"))),
    Case("vary-star", (("Vary", "*"), *_LONG)),
    Case("vary-star-in-list", (("Vary", "Accept, *"), *_LONG)),
    Case("vary-star-first", (("Vary", "*, Accept"), *_LONG)),
    Case("vary-cookie", (("Vary", "Cookie"), *_LONG)),
    Case("vary-variant", (("Vary", "X-Variant"), *_LONG)),
    Case("vary-variant-lower-case", (("Vary", "accept, x-variant"), *_LONG)),
    Case("vary-two-lines", (("Vary", "Accept"), ("Vary", "X-Variant"), *_LONG)),
    Case("vary-authorization", (("Vary", "Authorization"), *_LONG)),
    Case("vary-too-long", (("Vary", ", ".join(f"X-Header-{number}" for number in range(12))), *_LONG)),
    Case("accel-600", (("X-Accel-Expires", "600"),)),
    Case("accel-2", (("X-Accel-Expires", "2"),)),
    Case("accel-0-max-age-600", (("X-Accel-Expires", "0"), *_LONG)),
    Case("max-age-600-accel-0", (*_LONG, ("X-Accel-Expires", "0"))),
    Case("accel-600-max-age-2", (("X-Accel-Expires", "600"), *_BRIEF)),
    Case("max-age-2-accel-600", (*_BRIEF, ("X-Accel-Expires", "600"))),
    Case("accel-600-no-cache", (("X-Accel-Expires", "600"), *_control("no-cache"))),
    Case("no-cache-accel-600", (*_control("no-cache"), ("X-Accel-Expires", "600"))),
    Case("accel-negative", (("X-Accel-Expires", "-1"), *_LONG)),
    Case("surrogate-no-store", (("Surrogate-Control", "no-store"), *_LONG)),
    Case("surrogate-max-age-no-cache", (("Surrogate-Control", "max-age=600"), *_control("no-cache"))),
    Case("cdn-control-alone", (("CDN-Cache-Control", "max-age=600"),)),
    Case("cdn-control-no-store", (("CDN-Cache-Control", "no-store"), *_LONG)),
    Case("authorised-public", _control("public, max-age=600")),
    Case("authorised-s-maxage", _control("s-maxage=600")),
    Case("authorised-must-revalidate", _control("max-age=600, must-revalidate")),
    *(Case(f"status-{status}", (), status) for status in (203, 301, 302, 404, 405, 410, 500, 501, 503)),
    *(
        Case(f"status-{status}-max-age-600", _LONG, status)
        for status in (203, 206, 300, 301, 302, 303, 307, 308, 403, 404, 405, 410, 414, 418, 500, 501, 503)
    ),
    Case("status-404-expires-600", (("Expires", "{now+600}"),), 404),
    Case("status-302-expires-600", (("Expires", "{now+600}"),), 302),
    Case("status-200-must-understand-418", _control("no-store, must-understand"), 418),
)

_DATE = re.compile(r"\{(now|date|850|lower)([+-][0-9]+)\}")


def filled(case: Case, now: float) -> Headers:
    """The headers as the origin sends them at an instant, Date included."""
    date = None if case.date is None else int(now) + case.date

    def instant(match: re.Match[str]) -> str:
        base = date if match[1] == "date" and date is not None else int(now)
        text = email.utils.formatdate(base + int(match[2]), usegmt=True)
        if match[1] == "850":
            return _rfc850(text)
        return text.lower() if match[1] == "lower" else text

    headers = tuple((name, _DATE.sub(instant, value)) for name, value in case.headers)
    return headers if date is None else (*headers, ("Date", email.utils.formatdate(date, usegmt=True)))


def _rfc850(text: str) -> str:
    _, day, month, year, clock, zone = text.replace(",", "").split()
    weekdays = {"Mon": "Monday", "Tue": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday"}
    weekdays |= {"Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday"}
    return f"{weekdays[text[:3]]}, {day}-{month}-{year[2:]} {clock} {zone}"
