"""``headersweep db rehearse`` and ``db synthesize``: migrations tried on scratch databases, and data made up for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import options

if TYPE_CHECKING:
    from cli.care.measured import Rehearsed
from cli.care.rehearsal import Wanted

UNCLEAN = 4


@click.command(short_help="Try a migration on a copy of the real data, and measure it.")
@click.argument("revision", required=False, metavar="[REV]")
@click.option(
    "--base",
    type=click.Choice(["auto", "copy", "dump"]),
    default="auto",
    show_default=True,
    help="How the data are copied: file by file (nobody may be connected), through pg_dump, or as it comes.",
)
@click.option(
    "--keep-base", is_flag=True, help="Keep the copy that tries are made from, and use it the next time."
)
@click.option(
    "--synthesize",
    type=click.IntRange(min=1),
    metavar="N",
    help="Make up N visits instead of copying real data.",
)
@click.option(
    "--max-writer-stall",
    type=click.FloatRange(min=0),
    default=250.0,
    show_default=True,
    metavar="MS",
    help="How long a writer may have to wait.",
)
@click.option(
    "--max-reader-stall",
    type=click.FloatRange(min=0),
    default=250.0,
    show_default=True,
    metavar="MS",
    help="How long a reader may have to wait.",
)
@click.option(
    "--max-plan-growth",
    type=click.FloatRange(min=1),
    default=1.5,
    show_default=True,
    metavar="FACTOR",
    help="How many times the buffers a statement may need afterwards.",
)
@click.option(
    "--note", metavar="PATH", help="Where the migration note is written; by default docs/migrations/REV.md."
)
@click.option("--no-note", is_flag=True, help="Write no note.")
@click.option("--owner", default="", metavar="WHO", help="Owner, for a note that is new.")
@click.option("--reason", default="", metavar="TEXT", help="Reason, for a note that is new.")
@options.as_format
@options.to_file
@click.pass_context
def rehearse(  # noqa: PLR0913 - the flags of a command
    ctx: click.Context,
    /,
    *,
    revision: str | None,
    base: str,
    synthesize: int | None,
    max_writer_stall: float,
    max_reader_stall: float,
    max_plan_growth: float,
    note: str | None,
    owner: str,
    reason: str,
    shape: str,
    output: str | None,
    keep_base: bool,
    no_note: bool,
) -> None:
    """Try revision REV (by default what the database does not have yet, else the newest) on a copy: up, down, up.

    Exits with 0 within the limits, 3 when one was exceeded or the lint found something, 4 when the way back is not
    clean, 5 when another rehearsal goes on, 6 when the data could not be copied, 7 when Postgres is out of reach.
    """
    from cli import output as output_module
    from cli.care.measured import Limits
    from cli.care.rehearsal import Wanted
    from cli.render import rehearsed as render

    output_module.check(output)
    limits = Limits(max_writer_stall, max_reader_stall, max_plan_growth)
    wanted = Wanted(base, keep_base, synthesize or 0, limits)
    found = _rehearsed(revision, wanted)
    if not no_note:
        _write_notes(found, wanted, note, owner, reason)
    output_module.emit((render.as_json if shape == "json" else render.as_text)(found), output)
    ctx.exit(_code(found))


def _rehearsed(revision: str | None, wanted: Wanted) -> list[Rehearsed]:
    from cli import context
    from cli.care import place, rehearsal

    with context.database(check_revision=False) as database:
        where = place.of(database)
        database.engine.dispose()  # who copies a database file by file may not be in it
        with place.standing(where) as admin:
            scripts = rehearsal.revisions(where.source_url, revision)
            return list(rehearsal.rehearse(admin, where, scripts, wanted, context.notice))


def _write_notes(found: list[Rehearsed], wanted: Wanted, note: str | None, owner: str, reason: str) -> None:
    from cli import context
    from cli.care import notes

    for result in found:
        path = notes.path_of(result, note)
        if path is None:
            context.notice("no note was written: there is no docs/migrations here; --note PATH says where")
            continue
        notes.write(path, result, command=_command(result.revision, wanted), owner=owner, reason=reason)
        context.notice(f"the note of revision {result.revision} is {_shown(path)}")


def _command(revision: str, wanted: Wanted) -> str:
    """What to type to measure the same again; paths of this machine are nobody else's business."""
    data = f" --synthesize {wanted.synthesize}" if wanted.synthesize else ""
    return f"headersweep db rehearse {revision}{data}"


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _code(found: list[Rehearsed]) -> int:
    from headersweep.errors import ExitCode

    if any(result.unclean for result in found):
        return UNCLEAN
    return ExitCode.FINDINGS if any(result.exceeded for result in found) else ExitCode.DONE


@click.command(short_help="Make up data in a scratch database, for when there are no real ones.")
@click.option(
    "--visits",
    type=click.IntRange(min=1, max=1_000_000_000),
    default=1_000_000,
    show_default=True,
    metavar="N",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same data.")
@click.option("--name", default="", metavar="WORD", help="Ends the new database's name: letters and digits.")
@click.option("--replace", is_flag=True, help="Drop one of ours with that name first.")
@click.option("--drop", is_flag=True, help="Only drop it.")
@options.as_format
def synthesize(  # noqa: PLR0913 - the flags of a command
    *, visits: int, seed: int, name: str, shape: str, replace: bool, drop: bool
) -> None:
    """Make up sites, runs, pages, snapshots and N visits in a new database beside the real one, which stays untouched.

    One page in a hundred changes from run to run; few header sets, many pages. `db rehearse --synthesize N` makes and
    drops such a database by itself.
    """
    from cli import context
    from cli.care import copies, place, synthesis
    from cli.care.synthesis import Shape
    from cli.render import rehearsed as render
    from headersweep.errors import UsageError
    from models.care import scratch

    if name and not (name.isascii() and name.isalnum() and name == name.lower()):
        raise UsageError("--name takes small letters and digits")
    with (
        context.database(check_revision=False) as database,
        place.standing(where := place.of(database)) as admin,
    ):
        wanted = scratch.synthetic_name(where.source, name)
        if replace or drop:
            copies.drop(admin, wanted)
        made = None if drop else synthesis.synthesize(admin, where, wanted, Shape(visits, seed))
    from cli import output

    output.emit((render.copy_as_json if shape == "json" else render.copy_as_text)(wanted, made))
