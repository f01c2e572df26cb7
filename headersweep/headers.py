"""Response headers: from the raw block to pairs, to the canonical text, to the content hash.

The canonical text is what two responses have in common when they differ in nothing that counts::

    headers/1
    content-type: text/html
    set-cookie: sid=<cookie>; httponly; secure
    ! a line that is no header

It ignores the case of names and the order of different names; it keeps the order of equal names. Volatile values are
replaced by named placeholders (headersweep/volatile.py). Bytes outside printable ASCII appear in hex between single
angle quotation marks, which no header can contain, so nothing is confused with its own escape.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

from headersweep import masking, volatile

VERSION = "headers/1"
MALFORMED = "!"
"""Stands for the lines that are no headers wherever a header's name is asked for."""
VARIES = volatile.VARIES
"""Takes the place of all values of a header that the cardinality guard masked."""

_LONGEST_CACHED = 1024
_CACHED_LINES = 4096
"""So that the caches hold a few MB at the most, whatever a site sends."""

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FOLD = re.compile(rb"\n[ \t]")
_LOGICAL_LINE = re.compile(rb"[^\n]+(?:\n[ \t][^\n]*)*")
_UNPRINTABLE = re.compile("[^\t -~\u2039\u203a]")
_NONCE_NAMES = frozenset({"content-security-policy", "content-security-policy-report-only"})
_NONCE_DIGEST_BYTES = 8

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ParsedHeaders:
    """A header block as received: pairs in order, and the lines that are no header, escaped and without secrets."""

    pairs: tuple[Pair, ...]
    malformed: tuple[str, ...]


def parse_block(raw: bytes) -> ParsedHeaders:
    """The pairs of a header block without its status line. Any bytes have an answer."""
    pairs: list[Pair] = []
    malformed: list[str] = []
    for line in _lines(raw):
        pair = _cached_pair(line) if len(line) <= _LONGEST_CACHED else _pair(line)
        if pair is None:
            malformed.append(_escaped(masking.mask(line).decode("latin-1")))
        else:
            pairs.append(pair)
    return ParsedHeaders(tuple(pairs), tuple(malformed))


def _lines(raw: bytes) -> Iterable[bytes]:
    lines = raw.split(b"\n") if not _FOLD.search(raw) else map(_unfolded, _LOGICAL_LINE.findall(raw))
    return filter(None, (line.rstrip(b"\r") for line in lines))


def _unfolded(line: bytes) -> bytes:
    first, *rest = line.split(b"\n")
    if not rest:
        return first
    return b" ".join((first.rstrip(b" \t\r"), *(piece.strip(b" \t\r") for piece in rest)))


def _pair(line: bytes) -> Pair | None:
    name, colon, value = line.partition(b":")
    if not colon or not _TOKEN.fullmatch(name) or b"\0" in value or b"\r" in value:
        return None
    return name.decode("ascii"), value.strip(b" \t").decode("latin-1")


_cached_pair = functools.lru_cache(maxsize=_CACHED_LINES)(_pair)


def mask_cookies(raw: bytes) -> bytes:
    """The block without cookie values and other secrets, fit to be kept; the rest byte for byte."""
    return masking.mask(raw)


def canonical_text(
    pairs: Iterable[Pair], malformed: Iterable[str] = (), masked_names: frozenset[str] = frozenset()
) -> str:
    """What counts of the headers, as a readable text. ``masked_names`` are lower case, ``!`` for malformed lines."""
    pairs = tuple(pairs)
    lines = [
        _cached_line(name, value) if len(value) <= _LONGEST_CACHED else _line(name, value)
        for name, value in pairs
    ]
    if any(text is None for _, text in lines):
        lines = _with_dates(pairs, lines)
    lines.sort(key=itemgetter(0))
    lines += [(MALFORMED, f"{MALFORMED} {_escaped(line)}") for line in malformed]
    return _text(lines, masked_names)


def _line(name: str, value: str, date: str | None = None) -> tuple[str, str | None]:
    """A header's name and its line; no line yet if it takes the response's Date to tell."""
    lower = _escaped(name.lower())
    rule = volatile.rule_for(lower)
    value = _escaped(value)
    if rule is None:
        return lower, f"{lower}: {value}"
    if rule.needs_date and date is None:
        return lower, None
    return lower, f"{lower}: {rule.apply(value, date or '')}"


_cached_line = functools.lru_cache(maxsize=_CACHED_LINES)(_line)


def _with_dates(pairs: tuple[Pair, ...], lines: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    date = next((value for name, value in pairs if name.lower() == "date"), "")
    return [
        line if line[1] is not None else _line(name, value, date)
        for (name, value), line in zip(pairs, lines, strict=True)
    ]


def _text(lines: Iterable[tuple[str, str | None]], masked_names: frozenset[str]) -> str:
    texts = [VERSION]
    if not masked_names:
        texts += [text for _, text in lines if text is not None]
    else:
        texts += _masked(lines, masked_names)
    texts.append("")
    return "\n".join(texts)


def _masked(lines: Iterable[tuple[str, str | None]], masked_names: frozenset[str]) -> Iterable[str]:
    done: set[str] = set()
    for name, text in lines:
        if name not in masked_names:
            yield text or ""
        elif name not in done:
            done.add(name)
            # How many lines it takes varies as well, so one line stands for all of them.
            yield (
                f"{MALFORMED} {VARIES}" if text and text.startswith(f"{MALFORMED} ") else f"{name}: {VARIES}"
            )


def normalised(parsed: ParsedHeaders, masked_names: frozenset[str] = frozenset()) -> str:
    """The canonical text of a parsed block."""
    return canonical_text(parsed.pairs, parsed.malformed, masked_names)


def content_hash(text: str) -> bytes:
    """The key of a canonical text: SHA-256, the very last step."""
    return hashlib.sha256(text.encode()).digest()


def refold(canonical: str, masked_names: frozenset[str]) -> str:
    """The canonical text as if these names had been masked from the start."""
    _, *lines = canonical.rstrip("\n").split("\n")
    return _text([(_name_of(line), line) for line in lines], masked_names)


def _name_of(line: str) -> str:
    return MALFORMED if line.startswith(f"{MALFORMED} ") else line.partition(": ")[0]


def read_text(canonical: str) -> ParsedHeaders:
    """The pairs and malformed lines of a canonical text; their canonical text is this text again."""
    pairs, malformed = [], []
    for line in canonical.split("\n")[1:-1]:
        if line.startswith(f"{MALFORMED} "):
            malformed.append(line[2:])
        else:
            name, _, value = line.partition(": ")
            pairs.append((name, value))
    return ParsedHeaders(tuple(pairs), tuple(malformed))


def value_lines(canonical: str) -> list[Pair]:
    """Every name and value of a canonical text, for the cardinality guard; malformed lines are named ``!``."""
    parsed = read_text(canonical)
    return [*parsed.pairs, *((MALFORMED, line) for line in parsed.malformed)]


def nonce_digest(pairs: Iterable[Pair]) -> bytes | None:
    """Eight bytes of the SHA-256 of the first nonce of the policies, to find one that is used twice."""
    for name, value in pairs:
        if "nonce-" in value.lower() and name.lower() in _NONCE_NAMES:
            nonce = volatile.first_nonce(value)
            if nonce is not None:
                return hashlib.sha256(nonce.encode()).digest()[:_NONCE_DIGEST_BYTES]
    return None


def _escaped(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return _UNPRINTABLE.sub(lambda match: f"\u2039{ord(match[0]):02x}\u203a", text)
