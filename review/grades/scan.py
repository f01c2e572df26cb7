"""What a scanner of one page saw: the values that a grade is made from, and how its HTTP client would read them."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass

from headersweep.bodyfacts import BodyFacts

Pair = tuple[str, str]

WHITESPACE = "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""What JavaScript trims and splits at."""

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})

_FIRST_COUNTS = frozenset(
    {
        "age",
        "content-length",
        "content-type",
        "etag",
        "expires",
        "from",
        "last-modified",
        "location",
        "retry-after",
        "server",
    }
)
"""Headers of which Node.js drops every line after the first; those of any other name it joins."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One answer on the way to the judged one. ``preloaded``: its host is known to be on the HSTS preload list."""

    url: str
    status: int = 301
    pairs: tuple[Pair, ...] = ()
    preloaded: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """One script element of the page that has a ``src``."""

    src: str
    has_integrity: bool = False


@dataclass(frozen=True, slots=True)
class Scan:
    """One page as a scanner saw it. None stands for what nobody looked at.

    ``chain``: the answers before the judged one, from the address that was asked. ``http_chain``: all answers from the
    site's http address on, the last included; empty when http does not answer. ``preflight``: headers of the answer to an
    OPTIONS request with the foreign origin ``cors_origin``. ``scripts``: those of the page, where ``facts`` are too coarse.
    """

    url: str
    pairs: tuple[Pair, ...]
    status: int = 200
    chain: tuple[Hop, ...] = ()
    http_chain: tuple[Hop, ...] | None = None
    preflight: tuple[Pair, ...] | None = None
    cors_origin: str = ""
    facts: BodyFacts | None = None
    scripts: tuple[Script, ...] | None = None
    preloaded: bool | None = None
    verified: bool = True
    http_verified: bool = True

    @property
    def https(self) -> bool:
        """Whether the site answers over https, as far as is known."""
        return scheme_of(self.start) == "https" or scheme_of(self.url) == "https"

    @property
    def start(self) -> str:
        """The address that was asked first."""
        return self.chain[0].url if self.chain else self.url

    @property
    def hops(self) -> tuple[Hop, ...]:
        """All answers, the judged one last."""
        return (*self.chain, Hop(self.url, self.status, self.pairs, preloaded=bool(self.preloaded)))

    @property
    def route(self) -> tuple[Hop, ...] | None:
        """All answers from the http address on: as given, or the chain where that began at http."""
        if self.http_chain is None and scheme_of(self.start) == "http":
            return self.hops
        return self.http_chain

    @property
    def media_type(self) -> str:
        """The media type as the Observatory cuts it out: no case folded, no space removed."""
        return (self.text("content-type") or "").partition(";")[0]

    @property
    def reads_body(self) -> bool:
        """Whether the Observatory looks for scripts; without a type it does."""
        return not self.media_type or self.media_type in HTML_TYPES

    @property
    def meta(self) -> BodyFacts:
        """Facts about the body as far as it looks for meta elements: without a type it does not."""
        return self.facts if self.facts is not None and self.media_type in HTML_TYPES else BodyFacts()

    def text(self, name: str) -> str | None:
        """The value that Node.js has for a (lower-case) name; None without the header."""
        return text(self.pairs, name)


def text(pairs: Iterable[Pair], name: str) -> str | None:
    """The lines of a name as Node.js reads them: joined, or the first alone."""
    values = [value.strip(" \t") for key, value in pairs if key.lower() == name]
    if not values:
        return None
    return values[0] if name in _FIRST_COUNTS else ", ".join(values)


def scheme_of(url: str) -> str:
    """The scheme of a URL in lower case; empty without one."""
    return url.partition("://")[0].lower() if "://" in url else ""


def host_of(url: str) -> str:
    """The host of a URL in lower case; empty where there is none."""
    try:
        return urllib.parse.urlsplit(url).hostname or ""
    except ValueError:
        return ""
