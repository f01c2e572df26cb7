"""Comparing policies: stricter, looser, equal in effect, incomparable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.csp import subsume

NONCE, OTHER = "'nonce-4AEemGb0xJptoIGFP3NdQA'", "'nonce-<nonce>'"
OPPOSITE = {"equal": "equal", "stricter": "looser", "looser": "stricter", "incomparable": "incomparable"}

COMPARED = [
    # equal in effect
    ("default-src 'self'", "default-src 'self'", "equal"),
    ("default-src 'self' a.test", "DEFAULT-SRC a.test  'SELF' a.test;", "equal"),
    ("default-src 'self'", "default-src 'self'; img-src 'self'", "equal"),
    ("script-src 'self'; script-src *", "script-src 'self'", "equal"),
    ("default-src 'self', default-src 'self'", "default-src 'self'", "equal"),
    ("default-src 'self', img-src *", "default-src 'self'", "equal"),
    (f"script-src {NONCE}", f"script-src {OTHER}", "equal"),
    (f"script-src {NONCE} 'unsafe-inline'", f"script-src {NONCE}", "equal"),
    (f"script-src {NONCE} 'strict-dynamic' https: 'self'", f"script-src {NONCE} 'strict-dynamic'", "equal"),
    ("img-src", "img-src 'none'", "equal"),
    ("img-src a.test", "img-src a.test https://a.test:443 b.a.test/.. *.*", "looser"),
    ("img-src *.a.test", "img-src *.a.test b.a.test", "equal"),
    ("img-src *", "img-src * https:", "equal"),
    ("default-src 'self'; report-uri /a", "default-src 'self'; report-to b", "equal"),
    ("default-src 'self'; defalt-src *", "default-src 'self'", "equal"),
    ("", "report-uri /a", "equal"),
    ("script-src 'unsafe-eval' 'wasm-unsafe-eval'", "script-src 'unsafe-eval'", "equal"),
    ("img-src http://a.test", "img-src http://a.test:80", "equal"),
    ("img-src http://a.test/", "img-src http://a.test", "equal"),
    ("img-src a.test 'none'", "img-src a.test", "equal"),
    ("script-src-attr 'nonce-a' 'strict-dynamic'; script-src 'nonce-a'", "script-src 'nonce-a'", "equal"),
    ("child-src a.test", "child-src a.test 'strict-dynamic'", "equal"),
    ("script-src 'nonce-a' 'strict-dynamic'", "script-src 'nonce-a' 'strict-dynamic' a.test", "equal"),
    # stricter
    ("frame-src http://a.test:80", "child-src https://a.test:443; frame-src https://a.test", "stricter"),
    ("connect-src ws://a.test:80", "connect-src wss://a.test", "stricter"),
    ("connect-src ws://a.test:*", "connect-src ws://a.test:36", "stricter"),
    ("connect-src http:", "connect-src https://c.test:* http://b.test", "stricter"),
    ("connect-src http: wss:", "connect-src https: wss:", "stricter"),
    ("img-src a.test", "img-src a.test, img-src b.test", "stricter"),
    ("style-src 'unsafe-inline'", "style-src", "stricter"),
    ("", "default-src *", "stricter"),
    ("default-src *", "default-src 'self'", "stricter"),
    ("img-src http:", "img-src https:", "stricter"),
    ("img-src https:", "img-src a.test:8443", "stricter"),
    ("img-src *.test", "img-src *.a.test", "stricter"),
    ("img-src a.test", "img-src a.test/b/", "stricter"),
    ("img-src a.test/b/", "img-src a.test/b/c.png", "stricter"),
    ("script-src 'self'", "script-src 'self', default-src 'none'", "stricter"),
    ("script-src 'self' 'unsafe-inline'", f"script-src 'self' 'unsafe-inline' {NONCE}", "stricter"),
    ("script-src 'self' 'unsafe-eval'", "script-src 'self' 'wasm-unsafe-eval'", "stricter"),
    (
        "script-src 'unsafe-inline' https:",
        f"script-src {NONCE} 'strict-dynamic' 'unsafe-inline' https:",
        "stricter",
    ),
    ("default-src 'self'", "default-src 'self'; frame-ancestors 'none'", "stricter"),
    ("default-src 'self'", "default-src 'self'; base-uri 'none'", "stricter"),
    ("default-src 'self'", "default-src 'self'; upgrade-insecure-requests", "stricter"),
    ("default-src 'self'", "default-src 'self'; require-trusted-types-for 'script'", "stricter"),
    ("trusted-types *", "trusted-types a", "stricter"),
    ("sandbox allow-scripts", "sandbox", "stricter"),
    ("img-src a.test b.test, img-src *", "img-src b.test c.test, img-src a.test b.test", "stricter"),
    ("img-src b.test", "img-src a.test b.test, img-src b.test c.test", "equal"),
    # incomparable
    ("connect-src http:", "connect-src https: wss://a.test", "incomparable"),
    ("connect-src http: wss:", "connect-src https: ws:", "incomparable"),
    ("script-src a.test/b/", "script-src 'strict-dynamic' a.test/b/c.js 'nonce-a'", "incomparable"),
    ("default-src 'none'", "img-src 'none', script-src 'unsafe-inline'", "looser"),
    ("img-src a.test", "img-src b.test", "incomparable"),
    ("img-src a.test; font-src *", "img-src *; font-src a.test", "incomparable"),
    ("script-src 'self' 'unsafe-inline'", f"script-src {NONCE} 'strict-dynamic'", "incomparable"),
    ("default-src 'self'", "script-src 'none'", "incomparable"),
    ("default-src 'self'", "default-src 'self'; script-src 'unsafe-eval'", "incomparable"),
    ("script-src 'sha256-a'", "script-src 'sha256-b'", "incomparable"),
]


@pytest.mark.parametrize(("old", "new", "word"), COMPARED)
def test_policies_compare_by_what_they_allow(old: str, new: str, word: str) -> None:
    assert subsume.direction([old], [new])[0] == word


@pytest.mark.parametrize(("old", "new", "word"), COMPARED)
def test_the_other_way_round_it_is_the_opposite(old: str, new: str, word: str) -> None:
    assert subsume.direction([new], [old])[0] == OPPOSITE[word]


def test_each_directive_that_differs_is_named() -> None:
    old, new = "default-src 'self'; img-src *; font-src a.test", "default-src 'self'; font-src *; sandbox"
    assert subsume.direction([old], [new]) == (
        "incomparable",
        [("font-src", "looser"), ("img-src", "stricter"), ("sandbox", "stricter")],
    )


def test_scripts_are_one_directive_unless_a_policy_tells_elements_from_attributes() -> None:
    old = "script-src 'self' 'unsafe-inline'; worker-src 'self'"
    together = subsume.direction([old], ["script-src 'self'; worker-src 'self'"])
    apart = subsume.direction([old], [f"{old}; script-src-attr 'none'"])
    assert together == ("stricter", [("script-src", "stricter")])
    assert apart == ("stricter", [("script-src-attr", "stricter")])


def test_no_header_allows_everything() -> None:
    assert subsume.direction([], []) == ("equal", [])
    assert subsume.direction(["img-src *"], []) == ("looser", [("img-src", "looser")])


def test_lines_and_commas_are_the_same() -> None:
    assert (
        subsume.direction(["img-src a.test", "font-src b.test"], ["font-src b.test, img-src a.test"])[0]
        == "equal"
    )


_TOKENS = st.sampled_from(
    [
        "'self'",
        "'none'",
        "*",
        "https:",
        "http:",
        "data:",
        "a.test",
        "*.a.test",
        "b.a.test:*",
        "a.test/x/",
        "a.test/x/y",
        "'unsafe-inline'",
        "'unsafe-eval'",
        "'strict-dynamic'",
        "'unsafe-hashes'",
        NONCE,
        "'sha256-a'",
        "x'",
    ]
)
_DIRECTIVES = st.sampled_from(
    [
        "default-src",
        "script-src",
        "script-src-elem",
        "script-src-attr",
        "style-src",
        "worker-src",
        "child-src",
        "connect-src",
        "frame-ancestors",
        "base-uri",
        "sandbox",
        "trusted-types",
        "upgrade-insecure-requests",
    ]
)
_POLICIES = st.lists(
    st.dictionaries(_DIRECTIVES, st.lists(_TOKENS, max_size=4), max_size=4).map(
        lambda policy: "; ".join(" ".join((name, *tokens)) for name, tokens in policy.items())
    ),
    max_size=3,
)


@given(_POLICIES)
def test_policies_equal_themselves_in_any_order(policies: list[str]) -> None:
    assert subsume.direction(policies, [*reversed(policies), *policies]) == ("equal", [])


@given(_POLICIES, _POLICIES)
def test_directions_of_one_pair_are_opposite(one: list[str], other: list[str]) -> None:
    there, back = subsume.direction(one, other), subsume.direction(other, one)
    assert OPPOSITE[there[0]] == back[0]
    assert [(name, OPPOSITE[word]) for name, word in there[1]] == back[1]


@given(_POLICIES, _POLICIES)
def test_one_more_policy_never_makes_it_looser(policies: list[str], more: list[str]) -> None:
    assert subsume.direction(policies, [*policies, *more])[0] in {"equal", "stricter"}


@given(st.lists(st.text(max_size=200), max_size=3), st.lists(st.text(max_size=200), max_size=3))
def test_no_text_makes_it_raise(one: list[str], other: list[str]) -> None:
    word, directives = subsume.direction(one, other)
    assert word in OPPOSITE
    assert {each for _, each in directives} <= set(OPPOSITE) - {"equal"}
