"""``headersweep show``: one run in full."""

from __future__ import annotations

import dataclasses

import click

from cli import options


@click.command(short_help="Show one run in full.")
@click.argument("run", type=click.IntRange(min=1))
@options.as_format
@options.to_file
def show(run: int, shape: str, output: str | None) -> None:
    """Show RUN: every finding, every header set with its pages, what was not stored and why, what was masked, the sitemaps."""
    from cli import context, report, results, reviewed
    from cli import output as output_module
    from cli.render import json, text

    output_module.check(output)
    with context.database() as database:
        with database.engine.connect() as connection:
            found = report.collect(connection, run, retention_days=database.settings.retention_days)
        found = dataclasses.replace(found, review=reviewed.of_run(database.engine, found.run))
    width = results.terminal_width(output)
    rendered = json.details(found) if shape == "json" else text.summary(found, width, full=True)
    output_module.emit(rendered, output)
