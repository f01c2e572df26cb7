"""What a misspelt word was probably meant to be."""

from __future__ import annotations

import difflib
from functools import cache, lru_cache

LONGEST = 40
"""Longer words are no misspelt names, and comparing them costs."""

CLOSE_ENOUGH = 0.75
_ASCII = 128


@lru_cache(maxsize=1024)
def suggestion(word: str, known: frozenset[str]) -> str:
    """The known name that a word may have meant; empty where none is close."""
    if len(word) > LONGEST:
        return ""
    name = word.lower()
    # To compare costs most of the time, and a name with too few letters in common cannot be close.
    letters, least = _letters(name), CLOSE_ENOUGH * len(name)
    alike = [
        one
        for one, others in _of_like_length(known, len(name))
        if 2 * (letters & others).bit_count() >= least + CLOSE_ENOUGH * len(one)
    ]
    close = difflib.get_close_matches(name, alike, n=1, cutoff=CLOSE_ENOUGH) if alike else []
    return close[0] if close else ""


@cache
def _of_like_length(known: frozenset[str], length: int) -> tuple[tuple[str, int], ...]:
    """The names whose length alone does not make them too different; sorted, so that every process takes the same."""
    return tuple(
        (one, _letters(one))
        for one in sorted(known)
        if 2 * min(len(one), length) >= CLOSE_ENOUGH * (len(one) + length)
    )


def _letters(word: str) -> int:
    """A bit for each of its letters, another one when it comes again: two words share as many letters as bits."""
    found = 0
    for letter in filter(str.isascii, word):
        bit = 1 << ord(letter)
        while found & bit:
            bit <<= _ASCII
        found |= bit
    return found
