"""``headersweep cancel``: stop a run for good."""

from __future__ import annotations

import click

from cli import options


@click.command(short_help="Stop a run for good; what it stored stays.")
@click.argument("run", type=click.IntRange(min=1))
@options.reason
def cancel(run: int, reason: str) -> None:
    """Stop RUN within seconds. What it stored stays, and `resume` opens it again."""
    from cli import context, enlist, output, report
    from headersweep.errors import UsageError
    from headersweep.states import RunState
    from scheduler import operations

    with context.database() as database, database.engine.begin() as connection:
        found = report.find_run(connection, run)
        if found.is_final and found.state is not RunState.CANCELLED:
            raise UsageError(f"run {run} is over already ({found.state}); there is nothing to cancel")
        if not found.is_final:
            operations.cancel(connection, run, enlist.operator(), reason)
        state = report.find_run(connection, run).state
    output.emit(f"run {run}: {state}")
