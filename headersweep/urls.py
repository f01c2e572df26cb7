"""URLs of pages: one canonical form, which is both what is fetched and what identifies the page.

The form is the WHATWG serialisation (what a browser would ask for) without its fragment and without the
parameters that only tell an advertiser where a click came from. Everything else is kept byte for byte: order
and case of parameters, empty values, double slashes. Each of them may be another page, and the server decides.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass

import ada_url
from publicsuffixlist import PublicSuffixList

KEY_VERSION = "url/1"
KEY_BYTES = 16
MAX_HOST_LENGTH = 253
"""Longer names cannot be resolved by anybody (RFC 1035), so they are no pages."""

TRACKING_PREFIXES = ("utm_",)
TRACKING_PARAMETERS = frozenset(
    {
        "_ga",  # Google Analytics, across domains
        "_gl",  # Google Analytics 4, across domains
        "_hsenc",  # HubSpot
        "_hsmi",  # HubSpot
        "dclid",  # Google Display
        "fbclid",  # Facebook
        "gad_source",  # Google Ads
        "gbraid",  # Google Ads, apps
        "gclid",  # Google Ads
        "gclsrc",  # Google Ads
        "igshid",  # Instagram
        "li_fat_id",  # LinkedIn
        "mc_cid",  # Mailchimp campaign
        "mc_eid",  # Mailchimp recipient
        "mkt_tok",  # Marketo
        "msclkid",  # Microsoft
        "srsltid",  # Google Merchant
        "ttclid",  # TikTok
        "twclid",  # X
        "wbraid",  # Google Ads, web
        "yclid",  # Yandex
    }
)
"""Query parameters that never choose another page; compared exactly, as their makers write them."""

_SCHEMES = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class PageUrl:
    """A canonical http(s) URL with its parts; ``host`` is spelt as in the URL, an IPv6 address in brackets."""

    url: str
    key: bytes
    scheme: str
    host: str
    port: int
    path_query: str


def parse(text: str, base: str | None = None) -> PageUrl | None:
    """The page that a text names, resolved against ``base`` if given; ``None`` when it names none.

    No page: what WHATWG refuses, other schemes than http and https, URLs with a user name or password (they
    would put secrets into tables and logs), port 0, and host names too long to exist.
    """
    try:
        href = ada_url.normalize_url(text) if base is None else ada_url.join_url(base, text)
    except ValueError:
        return None
    scheme, separator, rest = href.partition("://")
    if not separator or scheme not in _SCHEMES:
        return None
    return _page(_cleaned(href), scheme, rest.partition("/")[0])


def _page(url: str, scheme: str, authority: str) -> PageUrl | None:
    host, port = authority, _SCHEMES[scheme]
    if ":" in authority and not authority.endswith("]"):
        host, _, port_text = authority.rpartition(":")
        # A password may stand where the port would: the check for "@" below refuses it.
        port = int(port_text) if port_text.isdecimal() else 0
    if not port or len(host) > MAX_HOST_LENGTH or "@" in authority:
        return None
    path_query = url[len(scheme) + 3 + len(authority) :]
    return PageUrl(url, hashed(key_text(url)), scheme, host, port, path_query)


def _cleaned(href: str) -> str:
    """The URL without fragment and tracking parameters."""
    url = href.partition("#")[0]
    if "?" not in url:
        return url
    path, _, query = url.partition("?")
    parameters = query.split("&")
    kept = [parameter for parameter in parameters if not _is_tracking(parameter)]
    if len(kept) == len(parameters):
        return url
    query = "&".join(kept)
    return f"{path}?{query}" if query else path


def _is_tracking(parameter: str) -> bool:
    name = parameter.partition("=")[0]
    return name in TRACKING_PARAMETERS or name.startswith(TRACKING_PREFIXES)


def key_text(url: str) -> str:
    """The readable key of a page: the version of these rules and the canonical URL."""
    return f"{KEY_VERSION} {url}"


def hashed(text: str) -> bytes:
    """The key as tables keep it: the first 16 bytes of its SHA-256."""
    return hashlib.sha256(text.encode()).digest()[:KEY_BYTES]


@functools.lru_cache(maxsize=4096)
def registrable_domain(host: str) -> str:
    """The domain that somebody registered: ``docs.example.co.uk`` gives ``example.co.uk``.

    Addresses, public suffixes themselves and single labels such as ``localhost`` are their own domain. The
    list's private section counts: two customers of one hosting company are two domains.
    """
    if host.startswith("[") or host.rpartition(".")[2].isdecimal():
        return host
    return _suffixes().privatesuffix(host.rstrip(".")) or host


@functools.cache
def _suffixes() -> PublicSuffixList:
    """The list that came with the package, loaded once, when a first site asks for it."""
    return PublicSuffixList()
