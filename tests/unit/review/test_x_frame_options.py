"""X-Frame-Options: cases of the algorithm in HTML, and of frame-ancestors beside it."""

from __future__ import annotations

import pytest

from headersweep.bodyfacts import BodyFacts
from review.checks import x_frame_options as check
from tests.unit.review._cases import HTML, IMAGE, JSON, Case, verify

MISSING, IGNORED = "x_frame_options.missing", "x_frame_options.ignored"
OVERRIDDEN, CONFLICTING = "x_frame_options.overridden", "x_frame_options.conflicting"
NAME = "x-frame-options"
_WPT = "web-platform-tests, x-frame-options/"
_FACTS = "facts 2.4"


def of(
    name: str, *values: str, codes: set[str] | None = None, effect: str | None = None, source: str = ""
) -> Case:
    lines = (HTML, *(f"X-Frame-Options: {value}" for value in values))
    return Case(name, lines, codes or set(), {NAME: effect}, source=source)


def beside(name: str, value: str, ancestors: str, *codes: str, source: str = "") -> Case:
    lines = (HTML, f"X-Frame-Options: {value}", f"Content-Security-Policy: frame-ancestors {ancestors}")
    return Case(name, lines, set(codes), {NAME: None}, source=source)


CASES = (
    Case("nothing", (HTML,), {MISSING}),
    Case("a picture", (IMAGE,)),
    Case("an answer of an API", (JSON,), source=_FACTS),
    Case("a redirect", ("Location: /",), status=301),
    Case("an error page", (HTML,), {MISSING}, status=404),
    of("deny", "DENY", effect="deny"),
    of("deny in odd case", "dEnY", effect="deny"),
    of("same origin", "SAMEORIGIN", effect="sameorigin"),
    of("deny twice", "DENY", "DENY", effect="deny", source=_FACTS),
    of(
        "same origin twice in a list", "SAMEORIGIN, sameorigin", effect="sameorigin", source=f"{_WPT}multiple"
    ),
    of("two values", "SAMEORIGIN, DENY", codes={CONFLICTING}, effect="deny", source=_FACTS),
    of("two lines", "SAMEORIGIN", "DENY", codes={CONFLICTING}, effect="deny", source=f"{_WPT}multiple"),
    of(
        "one is invalid",
        "INVALID",
        "SAMEORIGIN",
        codes={CONFLICTING},
        effect="deny",
        source=f"{_WPT}multiple",
    ),
    of("one is empty", "SAMEORIGIN,", codes={CONFLICTING}, effect="deny", source=f"{_WPT}multiple"),
    of("two that allow", "ALLOWALL, INVALID", codes={CONFLICTING}, effect="deny", source="HTML: step 6"),
    of("two invalid ones", "INVALID, ALLOW-FROM https://a.example", codes={IGNORED}, source="HTML: step 7"),
    of("allow all", "ALLOWALL", codes={IGNORED}),
    of("allow from", "ALLOW-FROM https://a.example", codes={IGNORED}, source=_FACTS),
    of("quoted", '"DENY"', codes={IGNORED}, source=f"{_WPT}invalid"),
    of("a comma in quotes", '"DENY, SAMEORIGIN"', codes={IGNORED}, source="Fetch, get, decode, and split"),
    of("with a semicolon", "DENY;", codes={IGNORED}, source=f"{_WPT}invalid"),
    of("same-origin", "SAME-ORIGIN", codes={IGNORED}),
    of("empty", "", codes={IGNORED}),
    of("garbage", "\x00\xff", codes={IGNORED}),
    Case("frame-ancestors alone", (HTML, "Content-Security-Policy: frame-ancestors 'self'")),
    beside("the same beside it", "SAMEORIGIN", "'self'"),
    beside("none beside deny", "DENY", "'none'"),
    beside("less beside it", "SAMEORIGIN", "'none'"),
    beside("self beside deny", "DENY", "'self'", OVERRIDDEN),
    beside("everybody beside deny", "DENY", "*", OVERRIDDEN, source=_FACTS),
    beside("a partner beside same origin", "SAMEORIGIN", "'self' https://a.example", OVERRIDDEN),
    beside("everybody beside what is ignored anyway", "ALLOWALL", "*"),
    Case(
        "two policies narrow each other",
        (HTML, "X-Frame-Options: DENY", "Content-Security-Policy: frame-ancestors *, frame-ancestors 'none'"),
        effective={NAME: None},
    ),
    Case(
        "frame-ancestors on trial",
        (HTML, "X-Frame-Options: DENY", "Content-Security-Policy-Report-Only: frame-ancestors *"),
        effective={NAME: "deny"},
        source="HTML: enforced policies only",
    ),
    Case(
        "nothing but a trial",
        (HTML, "Content-Security-Policy-Report-Only: frame-ancestors 'self'"),
        {MISSING},
    ),
    Case(
        "by default-src",
        (HTML, "Content-Security-Policy: default-src 'none'"),
        {MISSING},
        source="CSP3 6.4.2: no fallback",
    ),
    Case(
        "frame-ancestors in the page",
        (HTML,),
        {MISSING},
        facts=BodyFacts(meta_policies=("frame-ancestors 'none'",)),
        source=_FACTS,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_x_frame_options(case: Case) -> None:
    verify(check, case)
