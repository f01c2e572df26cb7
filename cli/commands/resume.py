"""``headersweep resume``: go on with a run that was interrupted, or reopen a cancelled one."""

from __future__ import annotations

from typing import Any

import click

from cli import options
from cli.options import Presentation


@click.command(short_help="Go on with a run that was interrupted or cancelled.")
@click.argument("run", type=click.IntRange(min=1), required=False, metavar="[RUN]")
@options.fail_on
@options.no_wait
@options.as_format
@options.to_file
@options.reason
@options.workers
@click.pass_context
def resume(ctx: click.Context, /, run: int | None, **flags: Any) -> None:
    """Go on with RUN, by default with the newest run that is not over, until it is.

    A run that is over is only shown; a cancelled one is opened again. Safe to repeat, and at the same time.
    """
    from cli import output

    output.check(flags["output"])
    presentation = Presentation(flags["shape"], flags["output"], flags["fail_on"])
    ctx.exit(_resume(run, presentation, flags))


def _resume(run_id: int | None, presentation: Presentation, flags: dict[str, Any]) -> int:
    from cli import context, enlist, waiting
    from models import reports
    from scheduler import operations

    with context.database() as database:
        with database.engine.begin() as connection:
            run_id = run_id or connection.scalar(reports.newest_unfinished())
            if run_id is None:
                context.notice("every run is over; `headersweep runs` lists them")
                return 0
            operations.resume(connection, run_id, enlist.operator(), flags["reason"])
        return waiting.see_through(
            database, run_id, presentation, workers=flags["workers"], no_wait=flags["no_wait"]
        )
