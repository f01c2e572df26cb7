"""``headersweep diff``: what changed between two runs of a site, and in which direction."""

from __future__ import annotations

from typing import Any

import click

from cli import options


@click.command(short_help="Compare two runs of a site: what changed, and which way.")
@click.argument("first", type=click.IntRange(min=1), metavar="RUN")
@click.argument("second", type=click.IntRange(min=1), metavar="[RUN]", required=False)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "md"]),
    default="text",
    show_default=True,
    help="How to print the result.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["none", "drift", "looser"]),
    default="none",
    show_default=True,
    help="Exit with 3 when anything changed, or when a header protects less than before.",
)
@options.to_file
@click.pass_context
def diff(ctx: click.Context, /, first: int, second: int | None, **flags: Any) -> None:
    """Compare two runs: the older first, or one RUN with the run before it.

    By header and cause, with the direction on what browsers make of the values, pages that came and went, and
    findings that came and went.
    """
    from cli import context, drifting, results
    from cli import output as output_module
    from cli.render import drift
    from models import reports

    output_module.check(flags["output"])
    with context.database() as database, database.engine.connect() as connection:
        connection.execute(reports.unhurried())
        old, new = drifting.pair(connection, first, second)
        found = drifting.difference(connection, old, new)
    rendered = drift.render(found, old, new, flags["shape"], results.terminal_width(flags["output"]))
    output_module.emit(rendered, flags["output"])
    ctx.exit(drifting.exit_code(found, flags["fail_on"]))
