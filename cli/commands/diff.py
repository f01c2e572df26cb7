"""``headersweep diff``: what changed between two runs of a site, and in which direction."""

from __future__ import annotations

from typing import Any

import click

from cli import options


@click.command(short_help="Compare two runs of a site: what changed, and which way.")
@click.argument("first", metavar="RUN|SITE")
@click.argument("second", type=click.IntRange(min=1), metavar="[RUN]", required=False)
@click.option(
    "--baseline", is_flag=True, help="Compare with the run that was approved as the site's baseline."
)
@options.as_page
@click.option(
    "--fail-on",
    type=click.Choice(["none", "drift", "looser"]),
    default="none",
    show_default=True,
    help="Exit with 3 when anything changed, or when a header protects less than before.",
)
@options.to_file
@click.pass_context
def diff(ctx: click.Context, /, first: str, second: int | None, **flags: Any) -> None:
    """Compare two runs: the older first, or one RUN with the run before it. SITE is the newest run of that site.

    By header and cause, with the direction on what browsers make of the values, pages that came and went, and
    findings that came and went.
    """
    from cli import context, drifting, results
    from cli import output as output_module
    from cli.render import drift
    from headersweep.errors import UsageError
    from models import reports

    output_module.check(flags["output"])
    if flags["baseline"] and second is not None:
        raise UsageError("--baseline compares one run with the site's baseline: name one RUN, or a SITE")
    approval = None
    with context.database() as database, database.engine.connect() as connection:
        connection.execute(reports.unhurried())
        if flags["baseline"]:
            old, new, approval = drifting.with_baseline(connection, first)
        else:
            old, new = drifting.pair(connection, first, second)
        found = drifting.difference(connection, old, new)
    width = results.terminal_width(flags["output"])
    rendered = drift.render(found, old, new, flags["shape"], width, approval=approval)
    output_module.emit(rendered, flags["output"])
    ctx.exit(drifting.exit_code(found, flags["fail_on"]))
