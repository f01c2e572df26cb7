"""Content-Security-Policy as a whole: cases of parsing, several policies, policies in the page."""

from __future__ import annotations

from typing import Any

import pytest

from headersweep.bodyfacts import BodyFacts
from review.checks import csp as check
from tests.unit.review._cases import HTML, IMAGE, JSON, Case, verify

NAME, REPORTED = "content-security-policy", "content-security-policy-report-only"
MISSING, REPORT_ONLY, NO_SCRIPT = "csp.missing", "csp.report_only", "csp.missing_script_src"
CONFLICT, META_ONLY, META_IGNORED = (
    "csp.nothing_allowed_conflict",
    "csp.meta_only",
    "csp.meta_ignored_directive",
)
WIDE_FRAMES = "csp.frame_ancestors_wide"
_PARSE = "CSP3, parse a serialized CSP"
_LINES = "CSP3, parse a response's CSPs: lines and commas"
_FRAMES = "facts 2.4: frame-ancestors * is framable"


def line(value: str) -> str:
    return f"Content-Security-Policy: {value}"


def reported(value: str) -> str:
    return f"Content-Security-Policy-Report-Only: {value}"


def shape(*policies: dict[str, list[str]]) -> dict[str, Any]:
    return {NAME: {"policies": [{"directives": policy} for policy in policies]}}


def in_page(*contents: str) -> BodyFacts:
    return BodyFacts(meta_policies=contents)


SELF = {"default-src": ["'self'"]}

