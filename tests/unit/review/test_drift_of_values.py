"""Drift from header lines as servers send them: what browsers make of both decides, not how they are written."""

from __future__ import annotations

import pytest

from review import drift, table
from review import received as reading
from review.directions import Direction

HSTS, CSP, XFO = "Strict-Transport-Security", "Content-Security-Policy", "X-Frame-Options"
REFERRER, FEATURES, CACHE = "Referrer-Policy", "Permissions-Policy", "Cache-Control"
COOP, COEP, CORP = (f"Cross-Origin-{part}-Policy" for part in ("Opener", "Embedder", "Resource"))
ORIGIN = "Access-Control-Allow-Origin"

STRICTER = [
    (HSTS, None, "max-age=1"),
    (HSTS, "max-age=300", "max-age=31536000"),
    (HSTS, "max-age=300", "max-age=300; includeSubDomains"),
    (HSTS, "max-age=abc", "max-age=300"),
    (CSP, None, "default-src 'self'"),
    (CSP, "default-src *", "default-src 'self'"),
    (CSP, "script-src 'self' 'unsafe-inline'", "script-src 'self'"),
    (CSP, "default-src 'self'", "default-src 'self'; object-src 'none'"),
    (XFO, "SAMEORIGIN", "DENY"),
    (XFO, "ALLOW-FROM https://a.example", "sameorigin"),
    (REFERRER, "unsafe-url", "no-referrer"),
    (REFERRER, None, "no-referrer"),
    (FEATURES, None, "camera=()"),
    (FEATURES, "camera=*", "camera=(self)"),
    (COOP, "same-origin-allow-popups", "same-origin"),
    (COEP, None, "require-corp"),
    (CORP, "cross-origin", "same-site"),
    (CORP, "SAME-ORIGIN", "same-origin"),  # case matters
    ("Set-Cookie", "sid=x; Path=/", "sid=x; Path=/; Secure"),
    ("Set-Cookie", "sid=x; Path=/; SameSite=Lax", "sid=x; Path=/; SameSite=Strict"),
    ("Set-Cookie", "sid=x; Path=/; Secure", "sid=x; Path=/; Secure; HttpOnly"),
    (ORIGIN, "*", "https://a.example"),
    (ORIGIN, "*", None),
    (CACHE, "max-age=60", "no-store"),
    (CACHE, "public, max-age=60", "private, max-age=60"),
    (CACHE, "max-age=600", "max-age=60"),
    ("Access-Control-Allow-Methods", "GET, DELETE", "GET"),
    ("Origin-Agent-Cluster", None, "?1"),
    ("Clear-Site-Data", '"cache"', '"cache", "cookies"'),
    ("Integrity-Policy", None, "blocked-destinations=(script)"),
]
EQUAL = [
    (HSTS, "max-age=300", 'MAX-AGE="300" ;'),
    (CSP, "default-src 'self'", "default-src 'SELF' ;"),
    (CSP, "img-src 'self'; font-src 'none'", "font-src 'none'; img-src 'self'"),
    (XFO, "DENY", "deny"),
    (REFERRER, "no-referrer", "nonsense, no-referrer"),
    (FEATURES, "camera=()", "camera=( )"),
    (COOP, "same-origin", 'same-origin; report-to="x"'),
    (CACHE, "no-store", "no-store, max-age=0"),
    (CORP, "SAME-ORIGIN", None),
]
INCOMPARABLE = [
    (HSTS, "max-age=300", "max-age=200; includeSubDomains"),
    (CSP, "img-src https://a.example", "img-src https://b.example"),
    (REFERRER, "origin", "same-origin"),
    (FEATURES, "camera=()", "geolocation=()"),
    (ORIGIN, "https://a.example", "https://b.example"),
    (CACHE, "private, max-age=600", "max-age=60"),
    ("Server", "nginx/1.28", "nginx"),
    ("Set-Cookie", "sid=x; Path=/", "other=x; Path=/"),
]


def way(header: str, old: str | None, new: str | None) -> Direction:
    if header.lower() in ({item.lower() for item in (HSTS, CSP, XFO, REFERRER, FEATURES, CACHE, COOP, COEP, CORP, ORIGIN)}
                          | {"set-cookie", "origin-agent-cluster", "clear-site-data", "integrity-policy"}) and (
        header.lower() not in table.EFFECTIVE
    ):  # fmt: skip
        pytest.skip(f"nobody reads {header} yet")
    lines = [[(header, value)] if value is not None else [] for value in (old, new)]
    before, after = (
        reading.received([("Content-Type", "text/html"), *line], host="site.example") for line in lines
    )
    (change,) = [one for one in drift.changes(before, after) if one.header == header.lower()]
    return change.direction


@pytest.mark.parametrize(("header", "old", "new"), STRICTER)
def test_a_value_that_allows_less_is_stricter_and_the_way_back_looser(
    header: str, old: str | None, new: str | None
) -> None:
    assert way(header, old, new) is Direction.STRICTER
    assert way(header, new, old) is Direction.LOOSER


@pytest.mark.parametrize(("header", "old", "new"), EQUAL)
def test_another_way_to_write_it_is_equal_in_effect(header: str, old: str | None, new: str | None) -> None:
    assert way(header, old, new) is way(header, new, old) is Direction.EQUAL


@pytest.mark.parametrize(("header", "old", "new"), INCOMPARABLE)
def test_what_allows_more_here_and_less_there_is_incomparable(
    header: str, old: str | None, new: str | None
) -> None:
    assert way(header, old, new) is way(header, new, old) is Direction.INCOMPARABLE


@pytest.mark.skipif(not {CSP.lower(), XFO.lower()} <= set(table.EFFECTIVE), reason="nobody reads them yet")
def test_a_frame_option_that_makes_room_for_frame_ancestors_was_no_loss() -> None:
    lines = ((XFO, "DENY"), (CSP, "frame-ancestors 'none'"))
    old, new = (reading.received([("Content-Type", "text/html"), line]) for line in lines)
    ways = {change.header: change.direction for change in drift.changes(old, new)}
    assert ways == {XFO.lower(): Direction.EQUAL, CSP.lower(): Direction.STRICTER}
