"""Source expressions: what each token is, and which URLs it matches."""

from __future__ import annotations

import pytest

from review.csp import places, sources
from review.csp.places import Place
from review.csp.sources import Kind


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("'self'", Kind.KEYWORD),
        ("'Strict-DYNAMIC'", Kind.KEYWORD),
        ("self", Kind.HOST),
        ("'nonce-a'", Kind.NONCE),
        ("'NONCE-a=='", Kind.NONCE),
        ("'nonce-a==='", Kind.INVALID),
        ("'nonce-a=b'", Kind.INVALID),
        ("'nonce-<nonce>'", Kind.NONCE),
        ("'nonce-<nonce:invalid>'", Kind.INVALID),
        ("'sha256-a-_'", Kind.HASH),
        ("'SHA512-a'", Kind.HASH),
        ("'sha1-a'", Kind.INVALID),
        ("https:", Kind.SCHEME),
        ("custom+1.x-y:", Kind.SCHEME),
        ("1x:", Kind.INVALID),
        (":", Kind.INVALID),
        ("*", Kind.HOST),
        ("*.a", Kind.HOST),
        ("*.", Kind.INVALID),
        ("**", Kind.INVALID),
        ("*a", Kind.INVALID),
        ("a.*", Kind.INVALID),
        (".a", Kind.INVALID),
        ("a..b", Kind.INVALID),
        ("a.", Kind.HOST),
        ("a:80", Kind.HOST),
        ("a:*", Kind.HOST),
        ("a:", Kind.SCHEME),
        ("a:b", Kind.INVALID),
        ("*:*", Kind.HOST),
        ("https://a/b?c", Kind.HOST),
        ("https://", Kind.INVALID),
        ("//a", Kind.INVALID),
        ("/a", Kind.INVALID),
        ("a/b,c", Kind.INVALID),
    ],
)
def test_a_token_is_what_the_grammar_says(token: str, kind: Kind) -> None:
    assert sources.source(token).kind is kind


def covers(tokens: str, *place: str) -> bool:
    found = sources.source_list(tuple(tokens.split()))
    return places.covers(places.places(found.places, sockets=True), Place(*place))


@pytest.mark.parametrize(
    ("tokens", "place", "expected"),
    [
        ("a.test", ("https", "a.test"), True),
        ("a.test", ("http", "a.test"), False),
        ("http://a.test", ("https", "a.test"), True),
        ("https://a.test", ("http", "a.test"), False),
        (
            "A.Test.",
            ("https", "a.test"),
            False,
        ),  # seen in Chromium: another host, as the page's URL would say
        ("A.Test.", ("https", "a.test."), True),
        ("a.test/%70art/", ("https", "a.test", "", "/part/x.js"), True),
        ("a.test/a%2Fb/", ("https", "a.test", "", "/a/b/x.js"), False),
        ("*.a.test", ("https", "b.a.test"), True),
        ("*.a.test", ("https", "c.b.a.test"), True),
        ("*.a.test", ("https", "a.test"), False),
        ("*.a.test", ("https", "ba.test"), False),
        ("*.a.test", ("https", "*.b.a.test"), True),
        ("*.b.a.test", ("https", "*.a.test"), False),
        ("*", ("https", "a.test", "8443"), True),
        ("*", ("http", "a.test"), True),
        ("*", ("wss", "a.test"), True),
        ("*", ("data", "*"), False),
        ("https:", ("https", "a.test", "8443"), True),
        ("http:", ("https", "*", "*"), True),
        ("https:", ("http", "a.test"), False),
        ("ws:", ("wss", "a.test"), True),
        ("https://*", ("https", "a.test", "8443"), False),
        ("a.test:443", ("https", "a.test"), True),
        ("a.test:8443", ("https", "a.test"), False),
        ("a.test:*", ("https", "a.test", "8443"), True),
        ("http://a.test:80", ("https", "a.test"), True),
        ("http://a.test:8080", ("https", "a.test", "8080"), True),
        ("a.test/b/", ("https", "a.test", "", "/b/c"), True),
        ("a.test/b", ("https", "a.test", "", "/b/c"), False),
        ("a.test/b", ("https", "a.test", "", "/b"), True),
        ("a.test/b", ("https", "a.test"), False),
        ("a.test/", ("https", "a.test", "", "/b"), True),
        ("a.test/b?c", ("https", "a.test", "", "/b"), True),
        ("'self'", ("https", "'self'"), True),
        ("*", ("https", "'self'"), True),
        ("'self'", ("https", "a.test"), False),
        ("data:", ("data", "*", "*"), True),
        ("'none'", ("https", "a.test"), False),
    ],
)
def test_a_list_matches_as_browsers_match(tokens: str, place: tuple[str, ...], expected: bool) -> None:
    assert covers(tokens, *place) is expected


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("*", "a.test", {Place("https", "a.test")}),
        ("*.a.test/x/", "b.a.test", {Place("https", "b.a.test", "", "/x/")}),
        ("a.test:*", "a.test:8443", {Place("https", "a.test", "8443")}),
        ("a.test", "b.test", set()),
        ("a.test/x", "a.test/y", set()),
        ("a.test/x/", "a.test/x/y", {Place("https", "a.test", "", "/x/y")}),
        ("'self'", "a.test", set()),
        ("http://a.test", "https://a.test", {Place("https", "a.test")}),
    ],
)
def test_two_lists_meet_in_what_both_match(one: str, other: str, both: set[Place]) -> None:
    found = [places.places(sources.source_list((tokens,)).places) for tokens in (one, other)]
    assert places.meet(*found) == places.meet(*reversed(found)) == both


def test_large_lists_meet_where_one_place_lies_in_the_other_list() -> None:
    one = frozenset(Place("https", f"{number}.a.test") for number in range(100)) | {Place("https", "x.test")}
    other = frozenset(Place("https", f"{number}.b.test") for number in range(100)) | {
        Place("https", "*.a.test")
    }
    assert places.meet(one, other) == one - {Place("https", "x.test")}


def test_a_digest_in_the_alphabet_of_urls_is_the_same_digest() -> None:
    tokens = ("'sha256-a_b-c='", "'sha256-a/b+c='")
    assert {sources.source(token).value for token in tokens} == {"sha256-a/b+c="}
