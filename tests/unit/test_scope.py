from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headersweep import scope, urls
from headersweep.definition import Scope, ScopeMode, SiteDefinition
from headersweep.states import Outcome, TrapReason

TODAY = date(2026, 5, 12)
IN, OUT = True, False


def site(*starts: str, **values: object) -> scope.SiteScope:
    definition = SiteDefinition(name="s", start_urls=starts, scope=Scope(**values))  # type: ignore[arg-type]
    return scope.SiteScope(definition, TODAY)


def verdict(rules: scope.SiteScope, url: str) -> object:
    page = urls.parse(url)
    assert page is not None
    return rules.verdict(page)


def check(rules: scope.SiteScope, url: str, inside: bool) -> None:
    assert verdict(rules, url) == (None if inside else (Outcome.OUT_OF_SCOPE, None))


@pytest.mark.parametrize(
    ("start", "url", "inside"),
    [
        ("https://example.com/", "https://example.com/a", IN),
        ("https://example.com/", "http://example.com/a", IN),
        ("http://example.com/", "https://example.com/a", IN),
        ("https://example.com/", "https://www.example.com/a", OUT),
        ("https://www.example.com/", "https://example.com/a", OUT),
        ("https://example.com/", "https://example.com.evil.example/", OUT),
        ("https://example.com/", "https://example.com:8443/a", OUT),
        ("https://example.com:8443/", "https://example.com:8443/a", IN),
        ("https://example.com:8443/", "https://example.com/a", OUT),
        ("http://localhost:8080/", "https://localhost:8080/a", IN),
        ("http://localhost:8080/", "http://localhost:8081/a", OUT),
        ("http://127.0.0.1:80/", "http://0x7f.1/a", IN),
        ("http://[::1]:8080/", "http://[::1]:8080/a", IN),
    ],
)
def test_host_scope_is_the_hosts_of_the_start_urls_on_their_ports(start: str, url: str, inside: bool) -> None:
    check(site(start), url, inside)


def test_each_host_has_its_own_ports() -> None:
    rules = site("https://a.example/", "http://b.example:8080/")
    check(rules, "https://a.example/x", IN)
    check(rules, "http://b.example:8080/x", IN)
    check(rules, "http://a.example:8080/x", OUT)
    check(rules, "http://b.example/x", OUT)


@pytest.mark.parametrize(
    ("start", "url", "inside"),
    [
        ("https://www.example.co.uk/", "https://example.co.uk/", IN),
        ("https://www.example.co.uk/", "http://deep.docs.example.co.uk/", IN),
        ("https://www.example.co.uk/", "https://other.co.uk/", OUT),
        ("https://www.example.co.uk/", "https://docs.example.co.uk:8443/", OUT),
        ("https://www.example.co.uk:8443/", "https://docs.example.co.uk:8443/", IN),
        ("https://www.example.co.uk:8443/", "https://docs.example.co.uk/", OUT),
        ("https://team.github.io/", "https://other.github.io/", OUT),
        ("https://github.io/", "https://other.github.io/", OUT),
        ("http://127.0.0.1/", "http://126.0.0.1/", OUT),
        ("http://localhost/", "http://localhost/x", IN),
    ],
)
def test_domain_scope_is_everything_under_the_registrable_domain(start: str, url: str, inside: bool) -> None:
    check(site(start, mode=ScopeMode.DOMAIN), url, inside)


@pytest.mark.parametrize(
    ("prefix", "path", "inside"),
    [
        ("/", "/a", IN),
        ("", "/a", IN),
        ("/docs", "/docs", IN),
        ("/docs", "/docs/", IN),
        ("/docs", "/docs/x", IN),
        ("/docs", "/docs?x", IN),
        ("/docs", "/docsx", OUT),
        ("/docs", "/doc", OUT),
        ("/docs", "/Docs", OUT),
        ("/docs", "/x?/docs", OUT),
        ("docs", "/docs/x", IN),
        ("/docs/", "/docs", OUT),
        ("/docs/", "/docs?x", OUT),
        ("/docs/", "/docs/", IN),
        ("/docs/", "/docs/x", IN),
        ("/dö", "/d%C3%B6/x", IN),
    ],
)
def test_a_path_prefix_ends_at_a_segment(prefix: str, path: str, inside: bool) -> None:
    check(site("https://h/start", path_prefix=prefix), "https://h" + path, inside)


