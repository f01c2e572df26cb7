"""Set-Cookie: what browsers refuse and keep (RFC 6265bis, 5.6 and 5.7), and what leaves sessions open."""

from __future__ import annotations

from typing import Any

import pytest

from review import cookies
from review.checks import set_cookie as check
from review.finding import Severity
from tests.unit.review._cases import HTML, Case, verify

NAME = "set-cookie"
SAFE = "Path=/; Secure; HttpOnly; SameSite=Lax"

REJECTED, BROKEN = "cookie.rejected", "cookie.prefix_broken"
INSECURE, READABLE, NO_PREFIX = "cookie.insecure", "cookie.session_readable", "cookie.no_prefix"
MISSING, UNKNOWN, CROSS = "cookie.samesite_missing", "cookie.samesite_unknown", "cookie.session_cross_site"
WIDE, LONG, NONE = "cookie.wide_domain", "cookie.long_lived_session", "cookie.samesite_none_insecure"
MISTYPED = "cookie.mistyped_attribute"
_INVALID = "web-platform-tests, cookies/attributes/invalid"
OVER_HTTP, CSRF, FOLDED = "cookie.session_over_http", "cookie.csrf_readable", "cookie.folded"


SEEN = "tests/data/browser: Chromium and Firefox"


def a(line: str) -> tuple[str, str]:
    return HTML, f"Set-Cookie: {line}"


def of(line: str, **also: Any) -> cookies.Cookie:
    return cookies.cookie(line, **also)


