"""How the MDN HTTP Observatory judges cookies: through the jar of its client, the worst of all cookies."""

from __future__ import annotations

import functools
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from review.grades.scan import WHITESPACE, Hop, Scan, host_of, scheme_of

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

HEADER = "set-cookie"
IGNORED = "heroku-session-affinity"
MOST_COOKIES = 2000
"""What follows is not looked at; no browser keeps as many of one site."""

_WORSE = (
    "cookies-without-secure-flag-but-protected-by-hsts",
    "cookies-without-secure-flag",
    "cookies-session-without-secure-flag-but-protected-by-hsts",
    "cookies-samesite-flag-invalid",
    "cookies-anticsrf-without-samesite-flag",
    "cookies-session-without-httponly-flag",
    "cookies-session-without-secure-flag",
)
"""From mild to worst, in the Observatory's order, which is not that of its modifiers."""
_SAME_SITE = frozenset({"strict", "lax", "none"})
_CONTROL = re.compile(r"[\x00-\x1f]")
_END = re.compile(r"[\n\r\0]")


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie as the Observatory's jar keeps it."""

    name: str
    secure: bool
    http_only: bool
    same_site: str
    domain: str
    path: str


def verdict(scan: Scan, *, hsts: bool) -> str:
    """The result of the test; ``hsts``: whether its test of HSTS passed."""
    kept = [cookie for cookie in jar(scan) if cookie.name != IGNORED]
    if not kept:
        return "cookies-not-found"
    found = {result for cookie in kept for result in _faults(cookie, hsts=hsts)}
    if any(_has_bad_same_site(line) for line in _lines(scan.pairs)):
        found.add("cookies-samesite-flag-invalid")
    if found:
        return max(found, key=_WORSE.index)
    same_site = all(cookie.same_site for cookie in kept)
    return "cookies-secure-with-httponly-sessions" + ("-and-samesite" if same_site else "")


def _faults(cookie: Cookie, *, hsts: bool) -> list[str]:
    name = cookie.name.lower()
    session = "login" in name or "sess" in name
    protected = "-but-protected-by-hsts" if hsts else ""
    found = []
    if not cookie.secure:
        found.append(f"cookies-without-secure-flag{protected}")
        if cookie.same_site == "none":
            found.append("cookies-samesite-flag-invalid")
        if session:
            found.append(f"cookies-session-without-secure-flag{protected}")
    if "csrf" in name and not cookie.same_site:
        found.append("cookies-anticsrf-without-samesite-flag")
    if session and not cookie.http_only:
        found.append("cookies-session-without-httponly-flag")
    return found


def _has_bad_same_site(line: str) -> bool:
    for part in line.split(";"):
        name, _, rest = part.partition("=")
        value = rest.partition("=")[0].strip(WHITESPACE).lower()
        if name.strip(WHITESPACE).lower() == "samesite" and value not in _SAME_SITE:
            return True
    return False


def jar(scan: Scan) -> list[Cookie]:
    """The cookies that are kept after the redirects and the page; a later one takes the place of its namesake."""
    kept: dict[tuple[str, str, str], Cookie] = {}
    for hop in scan.hops:
        if scan.https and scheme_of(hop.url) == "http" and hop is not scan.hops[-1]:
            continue  # the Observatory asks the https address apart, with a jar of its own
        for cookie in _accepted(hop):
            kept[cookie.name, cookie.domain, cookie.path] = cookie
    return list(kept.values())


def _accepted(hop: Hop) -> list[Cookie]:
    host = host_of(hop.url)
    lines = _lines(hop.pairs)[:MOST_COOKIES]
    found = [_cookie(line, host, hop.url) for line in lines]
    return [cookie for cookie in found if cookie is not None]


def _lines(pairs: tuple[tuple[str, str], ...]) -> list[str]:
    return [value.strip(WHITESPACE) for name, value in pairs if name.lower() == HEADER]


def _cookie(line: str, host: str, url: str) -> Cookie | None:
    pair, _, rest = line.partition(";")
    name, equals, value = _END.split(pair, maxsplit=1)[0].partition("=")
    name, value = name.strip(WHITESPACE), value.strip(WHITESPACE)
    if not equals or not name or _CONTROL.search(name) or _CONTROL.search(value):
        return None
    attributes = _attributes(rest)
    domain = attributes.get("domain", "")
    if domain and host and not (_matches(host, domain) and _may_have_cookies(domain)):
        return None
    path = attributes.get("path", "")
    cookie = Cookie(
        name=name,
        secure="secure" in attributes,
        http_only="httponly" in attributes,
        same_site=_same_site(attributes.get("samesite", "")),
        domain=domain or host,
        path=path if path.startswith("/") else _default_path(url),
    )
    return cookie if _keeps_its_prefix(cookie, host_only=not domain) else None


def _attributes(text: str) -> dict[str, str]:
    """The attributes; the last one of a name counts, of domains the last that is not empty."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, value = (side.strip(WHITESPACE) for side in part.partition("=")[::2])
        name = name.lower()
        if name == "domain":
            value = value.removeprefix(".").lower() or found.get(name, "")
        found[name] = value
    return found


def _same_site(value: str) -> str:
    return value.lower() if value.lower() in _SAME_SITE else ""


def _keeps_its_prefix(cookie: Cookie, *, host_only: bool) -> bool:
    if cookie.name.startswith("__Secure-"):
        return cookie.secure
    if cookie.name.startswith("__Host-"):
        return cookie.secure and host_only and cookie.path == "/"
    return True


def _default_path(url: str) -> str:
    path = "/" + url.partition("://")[2].partition("?")[0].partition("#")[0].partition("/")[2]
    return path.rpartition("/")[0] or "/"


def _matches(host: str, domain: str) -> bool:
    return host == domain or (host.endswith(f".{domain}") and not is_address(host))


def is_address(host: str) -> bool:
    """Whether a host is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _may_have_cookies(domain: str) -> bool:
    """Whether a domain is more than a public suffix."""
    return is_address(domain) or suffixes().privatesuffix(domain) is not None


@functools.cache
def suffixes() -> PublicSuffixList:
    """The public suffix list: loaded only where a page makes it matter, since that takes 0.2 s."""
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - see above

    return PublicSuffixList(only_icann=True)
