"""``headersweep checklist``: hardening as a list, looked at by machines as far as they can, declared by people where not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headersweep.checklist import Line
    from headersweep.sitefiles import Everywhere


@click.command(short_help="The hardening checklist of a site, or of headersweep itself.")
@click.argument("site", required=False)
@click.option("--self", "itself", is_flag=True, help="Of headersweep's own deployment, as seen from here.")
@options.as_page
@click.option(
    "--fail-on",
    type=click.Choice(["none", "fail", "unknown"]),
    default="none",
    show_default=True,
    help="Exit with 3 when an item fails, or when nobody knows about one.",
)
@options.to_file
@click.pass_context
def checklist(ctx: click.Context, /, site: str | None, **flags: Any) -> None:
    """Look at permissions, secrets, headers, upload limits and logging, item by item.

    Each has what was looked at, evidence, a verdict, an owner, what is expected, and how to undo its fix. What a
    machine cannot know somebody declares until a day: [[declare]] in the site's file, or in _all.toml.
    """
    from cli import output
    from cli.render import checklists
    from headersweep.errors import ExitCode, UsageError

    itself: bool = flags["itself"]
    if (site is None) is not itself:
        raise UsageError(
            "name a site, as in `headersweep checklist docs`, or --self for headersweep's own deployment"
        )
    output.check(flags["output"])
    title, lines = _itself() if itself else _site(str(site))
    output.emit(checklists.render(title, lines, flags["shape"]), flags["output"])
    ctx.exit(ExitCode.FINDINGS if checklists.fails(lines, flags["fail_on"]) else ExitCode.DONE)


def _itself() -> tuple[str, Sequence[Line]]:
    from cli import context
    from cli.selfcheck import table
    from cli.selfcheck.place import Place
    from scheduler import policies

    declared = _declared(context.settings().sites).declarations
    _refuse_unknown([one.item for one in declared], table.ITEMS)
    # Of a wrong revision this says so in its own line.
    with context.database(check_revision=False) as database:
        if database.embedded:
            context.prepare_schema(database.settings, embedded=True)
        place = Place(database.settings, os.environ, database.engine, database.embedded)
        with database.engine.connect() as connection:
            today = policies.today(connection)
        return "headersweep itself", table.examine(place, declared, today)


def _declared(folder: str) -> Everywhere:
    from headersweep import sitefiles
    from review import table

    found: Everywhere = sitefiles.everywhere(Path(folder), table.RULES)
    return found


def _refuse_unknown(declared: Sequence[str], known: object) -> None:
    """A declaration of nothing would never count, and nobody would notice."""
    import difflib

    from headersweep.errors import ConfigurationError

    names = list(known) if isinstance(known, dict) else []
    for item in declared:
        if item not in names:
            meant = difflib.get_close_matches(item, names, n=1)
            hint = f"did you mean {meant[0]}?" if meant else f"there are {', '.join(names)}"
            raise ConfigurationError(f"[[declare]] item = {item!r}: the checklist has no such item; {hint}")


def _site(name: str) -> tuple[str, Sequence[Line]]:
    from cli import context, known, report, reviewed
    from headersweep.definition import SiteDefinition
    from headersweep.errors import UsageError
    from models import baselines
    from review import hardening
    from scheduler import hardening as looking
    from scheduler import policies

    with context.database() as database:
        with database.engine.connect() as connection:
            site = known.site(connection, name)
            newest = connection.execute(baselines.newest_judged(), {"site_id": site.id}).scalar_one_or_none()
            if newest is None:
                raise UsageError(f"no run of {name} was finished yet; `headersweep sweep {name}` makes one")
            run = report.find_run(connection, int(newest))
            # What the site's file says now counts; the probes are those that the run asked for.
            declared = SiteDefinition.from_json(site.definition).declare
            _refuse_unknown([one.item for one in declared], hardening.ITEMS)
        found = reviewed.of_run(database.engine, run)
        if found is None:
            raise UsageError(
                f"run {run.run_id} of {name} cannot be judged any more: its visits are past retention"
            )
        with database.engine.connect() as connection:
            carried = SiteDefinition.from_json(report.definition_of(connection, run.run_id))
            seen = looking.seen(connection, found, carried)
            lines = hardening.examine(seen, declared, policies.today(connection))
    return f"{name}, run {run.run_id} of {run.slot:%Y-%m-%d %H:%M} UTC", lines
