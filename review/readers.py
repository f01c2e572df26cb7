"""Readers that several checks share: lists and structured fields, as the standards read them."""

from __future__ import annotations

from typing import Any

import http_sf

WHITESPACE = " \t"


def decoded_and_split(value: str | None) -> list[str]:
    """The values of a combined header as Fetch's "get, decode, and split" finds them; empty without the header.

    A comma inside of a quoted string does not split; the quotes stay (Fetch, section 2.2.2).
    """
    if value is None:
        return []
    if '"' not in value:
        return [piece.strip(WHITESPACE) for piece in value.split(",")]
    values: list[str] = []
    piece: list[str] = []
    quoted = escaped = False
    for character in value:
        if quoted:
            piece.append(character)
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == ",":
            values.append("".join(piece).strip(WHITESPACE))
            piece = []
        else:
            piece.append(character)
            quoted = character == '"'
    values.append("".join(piece).strip(WHITESPACE))
    return values


def structured(value: str, kind: str) -> Any:
    """A structured field (RFC 9651) of type ``item``, ``list`` or ``dictionary``; None where a browser refuses it whole."""
    try:
        return http_sf.parse(value.encode("latin-1", "replace"), tltype=kind)
    except (http_sf.StructuredFieldError, ValueError):
        return None
