"""``headersweep rejudge``: what the present rules say of runs that were judged before, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli import options

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from scheduler.rejudging import Rejudged


@click.command(short_help="Judge stored runs under the present rules, without a network.")
@click.argument("run", type=click.IntRange(min=1), required=False, metavar="[RUN]")
@click.option("--all", "every", is_flag=True, help="Every run that is over.")
@options.as_format
@options.to_file
def rejudge(run: int | None, shape: str, output: str | None, *, every: bool) -> None:
    """Judge RUN, by default the newest that is over, under the present rules, and say what that changed.

    Compared with the newest older rules that judged it: which causes came, went, or matter more or less now. Nothing is
    fetched: what is judged are the stored headers.
    """
    from cli import context
    from cli import output as output_module
    from cli.render import rejudged
    from headersweep.errors import UsageError

    output_module.check(output)
    if run is not None and every:
        raise UsageError("give either a RUN or --all")
    with context.database() as database:
        found = _judged(database.engine, _wanted(database.engine, run, every=every))
    output_module.emit((rejudged.as_json if shape == "json" else rejudged.as_text)(found), output)


def _wanted(engine: Engine, run_id: int | None, *, every: bool) -> list[int]:
    from cli import report
    from headersweep.errors import UsageError
    from models import reports

    with engine.connect() as connection:
        if run_id is None:
            return list(connection.scalars(reports.closed_runs(None if every else 1)))
        run = report.find_run(connection, run_id)
    if not run.is_final:
        raise UsageError(f"run {run_id} is {run.state}; what is over can be judged")
    return [run_id]


def _judged(engine: Engine, run_ids: list[int]) -> list[Rejudged]:
    from scheduler import rejudging

    return [rejudging.rejudge(engine, run_id) for run_id in run_ids]
