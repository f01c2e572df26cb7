"""``headersweep baseline``: the state of a site that somebody approved."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from cli import offers, options

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cli.report import Run

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group(short_help="Approve what a run showed; what comes later is new.")
def baseline() -> None:
    """Keep for each site the run whose state somebody approved, until a day. What a later run finds beyond it is new."""


@baseline.command()
@click.argument("run", type=click.IntRange(min=1))
@click.option("--owner", required=True, metavar="WHO", help="Who answers for it.")
@click.option("--reason", required=True, metavar="TEXT", help="Why that state is acceptable.")
@click.option(
    "--expires",
    required=True,
    type=_DAY,
    metavar="YYYY-MM-DD",
    help="The last day on which it holds, in UTC.",
)
@click.option("--rollback-note", required=True, metavar="TEXT", help="How to get back to that state.")
@offers.note_flag
def approve(  # noqa: PLR0913 - what an approval says
    run: int, owner: str, reason: str, expires: datetime, rollback_note: str, *, with_note: bool
) -> None:
    """Make RUN the baseline of its site, in the place of the one before."""
    from cli import context, enlist, output
    from review.policy.baseline import Baseline
    from scheduler import policies

    for name, said in (("--owner", owner), ("--reason", reason), ("--rollback-note", rollback_note)):
        _check_text(name, said)
    wanted = Baseline(run, owner, reason, expires.date(), rollback_note)
    with context.database() as database:
        with database.engine.begin() as connection:
            found = _approvable(connection, run)
            _check_day(wanted.expires, policies.today(connection))
            before = _approved_before(connection, found.site_id)
            is_changed = policies.approve(connection, found.site_id, wanted, enlist.operator())
        if is_changed:
            policies.log_approved(found.site, run, enlist.operator())
        output.emit(f"run {run} is the baseline of {found.site} until {wanted.expires}")
        if is_changed:
            flags = offers.of_baseline(found.site, before, wanted)
            offers.make(database.engine, flags, at_once=with_note)


@baseline.command()
@click.argument("site", required=False)
@options.as_format
def show(site: str | None, shape: str) -> None:
    """Show the baseline of SITE, or those of all sites."""
    from cli import context, known, output
    from cli.render import policies as render
    from models import baselines
    from scheduler import policies

    with context.database() as database, database.engine.connect() as connection:
        if site is not None:
            known.site(connection, site)
        rows = [row for row in connection.execute(baselines.of_all()) if site in {None, row.site}]
        today = policies.today(connection)
    output.emit(render.baselines_json(rows, today) if shape == "json" else render.baselines_text(rows, today))


@baseline.command()
@click.argument("site")
def drop(site: str) -> None:
    """Forget the baseline of SITE: nothing counts as new until another run is approved."""
    from cli import context, enlist, known, output
    from scheduler import policies

    with context.database() as database:
        with database.engine.begin() as connection:
            run_id = policies.drop(connection, known.site(connection, site).id)
        if run_id is not None:
            policies.log_dropped(site, run_id, enlist.operator())
    output.emit(f"{site} has no baseline" + ("" if run_id is None else f" any more; it was run {run_id}"))


def _check_text(name: str, said: str) -> None:
    from headersweep import sitekeys
    from headersweep.errors import UsageError

    wrong = sitekeys.said(said)
    if wrong:
        raise UsageError(f"{name}: {wrong}")


def _check_day(expires: date, today: date) -> None:
    from headersweep.errors import UsageError

    if expires < today:
        raise UsageError(f"--expires {expires} is over already; today is {today} (UTC)")


def _approved_before(connection: Connection, site_id: int) -> int | None:
    from models import baselines

    row = connection.execute(baselines.of_site(), {"site_id": site_id}).one_or_none()
    return None if row is None else row.run_id


def _approvable(connection: Connection, run_id: int) -> Run:
    from cli import report
    from headersweep.errors import UsageError
    from headersweep.states import RunState

    run = report.find_run(connection, run_id)
    if run.state not in {RunState.FINISHED, RunState.PARTIAL}:
        raise UsageError(f"run {run_id} is {run.state}; only a run that was swept to its end can be approved")
    return run
