"""Strict-Transport-Security: cases on both sides of RFC 6797, section 6.1, and of the preload list's rules."""

from __future__ import annotations

import pytest

from review import hsts
from review.checks import strict_transport_security as check
from tests.unit.review._cases import HTML, IMAGE, JSON, Case, verify

NAME = "strict-transport-security"
LINE = "Strict-Transport-Security: "
MISSING, IGNORED, OFF = "hsts.missing", "hsts.ignored", "hsts.off"
SHORT, ALONE, REPEATED = "hsts.short", "hsts.without_subdomains", "hsts.repeated"
INELIGIBLE, NO_PRELOAD = "hsts.preload_not_eligible", "hsts.preload_missing"
_GRAMMAR = "RFC 6797, section 6.1"
_CHROMIUM = "Chromium, net/http/http_security_headers.cc and its unit tests"
_FIREFOX = "Firefox, security/manager/ssl/tests/unit/test_sts_parser.js"


def noted(max_age: int, *, subdomains: bool = False) -> dict[str, object]:
    return {NAME: {"max_age": max_age, "include_subdomains": subdomains}}


def ignored(name: str, value: str, source: str = _GRAMMAR) -> Case:
    return Case(name, (HTML, LINE + value), {IGNORED}, {NAME: None}, source=source)


def a_year(name: str, value: str, source: str = _GRAMMAR) -> Case:
    return Case(name, (HTML, LINE + value), {ALONE}, noted(31536000), source=source)


