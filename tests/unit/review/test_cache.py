"""Caching: what the directives are to caches (RFC 9111, RFC 9213), and whether a shared cache may keep a session."""

from __future__ import annotations

import pytest

from review import caching
from review.caching import Sharing
from review.checks import cache as check
from review.finding import Severity
from tests.unit.review._cases import HTML, IMAGE, Case, verify

NAME = "cache-control"
SESSION = "Set-Cookie: PHPSESSID=1; Path=/; Secure; HttpOnly; SameSite=Lax"
THEME = "Set-Cookie: theme=1; Path=/; Secure; HttpOnly; SameSite=Lax"
DATE = "Date: Tue, 01 Jan 2030 00:00:00 GMT"

PERSONAL, COOKIE, CONFLICT = "cache.personal_shared", "cache.cookie_cacheable", "cache.conflicting"
IGNORED, PRAGMA, CDN = "cache.ignored_directive", "cache.pragma_only", "cache.cdn_ignored"


def cc(value: str) -> str:
    return f"Cache-Control: {value}"


CASES = (
    Case("nothing", (HTML,)),
    Case("no-store", (HTML, cc("no-store")), effective={NAME: {"no-store": True}}),
    Case("in capitals", (HTML, cc("MAX-AGE=60, Public")), effective={NAME: {"max-age": 60, "public": True}}),
    Case(
        "quoted seconds",
        (HTML, cc('max-age="60"')),
        effective={NAME: {"max-age": 60}},
        source="RFC 9111, 5.2",
    ),
    Case(
        "two lines", (HTML, cc("private"), cc("max-age=1")), effective={NAME: {"private": True, "max-age": 1}}
    ),
    Case("empty parts", (HTML, cc(", ,private,")), effective={NAME: {"private": True}}),
    Case("spaces around the equals sign", (HTML, cc("max-age = 60")), effective={NAME: {"max-age": 60}}),
    Case(
        "names of fields",
        (HTML, cc('private="Set-Cookie, X"')),
        effective={NAME: {"private": ["set-cookie", "x"]}},
    ),
    Case("an extension", (HTML, cc('community="UCI", x')), effective={NAME: {"community": "UCI", "x": True}}),
    Case(
        "more seconds than there are", (HTML, cc(f"max-age={'9' * 99}")), effective={NAME: {"max-age": 2**31}}
    ),
    Case("empty", (HTML, cc("")), effective={NAME: None}),
    Case("seconds that are none", (HTML, cc("max-age=abc")), {IGNORED}, {NAME: None}),
    Case("negative seconds", (HTML, cc("max-age=-1")), {IGNORED}, {NAME: None}),
    Case("half seconds", (HTML, cc("max-age=1.5, private")), {IGNORED}, {NAME: {"private": True}}),
    Case("seconds missing", (HTML, cc("max-age")), {IGNORED}, {NAME: None}),
    Case("semicolons", (HTML, cc("private; max-age=0")), {IGNORED}, {NAME: None}),
    Case("a lost hyphen", (HTML, cc("nostore")), {IGNORED}, {NAME: {"nostore": True}}),
    Case("an underscore", (HTML, cc("no_cache")), {IGNORED}),
    Case("of requests", (HTML, cc("only-if-cached")), {IGNORED}),
    Case("of Internet Explorer", (HTML, cc("no-store, pre-check=0, post-check=0"))),
    Case("an unclosed quote", (HTML, cc('private="x')), effective={NAME: {"private": ['"x']}}),
    Case("garbage", (HTML, cc("\xff\x01,=,;;")), {IGNORED}, {NAME: None}),
    Case("public and private", (HTML, cc("public, private")), {CONFLICT}),
    Case("public and no-store", (HTML, cc("public, no-store")), {CONFLICT}),
    Case("no-store and a time", (HTML, cc("no-store, max-age=60")), {CONFLICT}),
    Case("no-store and no time", (HTML, cc("no-store, no-cache, must-revalidate, max-age=0"))),
    Case("private and s-maxage", (HTML, cc("private, s-maxage=60")), {CONFLICT}),
    Case("private and max-age", (HTML, cc("private, max-age=60"))),
    Case("twice the same", (HTML, cc("max-age=60"), cc("max-age=60"))),
    Case(
        "twice not the same", (HTML, cc("max-age=60"), cc("max-age=0")), {CONFLICT}, {NAME: {"max-age": 60}}
    ),
    Case("pragma alone", (HTML, "Pragma: no-cache"), {PRAGMA}),
    Case("pragma in capitals", (HTML, "Pragma: No-Cache"), {PRAGMA}),
    Case("another pragma", (HTML, "Pragma: public")),
    Case("pragma beside", (HTML, "Pragma: no-cache", cc("no-cache"))),
    Case("a CDN's", (HTML, "CDN-Cache-Control: max-age=60")),
    Case("a CDN's, unreadable", (HTML, "CDN-Cache-Control: max-age=60;; no"), {CDN}),
    Case(
        "a CDN's, in capitals",
        (HTML, "CDN-Cache-Control: No-Store"),
        {CDN},
        source="RFC 9651: keys are small",
    ),
    Case("a session, shared", (HTML, SESSION, cc("public, max-age=60")), {PERSONAL}),
    Case(
        "a session, shared by a CDN",
        (HTML, SESSION, cc("no-store"), "CDN-Cache-Control: max-age=60"),
        {PERSONAL},
    ),
    Case("a session, kept from a CDN", (HTML, SESSION, cc("private"), "CDN-Cache-Control: no-store")),
    Case("a session, s-maxage", (HTML, SESSION, cc("s-maxage=60")), {PERSONAL}),
    Case("a session, no s-maxage", (HTML, SESSION, cc("max-age=60, s-maxage=0"))),
    Case("a session, nothing said", (HTML, SESSION), {PERSONAL}),
    Case("a session, no-store", (HTML, SESSION, cc("no-store"))),
    Case("a session, private", (HTML, SESSION, cc("private, max-age=60"))),
    Case("a session, no-cache", (HTML, SESSION, cc("no-cache"))),
    Case("a session, kept out of the cache", (HTML, SESSION, cc('max-age=60, no-cache="Set-Cookie"'))),
    Case("a session, another field kept out", (HTML, SESSION, cc('max-age=60, private="X"')), {PERSONAL}),
    Case("a session with a picture", (IMAGE, SESSION, cc("max-age=60")), {PERSONAL}),
    Case(
        "a session with a redirect",
        ("Location: /", SESSION),
        status=302,
        source="RFC 9110, 15.1: not by itself",
    ),
    Case("a session with a redirect for good", ("Location: /", SESSION), {PERSONAL}, status=301),
    Case("a session taken away", (HTML, "Set-Cookie: PHPSESSID=; Max-Age=0", cc("max-age=60"))),
    Case("a session that browsers refuse", (HTML, "Set-Cookie: __Host-sid=1", cc("max-age=60"))),
    Case("no session, shared", (HTML, THEME, cc("max-age=60")), {COOKIE}),
    Case("no session, nothing said", (HTML, THEME)),
    Case("no session, no-cache", (HTML, THEME, cc("no-cache"))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_cache(case: Case) -> None:
    verify(check, case)


@pytest.mark.parametrize(
    ("lines", "status", "sharing"),
    [
        ((), 200, Sharing.GUESSING),
        ((), 302, Sharing.NEVER),
        ((), 308, Sharing.GUESSING),
        ((), 206, Sharing.NEVER),
        ((cc("max-age=60"),), 302, Sharing.FRESH),
        ((cc("public"),), 302, Sharing.GUESSING),
        ((cc("max-age=0"),), 200, Sharing.ASKING),
        ((cc("max-age=0, s-maxage=1"),), 200, Sharing.FRESH),
        ((cc("must-revalidate"),), 302, Sharing.NEVER),
        ((cc("max-age=60"), "Vary: *"), 200, Sharing.NEVER),
        ((cc("max-age=60"), "Vary: Cookie"), 200, Sharing.FRESH),
        ((DATE, "Expires: Tue, 01 Jan 2030 00:01:00 GMT"), 302, Sharing.FRESH),
        ((DATE, "Expires: Tue, 01 Jan 2030 00:00:00 GMT"), 302, Sharing.ASKING),
        ((cc("no-store, must-understand, max-age=60"),), 200, Sharing.FRESH),
        ((DATE, "Expires: 0"), 302, Sharing.ASKING),
        (("Expires: Tue, 01 Jan 2030 00:01:00 GMT",), 200, Sharing.ASKING),
        (("Expires: <expires:future>",), 200, Sharing.FRESH),
        (("Expires: <expires:past>",), 200, Sharing.ASKING),
        ((cc("max-age=0"), DATE, "Expires: Tue, 01 Jan 2030 00:01:00 GMT"), 200, Sharing.ASKING),
        (("CDN-Cache-Control: no-store",), 200, Sharing.GUESSING),
        ((cc("no-store"), "CDN-Cache-Control: x;;"), 200, Sharing.NEVER),
    ],
)
def test_what_a_shared_cache_may_do(lines: tuple[str, ...], status: int, sharing: Sharing) -> None:
    received = Case("", lines, status=status).received()
    assert caching.sharing(received) is sharing
    assert caching.storable_by_shared_cache(received) is (sharing is not Sharing.NEVER)


@pytest.mark.parametrize(
    ("value", "storable"),
    [
        ("max-age=60", False),
        ("public, max-age=60", True),
        ("s-maxage=60", True),
        ("must-revalidate, max-age=60", True),
        ("must-revalidate, private", False),
    ],
)
def test_an_answer_to_somebody_who_is_logged_in_is_shared_only_on_request(value: str, storable: bool) -> None:
    received = Case("", (HTML, cc(value))).received()  # RFC 9111, 3.5
    assert caching.storable_by_shared_cache(received, authorized=True) is storable


def test_a_stated_time_weighs_more_than_a_guess() -> None:
    (stated,) = check.check(Case("", (HTML, SESSION, cc("max-age=60"))).received())
    (guessed,) = check.check(Case("", (HTML, SESSION)).received())
    assert (stated.severity, guessed.severity) == (Severity.HIGH, Severity.MEDIUM)
