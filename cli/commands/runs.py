"""``headersweep runs``: the newest runs."""

from __future__ import annotations

import click

from cli import options


@click.command(short_help="List the newest runs.")
@click.option("--site", metavar="NAME", help="Only the runs of this site.")
@options.limit
@options.as_format
@options.to_file
def runs(site: str | None, limit: int, shape: str, output: str | None) -> None:
    """List the newest runs, the newest first."""
    from cli import context, report, reviewed
    from cli import output as output_module
    from cli.render import json, text

    output_module.check(output)
    with context.database() as database:
        with database.engine.connect() as connection:
            found = report.list_runs(connection, site, limit)
        if shape == "json":
            # Not counted again: a list must not read through the visits of a dozen old runs.
            reviews = {run.run_id: reviewed.of_run(database.engine, run, make_sets=False) for run in found}
            rendered = json.runs(found, reviews)
        else:
            rendered = text.run_table(found)
    output_module.emit(rendered, output)
