"""What headers protect: each protection on both sides of its boundary, by what a browser makes of the header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headersweep.bodyfacts import BodyFacts
from review import posture
from review import received as reading
from review.caching import Sharing
from tests.unit.review._cases import HTML, IMAGE, JSON, Case
from tests.unit.review.test_any_lines import PAIRS

CSP = "Content-Security-Policy: "
COOKIE = "Set-Cookie: id=1; Path=/; "
YEAR = "max-age=31536000"

HELD = {
    "https": [Case("over https", (HTML,))],
    "hsts": [
        Case("half a year", (HTML, "Strict-Transport-Security: max-age=15552000")),
        Case("on a picture", (IMAGE, f"Strict-Transport-Security: {YEAR}")),
    ],
    "csp": [
        Case("a list", (HTML, f"{CSP}script-src *")),
        Case("the default", (HTML, f"{CSP}default-src 'self'")),
        Case("in the page", (HTML,), facts=BodyFacts(meta_policies=("script-src 'self'",))),
    ],
    "csp_no_inline": [
        Case("a list", (HTML, f"{CSP}script-src *")),
        Case("a nonce takes unsafe-inline away", (HTML, f"{CSP}script-src 'unsafe-inline' 'nonce-abcdefghijklmnopqrstuv'")),
        Case("the stricter of two", (HTML, f"{CSP}script-src 'unsafe-inline'", f"{CSP}script-src 'self'")),
    ],
    "csp_chosen_scripts": [
        Case("a host", (HTML, f"{CSP}script-src https://cdn.example")),
        Case("none", (HTML, f"{CSP}default-src 'none'")),
    ],
    "csp_no_eval": [Case("a list", (HTML, f"{CSP}script-src 'self'"))],
    "framing": [
        Case("deny", (HTML, "X-Frame-Options: DENY")),
        Case("ancestors", (HTML, f"{CSP}frame-ancestors https://partner.example")),
    ],
    "nosniff": [Case("nosniff", (HTML, "X-Content-Type-Options: NoSniff"))],
    "referrer": [
        Case("strict", (HTML, "Referrer-Policy: strict-origin-when-cross-origin")),
        Case("the last known word", (HTML, "Referrer-Policy: unsafe-url, same-origin, new-word")),
        Case("the page's own", (HTML, "Referrer-Policy: unsafe-url"), facts=BodyFacts(meta_referrers=("no-referrer",))),
    ],
    "permissions": [Case("closed", (HTML, "Permissions-Policy: camera=(), geolocation=(self), microphone=()"))],
    "coop": [Case("same-origin", (HTML, "Cross-Origin-Opener-Policy: same-origin"))],
    "corp": [Case("same-site", (IMAGE, "Cross-Origin-Resource-Policy: same-site"))],
    "cookies_secure": [Case("secure", (HTML, f"{COOKIE}Secure"))],
    "cookies_same_site": [Case("lax", (HTML, f"{COOKIE}SameSite=Lax"))],
}  # fmt: skip

MISSED = {
    "https": [Case("over http", (HTML,), scheme="http")],
    "hsts": [
        Case("a second less", (HTML, "Strict-Transport-Security: max-age=15551999")),
        Case("ignored", (HTML, f"Strict-Transport-Security: {YEAR}; {YEAR}")),
        Case("the first line counts", (HTML, "Strict-Transport-Security: max-age=0", f"Strict-Transport-Security: {YEAR}")),
    ],
    "csp": [
        Case("nothing", (HTML,)),
        Case("only reported", (HTML, "Content-Security-Policy-Report-Only: default-src 'none'")),
        Case("about frames alone", (HTML, f"{CSP}frame-ancestors 'none'")),
    ],
    "csp_no_inline": [
        Case("nothing", (HTML,)),
        Case("unsafe-inline", (HTML, f"{CSP}script-src 'self' 'unsafe-inline'")),
        Case("attributes alone", (HTML, f"{CSP}script-src 'self'; script-src-attr 'unsafe-inline'")),
    ],
    "csp_chosen_scripts": [
        Case("from anywhere", (HTML, f"{CSP}script-src *")),
        Case("any https", (HTML, f"{CSP}script-src https:")),
    ],
    "csp_no_eval": [Case("eval", (HTML, f"{CSP}script-src 'self' 'unsafe-eval'")), Case("nothing", (HTML,))],
    "framing": [
        Case("nothing", (HTML,)),
        Case("no value", (HTML, "X-Frame-Options: ALLOW-FROM https://a.example")),
        Case("ancestors win", (HTML, "X-Frame-Options: DENY", f"{CSP}frame-ancestors *")),
        Case("any https host", (HTML, f"{CSP}frame-ancestors https:")),
    ],
    "nosniff": [Case("another word", (HTML, "X-Content-Type-Options: no-sniff"))],
    "referrer": [
        Case("nothing said", (HTML,)),
        Case("the whole URL", (HTML, "Referrer-Policy: unsafe-url")),
        Case("the page's own", (HTML, "Referrer-Policy: no-referrer"), facts=BodyFacts(meta_referrers=("unsafe-url",))),
    ],
    "permissions": [
        Case("one is missing", (HTML, "Permissions-Policy: camera=(), geolocation=()")),
        Case("one is for all", (HTML, "Permissions-Policy: camera=(), geolocation=(), microphone=*")),
        Case("ignored whole", (HTML, "Permissions-Policy: camera=(), geolocation=(), microphone=(),")),
    ],
    "coop": [
        Case("unsafe-none", (HTML, "Cross-Origin-Opener-Policy: unsafe-none")),
        Case("over http", (HTML, "Cross-Origin-Opener-Policy: same-origin"), scheme="http"),
    ],
    "corp": [Case("cross-origin", (IMAGE, "Cross-Origin-Resource-Policy: cross-origin"))],
    "cookies_secure": [Case("one without", (HTML, f"{COOKIE}Secure", "Set-Cookie: other=1"))],
    "cookies_same_site": [Case("nothing said", (HTML, f"{COOKIE}Secure"))],
}  # fmt: skip

NOT_COUNTED = [
    ("hsts", Case("over http", (HTML,), scheme="http")),
    ("csp", Case("an API", (JSON,))),
    ("framing", Case("a redirect", ("Location: /",), status=301)),
    ("nosniff", Case("a redirect", ("Location: /",), status=301)),
    ("cookies_secure", Case("no cookie", (HTML,))),
    ("cookies_secure", Case("a cookie that is taken away", (HTML, f"{COOKIE}Max-Age=0"))),
    ("cookies_secure", Case("a refused cookie", (HTML, f"{COOKIE}SameSite=None"))),
    ("https", Case("a challenge", (HTML, "CF-Mitigated: challenge"), status=403)),
]


def cases(table: dict[str, list[Case]]) -> list[tuple[str, Case]]:
    return [(name, case) for name, listed in table.items() for case in listed]


@pytest.mark.parametrize(("name", "case"), cases(HELD), ids=str)
def test_an_answer_is_protected(name: str, case: Case) -> None:
    assert posture.posture(case.received()).held[name] is True


@pytest.mark.parametrize(("name", "case"), cases(MISSED), ids=str)
def test_an_answer_is_not_protected(name: str, case: Case) -> None:
    assert posture.posture(case.received()).held[name] is False


@pytest.mark.parametrize(("name", "case"), NOT_COUNTED, ids=str)
def test_an_answer_that_has_nothing_to_protect_does_not_count(name: str, case: Case) -> None:
    assert name not in posture.posture(case.received()).held


def test_every_protection_has_cases_on_both_sides() -> None:
    assert set(HELD) == set(MISSED) == set(posture.TITLES)


@pytest.mark.parametrize(
    ("lines", "sharing", "seconds"),
    [
        (("Cache-Control: max-age=60",), Sharing.FRESH, 60),
        (("Cache-Control: max-age=60, s-maxage=90",), Sharing.FRESH, 90),
        (("Cache-Control: max-age=60", "CDN-Cache-Control: max-age=600"), Sharing.FRESH, 600),
        (("Cache-Control: private", "CDN-Cache-Control: max-age=600"), Sharing.FRESH, 600),
        (("Cache-Control: max-age=0",), Sharing.ASKING, None),
        (("Cache-Control: no-store",), Sharing.NEVER, None),
        ((), Sharing.GUESSING, None),
        (
            ("Date: Sun, 22 Nov 2026 10:00:00 GMT", "Expires: Sun, 22 Nov 2026 10:05:00 GMT"),
            Sharing.FRESH,
            300,
        ),
        (("Expires: Sun, 22 Nov 2099 10:05:00 GMT",), Sharing.FRESH, None),
    ],
)
def test_what_a_shared_cache_may_do_and_for_how_long(
    lines: tuple[str, ...], sharing: Sharing, seconds: int | None
) -> None:
    found = posture.posture(Case("", (HTML, *lines)).received())
    assert (found.sharing, found.fresh_for) == (sharing, seconds)


@given(PAIRS, st.integers(100, 999), st.sampled_from(["http", "https"]))
def test_any_lines_have_a_posture(pairs: list[tuple[str, str]], status: int, scheme: str) -> None:
    found = posture.posture(reading.received(pairs, status=status, scheme=scheme))
    assert (found.fresh_for is None) or (found.fresh_for > 0 and found.sharing is Sharing.FRESH)
    assert set(found.held) <= set(posture.TITLES)
