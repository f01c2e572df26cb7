"""Comma lists of an answer: quick where nothing is quoted, and never longer than anybody means them to be."""

from __future__ import annotations

from review import readers
from review.received import Received

MOST = 256
"""A longer list is rubbish; what stands further back is left out."""


def members(value: str | None) -> list[str]:
    """The parts of a list that are not empty, as Fetch's "get, decode, and split" finds them."""
    if not value:
        return []
    if '"' in value:
        return [part for part in readers.decoded_and_split(value) if part][:MOST]
    stripped = (part.strip(readers.WHITESPACE) for part in value.split(",", MOST * 4))
    return [part for part in stripped if part][:MOST]


def tokens(received: Received, name: str) -> frozenset[str]:
    """The parts of a header's list in lower case."""
    return frozenset(part.lower() for part in members(received.combined(name)))
