"""The pages of the demo site: what each section answers, well or badly, and which values change on every response."""

from __future__ import annotations

import html
import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from demosite.serving import Answer

HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
NOSNIFF = ("X-Content-Type-Options", "nosniff")
NO_FRAMES = ("X-Frame-Options", "DENY")
REFERRER = ("Referrer-Policy", "strict-origin-when-cross-origin")

Headers = list[tuple[str, str]]


def _docs() -> Headers:
    policy = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    return [
        HSTS,
        NOSNIFF,
        NO_FRAMES,
        REFERRER,
        ("Content-Security-Policy", policy),
        ("Cache-Control", "public, max-age=300"),
    ]


def _blog() -> Headers:
    policy = f"default-src 'self'; script-src 'nonce-{secrets.token_urlsafe(16)}' 'strict-dynamic'; base-uri 'none'"
    return [HSTS, NOSNIFF, REFERRER, ("Content-Security-Policy", policy), ("Cache-Control", "no-cache")]


def _shop() -> Headers:
    # Bad on purpose: no Strict-Transport-Security, a session cookie without Secure, cached for everybody.
    return [
        NOSNIFF,
        ("Cache-Control", "public, max-age=600"),
        ("Set-Cookie", f"session={secrets.token_hex(16)}; Path=/; HttpOnly"),
    ]


def _legacy() -> Headers:
    # Bad on purpose: tells its versions, lets every origin in, an outdated filter switched on.
    return [
        ("X-Powered-By", "PHP/5.6.40"),
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Credentials", "true"),
        ("X-XSS-Protection", "1"),
    ]


def _api() -> Headers:
    return [HSTS, NOSNIFF, ("Cache-Control", "no-store"), ("Vary", "Accept, Origin")]


@dataclass(frozen=True)
class Section:
    """A part of the site whose pages share their headers."""

    path: str
    title: str
    pages: int
    headers: Callable[[], Headers]
    content_type: str = "text/html; charset=utf-8"

    def paths(self) -> list[str]:
        """The section's own page, then its pages one by one."""
        return [self.path, *(f"{self.path}{number}" for number in range(1, self.pages))]


SECTIONS = (
    Section("/docs/", "Handbook", 26, _docs),
    Section("/blog/", "Blog", 22, _blog),
    Section("/shop/", "Shop", 18, _shop),
    Section("/legacy/", "Old intranet", 10, _legacy),
    Section("/api/", "API", 6, _api, "application/json"),
)
REDIRECTS = {"/manual": "/docs/", "/shop/old-offer": "/shop/"}
BROKEN = "/reports/today"
MISSING = "/docs/removed"
DISALLOWED = "/admin/"
UNLINKED = "/press/kit"
"""Found through the sitemap alone."""

# Pages of the API are JSON and hold no links, so the home page links to all of them.
LINKS = {
    "/": [
        *(section.path for section in SECTIONS),
        *SECTIONS[-1].paths()[1:],
        *REDIRECTS,
        BROKEN,
        MISSING,
        DISALLOWED,
        "https://www.example.com/partner",
    ],
    UNLINKED: ["/"],
}

_HTML = ("Content-Type", "text/html; charset=utf-8")
_BY_PATH = {path: section for section in SECTIONS for path in section.paths()}
_pods = itertools.count(1)


def respond(target: str, host: str) -> Answer:
    """The demo site's answer to one request; request ids, pods, nonces and cookies differ every time."""
    path = target.partition("?")[0]
    status, headers, body = _content(path, f"http://{host}")
    changing = [
        ("Server", "demosite"),
        ("X-Request-Id", secrets.token_hex(8)),
        ("X-Served-By-Pod", f"web-{next(_pods):05d}-{secrets.token_hex(3)}"),
    ]
    return Answer(status, [*changing, *headers], body)


Content = tuple[int, Headers, bytes]


def _content(path: str, origin: str) -> Content:
    if path in _BY_PATH:
        return _section_page(_BY_PATH[path])
    if path in LINKS:
        return 200, [_HTML, *_docs()], _document("Demo site", LINKS[path])
    if path in REDIRECTS:
        return 301, [("Location", REDIRECTS[path])], b""
    if path == "/sitemap.xml":
        return _sitemap(origin)
    return _plain(path, origin)


def _plain(path: str, origin: str) -> Content:
    if path == "/robots.txt":
        return _text(200, f"User-agent: *\nDisallow: {DISALLOWED}\nSitemap: {origin}/sitemap.xml\n")
    if path == BROKEN:
        return _text(500, "it broke\n", ("X-Powered-By", "PHP/5.6.40"))
    return _text(404, "no such page\n", NOSNIFF)


def _section_page(section: Section) -> Content:
    headers = [("Content-Type", section.content_type), *section.headers()]
    if section.content_type == "application/json":
        return 200, headers, b'{"ok": true}\n'
    return 200, headers, _document(section.title, ["/", *section.paths()])


def _sitemap(origin: str) -> Content:
    entries = "".join(f"<url><loc>{html.escape(origin)}{path}</loc></url>" for path in ("/", UNLINKED))
    text = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>\n'
    return 200, [("Content-Type", "application/xml")], text.encode()


def _text(status: int, text: str, *headers: tuple[str, str]) -> Content:
    return status, [("Content-Type", "text/plain"), *headers], text.encode()


def _document(title: str, links: list[str]) -> bytes:
    items = "".join(f'<li><a href="{html.escape(link)}">{html.escape(link)}</a></li>' for link in links)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(title)}</title>"
        f"<h1>{html.escape(title)}</h1><ul>{items}</ul></html>\n"
    ).encode()
