"""``headersweep sites``: the site files and what the database makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli import offers, options

if TYPE_CHECKING:
    from headersweep.definition import SiteDefinition
    from headersweep.sitediff import SiteChange
    from headersweep.sitefiles import SiteFile

folder_option = click.option(
    "--sites", "folder", metavar="DIR", help="The folder of the site files, instead of HEADERSWEEP_SITES."
)

MAX_SLOTS = 1_000


@click.group(short_help="Plan, apply and list site files.")
def sites() -> None:
    """Look after the sites: what their files say, and what is known in the database."""


@sites.command()
@folder_option
@options.as_format
def plan(folder: str | None, shape: str) -> None:
    """Show what `apply` would change; changes nothing."""
    from cli import context
    from scheduler import applying

    wanted = _wanted(folder)
    with context.database() as database, database.engine.connect() as connection:
        changes = applying.plan(connection, wanted)
    _emit_changes(changes, shape, applied=False)


@sites.command()
@folder_option
@options.as_format
@offers.note_flag
def apply(folder: str | None, shape: str, *, with_note: bool) -> None:
    """Make the sites what their files say, all of them or none.

    A site whose file is gone is disabled; its history stays.
    """
    from cli import context
    from scheduler import applying

    files = _files(folder)
    command = "headersweep sites apply" if folder is None else f"headersweep sites apply --sites {folder}"
    with context.database() as database:
        with database.engine.begin() as connection:
            changes = applying.apply(connection, [file.definition for file in files])
            flags = offers.of_sites(connection, files, changes, command)
        applying.log_applied(changes)
        _emit_changes(changes, shape, applied=True)
        if flags is not None:
            offers.make(database.engine, flags, at_once=with_note)


@sites.command(name="list")
@options.as_format
def list_sites(shape: str) -> None:
    """List all sites, and when each is due next."""
    from cli import context, output
    from cli.render import sites as render
    from models import sites as statements

    with context.database() as database, database.engine.connect() as connection:
        rows = connection.execute(statements.list_sites()).all()
    output.emit(render.list_json(rows) if shape == "json" else render.list_text(rows))


@sites.command()
@click.argument("name")
@options.as_format
def show(name: str, shape: str) -> None:
    """Show everything that is known about one site."""
    from cli import context, known, output
    from cli.render import sites as render

    with context.database() as database, database.engine.connect() as connection:
        row = known.site(connection, name)
    output.emit(render.site_json(row) if shape == "json" else render.site_text(row))


@sites.command(name="next")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--count",
    type=click.IntRange(1, MAX_SLOTS),
    default=5,
    show_default=True,
    metavar="N",
    help="How many slots of each site.",
)
@options.as_format
def next_slots(names: tuple[str, ...], count: int, shape: str) -> None:
    """Show the next slots of sites, of all that have a schedule unless named.

    For each slot, in the site's time zone and in UTC, when its run starts by the site's splay and window, and what
    daylight saving does to it.
    """
    from cli import context, known, output, upcoming
    from cli.render import sites as render
    from models import sites as statements

    with context.database() as database, database.engine.connect() as connection:
        if names:
            rows = [known.site(connection, name) for name in dict.fromkeys(names)]
        else:
            rows = [row for row in connection.execute(statements.list_sites()) if upcoming.is_scheduled(row)]
    found = [upcoming.of(row, upcoming.now(), count) for row in rows]
    output.emit(render.next_json(found) if shape == "json" else render.next_text(found))


@sites.command()
@click.argument("name")
def enable(name: str) -> None:
    """Let the schedule of a site start runs again.

    Slots that passed meanwhile are not caught up. The next `sites apply` does what the site's file says.
    """
    _switch(name, enabled=True)


@sites.command()
@click.argument("name")
def disable(name: str) -> None:
    """Keep the schedule of a site from starting runs; a run at work goes on.

    The next `sites apply` does what the site's file says.
    """
    _switch(name, enabled=False)


def _wanted(folder: str | None) -> list[SiteDefinition]:
    return [file.definition for file in _files(folder)]


def _files(folder: str | None) -> list[SiteFile]:
    """What the files say; read before anything is started, so that mistakes show at once."""
    from cli import context
    from headersweep import sitefiles
    from review import table

    place = Path(folder or context.settings().sites)
    return sitefiles.load(place, table.RULES)


def _emit_changes(changes: Sequence[SiteChange], shape: str, *, applied: bool) -> None:
    from cli import output
    from cli.render import sites as render
    from scheduler import applying

    write = render.changes_json if shape == "json" else render.changes_text
    output.emit(write(changes, applying.counts(changes), applied=applied))


def _switch(name: str, *, enabled: bool) -> None:
    from cli import context, enlist, known, output
    from scheduler import applying

    with context.database() as database:
        with database.engine.begin() as connection:
            row = known.site(connection, name)
            applying.set_enabled(connection, row, enabled=enabled)
            upcoming = known.site(connection, name).next_slot_at
        applying.log_switched(name, enabled=enabled, requested_by=enlist.operator())
    lines = [_switched(name, upcoming, enabled=enabled)]
    if row.source == "file":
        lines.append("The next `headersweep sites apply` does what the site's file says.")
    output.emit("\n".join(lines))


def _switched(name: str, upcoming: Any, *, enabled: bool) -> str:
    from cli.render import words

    if not enabled:
        return f"{name} is disabled: its schedule starts no runs"
    if upcoming is None:
        return f"{name} is enabled; it has no schedule, so it is swept only on request"
    return f"{name} is enabled; its next slot is {words.instant(upcoming)}"
