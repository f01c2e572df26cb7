"""``headersweep note``: the record of what was changed, why, what came of it, and how to get back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli import options

if TYPE_CHECKING:
    pass

KINDS = ("change", "migration", "baseline", "waiver", "sites", "other")
"""As ``headersweep.notes.NoteKind`` has them, which a test holds."""

folder_option = click.option(
    "--notes", "folder", metavar="DIR", help="The folder of the notes, instead of HEADERSWEEP_NOTES."
)
offline_option = click.option("--offline", is_flag=True, help="Ask no database.")


@click.group(short_help="Write, check and keep the notes on changes.")
def note() -> None:
    """The record of what was changed: why, by whom, what came of it, how to get back. Files in notes/, and the database."""


@note.command()
@click.option(
    "--title",
    required=True,
    metavar="TEXT",
    help="What was done, in a few words; the file is named after it.",
)
@click.option(
    "--kind", type=click.Choice(KINDS), default="change", show_default=True, help="What was changed."
)
@click.option(
    "--site", metavar="NAME", help="The site that it is about; with --before or --after that of the run."
)
@click.option("--before", type=click.IntRange(min=1), metavar="RUN", help="The run before the change.")
@click.option("--after", type=click.IntRange(min=1), metavar="RUN", help="The run after it.")
@click.option(
    "--range", "commits", metavar="A..B", help="The files are those that git says differ over this range."
)
@click.option(
    "--file", "files", multiple=True, metavar="PATH", help="A file that it touched; may be given again."
)
@click.option("--command", metavar="TEXT", help="What was typed.")
@click.option("--owner", metavar="WHO", help="Who answers for it.")
@click.option("--reason", metavar="TEXT", help="Why it was done.")
@click.option(
    "--metric",
    multiple=True,
    metavar="TEXT",
    help="A number that moved: before -> after; may be given again.",
)
@click.option(
    "--plan",
    nargs=2,
    metavar="FILE FILE",
    help="Two files with what EXPLAIN (ANALYZE, BUFFERS) printed before and after.",
)
@click.option("--expected", metavar="TEXT", help="What was to be seen afterwards.")
@click.option("--actual", metavar="TEXT", help="What was seen.")
@click.option("--rollback", metavar="TEXT", help="How to get back.")
@folder_option
@offline_option
@click.pass_context
def new(ctx: click.Context, /, **flags: Any) -> None:
    """Write a note, filled in as far as the program knows; what only you know is marked FILL IN.

    With --before and --after the metric is computed from the two runs, as `headersweep compare` does.
    """
    if flags["offline"] and (flags["before"] or flags["after"]):
        raise click.UsageError("--before and --after ask the database, and --offline asks none", ctx)
    if flags["offline"]:
        _write(flags)
    else:
        from cli import context

        with context.database() as database:
            _write(flags, database)


def _write(flags: dict[str, Any], database: Any = None) -> None:
    from cli import notes, notewriting, output

    made = notewriting.made(flags, None if database is None else database.engine)
    found, is_new = notes.write(notes.folder(flags["folder"]), made)
    stored = notewriting.announce(found, is_new=is_new, engine=None if database is None else database.engine)
    output.emit(notewriting.said(found, is_new=is_new, stored=stored))


@note.command(name="list")
@click.option("--site", metavar="NAME", help="Only notes on this site.")
@click.option("--kind", type=click.Choice(KINDS), help="Only notes of this kind.")
@folder_option
@offline_option
@options.as_format
def list_notes(site: str | None, kind: str | None, folder: str | None, shape: str, *, offline: bool) -> None:
    """List the notes, the newest first, with where each is: in a file, in the database, or in both."""
    from cli import notefinding, output
    from cli.render import notes as render

    found = [
        one
        for one in notefinding.everywhere(folder, offline=offline)
        if site in {None, one.site} and kind in {None, one.kind}
    ]
    output.emit(render.list_json(found) if shape == "json" else render.list_text(found))


@note.command()
@click.argument("note_id", metavar="ID")
@folder_option
@offline_option
def show(note_id: str, folder: str | None, *, offline: bool) -> None:
    """Print one note: its file, else the copy in the database; a line on stderr says which."""
    from cli import context, notefinding, output

    text, where = notefinding.text_of(note_id, folder, offline=offline)
    context.notice(where)
    output.emit(text.rstrip("\n"))


@note.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path())
@click.option(
    "--database",
    "with_database",
    is_flag=True,
    help="Look also whether sites and runs are known to the database.",
)
@folder_option
@options.as_format
def lint(paths: tuple[str, ...], folder: str | None, shape: str, *, with_database: bool) -> None:
    """Check notes, by default all of the folder: nothing empty, no placeholder, numbers, a way back. Offline.

    Files named NNNN.md are notes of our own migrations, which have a form of their own. Exits with 6 where something is wrong.
    """
    from pathlib import Path

    from cli import notefinding, notes, output
    from cli.render import notes as render

    found = notes.linted([Path(path) for path in paths] or [notes.folder(folder)])
    if with_database:
        found = notefinding.with_unknown(found)
    if shape == "json":
        output.emit(render.lint_json(found))
    notes.refuse(found)
    if shape != "json":
        output.emit(f"{len(found)} {'note is' if len(found) == 1 else 'notes are'} in order")


@note.command()
@folder_option
@options.as_format
def sync(folder: str | None, shape: str) -> None:
    """Store the folder's notes in the database, all of them or none; safe to repeat.

    A note that `lint` refuses is stored as incomplete. A file that is no note, or one that names a site or run that is
    not there, keeps all of them from being stored. What only the database has stays there.
    """
    from cli import notes, notewriting, output
    from cli.render import notes as render

    stored = notewriting.sync(notes.linted([notes.folder(folder)]))
    output.emit(render.sync_json(stored) if shape == "json" else render.sync_text(stored))
