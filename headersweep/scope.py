"""Which pages belong to a site, and which of those are traps."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterable
from datetime import date

from headersweep import traps, urls
from headersweep.definition import ScopeMode, SiteDefinition
from headersweep.states import Outcome, TrapReason
from headersweep.urls import PageUrl

DEFAULT_PORTS = frozenset({80, 443})
_ASCII = "".join(map(chr, range(33, 127)))

OUT_OF_SCOPE: tuple[Outcome, None] = (Outcome.OUT_OF_SCOPE, None)


class SiteScope:
    """The scope of one run over one site; ``today`` is the day of the run's slot."""

    def __init__(self, definition: SiteDefinition, today: date) -> None:
        starts = [page for text in definition.start_urls if (page := urls.parse(text))]
        scope = definition.scope
        self._today = today
        self._starts = frozenset(page.url for page in starts)
        self._on_site = _host_rule(starts) if scope.mode is ScopeMode.HOST else _domain_rule(starts)
        self._in_prefix = _prefix_rule(scope.path_prefix)
        self._include = tuple(Glob(pattern) for pattern in scope.include)
        self._exclude = tuple(Glob(pattern) for pattern in scope.exclude)

    def verdict(self, page: PageUrl) -> tuple[Outcome, TrapReason | None] | None:
        """What becomes of a page that is not to be fetched; ``None`` means: crawl it.

        Out of scope is asked first, traps after it: a foreign trap is nobody's business. Start URLs are always
        crawled, whatever the patterns and traps say: the owner wrote them down.
        """
        if page.url in self._starts:
            return None
        if not self._contains(page):
            return OUT_OF_SCOPE
        trap = traps.reason(page, self._today)
        return (Outcome.TRAPPED, trap) if trap else None

    def _contains(self, page: PageUrl) -> bool:
        if not (self._on_site(page) and self._in_prefix(page.path_query)):
            return False
        if self._include and not _matches_any(self._include, page.path_query):
            return False
        return not (self._exclude and _matches_any(self._exclude, page.path_query))


def _ports(starts: Iterable[PageUrl]) -> frozenset[int]:
    """The ports of the start URLs; one default port stands for both, so that http and https are one site."""
    ports = {page.port for page in starts}
    return frozenset(ports | DEFAULT_PORTS if ports & DEFAULT_PORTS else ports)


def _host_rule(starts: list[PageUrl]) -> Callable[[PageUrl], bool]:
    """The hosts of the start URLs, each on its own ports."""
    ports = {page.host: _ports(other for other in starts if other.host == page.host) for page in starts}
    nowhere: frozenset[int] = frozenset()
    return lambda page: page.port in ports.get(page.host, nowhere)


def _domain_rule(starts: list[PageUrl]) -> Callable[[PageUrl], bool]:
    """Any host under the registrable domains of the start URLs, on the ports of the start URLs."""
    domains, ports = {urls.registrable_domain(page.host) for page in starts}, _ports(starts)
    return lambda page: page.port in ports and urls.registrable_domain(page.host) in domains


def _prefix_rule(prefix: str) -> Callable[[str], bool]:
    """``/docs`` holds ``/docs``, ``/docs?x`` and ``/docs/x`` but not ``/docsx``; ``/docs/`` only what is below it."""
    page = urls.parse("http://host/" + prefix.lstrip("/"))
    path = page.path_query.partition("?")[0] if page else prefix
    if path == "/":
        return lambda _path_query: True
    if path.endswith("/"):
        return lambda path_query: path_query.startswith(path)
    ends = ("", "/", "?")
    return lambda path_query: path_query.startswith(path) and path_query[len(path) :][:1] in ends


def _matches_any(globs: tuple[Glob, ...], path_query: str) -> bool:
    return any(glob.matches(path_query) for glob in globs)


class Glob:
    """A pattern over path and query, from its first character to its last.

    ``*`` stands for any run of characters, slashes too. Everything else stands for itself, ``?`` as well: in a
    URL it begins the query, and ``*?sort=*`` has to mean what it says. Matching is linear in the URL.
    """

    def __init__(self, pattern: str) -> None:
        # The canonical form escapes what is not ASCII; a person writing a pattern does not.
        self._first, *rest = self.quoted(pattern).split("*")
        self._middle, self._last = tuple(rest[:-1]), rest[-1] if rest else None

    @staticmethod
    def quoted(pattern: str) -> str:
        """A pattern as the canonical form would spell it."""
        return urllib.parse.quote(pattern, safe=_ASCII)

    def matches(self, path_query: str) -> bool:
        """Whether the whole path with its query fits the pattern."""
        if self._last is None:
            return path_query == self._first
        if not path_query.startswith(self._first):
            return False
        position, end = len(self._first), len(path_query) - len(self._last)
        for part in self._middle:
            found = path_query.find(part, position, end)
            if found < 0:
                return False
            position = found + len(part)
        return position <= end and path_query.endswith(self._last)
