"""Content-Security-Policy: cases of what Chromium and Firefox read differently; tests/data/browser has what they did."""

from __future__ import annotations

import pytest

from review.checks import csp_differences as check
from tests.unit.review._cases import HTML, JSON, Case, verify

DIFFER = "csp.browsers_differ"


def of(name: str, value: str, *codes: str, scheme: str = "https") -> Case:
    return Case(name, (HTML, f"Content-Security-Policy: {value}"), set(codes), scheme=scheme)


CASES = (
    Case("no policy", (HTML,)),
    Case("an answer of an API", (JSON, "Content-Security-Policy: frame-ancestors a.example/x")),
    Case("on trial", (HTML, "Content-Security-Policy-Report-Only: frame-ancestors a.example/x")),
    of("a path of an ancestor", "frame-ancestors https://a.example/x", DIFFER),
    of("a slash alone", "frame-ancestors https://a.example/"),
    of("a path of a script", "script-src https://a.example/x"),
    of("port 80", "script-src a.example:80", DIFFER),
    of("port 80 by https", "img-src https://a.example:80", DIFFER),
    of("port 80 by http", "img-src http://a.example:80"),
    of("port 80 on a page over http", "img-src a.example:80", scheme="http"),
    of("port 443", "script-src a.example:443"),
    of("a path behind a star", "script-src https://*/x/", DIFFER),
    of("a star", "script-src https://*"),
    of("a path behind a star with a domain", "script-src *.a.example/x/"),
    of("a query without a path", "script-src a.example?x", DIFFER),
    of("a fragment without a path", "script-src a.example#x", DIFFER),
    of("a query with a path", "script-src a.example/x?y"),
    of("a query and nothing before it", "script-src ?x"),
    of("styles beside strict-dynamic", "default-src 'strict-dynamic' 'unsafe-inline'", DIFFER),
    of("styles by themselves", "default-src 'strict-dynamic' 'unsafe-inline'; style-src 'self'"),
    of("a nonce beside it", "default-src 'nonce-abc' 'strict-dynamic' 'unsafe-inline'"),
    of("scripts alone", "script-src 'strict-dynamic' 'unsafe-inline'"),
    of("in no list of sources", "report-uri a.example:80"),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_csp_differences(case: Case) -> None:
    verify(check, case)
