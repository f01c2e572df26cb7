from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headersweep import cookies, headers, volatile
from tests.unit.strategies import BOUNDED, values

ROOT = Path(__file__).resolve().parents[2]
NOW = "Sun, 22 Nov 2026 10:00:00 GMT"
EXAMPLES = [
    (name.replace("*", "x-any-") if name.startswith("*") else name.replace("*", "any"), raw, shown)
    for rule in volatile.VOLATILE
    for name in rule.names
    for raw, shown in rule.examples
]


@pytest.mark.parametrize(("name", "raw", "shown"), EXAMPLES)
def test_every_example_of_the_table_holds(name: str, raw: str, shown: str) -> None:
    assert headers.canonical_text([(name.title(), raw)]) == f"headers/1\n{name}: {shown}\n"


@pytest.mark.parametrize("rule", volatile.VOLATILE, ids=lambda rule: rule.names[0])
def test_every_row_has_an_example_a_reason_and_a_placeholder_that_its_examples_show(
    rule: volatile.Rule,
) -> None:
    shown = " ".join(text for _, text in rule.examples)

    assert rule.reason.endswith(".")
    assert all(re.search(r"<[a-z:-]+>", text) for text in rule.placeholder.split(", "))
    assert any(text.strip("'") in shown for text in rule.placeholder.split(", "))


def test_no_name_stands_in_two_rows() -> None:
    names = [name for rule in volatile.VOLATILE for name in rule.names]

    assert sorted(names) == sorted(set(names))
    assert all(name == name.lower() for name in names)


@pytest.mark.parametrize(
    "rule", [rule for rule in volatile.VOLATILE if rule.replace], ids=lambda rule: rule.names[0]
)
def test_every_rule_leaves_its_own_result_alone(rule: volatile.Rule) -> None:
    @BOUNDED
    @given(values, st.sampled_from(["", NOW, "<date>"]))
    def check(value: str, date: str) -> None:
        once = rule.apply(value, date)
        assert rule.apply(once, "<date>") == once

    check()


def test_a_link_that_names_a_user_leaves_its_own_result_alone() -> None:
    rule = volatile.rule_for("link")
    assert rule is not None
    once = rule.apply('<https://u:p@h/a>; rel="canonical"', "")
    assert once == '<https://<userinfo>@h/<path>>; rel="canonical"'
    assert rule.apply(once, "") == once


@pytest.mark.parametrize("rule", volatile.VOLATILE, ids=lambda rule: rule.names[0])
def test_an_empty_value_stays_empty(rule: volatile.Rule) -> None:
    assert rule.apply("", "") == ""


@pytest.mark.parametrize(
    ("name", "placeholder"),
    [
        ("x-acme-request-id", "<request-id>"),
        ("x-amzn-requestid", "<request-id>"),
        ("x-b3-traceid", "<request-id>"),
        ("x-app-response-time", "<timing>"),
        ("x-cache-hits", "<cache-state>"),
        ("x-cache-status", "<cache-state>"),
        ("x-cache-age", "<age>"),
    ],
)
def test_names_nobody_listed_are_found_by_pattern_and_exact_names_go_first(
    name: str, placeholder: str
) -> None:
    rule = volatile.rule_for(name)

    assert rule is not None
    assert rule.placeholder == placeholder


@pytest.mark.parametrize(
    "name",
    [
        "strict-transport-security",
        "x-frame-options",
        "vary",
        "cache-control",
        "alt-svc",
        "x-powered-by",
        "x-ratelimit-limit",
    ],
)
def test_headers_that_state_a_policy_are_never_volatile(name: str) -> None:
    assert volatile.rule_for(name) is None


