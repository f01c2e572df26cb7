"""One walk over a page: what it links to, what it loads, what its meta elements say. Linear on any bytes, never raising.

The parser reports tags and builds no tree: in a tree, a tag with 200,000 attributes takes 40 seconds in C, where
no deadline reaches. Nesting is counted here, for deep nesting makes closing tags slow in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

MAX_DEPTH = 256
"""Reading stops, within one bite, where tags are nested deeper: no person wrote that page."""

BITE_BYTES = 16 * 1024

MAX_LOADS = 512
"""Distinct things loaded that are noted as they are written; a page that loads more is no template of anything."""

MAX_METAS = 8

_NAVIGATION = frozenset({"canonical", "next", "prev"})
_HTML_TYPES = frozenset({"", "text/html", "application/xhtml+xml"})
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_POLICY = "content-security-policy"

_REFRESH = re.compile(r"\s*[0-9.]*\s*[;,]?\s*(?:url\s*=\s*)?(.*)", re.IGNORECASE | re.DOTALL)
IGNORED_AROUND = "".join(map(chr, range(33)))
"""Browsers ignore these before and behind a URL."""

_MAYBE_HTTP = frozenset(IGNORED_AROUND + "hH")
"""Most pictures do not even begin like this: a page may have thousands."""

Attributes = Mapping[str, str]


Load = tuple[str, str, bool, bool]
"""Something that a page loads: its kind, its URL as it is written, whether it has integrity, whether it is asked with CORS."""


def walk(body: bytes, charset: str | None) -> Walk:
    """What a page says that counts for links and for facts, as far as it can be read."""
    target = Walk()
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
    return target


class Walk:
    """What the parser tells of a page: links without fragments, each once, in the page's order, and so with the rest."""

    def __init__(self) -> None:
        self.depth = 0
        self.inert = 0
        self.in_head = True
        self.base_href = ""
        self.hrefs: dict[str, None] = {}
        self.loads: dict[Load, None] = {}
        self.policies: list[str] = []
        self.referrers: list[str] = []

    def start(self, tag: str, attributes: Attributes) -> None:
        """A tag begins: the parser calls this."""
        self.depth += 1
        read = _READ.get(tag)
        if read is not None:
            read(self, attributes)

    def end(self, _tag: str) -> None:
        """A tag ends: the parser calls this."""
        self.depth = depth = self.depth - 1
        if depth < self.inert:
            self.inert = 0

    def close(self) -> None:
        """Nothing is held open; the parser asks for this method."""

    def link(self, href: str) -> None:
        """Note a link: without its fragment it is sooner one that was seen before; with nothing else it leads nowhere."""
        href = href.partition("#")[0]
        if href:
            self.hrefs[href] = None

    def load(self, kind: str, url: str, attributes: Attributes) -> None:
        """Note what browsers load with scripting on."""
        if url and not self.inert and len(self.loads) < MAX_LOADS:
            integrity = attributes.get("integrity")
            has_integrity = integrity is not None and not integrity.isspace() and integrity != ""
            # Module scripts are always asked for with CORS (HTML, "fetch a single module script").
            has_cors = "crossorigin" in attributes or attributes.get("type", "").strip().lower() == "module"
            self.loads[kind, url, has_integrity, has_cors] = None


def _anchor(walk: Walk, attributes: Attributes) -> None:
    href = attributes.get("href")
    if href:
        walk.link(href)


def _base(walk: Walk, attributes: Attributes) -> None:
    walk.base_href = walk.base_href or attributes.get("href", "").partition("#")[0]


def _frame(walk: Walk, attributes: Attributes) -> None:
    source = attributes.get("src", "")
    walk.link(source)
    walk.load("iframe", source, attributes)


def _script(walk: Walk, attributes: Attributes) -> None:
    source = attributes.get("src")
    if source:
        walk.load("script", source, attributes)


def _embed(walk: Walk, attributes: Attributes) -> None:
    walk.load("embed", attributes.get("src", ""), attributes)


def _object(walk: Walk, attributes: Attributes) -> None:
    walk.load("object", attributes.get("data", ""), attributes)


def _picture(walk: Walk, attributes: Attributes) -> None:
    """Pictures and media count only where they come without TLS: a page may show thousands of others."""
    source = attributes.get("src")
    if source and source[0] in _MAYBE_HTTP and _is_plain_http(source):
        walk.load("img", source, attributes)


def _media(walk: Walk, attributes: Attributes) -> None:
    source = attributes.get("src")
    if source and source[0] in _MAYBE_HTTP and _is_plain_http(source):
        walk.load("media", source, attributes)


def _is_plain_http(url: str) -> bool:
    """Whether a written URL names http by itself."""
    return url.lstrip(IGNORED_AROUND)[:5].lower() == "http:"


def _link(walk: Walk, attributes: Attributes) -> None:
    relations = set(attributes.get("rel", "").lower().split())
    for kind in _LOADED:
        if kind in relations:
            walk.load(kind, attributes.get("href", ""), attributes)
            break
    walk.link(_link_target(relations, attributes))


_LOADED = ("stylesheet", "modulepreload", "preload")


def _link_target(relations: set[str], attributes: Attributes) -> str:
    is_other_page = "alternate" in relations and "stylesheet" not in relations
    if is_other_page and attributes.get("type", "").partition(";")[0].strip().lower() not in _HTML_TYPES:
        return ""
    return attributes.get("href", "") if is_other_page or relations & _NAVIGATION else ""


def _meta(walk: Walk, attributes: Attributes) -> None:
    equivalent = attributes.get("http-equiv", "").lower()
    content = attributes.get("content", "")
    if equivalent == _POLICY:
        # A browser obeys it as a child of the head only (HTML, section 4.2.5.3).
        if walk.in_head and not walk.inert and content:
            walk.policies.append(content)
    elif equivalent.strip() == "refresh":
        walk.link(_refresh_target(content))
    if content and not walk.inert and attributes.get("name", "").lower() == "referrer":
        walk.referrers.append(content)


def _refresh_target(content: str) -> str:
    match = _REFRESH.match(content)
    target = match[1].strip() if match else ""
    if target[:1] in {"'", '"'}:
        return target[1:].partition(target[0])[0]
    return target


def _inert(walk: Walk, _attributes: Attributes) -> None:
    """Nothing within is loaded or obeyed until this ends; links count, for a visitor may have no scripts."""
    walk.inert = walk.inert or walk.depth


def _body(walk: Walk, _attributes: Attributes) -> None:
    walk.in_head = False


_READ: dict[str, Callable[[Walk, Attributes], None]] = {
    "a": _anchor,
    "area": _anchor,
    "audio": _media,
    "base": _base,
    "body": _body,
    "embed": _embed,
    "frame": _frame,
    "frameset": _body,
    "iframe": _frame,
    "img": _picture,
    "link": _link,
    "meta": _meta,
    "noscript": _inert,
    "object": _object,
    "script": _script,
    "source": _media,
    "template": _inert,
    "video": _media,
}


def _parser(body: bytes, charset: str | None, target: Walk) -> etree.HTMLParser:
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
