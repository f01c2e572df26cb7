"""Links of a page: what a visitor could go to from here. Linear on any bytes, and never raising."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from lxml import etree

from headersweep import urls
from headersweep.urls import PageUrl

MAX_CACHED = 50_000
"""Resolved links kept by one reader: about 25 MB, enough for the navigation of a thousand folders."""

MAX_CACHED_LENGTH = 2048

_LINKED_BY = {"a": "href", "area": "href", "iframe": "src", "frame": "src"}
_TAGS = (*_LINKED_BY, "link", "meta", "base")
_NAVIGATION = frozenset({"canonical", "next", "prev"})
_HTML_TYPES = frozenset({"", "text/html", "application/xhtml+xml"})
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

# The parser stops at this tag; browsers read on.
_HTML_END = re.compile(rb"</html\s*>", re.IGNORECASE)
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
    """The href of the first ``base``, and the links as written, in the page's order."""
    root = _parsed(body, charset)
    base_href, hrefs = "", []
    for element in () if root is None else root.iter(*_TAGS):
        tag = element.tag
        if tag in _LINKED_BY:
            href = element.get(_LINKED_BY[tag])
        elif tag == "base":
            base_href = base_href or element.get("href", "")
            continue
        else:
            href = _link_target(element) if tag == "link" else _refresh_target(element)
        # Nearly all of these lead to the page itself: they need not be resolved to be left out.
        if href and not href.startswith("#"):
            hrefs.append(href)
    return base_href, hrefs


def _link_target(element: etree._Element) -> str | None:
    relations = set(element.get("rel", "").lower().split())
    is_other_page = "alternate" in relations and "stylesheet" not in relations
    if is_other_page and element.get("type", "").partition(";")[0].strip().lower() not in _HTML_TYPES:
        return None
    return element.get("href") if is_other_page or relations & _NAVIGATION else None


def _refresh_target(element: etree._Element) -> str | None:
    if element.get("http-equiv", "").strip().lower() != "refresh":
        return None
    match = _REFRESH.match(element.get("content", ""))
    target = match[1].strip() if match else ""
    if target[:1] in {"'", '"'}:
        return target[1:].partition(target[0])[0]
    return target


def _parsed(body: bytes, charset: str | None) -> etree._Element | None:
    try:
        return etree.HTML(_HTML_END.sub(b"", body), _fitting_parser(body, charset))
    except (etree.LxmlError, ValueError):
        return None


def _fitting_parser(body: bytes, charset: str | None) -> etree.HTMLParser | None:
    if body.startswith(_UTF16_MARKS):
        return _parser(None)  # a byte-order mark beats the header, and the parser knows these
    declared = _parser(charset) if charset else None
    if declared is None and not body.isascii() and _is_utf8(body):
        return _parser("utf-8")  # the parser would take what declares nothing for Latin-1
    return declared or _parser(None)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


@functools.lru_cache(maxsize=32)
def _parser(charset: str | None) -> etree.HTMLParser | None:
    """A parser that mends what it can, stops at the library's depth of 256, and fetches nothing.

    ``None`` when nobody knows the charset.
    """
    try:
        return etree.HTMLParser(
            encoding=charset, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
        )
    except (LookupError, ValueError):
        return None
