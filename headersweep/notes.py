"""Notes: the record of a change, a Markdown file with TOML front matter that people edit and review in git. Pure.

The file is the source; the database keeps a copy by its content hash. docs/notes.md describes the format.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

FENCE = "+++"
MAX_BYTES = 262_144
MAX_FILES = 2_000
MOST_SLUG = 60
MAX_SECTION = 20_000
ID = re.compile(r"(\d{4}-\d{2}-\d{2})-([a-z0-9]+(?:-[a-z0-9]+)*)")
"""A day and a few words: the name of the file without ``.md``."""

FILL_IN = "FILL IN"
"""Marks what nobody could know but the person who writes the note; ``note lint`` refuses it."""


class NoteKind(StrEnum):
    """What was changed."""

    CHANGE = "change"
    MIGRATION = "migration"
    BASELINE = "baseline"
    WAIVER = "waiver"
    SITES = "sites"
    OTHER = "other"


SECTIONS = {
    "reason": "Reason",
    "metric": "Metric",
    "expected_result": "Expected result",
    "actual_result": "Actual result",
    "rollback": "Rollback",
}
"""The texts of a note by field, each with its heading, in the order of the file."""

ASKED = {
    "title": "what was done, in a few words",
    "owner": "who answers for it",
    "reason": "why it was done",
    "command": "what was typed",
    "files": "which files it touched",
    "metric": "which number was to improve: before -> after",
    "expected_result": "what was to be seen afterwards",
    "actual_result": "what was seen",
    "rollback": "how to get back: the exact commands, and what is lost by them",
}
"""What each field is to say, as the empty one asks."""


@dataclass(frozen=True)
class Note:
    """One note. Texts may hold Markdown; ``more`` are sections that the program does not know."""

    id: str
    kind: NoteKind
    title: str
    written: date
    owner: str = ""
    site: str = ""
    command: str = ""
    files: tuple[str, ...] = ()
    range: str = ""
    run_before: int | None = None
    run_after: int | None = None
    reason: str = ""
    metric: str = ""
    expected_result: str = ""
    actual_result: str = ""
    rollback: str = ""

    def filled(self) -> Note:
        """The note with a marked place wherever something is missing."""
        missing = {name: asked(name) for name in ASKED if not getattr(self, name)}
        if "files" in missing:
            missing["files"] = () if self.kind is NoteKind.BASELINE else (missing["files"],)  # type: ignore[assignment]
        return replace(self, **missing)  # type: ignore[arg-type]


def asked(name: str) -> str:
    """The marked place of a field that is missing."""
    return f"{FILL_IN}: {ASKED[name]}"


def id_of(written: date, title: str) -> str:
    """The id of a note from its day and its title; of a title without any letter, the day and ``note``."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    slug = ""
    for word in words:
        if len(slug) + len(word) + 1 > MOST_SLUG:
            break
        slug = f"{slug}-{word}" if slug else word
    return f"{written.isoformat()}-{slug or 'note'}"


def file_name(note_id: str) -> str:
    """The name of a note's file."""
    return f"{note_id}.md"


# --- writing -----------------------------------------------------------------------------------------------------


def render(note: Note) -> str:
    """The file of a note; the same note gives the same text."""
    return "\n".join([*_front(note), "", f"# {note.title}", *_sections(note), ""])


def _front(note: Note) -> Iterator[str]:
    yield FENCE
    for name, value in _values(note):
        yield f"{name} = {value}"
    yield FENCE


def _values(note: Note) -> Iterator[tuple[str, str]]:
    yield "id", _quoted(note.id)
    yield "kind", _quoted(note.kind)
    yield "title", _quoted(note.title)
    yield "written", note.written.isoformat()
    yield "owner", _quoted(note.owner)
    if note.site:
        yield "site", _quoted(note.site)
    for name in ("run_before", "run_after"):
        number = getattr(note, name)
        if number is not None:
            yield name, str(number)
    yield "command", _quoted(note.command)
    if note.range:
        yield "range", _quoted(note.range)
    yield "files", _listed(note.files)


