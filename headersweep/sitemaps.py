"""Sitemaps: read as a stream, in memory that does not depend on the file, whatever the file tries.

XML (urlset and sitemapindex, in any namespace) or one URL a line, gzip or not, told apart by the bytes. The parser
reports tags and builds no tree; a document type is refused, so there are no entities to blow up.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from lxml import etree

from headersweep.errors import HeadersweepError

MAX_DECODED_BYTES = 50 * 1024 * 1024
MAX_ENTRIES = 50_000
MAX_TEXT = 8192
"""Longer URLs and lines are not read; the sitemap protocol allows 2,048 characters."""

MAX_DEPTH = 32

_PIECE_BYTES = 64 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31
_UTF8_MARK = b"\xef\xbb\xbf"
_XML_STARTS = (b"<", b"\xff\xfe", b"\xfe\xff")
_HEAD_BYTES = 4
_BLANK = b" \t\r\n"
_SCHEMES = ("http://", "https://")
_YEAR, _YEAR_AND_MONTH = len("2026"), len("2026-05")


class SitemapError(HeadersweepError):
    """A sitemap is not one, is broken, or is larger than the protocol allows; what came before the place counts."""


class EntryKind(StrEnum):
    """What an entry names: a page, or another sitemap (in an index)."""

    PAGE = "page"
    SITEMAP = "sitemap"


@dataclass(frozen=True, slots=True)
class SitemapEntry:
    """One entry; ``url`` as written, without the blanks around it: not parsed, not checked against any scope."""

    kind: EntryKind
    url: str
    lastmod: datetime | None = None


def read(chunks: Iterable[bytes], *, url: str) -> Iterator[SitemapEntry]:
    """The entries of a sitemap, in order, while its bytes arrive; ``url`` is only named in errors.

    Raises SitemapError after the last good entry where the file is cut, malformed, no sitemap, over 50 MB decoded or
    over 50,000 entries. How deep indexes may nest is the caller's business.
    """
    try:
        yield from _limited(_entries(_decoded(chunks)))
    except SitemapError as error:
        raise SitemapError(f"sitemap {url}: {error}") from error


def _limited(entries: Iterator[SitemapEntry]) -> Iterator[SitemapEntry]:
    yield from itertools.islice(entries, MAX_ENTRIES)
    if next(entries, None):
        raise SitemapError(f"more than {MAX_ENTRIES:,} entries")


def _entries(pieces: Iterator[bytes]) -> Iterator[SitemapEntry]:
    head = b""
    for piece in pieces:
        # A blank line before the XML declaration is an error to parsers, and common.
        head = (head + piece).lstrip(_BLANK).removeprefix(_UTF8_MARK).lstrip(_BLANK)
        if len(head) >= _HEAD_BYTES:
            break
    return _xml_entries(head, pieces) if head.startswith(_XML_STARTS) else _text_entries(head, pieces)


def _decoded(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The file's bytes in small pieces, unpacked if they are gzip, up to the limit."""
    total = 0
    for piece in _unpacked(_joined_head(chunks)):
        total += len(piece)
        if total > MAX_DECODED_BYTES:
            raise SitemapError(f"more than {MAX_DECODED_BYTES // 1024 // 1024} MB")
        yield piece


