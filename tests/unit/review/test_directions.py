"""Directions between effective values: each one both ways, and where neither is stricter."""

from __future__ import annotations

from typing import Any

import pytest

from review import directions, joint
from review.directions import Direction

YEAR = {"max_age": 31_536_000, "include_subdomains": False}
WIDE_YEAR = {"max_age": 31_536_000, "include_subdomains": True}
DAY = {"max_age": 86_400, "include_subdomains": False}
WIDE_DAY = {"max_age": 86_400, "include_subdomains": True}
OFF = {"max_age": 0, "include_subdomains": False}

HSTS, XFO, REFERRER = "strict-transport-security", "x-frame-options", "referrer-policy"
COOP, COEP, CORP = (f"cross-origin-{part}-policy" for part in ("opener", "embedder", "resource"))
FEATURES, CACHE, KEYED = "permissions-policy", "cache-control", "origin-agent-cluster"

STRICTER: list[tuple[str, Any, Any]] = [
    (HSTS, None, DAY),
    (HSTS, DAY, YEAR),
    (HSTS, YEAR, WIDE_YEAR),
    (HSTS, DAY, WIDE_YEAR),
    (HSTS, OFF, None),  # max-age=0 takes back what is remembered; nothing leaves it
    (XFO, None, "sameorigin"),
    (XFO, "sameorigin", "deny"),
    ("x-content-type-options", None, "nosniff"),
    (REFERRER, "unsafe-url", "no-referrer-when-downgrade"),
    (REFERRER, "origin-when-cross-origin", "strict-origin-when-cross-origin"),
    (REFERRER, "strict-origin-when-cross-origin", "same-origin"),
    (REFERRER, "strict-origin", "no-referrer"),
    (REFERRER, None, "strict-origin"),
    (COOP, None, "same-origin-allow-popups"),
    (COOP, "same-origin-allow-popups", "same-origin"),
    (COOP, "same-origin-allow-popups", "noopener-allow-popups"),
    (COEP, "unsafe-none", "credentialless"),
    (COEP, "credentialless", "require-corp"),
    (CORP, None, "same-site"),
    (CORP, "same-site", "same-origin"),
    (CORP, "cross-origin", None),  # a page with COEP may embed the first alone
    (KEYED, None, True),
    (KEYED, False, None),
    (FEATURES, None, {"camera": []}),
    (FEATURES, {"camera": ["*"]}, {"camera": ["self"]}),
    (FEATURES, {"camera": ["self", "https://a.example"]}, {"camera": ["self"]}),
    (FEATURES, {"camera": []}, {"camera": [], "geolocation": ["self"]}),
    (CACHE, {"max-age": 60}, {"no-store": True}),
    (CACHE, {"max-age": 60}, {"max-age": 60, "private": True}),
    (CACHE, {"max-age": 60}, {"max-age": 59}),
    (CACHE, {"max-age": 60}, {"no-cache": True}),
    (CACHE, {"max-age": 60, "s-maxage": 600}, {"max-age": 60}),
    (CACHE, None, {"max-age": 60}),
    ("integrity-policy", None, {"blocked_destinations": ["script"], "sources": ["inline"], "endpoints": []}),
    ("clear-site-data", ["cache"], ["cache", "cookies"]),
    ("clear-site-data", ["cache", "cookies"], ["*"]),
    ("access-control-allow-methods", "GET, PUT", "get"),
    ("access-control-allow-headers", "*", "X-A"),
]
EQUAL: list[tuple[str, Any, Any]] = [
    (HSTS, YEAR, dict(YEAR)),
    (REFERRER, None, "strict-origin-when-cross-origin"),
    (COOP, None, "unsafe-none"),
    (COEP, "unsafe-none", None),
    (FEATURES, None, {"camera": ["*"]}),
    (CACHE, {"no-store": True}, {"no-store": True, "max-age": 60, "private": True}),
    (CACHE, {"no-cache": True, "max-age": 5}, {"no-cache": True}),
    (CACHE, {"max-age": 60, "private": ["set-cookie"]}, {"max-age": 60}),
    ("clear-site-data", ["cache", "cookies"], ["cookies", "cache"]),
    ("access-control-allow-methods", "GET,PUT", "PUT , get"),
    ("document-policy", {"a": 1}, {"a": 1}),
]
INCOMPARABLE: list[tuple[str, Any, Any]] = [
    (HSTS, YEAR, WIDE_DAY),
    (REFERRER, "origin", "same-origin"),
    (REFERRER, "strict-origin", "same-origin"),
    (COOP, "noopener-allow-popups", "same-origin"),
    (FEATURES, {"camera": []}, {"geolocation": []}),
    (FEATURES, {"camera": ["https://a.example"]}, {"camera": ["https://b.example"]}),
    (CACHE, {"private": True, "max-age": 600}, {"max-age": 60}),
    (CACHE, {"max-age": 60}, {"max-age": 60, "immutable": True}),
    ("access-control-allow-methods", "GET", "PUT"),
    ("document-policy", {"a": 1}, {"a": 2}),
    ("reporting-endpoints", {"a": "https://x/"}, {"a": "https://y/"}),
    (XFO, "deny", {"of": "another shape"}),
]


def way(header: str, old: Any, new: Any) -> Direction:
    if header in directions.COMPARE_LISTS:
        return directions.COMPARE_LISTS[header](old, new).direction
    return directions.compare(header, old, new).direction