FULL = "max-age=31536000; includeSubDomains; preload"
CASES = (
    Case("nothing", (HTML,), {MISSING}),
    Case("nothing on a redirect", ("Location: https://site.example/",), {MISSING}, status=301),
    Case("nothing on a picture", (IMAGE,), {MISSING}),
    Case("nothing from an API", (JSON,), {MISSING}),
    Case("nothing over http", (HTML,), scheme="http"),
    Case("nothing from an address", (HTML,), host="192.0.2.7"),
    Case("as it should be", (HTML, LINE + FULL), effective=noted(31536000, subdomains=True)),
    Case(
        "two years without preload",
        (HTML, LINE + "max-age=63072000; includeSubDomains"),
        {NO_PRELOAD},
        noted(63072000, subdomains=True),
    ),
    Case(
        "a second less than a year",
        (HTML, LINE + "max-age=31535999; includeSubDomains"),
        {SHORT},
        noted(31535999, subdomains=True),
    ),
    Case(
        "preload for less than a year",
        (HTML, LINE + "max-age=31535999; includeSubDomains; preload"),
        {SHORT, INELIGIBLE},
    ),
    Case("preload without subdomains", (HTML, LINE + "max-age=31536000; preload"), {ALONE, INELIGIBLE}),
    Case(
        "preload with a value",
        (HTML, LINE + "max-age=31536000; includeSubDomains; preload=yes"),
        {NO_PRELOAD},
        noted(31536000, subdomains=True),
    ),
    Case("off", (HTML, LINE + "max-age=0"), {OFF}, noted(0)),
    Case("off in quotes", (HTML, LINE + 'max-age="0"'), {OFF}, noted(0), source="facts, 2.4"),
    Case("off with subdomains", (HTML, LINE + "max-age=0; includeSubDomains"), {OFF}, noted(0, subdomains=True)),
    Case("one second", (HTML, LINE + "max-age=1"), {SHORT, ALONE}, noted(1)),
    a_year("in capitals", "MAX-AGE=31536000"),
    a_year("with spaces around the equals sign", "max-age = 31536000"),
    a_year("with tabs", "max-age\t=\t31536000\t"),
    a_year("in quotes", 'max-age="31536000"'),
    a_year("in quotes with an escape", r'max-age="3153\6000"'),
    a_year("with leading zeros", "max-age=0031536000", _CHROMIUM),
    a_year("with empty directives", ";; max-age=31536000 ;; ;"),
    a_year("with an unknown directive", "max-age=31536000; x"),
    a_year("with an unknown directive twice", "max-age=31536000; x; x", _CHROMIUM),
    a_year("with an unknown directive of a value", "x=y; max-age=31536000"),
    a_year("with a semicolon in quotes", 'x="a;max-age=1"; max-age=31536000'),
    a_year("with a name that begins like another", "max-age=31536000; includeSubDomainsToo", _FIREFOX),
    a_year("with an escaped quote", r'x="a\";b"; max-age=31536000'),
    Case(
        "subdomains in odd case",
        (HTML, LINE + "INCLUDESUBDOMAINS; max-age=31536000; Preload"),
        effective=noted(31536000, subdomains=True),
    ),
    Case(
        "a huge max-age",
        (HTML, LINE + "max-age=99999999999; includeSubDomains; preload"),
        effective=noted(99999999999, subdomains=True),
    ),
    Case(
        "a max-age beyond all numbers",
        (HTML, LINE + f"max-age={'9' * 9000}; includeSubDomains; preload"),
        effective=noted(hsts.LONGEST_SECONDS, subdomains=True),
        source=f"{_CHROMIUM}: an overflow is clipped",
    ),
    ignored("empty", ""),
    ignored("only semicolons", " ; ;"),
    ignored("letters", "max-age=abc"),
    ignored("no value", "max-age"),
    ignored("an empty value", "max-age="),
    ignored("an empty quoted value", 'max-age=""', _CHROMIUM),
    ignored("negative", "max-age=-1"),
    ignored("with a sign", "max-age=+31536000"),
    ignored("a fraction", "max-age=31536000.0"),
    ignored("digits of another script", "max-age=\u0663\u0661"),
    ignored("a superscript digit", "max-age=1\u00b2"),
    ignored("no max-age", "includeSubDomains; preload"),
    ignored("max-age twice", "max-age=31536000; max-age=31536000"),
    ignored("max-age twice in different case", "max-age=31536000; Max-Age=1"),
    ignored("subdomains twice", "max-age=31536000; includeSubDomains; includeSubDomains", _CHROMIUM),
    ignored("subdomains with a value", "max-age=31536000; includeSubDomains=true", _CHROMIUM),
    ignored("subdomains with an empty value", "max-age=31536000; includeSubDomains=", _CHROMIUM),
    ignored("subdomains with an empty quoted value", 'max-age=31536000; includeSubDomains=""', _CHROMIUM),
    ignored("trailing junk", "max-age=31536000 x"),
    ignored("a comma instead of a semicolon", "max-age=31536000, includeSubDomains"),
    ignored("two values in one line", "max-age=31536000, max-age=31536000"),
    ignored("a space instead of a semicolon", "max-age=31536000 includeSubDomains"),
    ignored("a colon instead of the equals sign", "max-age: 31536000"),
    ignored("the whole in quotes", '"max-age=31536000"'),
    ignored("the header's name again", "Strict-Transport-Security: max-age=31536000"),
    ignored("quotes that do not close", 'max-age="31536000'),
    ignored("junk after the quotes", 'max-age="31536000"x'),
    ignored("garbage bytes", "\x00\xff\x7f; max-age=31536000"),
    ignored("two equals signs", "max-age==31536000"),
    ignored("a name in single quotes", "'max-age'=31536000", _CHROMIUM),
    ignored("a number in single quotes", "max-age='31536000'", _CHROMIUM),
    ignored("a comma in an unknown directive", "max-age=31536000; a,b", _CHROMIUM),
    ignored("a comma in an unknown value", "max-age=31536000; a=b,c", _CHROMIUM),
    ignored("a quote in an unknown value", 'max-age=31536000; a=b"c', _CHROMIUM),
    ignored("a lone quote", 'max-age=31536000; "', _CHROMIUM),
    ignored("a number in a number", "max-age=31536000=1", _CHROMIUM),
    ignored("an unknown directive without a name", "=x; max-age=31536000"),
    ignored("an unknown directive with an empty value", "x=; max-age=31536000", _CHROMIUM),
    Case(
        "twice alike",
        (HTML, LINE + FULL, LINE + FULL),
        {REPEATED},
        noted(31536000, subdomains=True),
        source="RFC 6797, section 8.1: only the first",
    ),
    Case(
        "twice, the first off",
        (HTML, LINE + "max-age=0", LINE + FULL),
        {REPEATED, OFF},
        noted(0),
        source="RFC 6797, section 8.1",
    ),
    Case("twice, the first invalid", (HTML, LINE, LINE + FULL), {REPEATED, IGNORED}, {NAME: None}),
    Case("over http", (HTML, LINE + FULL), {"hsts.over_http"}, {NAME: None}, scheme="http"),
    Case("from an address", (HTML, LINE + FULL), {"hsts.on_address"}, {NAME: None}, host="192.0.2.7"),
    Case("from an address with a port", (HTML, LINE + FULL), {"hsts.on_address"}, {NAME: None}, host="192.0.2.7:8443"),
    Case("from a long address", (HTML, LINE + FULL), {"hsts.on_address"}, {NAME: None}, host="[2001:db8::1]:8443"),
    Case("from a host named by digits", (HTML, LINE + FULL), effective=noted(31536000, subdomains=True), host="1.example"),
    Case("in capitals as a name", (HTML, LINE.upper() + FULL), effective=noted(31536000, subdomains=True)),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_strict_transport_security(case: Case) -> None:
    verify(check, case)


def test_the_reading_says_whether_the_host_asks_for_preloading() -> None:
    assert hsts.read([FULL]) == hsts.Policy(31536000, include_subdomains=True, preload=True)
    assert hsts.read([FULL], scheme="http") is None
    assert hsts.read([]) is None