def _joined_head(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, in pieces; the first is long enough to tell gzip."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= len(_GZIP_MAGIC):
            yield from (head[at : at + _PIECE_BYTES] for at in range(0, len(head), _PIECE_BYTES))
            head = b""
    if head:
        yield head


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = next(pieces, b"")
    whole = itertools.chain([first], pieces)
    return _gunzipped(whole) if first.startswith(_GZIP_MAGIC) else whole


def _gunzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Unpacked members of a gzip file, one after the other, never more than a piece at once."""
    member = None
    for piece in pieces:
        left = piece
        while left:
            if member is None:
                if not left.startswith(_GZIP_MAGIC[:1]):
                    return  # padding behind the last member
                member = zlib.decompressobj(_GZIP_WINDOW)
            yield from _inflated(member, left)
            left = member.unused_data
            member = None if member.eof else member
    if member is not None:
        raise SitemapError("the gzip data ends too early")


def _inflated(member: Any, packed: bytes) -> Iterator[bytes]:
    more = True
    while more:
        before = member.copy()
        try:
            piece = member.decompress(packed, _PIECE_BYTES)
        except zlib.error as error:
            yield from _up_to_the_fault(before, packed)
            raise SitemapError("the gzip data is broken") from error
        yield piece
        packed = member.unconsumed_tail
        # A full piece may be followed by output that waits inside, with no input left.
        more = not member.eof and (bool(packed) or len(piece) == _PIECE_BYTES)


def _up_to_the_fault(member: Any, packed: bytes) -> Iterator[bytes]:
    """What stands before broken data, byte by byte: it must not depend on how the network cut the file."""
    with contextlib.suppress(zlib.error):
        for at in range(len(packed)):
            yield member.decompress(packed[at : at + 1])


def _text_entries(head: bytes, pieces: Iterator[bytes]) -> Iterator[SitemapEntry]:
    found, pending = False, b""
    for piece in itertools.chain([head], pieces, [b"\n"]):
        *lines, pending = (pending + piece).split(b"\n")
        # The start of a line that is too long shows as much as the whole.
        pending = pending[: MAX_TEXT + 1]
        for line in lines:
            text = line.decode("utf-8", "replace").strip() if len(line) <= MAX_TEXT else ""
            if text.lower().startswith(_SCHEMES):
                found = True
                yield SitemapEntry(EntryKind.PAGE, text)
    if head and not found:
        raise SitemapError("neither XML nor one URL a line")


def _xml_entries(head: bytes, pieces: Iterator[bytes]) -> Iterator[SitemapEntry]:
    target = _Target()
    parser = _parser(target)
    for piece in itertools.chain([head], pieces):
        yield from _found(target, functools.partial(parser.feed, piece))
    yield from _found(target, parser.close)


def _parser(target: Any) -> etree.XMLParser:
    return etree.XMLParser(
        target=target, resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False
    )


def _found(target: _Target, step: Callable[[], object]) -> Iterator[SitemapEntry]:
    """The entries that the parser finds in one step; then its error, if it has one."""
    broken = None
    try:
        step()
    except etree.LxmlError as error:
        broken = error
    entries, target.entries = target.entries, []
    yield from entries
    if target.refused or broken:
        raise SitemapError(target.refused or f"malformed XML: {broken}") from broken


class _Target:
    """What the parser tells of a sitemap: keeps the entries that are complete."""

    def __init__(self) -> None:
        self.entries: list[SitemapEntry] = []
        self.refused = ""
        self._path: list[str] = []
        self._texts: dict[str, str] = {}

    def doctype(self, name: str | None, _public: str | None, _system: str | None) -> None:
        self._refuse(f"a document type ({name}) has no place in a sitemap")

    def start(self, tag: str, _attributes: object) -> None:
        name = tag.rpartition("}")[2]
        if not self._path and name not in _ROOTS:
            self._refuse(f"<{name}> is no sitemap")
        if len(self._path) == MAX_DEPTH:
            self._refuse("tags are nested too deep")
        self._path.append(name)
        if name in _KINDS:
            self._texts = {}

    def data(self, text: str) -> None:
        # Only what stands directly in an entry: <image:loc> belongs to the image.
        if len(self._path) == _FIELD_DEPTH and self._path[-1] in _FIELDS:
            known = self._texts.get(self._path[-1], "")
            self._texts[self._path[-1]] = (known + text)[: MAX_TEXT + 1]

    def end(self, _tag: str) -> None:
        name = self._path.pop()
        if name not in _KINDS or len(self._path) != 1 or self.refused:
            return
        url = self._texts.get("loc", "").strip()
        if url and len(url) <= MAX_TEXT:
            lastmod = parse_lastmod(self._texts.get("lastmod", ""))
            self.entries.append(SitemapEntry(_KINDS[name], url, lastmod))

    def close(self) -> None:
        """Nothing is held open; the parser asks for this method."""

    def _refuse(self, reason: str) -> None:
        self.refused = self.refused or reason


_ROOTS = frozenset({"urlset", "sitemapindex"})
_KINDS = {"url": EntryKind.PAGE, "sitemap": EntryKind.SITEMAP}
_FIELDS = frozenset({"loc", "lastmod"})
_FIELD_DEPTH = len(("urlset", "url", "loc"))


def parse_lastmod(text: str) -> datetime | None:
    """The time in a ``lastmod`` (W3C's subset of ISO 8601; a year or a month begins it), or ``None``."""
    text = text.strip()
    if len(text) in {_YEAR, _YEAR_AND_MONTH} and text[:_YEAR].isdecimal():
        text += "-01-01" if len(text) == _YEAR else "-01"
    try:
        when = datetime.fromisoformat(text)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
