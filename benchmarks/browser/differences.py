"""Where we say something else than a browser does, on purpose: each with its reason. The list shall stay short."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.browser.records import Record


@dataclass(frozen=True)
class Difference:
    """Records in which a browser does something else than we say. ``browser`` empty: all of them."""

    about: str
    lines: tuple[str, ...]
    keys: frozenset[str]
    reason: str
    browser: str = ""


DIFFERENCES: tuple[Difference, ...] = ()


def excused(record: Record) -> dict[str, str]:
    """What of a record we say otherwise on purpose, and why."""
    return {
        key: one.reason
        for one in DIFFERENCES
        if one.about == record.about and one.lines == record.lines and one.browser in {"", record.browser}
        for key in one.keys
    }
