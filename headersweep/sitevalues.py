"""Judging one value of a site file by its key: its type, then what is allowed, with a message for whoever wrote it."""

from __future__ import annotations

import json
import re
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
