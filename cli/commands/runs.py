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
    from cli import context, report
    from cli import output as output_module
    from cli.render import json, text

    output_module.check(output)
    with context.database() as database, database.engine.connect() as connection:
        found = report.list_runs(connection, site, limit)
    output_module.emit(json.runs(found) if shape == "json" else text.run_table(found), output)
