"""Where notes are: in files, in the database, or in both, and then whether both say the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from headersweep import notes as texts
from headersweep.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy import Row

    from headersweep.notelint import Linted


class Where(StrEnum):
    """Where a note is."""

    FILE = "file"
    DATABASE = "database"
    BOTH = "both"
    DIFFERS = "differs"
    """In both, and the file was edited since it was stored."""


@dataclass(frozen=True)
class Found:
    """A note, as a list shows it."""

    id: str
    kind: str
    title: str
    written: date | None
    owner: str
    site: str | None
    complete: bool
    where: Where
    path: str | None = None
    run_before: int | None = None
    run_after: int | None = None


def everywhere(folder: str | None, *, offline: bool) -> list[Found]:
    """Every note, the newest first; a file that cannot be read is listed by its name."""
    files = {_id(one): one for one in _files(folder)}
    rows = {} if offline else {row.slug: row for row in _rows()}
    found = [_found(files.get(key), rows.get(key), key, offline=offline) for key in {*files, *rows}]
    return sorted(found, key=lambda one: one.id, reverse=True)


def _files(folder: str | None) -> list[Linted]:
    from cli import notes

    place = notes.folder(folder)
    return notes.linted([place]) if folder is not None or place.is_dir() else []


def _id(one: Linted) -> str:
    from pathlib import Path

    return one.note.id if one.note is not None else Path(one.path).stem


def _rows() -> Sequence[Row[Any]]:
    from cli import context
    from scheduler import notes

    with context.database() as database, database.engine.connect() as connection:
        return notes.kept(connection)


def _found(one: Linted | None, row: Row[Any] | None, key: str, *, offline: bool) -> Found:
    if one is None:
        return _of_row(row, Where.DATABASE)
    where = Where.FILE
    if row is not None and not offline:
        same = bytes(row.content_hash) == texts.content_hash(one.text)
        where = Where.BOTH if same else Where.DIFFERS
    note = one.note
    if note is None:
        return Found(key, "", "", None, "", None, complete=False, where=where, path=one.path)
    return Found(
        note.id, str(note.kind), note.title, note.written, note.owner, note.site or None,
        complete=one.complete, where=where, path=one.path, run_before=note.run_before, run_after=note.run_after,
    )  # fmt: skip


def _of_row(row: Any, where: Where) -> Found:
    return Found(
        row.slug, row.kind, row.title, row.written, row.owner, row.site,
        complete=row.complete, where=where, run_before=row.run_before, run_after=row.run_after,
    )  # fmt: skip


def text_of(note_id: str, folder: str | None, *, offline: bool) -> tuple[str, str]:
    """The text of a note and where it is from; the file counts, where there is one."""
    wanted = note_id.removesuffix(".md")
    files = {_id(one): one for one in _files(folder)}
    if wanted in files:
        return files[wanted].text, f"from the file {files[wanted].path}"
    row = None if offline else _row(wanted)
    if row is None:
        raise UsageError(f"there is no note {wanted!r}; `headersweep note list` names them all")
    return row.body, f"from the database, stored by {row.stored_by}; its file is not in the folder"


def _row(slug: str) -> Row[Any] | None:
    from cli import context
    from scheduler import notes

    with context.database() as database, database.engine.connect() as connection:
        return notes.find(connection, slug)


def with_unknown(found: Sequence[Linted]) -> list[Linted]:
    """The notes with what the database knows otherwise as further mistakes."""
    from cli import context
    from scheduler import notes

    with context.database() as database, database.engine.connect() as connection:
        mistakes = notes.unknown(connection, found)
    return [
        replace(one, mistakes=(*one.mistakes, *(mistake for mistake in mistakes if mistake.file == one.path)))
        for one in found
    ]
