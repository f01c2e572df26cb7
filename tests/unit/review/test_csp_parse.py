"""Parsing policies: what counts, what is dropped, and where each came from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headersweep.bodyfacts import BodyFacts
from review import received as reading
from review.csp import parse


def only(value: str) -> parse.Policy:
    (policy,) = parse.header([value])
    return policy


@pytest.mark.parametrize(
    ("value", "directives"),
    [
        ("a b c", {"a": ("b", "c")}),
        ("A B", {"a": ("B",)}),
        ("a\tb\nc\fd\re f", {"a": ("b", "c", "d", "e", "f")}),
        ("a 1; b\v2; c \x1f; d \x7f", {"a": ("1",)}),
        ("a 1; a 2; A 3", {"a": ("1",)}),
        (";;a;;", {"a": ()}),
        ("a 'x;y'", {"a": ("'x",), "y'": ()}),
    ],
)
def test_a_policy_is_split_as_the_standard_says(value: str, directives: dict[str, tuple[str, ...]]) -> None:
    assert only(value).directives == directives


def test_what_browsers_drop_is_kept_aside() -> None:
    policy = only("a 1; a 2; b \xe9; c")
    assert (policy.repeated, policy.skipped) == (("a",), ("b \xe9",))
    assert set(policy.directives) == {"a", "c"}


def test_lines_and_commas_make_policies_and_each_knows_its_line() -> None:
    policies = parse.header(["a, b", ",", "c"])
    assert [(next(iter(policy.directives)), policy.line) for policy in policies] == [
        ("a", 0),
        ("b", 0),
        ("c", 2),
    ]


def test_a_policy_in_the_page_is_one_policy_without_what_needs_a_header() -> None:
    (policy,) = parse.meta(["default-src a, b; frame-ancestors c; report-uri d; sandbox; report-to e"])
    assert policy.directives == {"default-src": ("a,", "b"), "report-to": ("e",)}
    assert policy.meta_ignored == ("frame-ancestors", "report-uri", "sandbox")


def test_evidence_is_the_line_as_received() -> None:
    pairs = [("Content-Security-Policy", "a"), ("content-security-policy", "b, c")]
    answer = reading.received(pairs, facts=BodyFacts(meta_policies=("d",)))
    assert [parse.evidence(answer, policy) for policy in parse.enforced(answer)] == [
        "Content-Security-Policy: a",
        "content-security-policy: b, c",
        "content-security-policy: b, c",
        '<meta http-equiv="Content-Security-Policy" content="d">',
    ]


@given(st.text(max_size=300))
def test_what_was_parsed_and_written_again_is_the_same(value: str) -> None:
    for policy in parse.header([value]):
        text = ";".join(" ".join((name, *tokens)) for name, tokens in policy.directives.items())
        assert only(text).directives == policy.directives
