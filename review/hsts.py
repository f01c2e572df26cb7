"""Strict-Transport-Security as browsers read it (RFC 6797, section 6.1, and what Chromium and Firefox share)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from review import contexts

YEAR_SECONDS = 31_536_000
LONGEST_SECONDS = 2**63 - 1
"""A greater max-age is read as this. Chromium forgets a host after a year at the latest, Firefox after a hundred."""

_WHITESPACE = " \t"
_KNOWN = frozenset({"max-age", "includesubdomains", "preload"})
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PLAIN = re.compile(rf"({_TOKEN.pattern}+)(?:=({_TOKEN.pattern}+))?")
"""Most directives as they are written; the unknown ones among them need no closer look."""
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PIECE = re.compile(r';([^";]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*(?:"[^";]*+|\\?\Z))*)', re.DOTALL)
"""A semicolon, and what follows it up to the next one outside of quotes; quotes that nothing closes go on to the end."""
_DIGITS = len(str(LONGEST_SECONDS))


@dataclass(frozen=True, slots=True)
class Policy:
    """What a browser notes for a host. ``preload`` concerns the browsers' built-in lists alone."""

    max_age: int
    include_subdomains: bool = False
    preload: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A value that browsers ignore as a whole, and why."""

    reason: str


def read(values: Sequence[str], scheme: str = "https", host: str = "") -> Policy | None:
    """What a browser notes on an answer with these header lines; None where it ignores them all.

    Only the first line counts (RFC 6797, section 8.1), only over https, and never for an IP address.
    """
    if not values or scheme != "https" or contexts.is_address(host):
        return None
    found = parse(values[0])
    return found if isinstance(found, Policy) else None


@lru_cache(maxsize=256)
def parse(value: str) -> Policy | Refused:
    """One header line's value."""
    known: dict[str, str | None] = {}
    strange: set[str] = set()
    for piece in _pieces(value):
        if piece in strange:
            continue
        plain = _PLAIN.fullmatch(piece)
        if plain is not None and plain[1].lower() not in _KNOWN:
            strange.add(piece)
            continue
        found = _directive(piece)
        if isinstance(found, Refused):
            return found
        name, argument = found
        if name in known and name != "preload":
            return Refused(f"{name} is there twice")
        if name in _KNOWN:
            known.setdefault(name, argument)
    return _policy(known)


def _policy(known: dict[str, str | None]) -> Policy | Refused:
    max_age = known.get("max-age")
    if max_age is None:
        return Refused("max-age is missing" if "max-age" not in known else "max-age has no value")
    if not (max_age.isascii() and max_age.isdigit()):
        return Refused("max-age is not a whole number of seconds")
    if known.get("includesubdomains") is not None:
        return Refused("includeSubDomains has a value")
    preload = "preload" in known and known["preload"] is None
    return Policy(_seconds(max_age), "includesubdomains" in known, preload)


def _seconds(digits: str) -> int:
    """The number, without Python's limit on the length of one."""
    digits = digits.lstrip("0")
    return LONGEST_SECONDS if len(digits) > _DIGITS else min(int(digits or "0"), LONGEST_SECONDS)


def _directive(piece: str) -> tuple[str, str | None] | Refused:
    """The name in lower case, and the value if there is one."""
    name, equals, argument = piece.partition("=")
    name, argument = name.strip(_WHITESPACE), argument.strip(_WHITESPACE)
    if not _TOKEN.fullmatch(name):
        return Refused("a directive's name is not a token")
    if not equals:
        return name.lower(), None
    quoted = _QUOTED.fullmatch(argument)
    if quoted:
        return name.lower(), _ESCAPED.sub(r"\1", quoted[1])
    if not _TOKEN.fullmatch(argument):
        return Refused("a directive's value is neither a token nor a quoted string")
    return name.lower(), argument


def _pieces(value: str) -> list[str]:
    """The directives between semicolons, without empty ones; a semicolon inside of quotes does not separate."""
    pieces = value.split(";") if '"' not in value else _PIECE.findall(f";{value}")
    return [stripped for piece in pieces if (stripped := piece.strip(_WHITESPACE))]
