"""What a misspelt word was probably meant to be."""

from __future__ import annotations

import difflib
from functools import lru_cache

LONGEST = 40
"""Longer words are no misspelt names, and comparing them costs."""

CLOSE_ENOUGH = 0.75


@lru_cache(maxsize=1024)
def suggestion(word: str, known: frozenset[str]) -> str:
    """The known name that a word may have meant; empty where none is close."""
    if len(word) > LONGEST:
        return ""
    name = word.lower()
    # A name of very different length cannot be close, and to ask costs most of the time. Sorted, so that of names that
    # are equally close every process takes the same.
    alike = sorted(
        one for one in known if 2 * min(len(one), len(name)) >= CLOSE_ENOUGH * (len(one) + len(name))
    )
    close = difflib.get_close_matches(name, alike, n=1, cutoff=CLOSE_ENOUGH) if alike else []
    return close[0] if close else ""
