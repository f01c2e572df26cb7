"""Block and challenge pages of well-known firewalls, told by their bodies; an answer that is one says nothing about a site.

Each is known by its title together with something that only the page itself has: articles about a block page quote its
words, and sites behind a firewall carry its scripts on their ordinary pages.
"""

from __future__ import annotations

from typing import NamedTuple

MAX_BYTES = 64 * 1024
"""Firewalls answer briefly; what stands behind this is not looked at."""

_MAX_TITLE = 200


class _Marked(NamedTuple):
    """A page whose title begins like this (in lower case) and whose body has one of these."""

    firewall: str
    title: bytes
    marks: tuple[bytes, ...]


_PAGES = (
    _Marked("cloudflare", b"just a moment...", (b"_cf_chl_opt", b"cf-browser-verification")),
    _Marked("cloudflare", b"attention required! | cloudflare", (b"cf-error-details", b"cf-wrapper")),
    _Marked("cloudflare", b"access denied | ", (b"cf-error-details", b"cf-wrapper")),
    _Marked("akamai", b"access denied", (b"Reference&#32;&#35;", b"Reference #18.", b"errors.edgesuite.net")),
    _Marked("ddos-guard", b"ddos-guard", (b"ddos-guard",)),
    _Marked("sucuri", b"sucuri website firewall", (b"sucuri.net",)),
    _Marked("sucuri", b"you are being redirected...", (b"sucuri_cloudproxy_js",)),
    _Marked("aws-waf", b"human verification", (b"awsWafCookieDomainList", b"AwsWafIntegration")),
    _Marked("perimeterx", b"access to this page has been denied", (b"px-captcha", b"_pxAppId")),
    _Marked("imperva", b"pardon our interruption", (b"reeseSkipExpirationCheck", b"_Incapsula_Resource")),
    _Marked("f5", b"request rejected", (b"Your support ID is",)),
    _Marked("wordfence", b"your access to this site has been limited", (b"Wordfence",)),
    _Marked("anubis", b"making sure you're not a bot!", (b"/.within.website/x/cmd/anubis",)),
)

_BEGINNING = 8
_BEGINNINGS = frozenset(page.title[:_BEGINNING] for page in _PAGES)
_SHORT = 4096
_UNTITLED = (
    ("incapsula", b"_Incapsula_Resource", b"Incapsula incident ID"),
    ("aws-waf", b"awsWafCookieDomainList", b"challenge.js"),
    ("datadome", b"captcha-delivery.com", b"var dd="),
)
"""Pages without a telling title: short, and with both of these."""


def of_body(body: bytes) -> str:
    """The firewall whose page this is; empty for none."""
    start = body.find(b"<title", 0, MAX_BYTES)
    if start < 0:
        start = body.find(b"<TITLE", 0, MAX_BYTES)
    if start >= 0:
        found = _by_title(_title(body, start), body)
        if found:
            return found
    return _untitled(body) if len(body) <= _SHORT else ""


def _title(body: bytes, start: int) -> bytes:
    begin = body.find(b">", start, start + _MAX_TITLE) + 1
    end = body.find(b"<", begin, begin + _MAX_TITLE)
    return body[begin:end].strip().lower() if begin and end > begin else b""


def _by_title(title: bytes, body: bytes) -> str:
    if title[:_BEGINNING] not in _BEGINNINGS:
        return ""
    for page in _PAGES:
        if title.startswith(page.title) and any(body.find(mark, 0, MAX_BYTES) >= 0 for mark in page.marks):
            return page.firewall
    return ""


def _untitled(body: bytes) -> str:
    return next((firewall for firewall, one, other in _UNTITLED if one in body and other in body), "")
