"""The cases: a line of text each, so that many of them can be read at once."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.browser.records import Case

BETWEEN_LINES = " || "


def values(about: str, header: str, text: str, *, host: str = "") -> Iterator[Case]:
    """A case for each line of a text: values of one header; an escape is a byte."""
    for entry in _entries(text):
        yield Case(about, tuple(f"{header}: {value}" for value in entry), host)


def whole(about: str, text: str, *, host: str = "") -> Iterator[Case]:
    """A case for each line of a text: whole header lines."""
    for entry in _entries(text):
        yield Case(about, entry, host)


def _entries(text: str) -> Iterator[tuple[str, ...]]:
    for line in text.strip("\n").split("\n"):
        yield tuple(line.encode().decode("unicode_escape").split(BETWEEN_LINES))