@pytest.mark.parametrize(("header", "old", "new"), STRICTER)
def test_a_stricter_value_is_stricter_and_the_way_back_is_looser(header: str, old: Any, new: Any) -> None:
    assert way(header, old, new) is Direction.STRICTER
    assert way(header, new, old) is Direction.LOOSER


@pytest.mark.parametrize(("header", "old", "new"), EQUAL)
def test_values_with_one_effect_are_equal_both_ways(header: str, old: Any, new: Any) -> None:
    assert way(header, old, new) is way(header, new, old) is Direction.EQUAL


@pytest.mark.parametrize(("header", "old", "new"), INCOMPARABLE)
def test_what_gives_and_takes_is_incomparable_both_ways(header: str, old: Any, new: Any) -> None:
    assert way(header, old, new) is way(header, new, old) is Direction.INCOMPARABLE


SID = {"name": "sid", "secure": True, "http_only": True, "same_site": "lax", "path": "/", "domain": None,
       "partitioned": False, "persistent": False, "accepted": True, "rejected_because": None}  # fmt: skip


@pytest.mark.parametrize(
    "weaker",
    [{"secure": False}, {"http_only": False}, {"same_site": "default"}, {"same_site": "none"}, {"persistent": True},
     {"domain": "example.org"}],
)  # fmt: skip
def test_a_cookie_that_loses_an_attribute_is_looser_and_one_that_gains_it_stricter(
    weaker: dict[str, Any],
) -> None:
    assert directions.cookies([SID], [SID | weaker]).direction is Direction.LOOSER
    assert directions.cookies([SID | weaker], [SID]).direction is Direction.STRICTER


def test_a_cookie_that_gains_one_attribute_and_loses_another_is_incomparable() -> None:
    found = directions.cookies([SID | {"secure": False}], [SID | {"same_site": "none"}])
    assert found.direction is Direction.INCOMPARABLE
    assert found.text == "sid Secure stricter, sid SameSite looser"


def test_a_cookie_that_comes_or_goes_is_incomparable_and_named() -> None:
    assert directions.cookies([SID], []).text == "sid no longer set incomparable"
    assert directions.cookies(None, [SID]).direction is Direction.INCOMPARABLE


def test_cookies_that_browsers_refuse_do_not_count() -> None:
    refused = SID | {"secure": False, "accepted": False}
    assert directions.cookies([refused], []).direction is Direction.EQUAL


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("*", None), (None, None)),
        (("*", None), ("https://a.example", None)),
        (("null", None), ("https://a.example", None)),
        (("https://a.example", True), ("https://a.example", None)),
        (("https://a.example", None), (None, None)),
    ],
)
def test_fewer_who_may_read_is_stricter(old: tuple[Any, Any], new: tuple[Any, Any]) -> None:
    assert joint.access(old, new).direction is Direction.STRICTER
    assert joint.access(new, old).direction is Direction.LOOSER


def ancestors(*sources: str) -> dict[str, Any]:
    return {"policies": [{"directives": {"frame-ancestors": list(sources)}}]}


@pytest.mark.parametrize(
    ("old", "new", "way"),
    [
        (("deny", None), (None, ancestors("'none'")), Direction.EQUAL),
        (("sameorigin", None), (None, ancestors("'self'")), Direction.EQUAL),
        (("deny", None), ("deny", ancestors("*")), Direction.LOOSER),
        (("sameorigin", None), (None, ancestors("'self'", "https://a.example")), Direction.LOOSER),
        (("sameorigin", None), (None, ancestors("'none'")), Direction.STRICTER),
        ((None, None), (None, ancestors("https://a.example")), Direction.STRICTER),
        (("deny", ancestors("'self'")), (None, ancestors("'self'")), Direction.EQUAL),
        (("deny", ancestors("https:")), ("deny", None), Direction.STRICTER),
        (("deny", ancestors()), ("deny", None), Direction.EQUAL),
    ],
)
def test_where_frame_ancestors_is_enforced_it_decides_who_may_frame(
    old: Any, new: Any, way: Direction
) -> None:
    opposite = {Direction.STRICTER: Direction.LOOSER, Direction.LOOSER: Direction.STRICTER}
    assert joint.framing(old, new).direction is way
    assert joint.framing(new, old).direction is opposite.get(way, way)


def test_credentials_beside_a_star_change_nothing() -> None:
    assert joint.access(("*", None), ("*", True)).direction is Direction.EQUAL


@pytest.mark.parametrize(
    ("old", "new"),
    [(("https://a.example", None), ("https://b.example", None)), (("https://a.example", True), ("*", None))],
)
def test_other_readers_are_incomparable(old: tuple[Any, Any], new: tuple[Any, Any]) -> None:
    assert joint.access(old, new).direction is Direction.INCOMPARABLE
    assert joint.access(new, old).direction is Direction.INCOMPARABLE


def test_the_words_name_the_parts_that_moved() -> None:
    found = directions.compare(FEATURES, {"camera": []}, {"camera": ["self"], "geolocation": []})
    assert found.text == "camera looser, geolocation stricter"


def test_of_very_many_parts_the_first_are_named_and_the_others_counted() -> None:
    many: dict[str, list[str]] = {f"feature{number:03}": [] for number in range(100)}
    found = directions.compare(FEATURES, None, many)
    assert found.text.startswith("feature000 stricter, feature001 stricter")
    assert found.text.endswith("and 88 more")
