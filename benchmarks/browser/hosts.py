"""The host names of the cases: none of them is in any DNS, and all of them are the loopback server."""

from __future__ import annotations

HARNESS = "harness.test"
"""Whose pages embed, open and fetch the answers of the cases."""
FIRST, SECOND, SUB = "a.test", "b.test", "sub.a.test"
MOST_OWN = 300


def own(number: int) -> str:
    """A host, and a site, of its own for one case: for what browsers remember by host."""
    return f"c{number}.test"


def every() -> list[str]:
    """All host names that a certificate has to be for."""
    mine = [name for number in range(MOST_OWN) for name in (own(number), f"sub.{own(number)}")]
    return [HARNESS, f"sub.{HARNESS}", FIRST, SECOND, SUB, *mine]
