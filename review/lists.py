"""Comma lists of an answer: quick where nothing is quoted, and never longer than anybody means them to be."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

from review import readers
from review.received import Received

Part = TypeVar("Part", bound=Hashable)

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


def some(parts: Iterable[Part], most: int) -> list[Part]:
    """The first so many different parts, in order; no more of them are made."""
    found: dict[Part, None] = {}
    for part in parts:
        found[part] = None
        if len(found) == most:
            break
    return list(found)


def tokens(received: Received, name: str) -> frozenset[str]:
    """The parts of a header's list in lower case."""
    return frozenset(part.lower() for part in members(received.combined(name)))


def filled(value: str, separator: str, content: re.Pattern[str]) -> Iterator[str]:
    """The parts of a value that have any content, one by one: whoever needs a few of many does not pay for all."""
    at = 0
    while (found := content.search(value, at)) is not None:
        start = value.rfind(separator, at, found.start()) + 1 or at
        end = value.find(separator, found.end())
        end = len(value) if end < 0 else end
        yield value[start:end]
        at = end + 1
