"""Shapes of structured fields (RFC 9651) that several headers share, as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from review import readers
from review.structured_fields import Parameters, Token

_PLAIN = frozenset({bool, int, str})

LONGEST = 65_536
"""A longer value counts for nothing: Chromium's limit for the longest of these headers, taken for all of them."""


def token_item(value: str | None) -> tuple[str, Parameters] | None:
    """The token of an item and its parameters; None where there is none, or the value is anything else."""
    found = _parsed(value, "item")
    if found is None or not isinstance(found[0], Token):
        return None
    return str(found[0]), found[1]


def boolean_item(value: str | None) -> bool | None:
    """The boolean of an item; None where there is none, or the value is anything else."""
    found = _parsed(value, "item")
    return found[0] if found is not None and isinstance(found[0], bool) else None


def dictionary(value: str | None) -> dict[str, Any] | None:
    """The members of a dictionary, each with its parameters; None where a browser refuses it whole."""
    found: dict[str, Any] | None = _parsed(value, "dictionary")
    return found


def tokens(member: Any) -> list[str] | None:
    """The tokens in a member that is an inner list, without what else is in it; None where it is no list."""
    if not isinstance(member[0], list):
        return None
    return [str(item) for item, _ in member[0] if isinstance(item, Token)]


def items(member: Any) -> Iterator[Any]:
    """The bare items of a member: those of its inner list, or the one that it is."""
    if isinstance(member[0], list):
        yield from (item for item, _ in member[0])
    else:
        yield member[0]


def plain(item: Any) -> bool | int | float | str | None:
    """A boolean, number, token or string as a JSON value; None for bytes and dates."""
    kind = type(item)
    if kind in _PLAIN:
        found: bool | int | str = item
        return found
    if kind is Decimal:
        return float(item)
    return str(item) if kind is Token else None


def is_string(item: Any) -> bool:
    """Whether an item is a string: neither a token nor a display string."""
    return type(item) is str


def string_parameter(parameters: Parameters, name: str) -> str:
    """A parameter that must be a string; empty where it is missing or anything else."""
    found = parameters.get(name)
    return str(found) if is_string(found) else ""


def _parsed(value: str | None, kind: str) -> Any:
    return readers.structured(value, kind) if value is not None and len(value) <= LONGEST else None
