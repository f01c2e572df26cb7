"""Dates of cookies (RFC 6265bis, 5.1.1): any order, many forms, and what is none."""

from __future__ import annotations

import pytest

from review import cookie_dates

MIDNIGHT = 1_893_456_000
"""1 January 2030."""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Tue, 01 Jan 2030 00:00:00 GMT", MIDNIGHT),
        ("Tuesday, 01-Jan-30 00:00:00 GMT", MIDNIGHT),
        ("Tue Jan  1 00:00:00 2030", MIDNIGHT),
        ("Tue Jan 01 2030 00:00:00 GMT+0100 (CET)", MIDNIGHT),
        ("2030 JANUARY 1 0:0:0", MIDNIGHT),
        ("1 january 2030 0:0:0", MIDNIGHT),
        ("00:00:00 01 2030 janx", MIDNIGHT),
        ("01 Jan 2030 00:00:00.000", MIDNIGHT),
        ("01 Jan 69 00:00:00", 3_124_224_000),
        ("01 Jan 70 00:00:00", 0),
        ("Thu, 01-Jan-1970 00:00:01 GMT", 1),
        ("01 Jan 1600 00:00:00", -11_676_096_000),  # seen in Chromium and Firefox: long past
        ("01 Jan 1601 00:00:00", -11_644_473_600),
        ("32 Jan 2030 00:00:00", None),
        ("30 Feb 2030 00:00:00", None),
        ("01 Jan 2030 24:00:00", None),
        ("01 Jan 2030 00:60:00", None),
        ("01 Jan 2030 00:00", None),
        ("01 Jan 00:00:00", None),
        ("01 01 2030 00:00:00", None),
        ("2030-01-01T00:00:00Z", None),
        ("soon", None),
        ("0", None),
        ("", None),
        ("\xff" * 5000, None),
    ],
)
def test_dates_are_read_as_browsers_do(text: str, seconds: int | None) -> None:
    assert cookie_dates.instant(text) == seconds
