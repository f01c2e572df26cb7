"""Content-Security-Policy: cases of what scripts and styles may do."""

from __future__ import annotations

import pytest

from headersweep.bodyfacts import BodyFacts
from review.checks import csp_scripts as check
from tests.unit.review._cases import HTML, JSON, Case, verify

INLINE, WIDE, BLOB = "csp.unsafe_inline_script", "csp.wide_script_source", "csp.blob_script_source"
BYPASS, EVAL, HASHES = "csp.bypass_host", "csp.unsafe_eval", "csp.unsafe_hashes"
STYLE = "csp.unsafe_inline_style"
DYNAMIC, SHORT = "csp.strict_dynamic_without_nonce", "csp.short_nonce"

NONCE = "'nonce-4AEemGb0xJptoIGFP3NdQA'"
HASH = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
_INLINE = "CSP3 6.7.3.2, does a source list allow all inline behavior"
_DYNAMIC = "CSP3 8.2, 'strict-dynamic'"
_BYPASS = "facts 2.4: only JSONP-hosting CDNs"


def line(value: str) -> str:
    return f"Content-Security-Policy: {value}"


def scripts(name: str, value: str, *codes: str, source: str = "") -> Case:
    return Case(name, (HTML, line(f"script-src {value}")), set(codes), source=source)


