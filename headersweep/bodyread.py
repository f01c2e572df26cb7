"""Facts of a body, read in the walk that finds its links. Linear, bounded, never raising.

What differs from page to page of one template is left out, so that equal pages have equal facts: paths and queries of
what is loaded, the values of nonces, order and repetition.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from headersweep import bodyfacts, challenges, markup, urls, volatile
from headersweep.bodyfacts import BodyFacts, Loaded
from headersweep.markup import Load, Walk
from headersweep.urls import PageUrl

MAX_LOADS = 64
"""Distinct things loaded that facts hold, the first of the page."""

MAX_POLICY = 8192
MAX_REFERRER = 100
MAX_KNOWN = 256
MAX_KNOWN_LENGTH = 16 * 1024
"""Templates remembered by one reader: so many, each with so many characters, 4 MB at the most."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SEPARATORS = str.maketrans("\\", "/", "\t\n\r")
_LISTINGS = (
    b"<title>Index of /",
    b"<title>Directory listing for /",
    b"[To Parent Directory]",
    b"<title>listing directory ",
)
"""How pages begin that nginx, Apache, lighttpd, Python's server, IIS and Express make of a folder without an index."""
_LISTING_BYTES = 2048
_Key = tuple[str, bool, tuple[str, ...], str, str, tuple[str, ...], tuple[str, ...], tuple[Load, ...]]


class Noted(NamedTuple):
    """Facts with their key and canonical text."""

    facts: BodyFacts
    content_hash: bytes
    canonical: str


def read(body: bytes, url: str, charset: str | None) -> BodyFacts:
    """The facts of one body."""
    return FactsReader().of(markup.walk(body, charset), body, url).facts


class FactsReader:
    """Reads the facts of many pages; remembers those of templates. One reader belongs to one thread."""

    def __init__(self) -> None:
        self._known: dict[_Key, Noted] = {}

    def of(self, walked: Walk, body: bytes, url: str, secrets: tuple[str, ...] = ()) -> Noted:
        """The facts of a page that was walked over already; ``secrets`` are the kinds that somebody saw in it."""
        loads = tuple(walked.loads)
        # What a page loads is told by the origins of the page and of its base: paths do not count.
        origin = url[: url.find("/", len("https://"))] if loads else ""
        metas = (*walked.policies,), (*walked.referrers,)
        key = (challenges.of_body(body), is_listing(body), secrets, origin, walked.base_href, *metas, loads)
        noted = self._known.get(key)
        return self._new(key, url) if noted is None else noted

    def _new(self, key: _Key, url: str) -> Noted:
        facts = _facts(key, url)
        canonical = bodyfacts.canonical_text(facts)
        noted = Noted(facts, bodyfacts.content_hash(canonical), canonical)
        if _length(key) <= MAX_KNOWN_LENGTH:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[key] = noted
        return noted


def is_listing(body: bytes) -> bool:
    """Whether a page lists a folder, told by how servers begin such pages."""
    start = body[:_LISTING_BYTES]
    return any(mark in start for mark in _LISTINGS)


def _length(key: _Key) -> int:
    _, _, _, _, base_href, policies, referrers, loads = key
    return len(base_href) + sum(map(len, (*policies, *referrers))) + sum(len(url) for _, url, *_ in loads)


def _facts(key: _Key, url: str) -> BodyFacts:
    challenge, listing, secrets, _, base_href, policies, referrers, loads = key
    page = urls.parse(url)
    base = (urls.parse(base_href, page.url) or page) if page and base_href else page
    return BodyFacts(
        tuple(_policy(text) for text in policies[: markup.MAX_METAS]),
        tuple(_clean(text)[:MAX_REFERRER] for text in referrers[: markup.MAX_METAS]),
        tuple(_loaded(loads, page, base)) if page and base else (),
        challenge,
        listing,
        secrets,
    )


def _policy(text: str) -> str:
    whole = " ".join(_clean(text[: MAX_POLICY + 1]).split())
    # Half a directive would mean something else than the whole one.
    kept = whole if len(text) <= MAX_POLICY else whole[:MAX_POLICY].rpartition(";")[0]
    rule = volatile.rule_for("content-security-policy")
    return kept if rule is None else rule.apply(kept, "")


def _clean(text: str) -> str:
    """Neither half characters nor NUL: no database takes them."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _loaded(loads: Iterable[Load], page: PageUrl, base: PageUrl) -> list[Loaded]:
    found: dict[Loaded, None] = {}
    for kind, url, has_integrity, has_crossorigin in loads:
        source = _source(url, page, base)
        if source is not None and len(found) < MAX_LOADS:
            found[Loaded(kind, source, has_integrity, has_crossorigin)] = None
    return sorted(found)


def _source(url: str, page: PageUrl, base: PageUrl) -> str | None:
    """The origin of what is loaded, empty for the page's own; None for what comes over no network."""
    target = urls.parse(url, base.url)
    if target is None:
        return None
    if (target.scheme, target.host, target.port) == (page.scheme, page.host, page.port):
        return ""
    port = "" if target.port == _DEFAULT_PORTS[target.scheme] else f":{target.port}"
    is_open = url.strip(markup.IGNORED_AROUND).translate(_SEPARATORS).startswith("//")
    return f"{'' if is_open else target.scheme + ':'}//{target.host}{port}"
