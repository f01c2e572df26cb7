"""``headersweep rerun``: a run's failed pages again, or its whole site anew."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from cli import options
from cli.options import Presentation


@click.command(short_help="Do a run's failed pages again, or the whole site anew.")
@click.argument("run", type=click.IntRange(min=1))
@click.option(
    "--failed", is_flag=True, help="Only the pages that failed; the rest of the run stays as it is."
)
@options.fail_on
@options.no_wait
@options.as_format
@options.to_file
@options.reason
@options.workers
@click.pass_context
def rerun(ctx: click.Context, /, run: int, **flags: Any) -> None:
    """Do the site of RUN again, as RUN did it, as a new run for a slot of now.

    With --failed: put the failed pages of RUN itself back, and finish it again. Safe to repeat, and at the same time:
    a rerun that is under way is gone on with.
    """
    from cli import output

    output.check(flags["output"])
    presentation = Presentation(flags["shape"], flags["output"], flags["fail_on"])
    ctx.exit(_rerun(run, presentation, flags))


def _rerun(run_id: int, presentation: Presentation, flags: dict[str, Any]) -> int:
    from cli import context, waiting

    with context.database() as database:
        again = _put_back if flags["failed"] else _anew
        number = again(database.engine, run_id, flags["reason"])
        return waiting.see_through(
            database, number, presentation, workers=flags["workers"], no_wait=flags["no_wait"]
        )


def _put_back(engine: Any, run_id: int, reason: str) -> int:
    from cli import enlist
    from scheduler import operations

    with engine.begin() as connection:
        operations.rerun_failed(connection, run_id, enlist.operator(), reason)
    return run_id


def _anew(engine: Any, run_id: int, reason: str) -> int:
    from cli import enlist, report
    from scheduler import planning, reruns

    by, slot = enlist.operator(), datetime.now(UTC).replace(microsecond=0)
    with engine.begin() as connection:
        again = reruns.rerun(connection, run_id, slot, by, reason)
        made = report.find_run(connection, again.run_id)
    if again.created:
        planning.log_created(
            run_id=made.run_id, site_name=made.site, slot=slot, requested_by=by, reason=made.reason
        )
    return again.run_id
