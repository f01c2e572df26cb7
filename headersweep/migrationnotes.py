"""The notes of our own migrations, docs/migrations/NNNN.md: bold names in running text instead of front matter. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from headersweep import notelint, notes
from headersweep.errors import Mistake
from headersweep.notelint import HOLLOW, PLACEHOLDER, Linted

REQUIRED = ("Owner", "Reason", "Side", "Files", "Commands", "Expected result", "Rollback")
_MEASURED = frozenset({"metric", "measured"})
"""Where a note has one of these, it has numbers."""

_PART = re.compile(r"\*\*([A-Z][A-Za-z ]*):\*\*")
_TITLE = re.compile(r"# (\d{4}): \S")


def lint(path: str, text: str) -> Linted:
    """One note of a migration, with everything that is wrong in it."""
    text = notes.normalised(text)
    found = sorted(_mistakes(path, text), key=lambda one: one.line)
    return Linted(path, text, tuple(found), is_migration=True)


def parts(text: str) -> dict[str, tuple[int, str]]:
    """What stands behind each bold name, with the line of the name; the first of equal names."""
    marks = list(_PART.finditer(text))
    found: dict[str, tuple[int, str]] = {}
    for place, mark in enumerate(marks):
        end = marks[place + 1].start() if place + 1 < len(marks) else len(text)
        line = text.count("\n", 0, mark.start()) + 1
        found.setdefault(mark[1], (line, text[mark.end() : end].strip(" \n-")))
    return found


def _mistakes(path: str, text: str) -> Iterator[Mistake]:
    number = PurePosixPath(path).name.removesuffix(".md")
    title = _TITLE.match(text)
    if not title or title[1] != number:
        yield Mistake(path, 1, f"the first line is no title `# {number}: what it does`")
    found = parts(text)
    for name in REQUIRED:
        if name not in found:
            yield Mistake(path, 1, f"**{name}:** is missing")
    for name, (line, said) in found.items():
        yield from (Mistake(path, line, f"**{name}:** {wrong}") for wrong in _wrong(name, said))


def _wrong(name: str, said: str) -> Iterator[str]:
    if PLACEHOLDER.search(said):
        yield "still has a placeholder"
    elif " ".join(said.lower().split()).strip(" .!*_`-") in HOLLOW:
        yield "says nothing"
    elif name == "Rollback":
        yield from notelint.rollback(said)
    elif name.lower() in _MEASURED:
        yield from notelint.metric(said)