@pytest.mark.parametrize(
    ("until", "shown"),
    [
        ("Sun, 22 Nov 2026 09:59:59 GMT", "<expires:past>"),
        ("Sun, 22 Nov 2026 10:00:00 GMT", "<expires:past>"),
        ("Sun, 22 Nov 2026 10:00:05 GMT", "<expires:past>"),
        ("Sun, 22 Nov 2026 10:00:06 GMT", "<expires:future>"),
        ("Sunday, 22-Nov-26 11:00:00 GMT", "<expires:future>"),
        ("Sun Nov 22 11:00:00 2026", "<expires:future>"),
        ("Sun Nov  1 11:00:00 2026", "<expires:past>"),
        ("Thu, 01-Jan-1970 00:00:00 GMT", "<expires:past>"),
        ("Thu, 01 Jan 70 00:00:00 GMT", "<expires:past>"),
        ("Fri, 01 Jan 69 00:00:00 GMT", "<expires:future>"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", "<expires:future>"),
        ("Fri, 31 Dec 1600 23:59:59 GMT", "<expires:invalid>"),
        ("Mon, 30 Feb 2026 10:00:00 GMT", "<expires:invalid>"),
        ("Sun, 22 Foo 2026 10:00:00 GMT", "<expires:invalid>"),
        ("Sun, 22 Nov 2026 24:00:00 GMT", "<expires:invalid>"),
        ("never", "<expires:invalid>"),
        ("1763805600", "<expires:invalid>"),
    ],
)
def test_an_expiry_counts_by_which_side_of_the_date_it_is_on(until: str, shown: str) -> None:
    cookie = headers.canonical_text([("Set-Cookie", f"a=1; Expires={until}"), ("Date", NOW)])

    assert headers.canonical_text([("Date", NOW), ("Expires", until)]).endswith(f"expires: {shown}\n")
    assert f"expires={shown}" in cookie


def test_without_a_date_an_expiry_has_no_side() -> None:
    assert cookies.expiry(NOW, "") == "<expires>"
    assert cookies.expiry(NOW, "yesterday") == "<expires>"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a=b", "a=<cookie>"),
        ("__Host-a=b;secure;PATH=/", "__Host-a=<cookie>; path=/; secure"),
        ("a=b; Path=/Docs; Domain=.Example.ORG", "a=<cookie>; domain=.example.org; path=/Docs"),
        ("a=b; SameSite=None; Partitioned", "a=<cookie>; partitioned; samesite=none"),
        ("a=b; Path=/; Path=/x", "a=<cookie>; path=/; path=/x"),
        ("a=b;; ;", "a=<cookie>"),
        ("a=b=c", "a=<cookie>"),
        ("=b", "=<cookie>"),
        ("lonely", "<cookie>"),
        ("; Secure", "; secure"),
        ("a=b; Max-Age=-1", "a=<cookie>; max-age=-1"),
        ("a=b; HTTP-Only", "a=<cookie>; http-only"),
        ("a=b; other=value", "a=<cookie>; other=<cookie>"),
        ("a=b; Path=/, c=d; Secure", "a=<cookie>; path=/, c=<cookie>; secure"),
        ("a=b; Expires=, c=d", "a=<cookie>; expires=<expires:invalid>"),
    ],
)
def test_a_cookie_keeps_its_name_and_attributes(value: str, shown: str) -> None:
    assert cookies.canonical(value, "") == shown


@pytest.mark.parametrize(
    ("policy", "shown"),
    [
        ("script-src 'nonce-a+/_-9=='", "script-src 'nonce-<nonce>'"),
        ("script-src 'NONCE-abc' 'nonce-def'", "script-src 'NONCE-<nonce>' 'nonce-<nonce>'"),
        ("script-src 'nonce-'", "script-src 'nonce-'"),
        ("script-src nonce-abc", "script-src nonce-abc"),
        ("script-src 'sha256-abc'", "script-src 'sha256-abc'"),
        ("Script-Src  'self'", "Script-Src  'self'"),
    ],
)
def test_of_a_policy_only_nonces_are_replaced(policy: str, shown: str) -> None:
    assert headers.canonical_text([("content-security-policy", policy)]).endswith(f": {shown}\n")


def test_the_page_about_headers_has_the_table() -> None:
    page = (ROOT / "docs" / "headers.md").read_text(encoding="utf-8")

    assert volatile.as_markdown() in page, (
        "write volatile.as_markdown() between the markers of docs/headers.md"
    )