@pytest.mark.parametrize(
    ("pattern", "path_query", "matches"),
    [
        ("/a", "/a", True),
        ("/a", "/a/", False),
        ("/a/*", "/a/", True),
        ("/a/*", "/a/b/c?d", True),
        ("/a/*", "/a", False),
        ("*", "/", True),
        ("*.pdf", "/a/b.pdf", True),
        ("*.pdf", "/a/b.pdf?x", False),
        ("*?sort=*", "/a?sort=1", True),
        ("*?sort=*", "/a/sort=1", False),
        ("*?*", "/a", False),
        ("/*/*/x", "/a/b/x", True),
        ("/*/*/x", "/a/x", False),
        ("/aa*aa", "/aaa", False),
        ("/aa*aa", "/aaaa", True),
        ("/a*b*b", "/ab", False),
        ("/a*b*b", "/abb", True),
        ("/[ab]", "/a", False),
        ("/[ab]", "/[ab]", True),
        ("/ü*", "/%C3%BC", True),
        ("**", "/a", True),
    ],
)
def test_a_star_is_the_only_wildcard(pattern: str, path_query: str, matches: bool) -> None:
    assert scope.Glob(pattern).matches(path_query) is matches


def test_include_needs_one_match_and_exclude_none() -> None:
    rules = site("https://h/", include=("/docs/*", "/blog/*"), exclude=("*/print", "*?sort=*"))
    check(rules, "https://h/docs/a", IN)
    check(rules, "https://h/blog/a", IN)
    check(rules, "https://h/shop/a", OUT)
    check(rules, "https://h/docs/a/print", OUT)
    check(rules, "https://h/docs/a?sort=1", OUT)


def test_start_urls_are_always_crawled() -> None:
    rules = site("https://h/x/x/x", path_prefix="/docs", include=("/docs/*",), exclude=("/x*",))
    assert verdict(rules, "https://h/x/x/x") is None
    check(rules, "https://h/x/x", OUT)


def test_a_trap_in_scope_is_trapped_and_a_foreign_one_is_out_of_scope() -> None:
    rules = site("https://h/", exclude=("/no/*",))
    assert verdict(rules, "https://h/a/a/a") == (Outcome.TRAPPED, TrapReason.REPEATED_SEGMENTS)
    assert verdict(rules, "https://h/?date=2031-05-12") == (Outcome.TRAPPED, TrapReason.FAR_DATE)
    check(rules, "https://other/a/a/a", OUT)
    check(rules, "https://h/no/a/a/a", OUT)


def test_without_a_start_url_nothing_is_in_scope() -> None:
    check(site("nonsense"), "https://h/", OUT)
    check(site(), "https://h/", OUT)


@settings(deadline=None)
@given(st.text(), st.text(max_size=60))
def test_a_pattern_never_raises(pattern: str, path: str) -> None:
    site("https://h/", include=(pattern,), exclude=(pattern,), path_prefix=pattern)
    scope.Glob(pattern).matches("/" + path)


@settings(deadline=None)
@given(st.text(st.sampled_from("ab/*?"), max_size=8), st.text(st.sampled_from("ab/?"), max_size=10))
def test_globs_agree_with_the_plain_definition(pattern: str, text: str) -> None:
    def plain(rest: str, left: str) -> bool:
        if not rest:
            return not left
        if rest[0] == "*":
            return any(plain(rest[1:], left[start:]) for start in range(len(left) + 1))
        return left[:1] == rest[0] and plain(rest[1:], left[1:])

    assert scope.Glob(pattern).matches(text) is plain(pattern, text)
