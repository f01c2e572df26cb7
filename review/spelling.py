"""What a misspelt name was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

CLOSE_ENOUGH = 0.75


def closest(name: str, known: Iterable[str]) -> str:
    """The known name that is closest; empty where none is close."""
    # A name of very different length cannot be close, and to ask costs most of the time.
    alike = [one for one in known if 2 * min(len(one), len(name)) >= CLOSE_ENOUGH * (len(one) + len(name))]
    found = difflib.get_close_matches(name, alike, n=1, cutoff=CLOSE_ENOUGH) if alike else []
    return found[0] if found else ""
