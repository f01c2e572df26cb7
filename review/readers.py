"""Readers that several checks share: lists and structured fields, as the standards read them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from review import structured_fields

WHITESPACE = " \t"
_MEMBER = re.compile(r',([^",]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"[^",]*+|\\?\Z))*+)', re.DOTALL)
"""A comma, and what follows it up to the next one outside of quotes; quotes that nothing closes go on to the end."""


def decoded_and_split(value: str | None) -> list[str]:
    """The values of a combined header as Fetch's "get, decode, and split" finds them; empty without the header.

    A comma inside of a quoted string does not split; the quotes stay (Fetch, section 2.2.2).
    """
    if value is None:
        return []
    if '"' not in value:
        return [piece.strip(WHITESPACE) for piece in value.split(",")]
    return [piece.strip(WHITESPACE) for piece in _MEMBER.findall(f",{value}")]


def first(value: str | None) -> str | None:
    """The first of these values; None without the header."""
    found = _MEMBER.match(f",{value}") if value is not None else None
    return found[1].strip(WHITESPACE) if found else None


@lru_cache(maxsize=16)
def structured(value: str, kind: str) -> Any:
    """A structured field (RFC 9651) of type ``item``, ``list`` or ``dictionary``; None where a browser refuses it whole.

    Kept for as long as one answer is judged, where several checks look at it; nobody may change it.
    """
    return structured_fields.parse(value.encode("latin-1", "replace"), kind)