CASES = (
    Case("no policy", (HTML,)),
    Case("an answer of an API", (JSON, line("script-src *"))),
    Case("report-only", (HTML, "Content-Security-Policy-Report-Only: script-src * 'unsafe-inline'")),
    scripts("own scripts", "'self'"),
    # inline
    scripts("inline", "'self' 'unsafe-inline'", INLINE, source=_INLINE),
    scripts("inline in capitals", "'self' 'UNSAFE-INLINE'", INLINE),
    scripts("inline without quotes", "'self' unsafe-inline"),
    scripts("inline beside a nonce", f"'unsafe-inline' {NONCE}", source=_INLINE),
    scripts("inline beside a masked nonce", "'unsafe-inline' 'nonce-<nonce>'"),
    scripts("inline beside an invalid nonce", "'unsafe-inline' 'nonce-{{nonce}}'", INLINE, source=_INLINE),
    scripts("inline beside a masked invalid nonce", "'unsafe-inline' 'nonce-<nonce:invalid>'", INLINE),
    scripts("inline beside a hash", f"'unsafe-inline' {HASH}", source=_INLINE),
    scripts("inline beside an unknown hash", "'unsafe-inline' 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk='", INLINE),
    scripts("inline by fallback", "'self'; style-src 'self'"),
    Case("inline by default-src", (HTML, line("default-src 'unsafe-inline'; style-src 'self'")), {INLINE}),
    Case(
        "inline elements alone",
        (HTML, line("script-src 'self'; script-src-elem 'unsafe-inline' *")),
        {INLINE, WIDE},
        source="facts 2.4: script-src-elem decides",
    ),
    Case(
        "inline attributes alone",
        (HTML, line("script-src 'self'; script-src-attr 'unsafe-inline'")),
        {INLINE},
    ),
    Case(
        "elem and attr take the place of script-src",
        (HTML, line("script-src 'unsafe-inline'; script-src-elem 'self'; script-src-attr 'none'")),
    ),
    Case(
        "a second policy forbids inline",
        (HTML, line("script-src 'self' 'unsafe-inline'"), line("script-src 'self'")),
    ),
    Case(
        "both policies allow inline",
        (HTML, line("script-src 'unsafe-inline'"), line("default-src 'unsafe-inline'; style-src 'self'")),
        {INLINE},
    ),
    Case(
        "a policy in the page forbids inline",
        (HTML, line("script-src 'unsafe-inline' 'self'")),
        facts=BodyFacts(meta_policies=("script-src 'self'",)),
        source="facts 1: several policies together",
    ),
    Case(
        "inline in the page's policy",
        (HTML,),
        {INLINE},
        facts=BodyFacts(meta_policies=("script-src 'unsafe-inline'",)),
    ),
    # wide sources
    scripts("any host", "*", WIDE),
    scripts("any https host", "https:", WIDE),
    scripts("any http host", "HTTP:", WIDE),
    scripts("any host, spelt out", "https://*:443", WIDE),
    scripts("data", "'self' data:", WIDE),
    scripts("a whole top-level domain", "https://*.com", WIDE),
    scripts("a public suffix", "*.co.uk", WIDE),
    scripts("everybody's names", "*.github.io", WIDE),
    scripts("one domain", "*.example.com"),
    scripts("names nobody registers", "*.internal"),
    scripts("blobs", "'self' blob:", BLOB),
    scripts("blobs of workers", "'self'; worker-src blob:"),
    scripts(
        "wide with a nonce",
        f"{NONCE} https:",
        WIDE,
        source="without 'strict-dynamic' hosts count beside nonces",
    ),
    scripts("wide with strict-dynamic", f"{NONCE} 'strict-dynamic' https: 'unsafe-inline'", source=_DYNAMIC),
    Case("wide, and narrowed by another", (HTML, line("script-src *"), line("script-src 'self'"))),
    Case("wide in both", (HTML, line("script-src *"), line("script-src https:")), {WIDE}),
    Case(
        "a public suffix under any host",
        (HTML, line("script-src https:"), line("script-src *.com")),
        {WIDE},
    ),
    Case("wide by default-src", (HTML, line("default-src https:; style-src 'self'")), {WIDE}),
    Case("wide pictures", (HTML, line("default-src 'self'; img-src *"))),
    # hosts that serve anybody's code
    scripts("AngularJS", "https://ajax.googleapis.com", BYPASS, source=_BYPASS),
    scripts("a library beside it", "https://ajax.googleapis.com/ajax/libs/jquery/"),
    scripts("by wildcard", "*.googleapis.com", BYPASS),
    scripts("every package", "cdn.jsdelivr.net/npm/", BYPASS),
    scripts("one exact file", "https://cdn.jsdelivr.net/npm/bootstrap@5.3.3/dist/js/bootstrap.min.js"),
    scripts("another port", "https://unpkg.com:8443"),
    scripts("its own port", "https://unpkg.com:443", BYPASS),
    scripts("an unknown host", "https://static.example.com"),
    scripts(
        "with strict-dynamic it does not count",
        f"https://unpkg.com {NONCE} 'strict-dynamic'",
        source=_DYNAMIC,
    ),
    Case("another policy forbids it", (HTML, line("script-src 'self' unpkg.com"), line("script-src 'self'"))),
    # eval and hashes
    scripts("eval", "'self' 'unsafe-eval'", EVAL),
    scripts("eval for WebAssembly", "'self' 'wasm-unsafe-eval'"),
    scripts("eval with strict-dynamic", f"{NONCE} 'strict-dynamic' 'unsafe-eval'", EVAL),
    Case(
        "eval in script-src-elem does not count",
        (HTML, line("script-src 'self'; script-src-elem 'self' 'unsafe-eval'")),
    ),
    Case(
        "another policy forbids eval",
        (HTML, line("script-src 'self' 'unsafe-eval'"), line("script-src 'self'")),
    ),
    scripts("hashes for attributes", f"'self' 'unsafe-hashes' {HASH}", HASHES),
    scripts("no hash to use", "'self' 'unsafe-hashes'"),
    scripts("hashes of elements", f"'self' {HASH}"),
    # styles
    Case("inline styles", (HTML, line("default-src 'self'; style-src 'unsafe-inline'")), {STYLE}),
    Case(
        "inline styles with a nonce", (HTML, line(f"default-src 'self'; style-src 'unsafe-inline' {NONCE}"))
    ),
    Case("no word about styles", (HTML, line("script-src 'self'"))),
    Case(
        "inline style attributes", (HTML, line("default-src 'self'; style-src-attr 'unsafe-inline'")), {STYLE}
    ),
    Case(
        "strict-dynamic is not for styles",
        (HTML, line("script-src 'self'; style-src 'unsafe-inline' 'strict-dynamic'")),
        {STYLE},
    ),
    # strict-dynamic and nonces
    scripts("strict-dynamic alone", "'strict-dynamic' 'self' https:", DYNAMIC, source=_DYNAMIC),
    scripts("strict-dynamic with an invalid nonce", "'strict-dynamic' 'nonce-'", DYNAMIC),
    scripts("strict-dynamic with a hash", f"'strict-dynamic' {HASH}"),
    scripts("a nonce of 21 characters", "'nonce-4AEemGb0xJptoIGFP3NdQ'", SHORT, source="CSP3 7.1: 128 bits"),
    scripts("a nonce of 21 characters and padding", "'nonce-4AEemGb0xJptoIGFP3NdQ=='", SHORT),
    scripts("a nonce of 22 characters", NONCE),
    scripts("a nonce that was masked", "'nonce-<nonce>'"),
    Case("garbage", (HTML, line("script-src \x00 ' '' ''' *.* :// : ** http:// https://"))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_csp_scripts(case: Case) -> None:
    verify(check, case)
