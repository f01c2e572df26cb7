"""What is wrong with notes, whole files and whole folders at once, without a database. Pure.

A note that says nothing is worse than none: it looks as if somebody had thought about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

from headersweep import notes, sitekeys, sitelines
from headersweep.errors import Mistake
from headersweep.notes import ASKED, FILL_IN, ID, MAX_FILES, MAX_SECTION, SECTIONS, Note, NoteKind, Parsed

README = "README.md"
MIGRATION_NAME = re.compile(r"\d{4}\.md")
"""The notes of our own migrations have a form of their own; see ``headersweep.migrationnotes``."""

_KEYS = {
    "id": str, "kind": str, "title": str, "written": date, "owner": str, "site": str, "run_before": int,
    "run_after": int, "command": str, "range": str, "files": list,
}  # fmt: skip
_REQUIRED = ("id", "kind", "title", "written", "owner", "command", "files")
_KINDS = {str: "a text", date: "a day, as 2026-11-28", int: "a whole number", list: "a list of texts"}

PLACEHOLDER = re.compile(
    rf"\b(?:{FILL_IN}|TODO|TBD|TBC|FIXME|XXX+)\b|\b(?i:lorem ipsum|to be (?:done|filled in|written|determined)|fill this in)\b"
)
HOLLOW = frozenset(
    {
        "", "-", "n/a", "na", "none", "nothing", "no", "not needed", "not applicable", "not necessary", "unknown", "?",
        "see above", "same", "as before", "ok", "done", "works", "fine", "yes", "revert", "revert it", "revert the change",
        "roll back", "rollback", "undo", "undo it", "git revert", "as expected", "improved", "better", "faster", "because",
    }
)  # fmt: skip
"""Texts that stand where something was to be said, and say nothing; compared in lower case, without marks around."""

_NUMBER = re.compile(r"(?<![\w.])[+-]?\d[\d,]*(?:\.\d+)?")
_WORD = re.compile(r"[^\W_]+")
LEAST_ROLLBACK_WORDS = 3
METRIC_NUMBERS = 2


@dataclass(frozen=True)
class Linted:
    """One file: its mistakes, and the note where there is none that kept it from being read."""

    path: str
    text: str
    mistakes: tuple[Mistake, ...] = ()
    note: Note | None = None
    """None where the front matter is no note's; a note with empty fields is one."""
    is_migration: bool = False

    @property
    def complete(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.mistakes


def lint(path: str, text: str) -> Linted:
    """One file of a note, with everything that is wrong in it."""
    try:
        parsed = notes.parse(text)
    except notes.UnreadableNoteError as error:
        return Linted(path, text, (Mistake(path, error.line, str(error)),))
    lines = _lines(parsed)
    complaints = [*_front_complaints(parsed.front), *_name_complaints(path, parsed.front)]
    note = _note(parsed) if _is_readable(parsed.front) else None
    complaints += _text_complaints(parsed)
    found = [Mistake(path, lines.get(name, 1), said) for name, said in complaints]
    return Linted(path, text, tuple(sorted(found, key=lambda one: one.line)), note)


def duplicates(found: Iterable[Linted]) -> list[Mistake]:
    """Ids that several files claim."""
    first: dict[str, str] = {}
    mistakes = []
    for one in found:
        if one.note is None:
            continue
        before = first.setdefault(one.note.id, one.path)
        if before != one.path:
            said = f"id {one.note.id!r} is that of {before} already; every note has its own"
            mistakes.append(Mistake(one.path, 1, said))
    return mistakes


Complaint = tuple[str, str]
"""A field, and what to say about it."""


def _is_readable(front: Mapping[str, Any]) -> bool:
    """Whether all that a note needs is there, and everything is of its type."""
    return all(name in front for name in _REQUIRED) and all(
        _is_a(front[name], kind) for name, kind in _KEYS.items() if name in front
    )


def _lines(parsed: Parsed) -> dict[str, int]:
    """On which line of the file each field stands."""
    keys = sitelines.find_lines(parsed.front_text)
    front = {path[0]: line + 1 for path, line in reversed(keys.items()) if len(path) == 1}
    return {**(parsed.lines or {}), **front}


def _front_complaints(front: Mapping[str, Any]) -> Iterator[Complaint]:
    for name in front:
        if name not in _KEYS:
            yield name, f"{name} is no key of a note; the keys are {', '.join(_KEYS)}"
    for name in _REQUIRED:
        if name not in front:
            yield name, f"{name} is missing: {ASKED.get(name, 'every note has it')}"
    for name, kind in _KEYS.items():
        if name in front and not _is_a(front[name], kind):
            yield name, f"{name} is no {_KINDS[kind].removeprefix('a ')}"
        elif name in front:
            yield from ((name, said) for said in _CHECKS.get(name, _nothing)(front[name]))
    yield from _runs(front)


def _is_a(value: Any, kind: type) -> bool:
    if kind is date:
        return isinstance(value, date) and not isinstance(value, datetime)
    if kind is list:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, kind) and not isinstance(value, bool)


