"""Links of a page: what a visitor could go to from here. Linear on any bytes, and never raising.

The parser reports tags and builds no tree: in a tree, a tag with 200,000 attributes takes 40 seconds in C, where
no deadline reaches. Nesting is counted here, for deep nesting makes closing tags slow in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from headersweep import urls
from headersweep.urls import PageUrl

MAX_CACHED = 50_000
"""Resolved links kept by one reader: about 25 MB, enough for the navigation of a thousand folders."""

MAX_CACHED_LENGTH = 2048
MAX_DEPTH = 256
"""Reading stops, within one bite, where tags are nested deeper: no person wrote that page."""

BITE_BYTES = 16 * 1024

_NAVIGATION = frozenset({"canonical", "next", "prev"})
_HTML_TYPES = frozenset({"", "text/html", "application/xhtml+xml"})
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

_REFRESH = re.compile(r"\s*[0-9.]*\s*[;,]?\s*(?:url\s*=\s*)?(.*)", re.IGNORECASE | re.DOTALL)
_IGNORED_AROUND = "".join(map(chr, range(33)))
_IGNORED_WITHIN = str.maketrans("", "", "\t\n\r")
_NEEDS_WHOLE_BASE = re.compile(r"$|[?#]|https?:(?![/\\])", re.IGNORECASE)


def extract(body: bytes, base_url: str, content_type_charset: str | None) -> list[str]:
    """The canonical URLs that an HTML page links to, each once, in the page's order, itself left out."""
    return [page.url for page in LinkReader().pages(body, base_url, content_type_charset)]


class LinkReader:
    """Reads the links of many pages of a site; remembers how links were resolved, since pages repeat them.

    One reader belongs to one thread.
    """

    def __init__(self, max_cached: int = MAX_CACHED) -> None:
        self._max_cached = max_cached
        self._cached = 0
        self._resolved: dict[str, dict[str, PageUrl | None]] = {}

    def pages(self, body: bytes, base_url: str, charset: str | None) -> list[PageUrl]:
        """The pages that an HTML page links to, each once, in the page's order, itself left out.

        Looks at ``a``, ``area``, ``iframe``, ``frame``, ``meta`` refresh, and ``link`` with rel canonical, next, prev
        or alternate (to HTML). The first ``base`` counts. ``nofollow`` is a word to search engines, not to us.
        """
        page = urls.parse(base_url)
        if page is None:
            return []
        base_href, hrefs = _linked(body, charset)
        base = (urls.parse(base_href, page.url) or page) if base_href else page
        found = {linked.url: linked for linked in self._resolve(hrefs, base) if linked}
        found.pop(page.url, None)
        return list(found.values())

    def _resolve(self, hrefs: list[str], base: PageUrl) -> Iterator[PageUrl | None]:
        origin = base.url[: -len(base.path_query)]
        folder = base.url.partition("?")[0].rpartition("/")[0] + "/"
        for href in hrefs:
            # A link that begins with a slash depends on the origin only, another one on the folder.
            bucket = origin if href.startswith("/") else folder
            try:
                yield self._resolved[bucket][href]
            except KeyError:
                yield self._resolve_new(bucket, href, base)

    def _resolve_new(self, bucket: str, href: str, base: PageUrl) -> PageUrl | None:
        page = urls.parse(href, base.url)
        if len(href) <= MAX_CACHED_LENGTH and not _needs_whole_base(href):
            if self._cached >= self._max_cached:
                self._resolved.clear()
                self._cached = 0
            self._resolved.setdefault(bucket, {})[href] = page
            self._cached += 1
        return page


def _needs_whole_base(href: str) -> bool:
    """Whether a link resolves differently for two pages in one folder: ``?page=2``, ``#top``, ``https:?x``."""
    return bool(_NEEDS_WHOLE_BASE.match(href.strip(_IGNORED_AROUND).translate(_IGNORED_WITHIN)))


def _linked(body: bytes, charset: str | None) -> tuple[str, list[str]]:
    """The href of the first ``base``, and the links without fragments, each once, in the page's order."""
    target = _Target()
    parser = _parser(body, charset, target)
    try:
        for start in range(0, len(body), BITE_BYTES):
            parser.feed(body[start : start + BITE_BYTES])
            if target.depth > MAX_DEPTH:
                break
        parser.close()
    except etree.LxmlError:
        # Mending has its limits; what was found before them counts.
        pass
    return target.base_href, list(target.hrefs)


class _Target:
    """What the parser tells of a page: keeps its links."""

    def __init__(self) -> None:
        self.depth = 0
        self.base_href = ""
        self.hrefs: dict[str, None] = {}

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self.depth += 1
        read = _READ.get(tag)
        if read is None:
            return
        # Without its fragment a link is sooner one that was seen before; with nothing else it leads nowhere.
        href = read(attributes).partition("#")[0]
        if tag == "base":
            self.base_href = self.base_href or href
        elif href:
            self.hrefs[href] = None

    def end(self, _tag: str) -> None:
        self.depth -= 1

    def close(self) -> None:
        """Nothing is held open; the parser asks for this method."""


def _href(attributes: Mapping[str, str]) -> str:
    return attributes.get("href", "")


def _source(attributes: Mapping[str, str]) -> str:
    return attributes.get("src", "")


def _link_target(attributes: Mapping[str, str]) -> str:
    relations = set(attributes.get("rel", "").lower().split())
    is_other_page = "alternate" in relations and "stylesheet" not in relations
    if is_other_page and attributes.get("type", "").partition(";")[0].strip().lower() not in _HTML_TYPES:
        return ""
    return _href(attributes) if is_other_page or relations & _NAVIGATION else ""


def _refresh_target(attributes: Mapping[str, str]) -> str:
    if attributes.get("http-equiv", "").strip().lower() != "refresh":
        return ""
    match = _REFRESH.match(attributes.get("content", ""))
    target = match[1].strip() if match else ""
    if target[:1] in {"'", '"'}:
        return target[1:].partition(target[0])[0]
    return target


_READ = {
    "a": _href,
    "area": _href,
    "base": _href,
    "frame": _source,
    "iframe": _source,
    "link": _link_target,
    "meta": _refresh_target,
}


def _parser(body: bytes, charset: str | None, target: _Target) -> etree.HTMLParser:
    if body.startswith(_UTF16_MARKS):
        charset = None  # a byte-order mark beats the header, and the parser knows these
    if charset:
        try:
            return _parser_for(charset, target)
        except (LookupError, ValueError):
            pass  # nobody knows this charset: as if it had not been given
    if not body.isascii() and _is_utf8(body):
        return _parser_for("utf-8", target)  # the parser would take what declares nothing for Latin-1
    return _parser_for(None, target)


def _parser_for(charset: str | None, target: Any) -> etree.HTMLParser:
    return etree.HTMLParser(target=target, encoding=charset, no_network=True, huge_tree=False)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
