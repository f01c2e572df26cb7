"""Headers whose time is over, and those that only look like them."""

from __future__ import annotations

import pytest

from review.checks import deprecated as check
from tests.unit.review._cases import HTML, JSON, Case, verify


def found(*names: str) -> set[str]:
    return {f"deprecated.{name}" for name in names}


XSS = found("x_xss_protection")

CASES = (
    Case("nothing", (HTML,)),
    Case("a filter on", (HTML, "X-XSS-Protection: 1; mode=block"), XSS),
    Case("a filter on, in an answer of an API", (JSON, "x-xss-protection: 1"), XSS),
    Case("a filter off", (HTML, "X-XSS-Protection: 0"), source="Helmet, OWASP: switch it off"),
    Case("a filter off, oddly", (HTML, "X-XSS-Protection: 0; mode=block")),
    Case("a filter off and on", (HTML, "X-XSS-Protection: 0", "X-XSS-Protection: 1"), XSS),
    Case("a filter, empty", (HTML, "X-XSS-Protection:")),
    Case("a filter, garbage", (HTML, "X-XSS-Protection: \xff\x01"), XSS),
    Case("Expect-CT", (HTML, "Expect-CT: max-age=0"), found("expect_ct")),
    Case("pins", (HTML, 'Public-Key-Pins: pin-sha256="x"; max-age=1'), found("public_key_pins")),
    Case("pins reported", (HTML, "Public-Key-Pins-Report-Only: x"), found("public_key_pins")),
    Case("P3P", (HTML, 'P3P: CP="NOI"'), found("p3p")),
    Case("IE's rendering", (HTML, "X-UA-Compatible: IE=edge"), found("x_ua_compatible")),
    Case("IE's downloads", (HTML, "X-Download-Options: noopen"), found("x_download_options")),
    Case(
        "an old policy",
        (HTML, "X-Content-Security-Policy: default-src 'self'"),
        found("x_content_security_policy"),
    ),
    Case("an older policy", (HTML, "X-WebKit-CSP: default-src 'self'"), found("x_content_security_policy")),
    Case("today's policy", (HTML, "Content-Security-Policy: default-src 'self'")),
    Case(
        "Pragma beside Cache-Control", (HTML, "Pragma: no-cache", "Cache-Control: no-cache"), found("pragma")
    ),
    Case("Pragma alone", (HTML, "Pragma: no-cache"), source="a finding of caching"),
    Case("Warning", (HTML, '110 - "stale"', "Warning: 110"), found("warning")),
    Case("Set-Cookie2", (HTML, "Set-Cookie2: a=1"), found("set_cookie2")),
    Case("Content-MD5", (HTML, "Content-MD5: x"), found("content_md5")),
    Case("Tk", (HTML, "Tk: N"), found("tk")),
    Case("not deprecated", (HTML, "X-Permitted-Cross-Domain-Policies: none", "X-DNS-Prefetch-Control: off")),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_deprecated(case: Case) -> None:
    verify(check, case)


def test_the_cookie_of_an_old_header_is_not_shown() -> None:
    (one,) = check.check(Case("", (HTML, "Set-Cookie2: a=s3cr3t")).received())
    assert "s3cr3t" not in one.evidence
