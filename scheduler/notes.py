"""Keep notes in the database: the files are the source, and storing one twice is storing it once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from headersweep import events, logs
from headersweep import notes as texts
from headersweep.errors import Mistake
from models import notes, reports, sites

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from headersweep.notelint import Linted
    from headersweep.notes import Note

log = logs.get_logger()


class Outcome(StrEnum):
    """What became of a note in the database."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Stored:
    """One note that was given to the database."""

    note: Note
    outcome: Outcome
    complete: bool


def unknown(connection: Connection, found: Sequence[Linted]) -> list[Mistake]:
    """What notes say of sites and runs that the database does not know, or knows otherwise."""
    return [
        Mistake(one.path, 1, said)
        for one in found
        if one.note is not None
        for said in (*_unknown_site(connection, one.note), *_unknown_runs(connection, one.note))
    ]


def _unknown_site(connection: Connection, note: Note) -> list[str]:
    if not note.site or connection.execute(sites.get_site(note.site)).one_or_none():
        return []
    return [f"site {note.site!r} is not known to the database; `headersweep sites list` names them all"]


def _unknown_runs(connection: Connection, note: Note) -> list[str]:
    said = []
    for name in ("run_before", "run_after"):
        number = getattr(note, name)
        row = None if number is None else connection.execute(reports.run_summary(number)).one_or_none()
        if number is not None and row is None:
            said.append(f"{name}: there is no run {number}; `headersweep runs` lists them")
        elif row is not None and note.site and row.site != note.site:
            said.append(f"{name}: run {number} is of {row.site}, and the note of {note.site}")
        elif row is not None and row.digest is None:
            said.append(f"{name}: run {number} is not over yet")
    return said


def store(connection: Connection, one: Linted, requested_by: str) -> Stored:
    """Keep a note whose site and runs are known. The caller commits, then calls ``log_stored``."""
    note = one.note
    if note is None:
        raise ValueError(f"{one.path} is no note")
    row = connection.execute(notes.put(), _values(connection, note, one, requested_by)).one_or_none()
    outcome = Outcome.UNCHANGED if row is None else Outcome.ADDED if row.is_new else Outcome.CHANGED
    return Stored(note, outcome, one.complete)


def _values(connection: Connection, note: Note, one: Linted, requested_by: str) -> dict[str, Any]:
    site = connection.execute(sites.get_site(note.site)).one().id if note.site else None
    same = (
        "run_before", "run_after", "written", "title", "owner", "command", "reason", "metric", "expected_result",
        "actual_result", "rollback",
    )  # fmt: skip
    return {
        **{name: getattr(note, name) for name in same},
        "site_id": site,
        "slug": note.id,
        "kind": str(note.kind),
        "files": list(note.files),
        "complete": one.complete,
        "stored_by": requested_by,
        "body": texts.normalised(one.text),
        "content_hash": texts.content_hash(one.text),
    }


def kept(connection: Connection) -> list[Row[Any]]:
    """Every note that the database has, the newest first."""
    return list(connection.execute(notes.of_all()))


def find(connection: Connection, slug: str) -> Row[Any] | None:
    """One note that the database has."""
    return connection.execute(notes.of_slug(), {"slug": slug}).one_or_none()


def log_written(note: Note, *, complete: bool, requested_by: str) -> None:
    """Say that the file of a note was written."""
    log.info("note.written", **events.checked("note.written", _fields(note, requested_by, complete=complete)))


def log_stored(stored: Stored, requested_by: str) -> None:
    """Say what is news to the database; call it after the commit."""
    if stored.outcome is Outcome.UNCHANGED:
        return
    fields = _fields(stored.note, requested_by, complete=stored.complete)
    log.info("note.stored", **events.checked("note.stored", fields))


def _fields(note: Note, requested_by: str, *, complete: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {"note_id": note.id, "complete": complete, "requested_by": requested_by}
    return {**fields, "site_name": note.site} if note.site else fields