CASES = (
    Case("nothing", (HTML,)),
    Case(
        "as it should be",
        a(f"__Host-session=1; {SAFE}"),
        effective={
            NAME: [
                {
                    "name": "__Host-session",
                    "secure": True,
                    "http_only": True,
                    "same_site": "lax",
                    "path": "/",
                    "domain": None,
                    "partitioned": False,
                    "persistent": False,
                    "accepted": True,
                    "rejected_because": None,
                }
            ]
        },
    ),
    Case("no session, safe", a(f"theme=dark; {SAFE}")),
    Case("attributes in capitals", a("theme=dark; PATH=/; SECURE; HTTPONLY; SAMESITE=STRICT")),
    Case("a kept snapshot", a("theme=<masked>; path=/; secure; httponly; samesite=lax")),
    Case("a canonical text", a("PHPSESSID=<cookie>; httponly; path=/; samesite=lax; secure"), {NO_PREFIX}),
    Case("not secure", a("theme=dark; SameSite=Lax"), {INSECURE}),
    Case("not secure over http", a("theme=dark; SameSite=Lax"), scheme="http"),
    Case("a session over http", a("sid=1; HttpOnly; SameSite=Lax"), {OVER_HTTP}, scheme="http"),
    Case("a session that scripts read", a("__Host-sid=1; Path=/; Secure; SameSite=Lax"), {READABLE}),
    Case("what scripts may read", a("theme=1; Path=/; Secure; SameSite=Lax")),
    Case("a session without anything", a("sessionid=1"), {INSECURE, READABLE, NO_PREFIX, MISSING}),
    Case("a session without a prefix", a(f"JSESSIONID=1; {SAFE}"), {NO_PREFIX}),
    Case("a session with the lesser prefix", a(f"__Secure-sid=1; {SAFE}")),
    Case("no SameSite", a("theme=dark; Secure"), {MISSING}),
    Case("an empty SameSite", a("theme=dark; Secure; SameSite="), {MISSING}),
    Case("an unknown SameSite", a("theme=dark; Secure; SameSite=Laxx"), {UNKNOWN}),
    Case("the last SameSite counts", a("theme=dark; Secure; SameSite=Laxx; SameSite=Lax")),
    Case("the last SameSite counts, unknown", a("theme=dark; Secure; SameSite=Lax; SameSite=x"), {UNKNOWN}),
    Case("None with Secure", a("theme=dark; Secure; SameSite=None")),
    Case("None without Secure", a("theme=dark; SameSite=None"), {NONE}, source="6265bis 5.7, step 18"),
    Case("a session for every site", a("__Host-sid=1; Path=/; Secure; HttpOnly; SameSite=None"), {CROSS}),
    Case("Host without Path", a("__Host-sid=1; Secure; HttpOnly; SameSite=Lax"), {BROKEN}),
    Case("Host with another Path", a("__Host-sid=1; Path=/a; Secure; HttpOnly; SameSite=Lax"), {BROKEN}),
    Case("Host with a Domain", a(f"__Host-sid=1; Domain=site.example; {SAFE}"), {BROKEN}),
    Case("Host with an empty Domain", a(f"__Host-sid=1; Domain=; {SAFE}"), source="5.7: no Domain then"),
    Case("host in small letters", a("__host-sid=1; Secure; HttpOnly; SameSite=Lax"), {BROKEN}, source="5.4"),
    Case("Secure- without Secure", a("__Secure-sid=1; HttpOnly; SameSite=Lax"), {BROKEN}),
    Case("Secure- in odd case", a("__SECURE-sid=1; HttpOnly; SameSite=Lax"), {BROKEN}),
    Case("Http- without HttpOnly", a("__Http-a=1; Secure; SameSite=Lax"), {BROKEN}),
    Case("Http- with HttpOnly", a("__Http-a=1; Secure; HttpOnly; SameSite=Lax")),
    Case("Host-Http- without HttpOnly", a("__Host-Http-a=1; Path=/; Secure; SameSite=Lax"), {BROKEN}),
    Case("Host-Http- without Path", a("__Host-Http-a=1; Secure; HttpOnly; SameSite=Lax"), {BROKEN}),
    Case("Host-Http- complete", a(f"__Host-Http-a=1; {SAFE}")),
    Case("Host without a hyphen", a("__Host=1; Secure; SameSite=Lax")),
    Case("a prefix over http", a(f"__Secure-a=1; {SAFE}"), {REJECTED}, scheme="http"),
    Case("Secure over http", a(f"theme=1; {SAFE}"), {REJECTED}, scheme="http"),
    Case("Secure over http, the machine itself", a(f"theme=1; {SAFE}"), scheme="http", host="localhost"),
    Case(
        "Secure over http, a name like it",
        a(f"theme=1; {SAFE}"),
        {REJECTED},
        scheme="http",
        host="mylocalhost",
    ),
    Case("Partitioned with Secure", a(f"theme=1; Partitioned; {SAFE}")),
    Case("Partitioned without Secure", a("theme=1; Partitioned; SameSite=Lax"), {REJECTED}),
    Case("a control character", a(f"theme=\x01; {SAFE}"), {REJECTED}, source="5.6, step 1"),
    Case("a control character in an attribute", a(f"theme=1; x=\x7f; {SAFE}"), {REJECTED}),
    Case("a tab", a(f"theme=a\tb; {SAFE}"), source="5.6, step 1: %x09 is left out"),
    Case("neither name nor value", a(f"=; {SAFE}"), {REJECTED}),
    Case("empty", a(""), {REJECTED}),
    Case("no name", a(f"theme; {SAFE}")),
    Case("no name, a prefix in its value", a(f"=__Secure-x; {SAFE}"), {REJECTED}),
    Case("no name, a prefix, no equals sign", a(f"__Host-x; {SAFE}"), {REJECTED}),
    Case("4096 bytes", a(f"abc={'x' * 4093}; {SAFE}"), source="5.6, step 5"),
    Case("4097 bytes", a(f"abc={'x' * 4094}; {SAFE}"), {REJECTED}, source="5.6, step 5"),
    Case("no name, a second equals sign", a(f"=a=1; {SAFE}"), {REJECTED}, source=SEEN),
    Case("a Domain that is a dot", a(f"a=1; Domain=.; {SAFE}"), {REJECTED}, source=SEEN),
    Case("another host's Domain", a(f"a=1; Domain=b.example; {SAFE}"), {REJECTED}, host="a.example"),
    Case("a Domain above", a(f"a=1; Domain=.a.example; {SAFE}"), host="www.a.example"),
    Case("a Domain below", a(f"a=1; Domain=www.a.example; {SAFE}"), {REJECTED}, host="a.example"),
    Case("a Domain that ends alike", a(f"a=1; Domain=a.example; {SAFE}"), {REJECTED}, host="ba.example"),
    Case("a public suffix", a(f"a=1; Domain=co.uk; {SAFE}"), {REJECTED}),
    Case("below a public suffix", a(f"a=1; Domain=b.co.uk; {SAFE}")),
    Case("a public suffix that is the host", a(f"a=1; Domain=github.io; {SAFE}"), host="github.io"),
    Case("a Domain that is not ASCII", a(f"a=1; Domain=b\xfccher.example; {SAFE}"), {REJECTED}),
    Case("a session for all subdomains", a(f"__Secure-sid=1; Domain=.Site.Example; {SAFE}"), {WIDE}),
    Case("no session for all subdomains", a(f"theme=1; Domain=site.example; {SAFE}")),
    Case("a session of thirty days", a(f"__Host-sid=1; Max-Age=2592000; {SAFE}")),
    Case("a session of longer", a(f"__Host-sid=1; Max-Age=2592001; {SAFE}"), {LONG}),
    Case("a session of ages", a(f"__Host-sid=1; Max-Age={'9' * 5000}; {SAFE}"), source="longer than 1024"),
    Case("a session of a century", a(f"__Host-sid=1; Max-Age={'9' * 900}; {SAFE}"), {LONG}),
    Case(
        "a session until a day far off",
        (
            *a(f"__Host-sid=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT; {SAFE}"),
            "Date: Tue, 01 Jan 2030 00:00:00 GMT",
        ),
        {LONG},
    ),
    Case(
        "Max-Age before Expires",
        (
            *a(f"__Host-sid=1; Max-Age=60; Expires=Wed, 01 Jan 2031 00:00:00 GMT; {SAFE}"),
            "Date: Tue, 01 Jan 2030 00:00:00 GMT",
        ),
    ),
    Case("taken away", a("sessionid=; Max-Age=0")),
    Case("taken away in 1970", a("sessionid=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/")),
    Case("taken away, in a canonical text", a("sessionid=; expires=<expires:past>; path=/")),
    Case("taken away and refused", a("__Host-sid=; Max-Age=0; Secure"), {BROKEN}),
    Case("against forged requests", a("csrftoken=1; Path=/; Secure; SameSite=Lax"), {CSRF}),
    Case("against forged requests, hidden", a(f"XSRF-TOKEN=1; {SAFE}")),
    Case("HttpOnly with a value", a("theme=1; Path=/; Secure=true; HttpOnly=0; SameSite=Lax")),
    Case("HttpOnly with a hyphen", a("theme=1; Secure; Http-Only; SameSite=Lax"), {MISTYPED}),
    Case("SameSite with a hyphen", a("theme=1; Secure; Same-Site=Lax"), {MISTYPED, MISSING}),
    Case("Secure in quotes", a('theme=1; "Secure"; SameSite=Lax'), {MISTYPED, INSECURE}, source=_INVALID),
    Case("Secure and a word", a("theme=1; Secure qux; SameSite=Lax"), {MISTYPED, INSECURE}, source=_INVALID),
    Case("a lost semicolon", a("theme=1; Secure HttpOnly; SameSite=Lax"), {MISTYPED, INSECURE}),
    Case("an extension", a(f"theme=1; Priority=High; Version=1; {SAFE}")),
    Case("joined lines", a(f"a=1; {SAFE}, b=2; {SAFE}"), {FOLDED}),
    Case("a date is no joined line", a(f"a=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT; {SAFE}")),
    Case("as many as a browser keeps", (HTML, *(f"Set-Cookie: a{n}=1; {SAFE}" for n in range(180)))),
    Case("more", (HTML, *(f"Set-Cookie: a{n}=1; {SAFE}" for n in range(181))), {"cookie.too_many"}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_set_cookie(case: Case) -> None:
    verify(check, case)


@pytest.mark.parametrize(
    ("line", "name", "path", "domain"),
    [
        ("a=b", "a", None, None),
        (" \ta\t = b ; path = /x ", "a", "/x", None),
        ("a=b=c; Path=x", "a", None, None),
        ("a=b; Path=/x; Path=", "a", None, None),
        ("a=b; Domain=.A.Example", "a", None, "a.example"),
        ("a=b; Domain=a.example; Domain=", "a", None, None),
        (f"a=b; Path=/{'x' * 1023}", "a", f"/{'x' * 1023}", None),
        (f"a=b; Path=/{'x' * 1024}", "a", None, None),
        ("b; Path=/", "", "/", None),
        ('"a;b"=c', "", None, None),
    ],
)
def test_names_and_places_are_read_as_browsers_do(
    line: str, name: str, path: str | None, domain: str | None
) -> None:
    found = of(line)
    assert (found.name, found.path, found.domain) == (name, path, domain)


@pytest.mark.parametrize(
    ("attributes", "persistent", "lifetime"),
    [
        ("", False, None),
        ("Max-Age=60", True, 60),
        ("Max-Age=-1", True, 0),
        ("Max-Age=+60", False, None),
        ("Max-Age=6x", False, None),
        ("Max-Age=", False, None),
        ("Max-Age=60; Max-Age=x", True, 60),
        ("Expires=Tue, 01 Jan 2030 00:01:00 GMT", True, 60),
        ("Expires=soon", False, None),
        # Seen in Chromium and Firefox, against 5.6.1: the last Expires counts, even one that is no date.
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT; Expires=soon", False, None),
        ("Expires=Thu, 01 Jan 1500 00:00:00 GMT", True, -16_725_225_600),
        ("Expires=<expires:future>", True, None),
        ("Expires=<expires:past>", True, 0),
        ("Expires=<expires:invalid>", False, None),
    ],
)
def test_how_long_a_cookie_lives(attributes: str, persistent: bool, lifetime: int | None) -> None:
    found = of(f"a=b; {attributes}", date="Tue, 01 Jan 2030 00:00:00 GMT")
    assert (found.persistent, found.lifetime) == (persistent, lifetime)


@pytest.mark.parametrize("host", ["home.example.org", ""])
@pytest.mark.parametrize(
    ("domain", "accepted"),
    [
        ("home.example.org", True),
        (".home.example.org", True),
        ("  .home.example.org", True),
        ("hOmE.eXaMpLe.org", True),
        (".example.org", True),
        ("example.org", True),
        ("", True),
        ("other.example.orgzzz; domain=home.example.org", True),
        ("home.example.org; domain=..home.example.org", False),
        ("..home.example.org", False),
        ("www..example.org", False),
        ("  .  home.example.org", False),
        ("home.example.org.", False),
        ("home.example.org..", False),
        ("home.example.org .", False),
        ('"home.example.org"', False),
        ("home.example.org:80", False),
        ("org", False),
        (".org", False),
        ("..org", False),
        (".org.", False),
    ],
)
def test_domains_are_judged_as_in_the_public_browser_tests(host: str, domain: str, accepted: bool) -> None:
    # web-platform-tests, cookies/attributes/domain; without a host as far as that can be known.
    assert of(f"test=1; domain={domain}", host=host).accepted is accepted


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        (2048, 2048, True),
        (4096, 0, True),
        (4097, 0, False),
        (1, 4095, True),
        (1, 4096, False),
        (0, 4096, True),
    ],
)
def test_lengths_are_judged_as_in_the_public_browser_tests(name: int, value: int, accepted: bool) -> None:
    # web-platform-tests, cookies/size/name-and-value.
    assert of(f"{'n' * name}={'v' * value}").accepted is accepted


def test_no_value_reaches_evidence_or_json() -> None:
    received = Case("", a("sid=s3cr3t; x=s3cr3t; Path=/")).received()
    texts = [*(found.evidence for found in check.check(received)), str(check.effective(received))]
    assert texts
    assert not any("s3cr3t" in text for text in texts)


def test_what_surely_is_a_session_weighs_more() -> None:
    def severity(name: str) -> Severity:
        found = check.check(Case("", a(f"{name}=1; Secure; SameSite=Lax")).received())
        return next(each.severity for each in found if each.code == READABLE)

    assert severity("PHPSESSID") is Severity.HIGH
    assert severity("my_auth_state") is Severity.MEDIUM
