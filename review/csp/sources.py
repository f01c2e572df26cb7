"""Source expressions (CSP3, section 2.3.1): what one token of a source list is."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

SELF = "'self'"
NONE = "'none'"
UNSAFE_INLINE = "'unsafe-inline'"
UNSAFE_EVAL = "'unsafe-eval'"
UNSAFE_HASHES = "'unsafe-hashes'"
STRICT_DYNAMIC = "'strict-dynamic'"
WASM_EVAL = "'wasm-unsafe-eval'"

KEYWORDS = frozenset(
    {
        SELF,
        NONE,
        UNSAFE_INLINE,
        UNSAFE_EVAL,
        UNSAFE_HASHES,
        STRICT_DYNAMIC,
        WASM_EVAL,
        "'report-sample'",
        "'inline-speculation-rules'",
        "'trusted-types-eval'",
        "'unsafe-allow-redirects'",
        "'unsafe-webtransport-hashes'",
        "'report-sha256'",
        "'report-sha384'",
        "'report-sha512'",
    }
)
"""All keywords that some browser or draft knows, in lower case; their case does not matter."""

MOST_SOURCES = 500
"""What comes after so many distinct tokens of one list is not read; a finding says so."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_PLACE = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.-]*)://)?(\*|(?:\*\.)?[A-Za-z0-9_.-]+)(?::([0-9]+|\*))?(/[^;,]*)?"
)
_BASE64 = r"[A-Za-z0-9+/_-]+={0,2}"
_NONCE = re.compile(rf"'nonce-({_BASE64}|<nonce>)'", re.IGNORECASE)
_HASH = re.compile(rf"'(sha256|sha384|sha512)-({_BASE64})'", re.IGNORECASE)
_QUERY = re.compile(r"[?#].*")


class Kind(StrEnum):
    """What a token is."""

    SCHEME = "scheme"
    HOST = "host"
    KEYWORD = "keyword"
    NONCE = "nonce"
    HASH = "hash"
    INVALID = "invalid"


class Source(NamedTuple):
    """One token. ``value`` is the keyword in lower case, the nonce, or the hash as ``algorithm-digest``.

    A digest may use either alphabet of base64; here it has the usual one.
    """

    text: str
    kind: Kind
    value: str = ""
    scheme: str = ""
    host: str = ""
    port: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class SourceList:
    """The value of a directive, sorted by kind. What is invalid matches nothing."""

    sources: tuple[Source, ...]
    keywords: frozenset[str]
    nonces: tuple[str, ...]
    hashes: tuple[str, ...]
    places: tuple[Source, ...]
    """Schemes, hosts, and ``'self'``."""

    @property
    def trusts_code(self) -> bool:
        """Whether a nonce or a hash says which scripts are meant; either one switches 'unsafe-inline' off."""
        return bool(self.nonces or self.hashes)


@functools.lru_cache(maxsize=256)
def source_list(tokens: tuple[str, ...]) -> SourceList:
    """The tokens of a directive's value as a source list."""
    found = tuple(source(token) for token in list(dict.fromkeys(tokens))[:MOST_SOURCES])
    return SourceList(
        found,
        frozenset(_values(found, Kind.KEYWORD)),
        tuple(_values(found, Kind.NONCE)),
        tuple(_values(found, Kind.HASH)),
        tuple(one for one in found if one.kind in {Kind.SCHEME, Kind.HOST} or one.value == SELF),
    )


def source(token: str) -> Source:
    """What one token is."""
    if token.startswith("'"):
        return _quoted(token)
    if match := _SCHEME.fullmatch(token):
        return Source(token, Kind.SCHEME, scheme=match[1].lower())
    match = _PLACE.fullmatch(token)
    if match is None or _is_bad_host(match[2]):
        return Source(token, Kind.INVALID)
    scheme, host, port, path = (part or "" for part in match.groups())
    return Source(token, Kind.HOST, "", scheme.lower(), host.lower(), port, _QUERY.sub("", path))


def _quoted(token: str) -> Source:
    if token.lower() in KEYWORDS:
        return Source(token, Kind.KEYWORD, token.lower())
    if match := _NONCE.fullmatch(token):
        return Source(token, Kind.NONCE, match[1])
    if match := _HASH.fullmatch(token):
        digest = match[2].replace("-", "+").replace("_", "/")
        return Source(token, Kind.HASH, f"{match[1].lower()}-{digest}")
    return Source(token, Kind.INVALID)


def _is_bad_host(host: str) -> bool:
    return ".." in host or host.lstrip("*.") == "" != host.strip("*") or host.startswith(".")


def _values(found: Iterable[Source], kind: Kind) -> list[str]:
    return [one.value for one in found if one.kind is kind]