def _listed(items: tuple[str, ...]) -> str:
    if not items:
        return "[]"
    return "".join(["[\n", *(f"  {_quoted(item)},\n" for item in items), "]"])


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's, but for DEL."""
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")


def _sections(note: Note) -> Iterator[str]:
    for name, heading in SECTIONS.items():
        yield from ("", f"## {heading}", "", _harmless(getattr(note, name).strip()))


def _harmless(text: str) -> str:
    """A text that neither begins another section nor swallows those that follow it."""
    lines = [f"\\{line}" if line.startswith(("# ", "## ")) else line for line in text.split("\n")]
    fence = ""
    for line in lines:
        fence = _fence(line, fence)
    return "\n".join([*lines, fence] if fence else lines)


# --- reading -----------------------------------------------------------------------------------------------------

Lines = dict[str, int]
"""On which line a field stands, as far as it is there."""


@dataclass(frozen=True)
class Parsed:
    """The parts of a note's file, not judged yet: its front matter as it stands there, and its sections."""

    front: dict[str, Any]
    sections: dict[str, str]
    front_text: str = ""
    lines: Lines | None = None


class UnreadableNoteError(ValueError):
    """The text has no front matter that can be read; the message says why, ``line`` where."""

    def __init__(self, message: str, line: int = 1) -> None:
        self.line = line
        super().__init__(message)


_POSITION = re.compile(r" \((?:at line (\d+), column \d+|at end of document)\)$")


def parse(text: str) -> Parsed:
    """The parts of a note's text; UnreadableNoteError where there is no front matter."""
    lines = normalised(text).split("\n")
    if lines[0].strip() != FENCE:
        raise UnreadableNoteError(f"a note begins with a line {FENCE}, then TOML, then {FENCE} again")
    end = next((number for number, line in enumerate(lines[1:], 1) if line.strip() == FENCE), None)
    if end is None:
        raise UnreadableNoteError(f"the front matter has no second line {FENCE}")
    front_text = "\n".join(lines[1:end])
    sections, places = _split(lines, end + 1)
    return Parsed(_toml(front_text), sections, front_text, places)


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _POSITION.search(str(error))
        line = int(place[1]) + 1 if place and place[1] else 2
        raise UnreadableNoteError(
            f"the front matter is no TOML: {_POSITION.sub('', str(error))}", line
        ) from error


def _split(lines: list[str], start: int) -> tuple[dict[str, str], Lines]:
    """The texts below the known headings, and the line of each; what stands in code is no heading."""
    names = {heading.lower(): name for name, heading in SECTIONS.items()}
    found: dict[str, list[str]] = {}
    places: Lines = {}
    current: list[str] = []
    fence = ""
    for number, line in enumerate(lines[start:], start + 1):
        fence = _fence(line, fence)
        if not fence and line.startswith("## "):
            name = names.get(line[3:].strip().lower(), "")
            current = found.setdefault(name, [])
            places.setdefault(name, number)
        else:
            current.append(line)
    return {name: "\n".join(text).strip() for name, text in found.items() if name}, places


_CODE = re.compile(r" {0,3}(`{3,}|~{3,})")


def _fence(line: str, fence: str) -> str:
    """The fence of the code that goes on after this line; empty outside of code."""
    mark = _CODE.match(line)
    if not mark:
        return fence
    if not fence:
        return mark[1]
    closes = mark[1].startswith(fence) and not line.strip().strip(fence[0])
    return "" if closes else fence


def normalised(text: str) -> str:
    """The text with line breaks of one kind, and one at its end: an editor's habits are no change."""
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff").rstrip() + "\n"


def content_hash(text: str) -> bytes:
    """What tells whether a note was edited."""
    return hashlib.sha256(normalised(text).encode("utf-8", "surrogatepass")).digest()
