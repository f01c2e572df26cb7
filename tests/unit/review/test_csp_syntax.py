"""Content-Security-Policy: cases of what was typed wrong."""

from __future__ import annotations

import pytest

from headersweep.bodyfacts import BodyFacts
from review.checks import csp_syntax as check
from tests.unit.review._cases import HTML, JSON, Case, verify

UNKNOWN, DEPRECATED = "csp.unknown_directive", "csp.deprecated_directive"
UNQUOTED, KEYWORD, INVALID = "csp.unquoted_keyword", "csp.unknown_keyword", "csp.invalid_source"
REPEATED, SEMICOLON, NONE = "csp.repeated_directive", "csp.missing_semicolon", "csp.none_with_others"
HASH, NONCE, HTTP = "csp.bad_hash", "csp.bad_nonce", "csp.http_source"
ASCII, LONG = "csp.non_ascii", "csp.too_long"
_MDN = "facts 2.4: misspelt directives and unquoted keywords"
_DIGEST = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def of(name: str, value: str, *codes: str, source: str = "", scheme: str = "https") -> Case:
    return Case(name, (HTML, f"Content-Security-Policy: {value}"), set(codes), source=source, scheme=scheme)


CASES = (
    Case("no policy", (HTML,)),
    Case("an answer of an API", (JSON, "Content-Security-Policy: defalt-src x")),
    of("as it should be", "default-src 'self' https://a.example data:; report-uri /r; sandbox allow-scripts"),
    of("a misspelt directive", "defalt-src 'self'", UNKNOWN, source=_MDN),
    of("a colon behind the name", "script-src: 'self'", UNKNOWN),
    of("odd case", "Default-SRC 'Self' 'NONE-x'", KEYWORD),
    of(
        "all that browsers know",
        "worker-src 'self'; fenced-frame-src https:; webrtc 'block'; trusted-types *",
    ),
    of("mixed content", "block-all-mixed-content", DEPRECATED),
    of("upgrading instead", "upgrade-insecure-requests"),
    of("removed from the standard", "navigate-to 'self'; prefetch-src 'self'", DEPRECATED),
    Case(
        "on trial too",
        (HTML, "Content-Security-Policy-Report-Only: script-source 'self'"),
        {UNKNOWN},
    ),
    Case("in the page too", (HTML,), {UNKNOWN}, facts=BodyFacts(meta_policies=("script-source 'self'",))),
    of("self without quotes", "default-src self", UNQUOTED, source=_MDN),
    of("none without quotes", "object-src none", UNQUOTED, source=_MDN),
    of("a nonce without quotes", "script-src nonce-4AEemGb0xJptoIGFP3NdQA", UNQUOTED),
    of("a hash without quotes", f"script-src sha256-{_DIGEST}", UNQUOTED),
    of("double quotes", 'default-src "self"', UNQUOTED),
    of("half a quote", "default-src 'self", UNQUOTED),
    of("a host of that name", "default-src self.example none.example"),
    of("a keyword in sandbox is none of sources", "sandbox none"),
    of("a misspelt keyword", "script-src 'unsafe-inlines'", KEYWORD),
    of("a host in quotes", "script-src 'static.example.com'", KEYWORD),
    of(
        "keywords of today",
        "script-src 'report-sample' 'inline-speculation-rules' 'trusted-types-eval' 'report-sha256'",
    ),
    of("a wildcard in the middle", "img-src a.*.example", INVALID),
    of("a wildcard in a label", "img-src *a.example", INVALID),
    of("a URL with two slashes missing", "img-src https:a.example", INVALID),
    of("an address in brackets", "img-src https://[::1]", INVALID, source="CSP3 host-part knows names only"),
    of(
        "a wildcard, a port, a path",
        "img-src *.a.example:* https://b.example:8443/c/ *:80 a_b.example. localhost:3000",
    ),
    of("a path with a query", "script-src https://a.example/x?y=1"),
    of("twice", "script-src 'self'; script-src *", REPEATED),
    of("twice in other case", "script-src 'self'; Script-Src *", REPEATED),
    of("once in each policy", "script-src 'self', script-src *"),
    of("a lost semicolon", "default-src 'self' script-src 'none'", SEMICOLON),
    of("a lost semicolon before none", "default-src 'self' object-src 'none'", SEMICOLON),
    of("a host like a directive", "default-src 'self' script-src.example sandbox"),
    of("none beside others", "script-src 'none' 'self'", NONE),
    of("none beside none", "script-src 'none' 'none'"),
    of("none alone", "script-src 'none'"),
    of(
        "a good hash", f"script-src 'sha256-{_DIGEST}' 'SHA256-{_DIGEST.replace('+', '-').replace('/', '_')}'"
    ),
    of("a hash without padding", f"script-src 'sha256-{_DIGEST.rstrip('=')}'"),
    of("a short hash", "script-src 'sha256-47DEQpj8HBSa'", HASH),
    of("a hash of another length", f"script-src 'sha384-{_DIGEST}'", HASH),
    of("an old hash", "script-src 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk='", HASH),
    of("no base64", "script-src 'sha256-%%%'", HASH),
    of("one character of base64", "script-src 'sha256-a'", HASH),
    of("a template's nonce", "script-src 'nonce-{{nonce}}'", NONCE),
    of("a template's nonce, masked", "script-src 'nonce-<nonce:invalid>'", NONCE),
    of("an empty nonce", "script-src 'nonce-'", NONCE),
    of("a good nonce", "script-src 'nonce-4AEemGb0xJptoIGFP3NdQA=='"),
    of("a masked nonce", "script-src 'nonce-<nonce>'"),
    of("http pictures", "img-src http://a.example", HTTP),
    of("http on an http page", "img-src http://a.example", scheme="http"),
    of("http, and upgraded", "img-src http://a.example; upgrade-insecure-requests"),
    of("all of http for scripts is another finding", "script-src http:"),
    of("all of http for pictures", "img-src http:", HTTP),
    of("plain sockets", "connect-src ws://a.example", HTTP),
    of("frames by http", "frame-ancestors http://a.example"),
    of("curly quotes", "script-src \u2018self\u2019", ASCII),
    of("a hard space", "script-src\u00a0'self'; img-src 'self'", ASCII),
    of("bytes of another charset", "script-src a.example\xff", ASCII),
    of("a name in punycode", "script-src xn--bcher-kva.example"),
    of("8 policies", ", ".join(["img-src 'self'"] * 8)),
    of("9 policies", ", ".join(["img-src 'self'"] * 9), LONG),
    of("500 sources", "img-src " + " ".join(f"h{n}.example" for n in range(500))),
    of("501 sources", "img-src " + " ".join(f"h{n}.example" for n in range(501)), LONG),
    of("501 times one source", "img-src " + "a.example " * 501),
    of("256 directives", "; ".join(["img-src 'self'"] * 256), REPEATED),
    of("257 directives", "; ".join(["img-src 'self'"] * 257), REPEATED, LONG),
    of("garbage", "\x00\x01 '", ASCII),
    of("garbage that is printable", "' \" <> ==", UNKNOWN),
    of("a control character", "img-src a.example\x7f", ASCII),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_csp_syntax(case: Case) -> None:
    verify(check, case)
