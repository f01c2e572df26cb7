from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headersweep import urls

HOST = "https://example.com"

CANONICAL = [
    # What WHATWG makes of it
    ("HTTPS://EXAMPLE.com", "https://example.com/"),
    ("https://example.com:443/", "https://example.com/"),
    ("http://example.com:80/", "http://example.com/"),
    ("http://example.com:443/", "http://example.com:443/"),
    ("https://example.com/a/../b/./c", "https://example.com/b/c"),
    ("https://example.com\\a\\b", "https://example.com/a/b"),
    ("  https://example.com/a b\n", "https://example.com/a%20b"),
    ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
    ("http://0x7f.1/", "http://127.0.0.1/"),
    ("http://2130706433/", "http://127.0.0.1/"),
    ("http://[::0:1]:8080/", "http://[::1]:8080/"),
    ("https:///example.com/a", "https://example.com/a"),
    # What we drop
    ("https://example.com/a#top", "https://example.com/a"),
    ("https://example.com/a?b#top", "https://example.com/a?b"),
    ("https://example.com/?utm_source=x", "https://example.com/"),
    ("https://example.com/?utm_source=x&a=1&gclid=2&b=2", "https://example.com/?a=1&b=2"),
    ("https://example.com/?gclid", "https://example.com/"),
    ("https://example.com/?fbclid=1#x", "https://example.com/"),
    # What we keep, byte for byte
    ("https://example.com//a///b", "https://example.com//a///b"),
    ("https://example.com/A?B=C&a=b&B=D", "https://example.com/A?B=C&a=b&B=D"),
    ("https://example.com/?a=&b&&c=%7E+%2f", "https://example.com/?a=&b&&c=%7E+%2f"),
    ("https://example.com/?", "https://example.com/?"),
    ("https://example.com/?&gclid=1", "https://example.com/"),
    ("https://example.com/?&&gclid=1", "https://example.com/?&"),
    ("https://example.com/?UTM_source=1", "https://example.com/?UTM_source=1"),
    ("https://example.com/?xutm_source=1&gclids=2", "https://example.com/?xutm_source=1&gclids=2"),
    ("https://example.com/?q=utm_source=1", "https://example.com/?q=utm_source=1"),
    ("https://example.com./", "https://example.com./"),
    ("https://@example.com/", "https://example.com/"),
    ("https://example.com/a@b", "https://example.com/a@b"),
]

NO_PAGES = [
    "",
    "/relative",
    "mailto:a@example.com",
    "javascript:void(0)",
    "data:text/html,x",
    "ftp://example.com/",
    "blob:https://example.com/1",
    "https://",
    "https://exa mple.com/",
    "https://example.com:65536/",
    "https://example.com:0/",
    "https://1.2.3.4.5/",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://user:80@example.com:8080/",
    "https://user@[::1]/",
    "https://" + "a" * 254 + "/",
    "https://example.com/\udc80",
]

RELATIVE = [
    ("b", "https://example.com/docs/b"),
    ("../b", "https://example.com/b"),
    ("/b", "https://example.com/b"),
    ("//other.example/b", "https://other.example/b"),
    ("?x", "https://example.com/docs/a?x"),
    ("#x", "https://example.com/docs/a?q"),
    ("", "https://example.com/docs/a?q"),
    ("http://other.example", "http://other.example/"),
    ("mailto:x@y", None),
]


@pytest.mark.parametrize(("text", "expected"), CANONICAL)
def test_a_url_has_one_canonical_form(text: str, expected: str) -> None:
    page = urls.parse(text)
    assert page is not None
    assert page.url == expected


@pytest.mark.parametrize("text", NO_PAGES)
def test_what_is_no_page_is_refused(text: str) -> None:
    assert urls.parse(text) is None


@pytest.mark.parametrize(("text", "expected"), RELATIVE)
def test_a_relative_url_is_resolved_against_its_base(text: str, expected: str | None) -> None:
    page = urls.parse(text, "https://example.com/docs/a?q#f")
    assert (page and page.url) == expected


def test_a_base_that_is_no_url_gives_no_page() -> None:
    assert urls.parse("/a", "nonsense") is None


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "path_query"),
    [
        ("https://example.com/a?b", "https", "example.com", 443, "/a?b"),
        ("http://example.com", "http", "example.com", 80, "/"),
        ("http://example.com:8080/a", "http", "example.com", 8080, "/a"),
        ("http://[::1]/a", "http", "[::1]", 80, "/a"),
        ("http://[::1]:8080/", "http", "[::1]", 8080, "/"),
        ("https://example.com/a:1@b?c:2@d", "https", "example.com", 443, "/a:1@b?c:2@d"),
    ],
)
def test_a_page_knows_the_parts_of_its_url(
    text: str, scheme: str, host: str, port: int, path_query: str
) -> None:
    page = urls.parse(text)
    assert page is not None
    assert (page.scheme, page.host, page.port, page.path_query) == (scheme, host, port, path_query)


def test_the_longest_host_name_that_can_exist_is_a_page() -> None:
    assert urls.parse("https://" + "a" * 253 + "/") is not None


def test_every_tracking_parameter_is_dropped() -> None:
    for name in urls.TRACKING_PARAMETERS:
        page = urls.parse(f"{HOST}/?a=1&{name}=x")
        assert page is not None
        assert page.url == f"{HOST}/?a=1"


def test_the_key_is_the_hash_of_a_readable_text() -> None:
    page = urls.parse(HOST)
    assert page is not None
    assert urls.key_text(page.url) == "url/1 https://example.com/"
    assert page.key == hashlib.sha256(b"url/1 https://example.com/").digest()[:16]


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("docs.example.co.uk", "example.co.uk"),
        ("example.com", "example.com"),
        ("example.com.", "example.com"),
        ("a.b.example.com", "example.com"),
        ("team.github.io", "team.github.io"),
        ("github.io", "github.io"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("", ""),
    ],
)
def test_the_registrable_domain_of_a_host(host: str, domain: str) -> None:
    assert urls.registrable_domain(host) == domain


ODD = st.text(st.sampled_from("htps:/?#&=.@[]%\\ \t\x00aA1é_utm\udc80"), max_size=40)
PAGES = st.builds("https://h{}/{}?{}".format, st.sampled_from(["", ":1", ".de"]), ODD, ODD)


@settings(deadline=None)
@given(st.text() | ODD | PAGES, st.none() | ODD | PAGES)
def test_parsing_never_raises_and_is_a_fixed_point(text: str, base: str | None) -> None:
    page = urls.parse(text, base)
    if page is not None:
        assert urls.parse(page.url) == page
        assert "#" not in page.url
        assert page.url.endswith(page.path_query)
        assert page.path_query.startswith("/")


@settings(deadline=None)
@given(PAGES, PAGES)
def test_the_key_differs_exactly_when_the_url_does(left: str, right: str) -> None:
    one, two = urls.parse(left), urls.parse(right)
    if one and two:
        assert (one.key == two.key) == (one.url == two.url)


@settings(deadline=None)
@given(st.text())
def test_the_registrable_domain_never_raises(host: str) -> None:
    assert isinstance(urls.registrable_domain(host), str)
