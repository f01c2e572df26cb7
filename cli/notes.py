"""Notes as people make and find them: filled in as far as the program can know, read from files and the database."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headersweep import migrationnotes, notelint, notes, sitediff
from headersweep.errors import HeadersweepError, NoteFileError, UsageError
from headersweep.notelint import Linted
from headersweep.notes import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Engine

    from cli.report import Run
    from review.comparing import Comparison

# --- files -------------------------------------------------------------------------------------------------------


def folder(given: str | None) -> Path:
    """The folder of the notes."""
    from cli import context

    return Path(given or context.settings().notes)


def linted(paths: Iterable[Path]) -> list[Linted]:
    """Every note below these files and folders, each with its mistakes; a README is none."""
    found = [_one(path) for given in paths for path in _files(given)]
    again: dict[str, list[Any]] = {}
    for mistake in notelint.duplicates(found):
        again.setdefault(mistake.file, []).append(mistake)
    return [replace(one, mistakes=(*one.mistakes, *again.get(one.path, ()))) for one in found]


def _files(given: Path) -> list[Path]:
    if given.is_file():
        return [given]
    if not given.is_dir():
        raise UsageError(f"there is no {given}; HEADERSWEEP_NOTES names the folder of the notes")
    return sorted(path for path in given.glob("*.md") if path.name != notelint.README)


def _one(path: Path) -> Linted:
    from headersweep.errors import Mistake

    try:
        with path.open("rb") as stream:
            data = stream.read(notes.MAX_BYTES + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise HeadersweepError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        return Linted(str(path), "", (Mistake(str(path), 1, "it is not UTF-8 text"),))
    if len(data) > notes.MAX_BYTES:
        return Linted(str(path), "", (Mistake(str(path), 1, f"it has over {notes.MAX_BYTES:,} bytes"),))
    if notelint.MIGRATION_NAME.fullmatch(path.name):
        return migrationnotes.lint(str(path), text)
    return notelint.lint(str(path), text)


def refuse(found: Iterable[Linted]) -> None:
    """NoteFileError with every mistake, where there is one."""
    mistakes = [mistake for one in found for mistake in one.mistakes]
    if mistakes:
        raise NoteFileError(mistakes)


def write(place: Path, note: Note) -> tuple[Linted, bool]:
    """Write the file of a note; False where it is there just so already. A note that says something else is refused."""
    from cli import output

    text = notes.render(note)
    path = place / notes.file_name(note.id)
    if path.exists():
        if notes.content_hash(_one(path).text) != notes.content_hash(text):
            raise UsageError(
                f"{path} is there already and says something else; edit it, or give another --title"
            )
        return _one(path), False
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HeadersweepError(f"cannot make the folder {place}: {error.strerror}") from error
    with output.writing(str(path), "nothing was written") as stream:
        stream.write(text)
    return _one(path), True


# --- what the program knows --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """What runs tell of a change; empty where nobody knows."""

    site: str = ""
    owner: str = ""
    reason: str = ""
    command: str = ""
    metric: str = ""
    expected_result: str = ""
    actual_result: str = ""
    rollback: str = ""


def known(engine: Engine, before: int | None, after: int | None) -> Known:
    """What two runs tell of the change between them, or one run of itself."""
    from cli import comparing, drifting, report

    if before is not None and after is not None:
        with engine.connect() as connection:
            old, new = drifting.pair(connection, before, after)
        found = comparing.comparison(engine, old, new)
        return replace(_of_run(engine, new), metric=_metric(found), actual_result=_result(found))
    if before is None and after is None:
        return Known()
    with engine.connect() as connection:
        return _of_run(engine, report.find_run(connection, after or before or 0))


def of_site(engine: Engine, name: str) -> Known:
    """What a site's definition tells."""
    from cli import known as known_names

    with engine.connect() as connection:
        row = known_names.site(connection, name)
    return _of_definition(name, row.definition)


def _of_run(engine: Engine, run: Run) -> Known:
    from cli import report

    with engine.connect() as connection:
        definition = report.definition_of(connection, run.run_id)
    return replace(
        _of_definition(run.site, definition), reason=run.reason, command=_command(engine, run, definition)
    )


def _of_definition(site: str, definition: Mapping[str, Any]) -> Known:
    return Known(
        site=site,
        owner=definition.get("owner") or "",
        expected_result=definition.get("expected_result") or "",
        rollback=definition.get("rollback_note") or "",
    )


def _command(engine: Engine, run: Run, definition: Mapping[str, Any]) -> str:
    """What makes that run, or goes on with it: by the site's name where a file describes it, else by its URL."""
    from cli import known as known_names
    from cli.render import words

    with engine.connect() as connection:
        source = known_names.site(connection, run.site).source
    starts = definition.get("start_urls") or (run.site,)
    target = run.site if source == sitediff.FILE_SOURCE else starts[0]
    return f"headersweep sweep {shlex.quote(target)} --slot {words.instant(run.slot)}"


def _metric(found: Comparison) -> str:
    """The numbers that moved; where none did, that, with what stayed."""
    from review.reports import compared

    moved = compared.moved(found)
    if not moved:
        before, after = (
            len([one for one in side.causes if not one.waived_by]) for side in (found.before, found.after)
        )
        return (
            f"Nothing that `headersweep compare` measures moved: open findings {before} -> {after}, "
            f"pages {found.before.pages:,} -> {found.after.pages:,}."
        )
    return "\n".join(f"- {line}" for line in moved)


_MOST_CAUSES = 20


def _result(found: Comparison) -> str:
    from review.comparing import Turn
    from review.reports import compared, markdown, texts

    counts = {turn: sum(one.turn is turn for one in found.turned) for turn in Turn}
    lines = [f"Findings: {', '.join(f'{number} {compared.TURNS[turn]}' for turn, number in counts.items())}."]
    told = [one for one in found.turned if one.turn is not Turn.STAYED]
    for one in told[:_MOST_CAUSES]:
        title = markdown.plain(texts.title(one.cause))
        lines.append(
            f"- {compared.TURNS[one.turn]}: {one.cause.severity}, {title}, on {texts.count(one.cause.pages, 'page')}"
        )
    if len(told) > _MOST_CAUSES:
        lines.append(f"- and {len(told) - _MOST_CAUSES} more")
    return "\n".join(lines)


def missing(one: Linted) -> list[str]:
    """The fields that are left to be filled in."""
    note = one.note
    if note is None:
        return []
    return [name for name in notes.ASKED if notes.FILL_IN in str(getattr(note, name))]


# --- the offer ---------------------------------------------------------------------------------------------------


def offer(flags: Sequence[tuple[str, str]]) -> str:
    """The command that writes a note on what was done just now, with everything that is known filled in."""
    words = [word for name, value in flags if value for word in (f"--{name}", shlex.quote(value))]
    return f"headersweep note new {' '.join(words)}"
