"""Links of a page: what a visitor could go to from here. Linear on any bytes, and never raising."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from headersweep import markup, urls
from headersweep.markup import Walk
from headersweep.urls import PageUrl

MAX_CACHED = 50_000
"""Resolved links kept by one reader: about 25 MB, enough for the navigation of a thousand folders."""

MAX_CACHED_LENGTH = 2048

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
        return self.of(markup.walk(body, charset), base_url)

    def of(self, walked: Walk, base_url: str) -> list[PageUrl]:
        """The same for a page that was walked over already."""
        page = urls.parse(base_url)
        if page is None:
            return []
        base = (urls.parse(walked.base_href, page.url) or page) if walked.base_href else page
        found = {linked.url: linked for linked in self._resolve(walked.hrefs, base) if linked}
        found.pop(page.url, None)
        return list(found.values())

    def _resolve(self, hrefs: Iterable[str], base: PageUrl) -> Iterator[PageUrl | None]:
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
    return bool(_NEEDS_WHOLE_BASE.match(href.strip(markup.IGNORED_AROUND).translate(_IGNORED_WITHIN)))