def _nothing(_: Any) -> Iterator[str]:
    return iter(())


def _id(value: str) -> Iterator[str]:
    if not ID.fullmatch(value):
        yield f"id {value!r} is no day and a few words in lower case, as 2026-11-28-strict-csp"


def _kind(value: str) -> Iterator[str]:
    if value not in set(NoteKind):
        yield f"kind {value!r} is none of {', '.join(NoteKind)}"


def _site(value: str) -> Iterator[str]:
    if not sitekeys.NAME.fullmatch(value):
        yield f"site {value!r} is no name of a site"


def _said(name: str) -> Callable[[str], Iterator[str]]:
    return lambda value: _saying(name, value)


def _saying(name: str, value: str) -> Iterator[str]:
    """What is wrong with a text that was to say something."""
    wrong = sitekeys.said(value, MAX_SECTION if name in SECTIONS else sitekeys.MAX_TEXT)
    hollow = _bare(value) in HOLLOW
    if PLACEHOLDER.search(value):
        yield f"{name} still has a placeholder; say {ASKED[name]}"
    elif wrong and not hollow:
        yield f"{name}: {wrong}"
    elif hollow:
        yield f"{name} says nothing; say {ASKED[name]}"


def _bare(text: str) -> str:
    """The text in lower case without marks around it and with single spaces."""
    return " ".join(text.lower().split()).strip(" .!*_`-")


def _files(value: list[str]) -> Iterator[str]:
    if len(value) > MAX_FILES:
        yield f"files has {len(value):,} items; at most {MAX_FILES:,} are allowed: name folders"
    if len(set(value)) < len(value):
        yield "files names a file twice"
    for item in value:
        if PLACEHOLDER.search(item):
            yield f"files still has a placeholder; say {ASKED['files']}"
        elif not item.strip() or not item.isprintable():
            yield f"files: {item!r} is no path"
        elif ".." in PurePosixPath(item).parts:
            yield f"files: {item!r} leads upwards; name files from the top of the repository, or from /"


def _run(name: str) -> Callable[[int], Iterator[str]]:
    return lambda value: _numbering(name, value)


def _numbering(name: str, value: int) -> Iterator[str]:
    if value <= 0:
        yield f"{name} is no number of a run"


_CHECKS: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "id": _id,
    "kind": _kind,
    "site": _site,
    "files": _files,
    "title": _said("title"),
    "owner": _said("owner"),
    "command": _said("command"),
    "run_before": _run("run_before"),
    "run_after": _run("run_after"),
}


def _runs(front: Mapping[str, Any]) -> Iterator[Complaint]:
    before, after = front.get("run_before"), front.get("run_after")
    if before is not None and before == after:
        yield "run_after", f"run_before and run_after are the same run {after}: nothing can be compared"
    if front.get("files") == [] and front.get("kind") != NoteKind.BASELINE:
        yield "files", f"files is empty; say {ASKED['files']} (a baseline alone touches none)"


def _name_complaints(path: str, front: Mapping[str, Any]) -> Iterator[Complaint]:
    name, note_id, written = PurePosixPath(path).name, front.get("id"), front.get("written")
    if not isinstance(note_id, str):
        return
    if name != notes.file_name(note_id):
        yield (
            "id",
            f"the file is called {name}, and the note {note_id}: rename it to {notes.file_name(note_id)}",
        )
    day = ID.fullmatch(note_id)
    if day and _is_a(written, date) and day[1] != str(written):
        yield "written", f"written is {written}, and the id begins with {day[1]}"


def _text_complaints(parsed: Parsed) -> Iterator[Complaint]:
    for name, heading in SECTIONS.items():
        if name not in parsed.sections:
            yield name, f"the section `## {heading}` is missing: {ASKED[name]}"
            continue
        text = parsed.sections[name]
        more = _MORE.get(name)
        wrong = list(_saying(name, text)) or list(more(text) if more else ())
        yield from ((name, said) for said in wrong)


def metric(text: str) -> Iterator[str]:
    """What is wrong with a text that was to say how a number moved."""
    if len(_NUMBER.findall(text)) < METRIC_NUMBERS:
        yield "metric has no two numbers: say what it was before, and what it is after"


def rollback(text: str) -> Iterator[str]:
    """What is wrong with a text that was to say how to get back."""
    if len(_WORD.findall(text)) < LEAST_ROLLBACK_WORDS:
        yield f"rollback says too little to be followed at night; say {ASKED['rollback']}"


_MORE: Mapping[str, Callable[[str], Iterator[str]]] = {"metric": metric, "rollback": rollback}


def _note(parsed: Parsed) -> Note | None:
    front = parsed.front
    if front["kind"] not in set(NoteKind) or not ID.fullmatch(front["id"]):
        return None
    known = {name: front[name] for name in _KEYS if name in front}
    return Note(
        **{**known, **parsed.sections, "kind": NoteKind(front["kind"]), "files": tuple(front["files"])}
    )