CASES = (
    Case("nothing", (HTML,), {MISSING}),
    Case("a picture", (IMAGE,)),
    Case("an answer of an API", (JSON,), source="facts 3: rules applied to responses they do not fit"),
    Case("a redirect", ("Location: /",), status=302),
    Case("an error page", (HTML,), {MISSING}, status=404),
    Case("one policy", (HTML, line("default-src 'self'")), effective=shape(SELF)),
    Case(
        "odd case and spaces",
        (HTML, line(" \tDEFAULT-SRC\t 'self' ;; ")),
        effective=shape(SELF),
        source=_PARSE,
    ),
    Case(
        "the case of values is kept",
        (HTML, line("script-src https://A.example/Path 'SELF'")),
        effective=shape({"script-src": ["https://A.example/Path", "'SELF'"]}),
    ),
    Case(
        "the first of repeated directives",
        (HTML, line("default-src 'self'; Default-Src *")),
        effective=shape(SELF),
        source=_PARSE,
    ),
    Case(
        "two lines",
        (HTML, line("default-src 'self'"), line("img-src *")),
        effective=shape(SELF, {"img-src": ["*"]}),
        source=_LINES,
    ),
    Case(
        "a comma list",
        (HTML, line("default-src 'self', img-src *")),
        effective=shape(SELF, {"img-src": ["*"]}),
        source="csp-evaluator #10: comma-joined policies",
    ),
    Case(
        "empty policies do not exist",
        (HTML, line(", ;;, default-src 'self',,")),
        effective=shape(SELF),
        source=_LINES,
    ),
    Case(
        "a directive that is not ASCII",
        (HTML, line("script-src \u2018self\u2019; default-src 'self'")),
        effective=shape(SELF),
        source=_PARSE,
    ),
    Case(
        "no-break space is no whitespace",
        (HTML, line("default-src\u00a0'self'")),
        {MISSING},
        {NAME: None},
        source=_PARSE,
    ),
    Case("an empty header", (HTML, line("")), {MISSING}, {NAME: None}),
    Case("semicolons only", (HTML, line(" ; ;")), {MISSING}, {NAME: None}),
    Case("garbage", (HTML, line("\x00\x01\x7f")), {MISSING}, {NAME: None}),
    Case("garbage that is printable", (HTML, line("=<>()")), {NO_SCRIPT}, shape({"=<>()": []})),
    Case(
        "a control character in one directive",
        (HTML, line("default-src 'self'; frame-ancestors *\x01")),
        effective=shape(SELF),
        source="web-platform-tests, content-security-policy/parsing/invalid-bytes",
    ),
    Case(
        "report-only alone",
        (HTML, reported("default-src 'self'")),
        {REPORT_ONLY},
        {REPORTED: shape(SELF)[NAME]},
    ),
    Case("an empty report-only", (HTML, reported("")), {MISSING}, {REPORTED: None}),
    Case("report-only beside", (HTML, line("default-src 'self'"), reported("default-src 'none'"))),
    Case(
        "the old names are no policy",
        (HTML, "X-Content-Security-Policy: default-src 'self'", "X-WebKit-CSP: default-src 'self'"),
        {MISSING},
    ),
    Case("only frames", (HTML, line("frame-ancestors 'self'; upgrade-insecure-requests")), {NO_SCRIPT}),
    Case("only script elements", (HTML, line("script-src-elem 'self'"))),
    Case("only script attributes", (HTML, line("script-src-attr 'none'")), {NO_SCRIPT}),
    Case("a second policy has the scripts", (HTML, line("img-src 'self'"), line("script-src 'self'"))),
    Case(
        "policies without a script in common",
        (HTML, line("script-src 'self'"), line("script-src https://cdn.example")),
        {CONFLICT},
    ),
    Case(
        "policies with one in common",
        (HTML, line("script-src 'self' b.example"), line("script-src b.example")),
    ),
    Case(
        "a wildcard has it in common", (HTML, line("script-src *.b.example"), line("script-src a.b.example"))
    ),
    Case(
        "inline against hosts",
        (HTML, line("script-src 'unsafe-inline'"), line("script-src 'self'")),
        {CONFLICT},
    ),
    Case(
        "a nonce and hosts go together", (HTML, line("script-src 'nonce-<nonce>'"), line("script-src 'self'"))
    ),
    Case(
        "one policy forbids all by itself",
        (HTML, line("script-src *"), line("default-src 'none'")),
        source="facts 2.4: default-src 'none' behind a loose first blocks",
    ),
    Case("one in the page", (HTML,), {META_ONLY}, facts=in_page("default-src 'self'")),
    Case("page and header", (HTML, line("default-src 'self'")), facts=in_page("default-src 'none'")),
    Case("none in the page", (HTML,), {MISSING}, facts=in_page()),
    Case("an empty one in the page", (HTML,), {MISSING}, facts=in_page(" ; ")),
    Case(
        "frame-ancestors in the page",
        (HTML,),
        {META_ONLY, META_IGNORED},
        facts=in_page("default-src 'self'; frame-ancestors 'none'"),
        source="HTML 4.2.5.3; facts 2.4",
    ),
    Case(
        "nothing else in the page", (HTML,), {MISSING, META_IGNORED}, facts=in_page("frame-ancestors 'none'")
    ),
    Case(
        "report-uri and sandbox in the page",
        (HTML, line("default-src 'self'")),
        {META_IGNORED},
        facts=in_page("report-uri /; sandbox"),
    ),
    Case(
        "a comma in the page does not split",
        (HTML,),
        {META_ONLY},
        facts=in_page("default-src 'self', script-src *"),
        source="HTML 4.2.5.3: one serialized policy",
    ),
    Case(
        "frames of everybody",
        (HTML, line("default-src 'self'; frame-ancestors *")),
        {WIDE_FRAMES},
        source=_FRAMES,
    ),
    Case("frames of every scheme", (HTML, line("default-src 'self'; frame-ancestors https:")), {WIDE_FRAMES}),
    Case(
        "frames of every host", (HTML, line("default-src 'self'; frame-ancestors https://*")), {WIDE_FRAMES}
    ),
    Case("frames of http hosts", (HTML, line("default-src 'self'; frame-ancestors http:")), {WIDE_FRAMES}),
    Case("frames of one domain", (HTML, line("default-src 'self'; frame-ancestors *.example.com"))),
    Case("frames of nobody", (HTML, line("default-src 'self'; frame-ancestors"))),
    Case(
        "wide frames, narrowed", (HTML, line("default-src 'self'; frame-ancestors *, frame-ancestors 'self'"))
    ),
    Case("wide frames, on trial", (HTML, line("default-src 'self'"), reported("frame-ancestors *"))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_csp(case: Case) -> None:
    verify(check, case)
