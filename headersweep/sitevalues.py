"""Judging one value of a site file by its key: its type, then what is allowed, with a message for whoever wrote it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from headersweep.sitekeys import Key, Kind
from headersweep.sitelines import KeyPath

MAX_URLS = 10_000
MAX_PATTERNS = 1_000
_CREDENTIALS = re.compile(r"//[^/?#\s]*@")

Complaint = tuple[KeyPath, str]
"""A mistake: the key it is about, and what to say."""


def wrong(key: Key, value: Any) -> list[Complaint]:
    """What is wrong with a value of that key."""
    if not is_a(key.kind, value):
        return [(key.keys, f"{key.path} = {shown(value)} is no {key.kind}; allowed: {key.allowed}")]
    if key.kind is Kind.TEXTS:
        return _wrong_items(key, value)
    said = key.check(value)
    return [(key.keys, f"{key.path} = {shown(value)}: {said}")] if said else []


def _wrong_items(key: Key, items: list[str]) -> list[Complaint]:
    """A list is judged item by item, each mistake on the line of its item."""
    if key.required and not items:
        return [(key.keys, f"{key.path} is empty; {key.meaning}")]
    limit = MAX_URLS if key.path == "start_urls" else MAX_PATTERNS
    if len(items) > limit:
        return [(key.keys, f"{key.path} has {len(items):,} items; at most {limit:,} are allowed")]
    complaints: list[Complaint] = []
    seen: set[str] = set()
    for number, item in enumerate(items):
        said = "it stands there twice" if item in seen else key.check(item)
        seen.add(item)
        if said:
            complaints.append(((*key.keys, str(number)), f"{key.path}: {shown(item)}: {said}"))
    return complaints


def wrong_in_table(
    head: str, item: Mapping[str, Any], keys: Sequence[Key], others: Iterable[str] = ()
) -> list[Complaint]:
    """What is wrong with the keys and values of one table of a list, each by itself.

    ``head`` is how the table is called, ``others`` are names that may stand in it beside its keys.
    """
    known = [*(key.keys[-1] for key in keys), *others]
    complaints: list[Complaint] = [((key,), _unknown(head, key, known)) for key in item if key not in known]
    for key in keys:
        own = key.keys[-1]
        if own in item:
            complaints += [(path[len(key.keys) - 1 :], said) for path, said in wrong(key, item[own])]
        elif key.required:
            complaints.append(((), f"this {head} has no {own}; {key.meaning}, as in: {own} = {key.example}"))
    return complaints


def _unknown(head: str, key: str, known: Sequence[str]) -> str:
    meant = difflib.get_close_matches(key.lower(), known, n=1)
    hint = f"; did you mean {meant[0]}?" if meant else ""
    return f"unknown key {key!r} in {head}{hint} (allowed: {', '.join(known)})"


def is_a(kind: Kind, value: Any) -> bool:
    """Whether a value has the type that its key asks for."""
    if kind is Kind.TEXTS:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if kind is Kind.BOOLEAN or isinstance(value, bool):
        return kind is Kind.BOOLEAN and isinstance(value, bool)
    if kind is Kind.DATE:
        return isinstance(value, date) and not isinstance(value, datetime)
    allowed = {Kind.TEXT: (str,), Kind.INTEGER: (int,), Kind.NUMBER: (int, float)}[kind]
    return isinstance(value, allowed)


def shown(value: Any) -> str:
    """A value as it might stand in the file, without a password in a URL, cut where it gets long."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (RecursionError, ValueError):  # nested a thousand times, or a number of thousands of digits
        return "..."
    text = _CREDENTIALS.sub("//***@", text)
    return text if len(text) <= 100 else f"{text[:100]}..."  # noqa: PLR2004 - as much as fits on a line
