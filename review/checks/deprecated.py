"""Headers whose time is over: browsers ignore them, or they do harm; one rule each, from one table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from review.finding import Finding, Rule, Severity
from review.received import Received

_MDN = "https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers"
_NOWHERE = "No browser looks at it any more."


def _rule(  # noqa: PLR0913, PLR0917 - a row of the table below
    code: str, title: str, browser: str, why: str, fix: str, link: str, *, severity: Severity = Severity.INFO
) -> Rule:
    return Rule(f"deprecated.{code}", severity, title, browser, why, fix, link)


XSS_PROTECTION = _rule(
    "x_xss_protection",
    "X-XSS-Protection switches an old filter on",
    "Chromium, Firefox and Edge ignore it; Safari before 15.4 and other old browsers switch a filter on.",
    "The filter could be made to cut out parts of a page, and to tell other sites what the page contains.",
    "X-XSS-Protection: 0\nOr leave it out, and protect against injected scripts by a Content-Security-Policy.",
    f"{_MDN}/X-XSS-Protection",
)
EXPECT_CT = _rule(
    "expect_ct",
    "Expect-CT is over",
    "Chromium has removed it (version 107), others never had it: certificates must be in public logs anyway.",
    "It does nothing but take room.",
    "Leave Expect-CT out.",
    f"{_MDN}/Expect-CT",
)
PUBLIC_KEY_PINS = _rule(
    "public_key_pins",
    "Public-Key-Pins is over",
    "Chromium removed it in version 72, Firefox in version 72; no browser pins keys by header any more.",
    "It protects nobody, and locks out old browsers when keys change.",
    "Leave Public-Key-Pins out; CAA records in the DNS restrict who may issue certificates.",
    "https://www.rfc-editor.org/rfc/rfc7469.html",
)
P3P = _rule(
    "p3p",
    "P3P is over",
    "Only Internet Explorer read it, to decide about cookies in frames.",
    "It makes statements about privacy that nobody reads, and that may be wrong by now.",
    "Leave P3P out.",
    "https://www.w3.org/TR/P3P11/",
)
X_UA_COMPATIBLE = _rule(
    "x_ua_compatible",
    "X-UA-Compatible is over",
    "Only Internet Explorer read it, to choose how to render.",
    "It does nothing but take room.",
    "Leave X-UA-Compatible out, unless pages are made for Edge's Internet Explorer mode.",
    "https://learn.microsoft.com/en-us/deployedge/edge-ie-mode",
)
X_DOWNLOAD_OPTIONS = _rule(
    "x_download_options",
    "X-Download-Options is over",
    "Only Internet Explorer read it, to hide a button that opened downloads at once.",
    "It does nothing but take room.",
    "Leave X-Download-Options out.",
    "https://learn.microsoft.com/en-us/previous-versions/windows/internet-explorer/ie-developer/compatibility/jj542450(v=vs.85)",
)
OLD_POLICY = _rule(
    "x_content_security_policy",
    "The policy stands in a header that browsers no longer read",
    "It reads Content-Security-Policy alone; the names with X- were those of Firefox before 23 and Safari before 7.",
    "If the policy stands nowhere else, nothing enforces it.",
    "Content-Security-Policy: default-src 'self'",
    "https://www.w3.org/TR/CSP3/#csp-header",
    severity=Severity.LOW,
)
PRAGMA = _rule(
    "pragma",
    "Pragma stands beside Cache-Control",
    "Where there is a Cache-Control, browsers and caches obey that one; Pragma is only defined for requests.",
    "It does nothing but take room, and misleads whoever reads it.",
    "Cache-Control: no-store\nWithout Pragma.",
    "https://www.rfc-editor.org/rfc/rfc9111.html#section-5.4",
)
WARNING = _rule(
    "warning",
    "Warning is over",
    _NOWHERE,
    "It does nothing but take room.",
    "Leave Warning out.",
    "https://www.rfc-editor.org/rfc/rfc9111.html#section-5.5",
)
SET_COOKIE2 = _rule(
    "set_cookie2",
    "Set-Cookie2 is over",
    _NOWHERE,
    "The cookies in it are not set.",
    "Set-Cookie: name=...; Path=/; Secure; HttpOnly; SameSite=Lax",
    "https://www.rfc-editor.org/rfc/rfc6265.html#section-9.3",
    severity=Severity.LOW,
)
CONTENT_MD5 = _rule(
    "content_md5",
    "Content-MD5 is over",
    _NOWHERE,
    "It does nothing but take room.",
    "Leave Content-MD5 out; Repr-Digest took its place.",
    "https://www.rfc-editor.org/rfc/rfc7231.html#appendix-B",
)
TRACKING = _rule(
    "tk",
    "Tk is over",
    _NOWHERE,
    "It answers a request not to be tracked that browsers no longer send.",
    "Leave Tk out.",
    "https://www.w3.org/TR/tracking-dnt/",
)

TABLE: dict[str, Rule] = {
    "x-xss-protection": XSS_PROTECTION,
    "expect-ct": EXPECT_CT,
    "public-key-pins": PUBLIC_KEY_PINS,
    "public-key-pins-report-only": PUBLIC_KEY_PINS,
    "p3p": P3P,
    "x-ua-compatible": X_UA_COMPATIBLE,
    "x-download-options": X_DOWNLOAD_OPTIONS,
    "x-content-security-policy": OLD_POLICY,
    "x-content-security-policy-report-only": OLD_POLICY,
    "x-webkit-csp": OLD_POLICY,
    "x-webkit-csp-report-only": OLD_POLICY,
    "pragma": PRAGMA,
    "warning": WARNING,
    "set-cookie2": SET_COOKIE2,
    "content-md5": CONTENT_MD5,
    "tk": TRACKING,
}
RULES = tuple(dict.fromkeys(TABLE.values()))
EFFECTIVE: dict[str, Any] = {}

MASKED = frozenset({"set-cookie2"})
"""Headers whose line is not shown."""


def check(received: Received) -> Iterator[Finding]:
    """Say which headers have outlived their time; what switches an old filter off is none of them."""
    for name, rule in TABLE.items():
        if received.has(name) and not _is_fine(received, name):
            yield rule.found("" if name in MASKED else received.line(name), name)


def _is_fine(received: Received, name: str) -> bool:
    if name == "x-xss-protection":
        return all(value.startswith("0") or not value for value in received.values(name))
    return name == "pragma" and not received.has("cache-control")
