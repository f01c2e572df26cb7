"""Making notes and keeping them: flags first, then what runs and sites tell, then a marked place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from headersweep import notes as texts
from headersweep.errors import NoteFileError, UsageError
from headersweep.notes import Note, NoteKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine

    from cli.notes import Known
    from headersweep.notelint import Linted
    from scheduler.notes import Stored


def made(flags: dict[str, Any], engine: Engine | None) -> Note:
    """The note that the flags ask for; whatever is missing is a marked place in it."""
    _check(flags)
    found = _known(flags, engine)
    written = datetime.now(UTC).date()
    note = Note(
        id=texts.id_of(written, flags["title"]),
        kind=NoteKind(flags["kind"]),
        title=flags["title"],
        written=written,
        owner=flags["owner"] or found.owner,
        site=flags["site"] or found.site,
        command=flags["command"] or found.command,
        reason=flags["reason"] or found.reason,
        metric=_metric(flags, found),
        expected_result=flags["expected"] or found.expected_result,
        actual_result=flags["actual"] or found.actual_result,
        rollback=flags["rollback"] or found.rollback,
        run_before=flags["before"],
        run_after=flags["after"],
    )
    return _with_files(note, flags).filled()


def with_defaults(flags: dict[str, Any]) -> dict[str, Any]:
    """Flags of ``note new`` by their names on the command line, with those that were not given."""
    single = "title owner command reason expected actual rollback site before after plan commits folder"
    none: dict[str, Any] = dict.fromkeys(single.split())
    return {**none, "metric": (), "files": flags.get("file", ()), **flags}


def _check(flags: dict[str, Any]) -> None:
    from headersweep import sitekeys

    for name in ("title", "owner", "command"):
        given = flags[name]
        wrong = (
            None
            if given is None
            else sitekeys.said(given) or ("it has a line break" if "\n" in given else None)
        )
        if wrong:
            raise UsageError(f"--{name}: {wrong}")
    for name in ("reason", "expected", "actual", "rollback"):
        wrong = None if flags[name] is None else sitekeys.said(flags[name])
        if wrong:
            raise UsageError(f"--{name}: {wrong}")


def _known(flags: dict[str, Any], engine: Engine | None) -> Known:
    from cli import notes
    from cli.notes import Known

    if engine is None:
        return Known(site=flags["site"] or "")
    if flags["before"] or flags["after"]:
        found = notes.known(engine, flags["before"], flags["after"])
        if flags["site"] not in {None, found.site}:
            raise UsageError(f"--site {flags['site']}: the run is of {found.site}")
        return found
    return notes.of_site(engine, flags["site"]) if flags["site"] else Known()


def _metric(flags: dict[str, Any], found: Known) -> str:
    from cli import plans

    given = list(flags["metric"])
    if flags["plan"]:
        given.append(plans.moved(*flags["plan"]))
    lines = [f"- {line}" for line in given]
    return "\n".join([*lines, *([found.metric] if found.metric else [])])


def _with_files(note: Note, flags: dict[str, Any]) -> Note:
    from cli import gitrange

    files = list(flags["files"])
    if not flags["commits"]:
        return replace(note, files=tuple(dict.fromkeys(files)))
    found = gitrange.files(flags["commits"])
    if not found and not files:
        raise UsageError(f"--range {flags['commits']}: nothing differs over it")
    return replace(
        note, files=tuple(dict.fromkeys([*files, *found])), range=gitrange.resolved(flags["commits"])
    )


def announce(found: Linted, *, is_new: bool, engine: Engine | None) -> Stored | None:
    """Log that a note was written, and keep it in the database where there is one; returns what became of it there."""
    from cli import enlist
    from scheduler import notes

    who = enlist.operator()
    if is_new and found.note is not None:
        notes.log_written(found.note, complete=found.complete, requested_by=who)
    if engine is None or found.note is None:
        return None
    with engine.begin() as connection:
        stored = notes.store(connection, found, who)
    notes.log_stored(stored, who)
    return stored


def said(found: Linted, *, is_new: bool, stored: Stored | None) -> str:
    """What to tell about a note that was made."""
    from cli import notes

    lines = [f"{found.path} {'was written' if is_new else 'is there already, just so'}"]
    lines[0] += (
        ""
        if stored is None
        else ", and stored in the database"
        if is_new
        else f", in the database {stored.outcome}"
    )
    left = notes.missing(found)
    if left:
        lines.append(f"Left to fill in: {', '.join(left)}. Then: headersweep note sync")
    lines += [str(mistake) for mistake in found.mistakes if texts.FILL_IN not in found.text]
    return "\n".join(lines)


def sync(found: Sequence[Linted]) -> list[Stored]:
    """Keep all notes of a folder, or none of them where one is wrong in more than that something is left to fill in."""
    from cli import context, enlist
    from scheduler import notes

    who = enlist.operator()
    with context.database() as database:
        with database.engine.begin() as connection:
            _refuse(connection, found)
            stored = [notes.store(connection, one, who) for one in found if one.note is not None]
        for one in stored:
            notes.log_stored(one, who)
    return stored


def _refuse(connection: Connection, found: Sequence[Linted]) -> None:
    """NoteFileError where a file is no note, ids repeat, or sites and runs are not known."""
    from headersweep import notelint
    from scheduler import notes

    unreadable = [
        mistake for one in found if one.note is None and not one.is_migration for mistake in one.mistakes
    ]
    mistakes = [*unreadable, *notelint.duplicates(found), *notes.unknown(connection, found)]
    if mistakes:
        raise NoteFileError(mistakes)
