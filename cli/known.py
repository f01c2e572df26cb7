"""What the database knows, by the names that people type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cli.report import Run


def site(connection: Connection, name: str) -> Any:
    """The row of the site of that name; a UsageError names those that are close."""
    from cli import context, targets
    from models import sites

    row = connection.execute(sites.get_site(name)).one_or_none()
    if row is None:
        known = [each.name for each in connection.execute(sites.list_sites())]
        raise targets.unknown_site(name, known, context.settings().sites)
    return row


def judged_run(connection: Connection, site_name: str, run_id: int | None) -> Run:
    """The run of a site to be judged again: the one of that number, or its newest; only one that is over."""
    from cli import report
    from headersweep.errors import UsageError
    from models import baselines

    if run_id is None:
        row = site(connection, site_name)
        newest = connection.execute(baselines.newest_judged(), {"site_id": row.id}).scalar_one_or_none()
        if newest is None:
            raise UsageError(
                f"no run of {site_name} was finished yet; `headersweep sweep {site_name}` makes one"
            )
        run_id = int(newest)
    run = report.find_run(connection, run_id)
    if run.site != site_name:
        raise UsageError(f"run {run_id} is one of {run.site}, not of {site_name}")
    if not run.is_final:
        raise UsageError(f"run {run_id} is not over yet ({run.state})")
    return run
