"""Two runs of a site found and compared: read by ``scheduler.comparing``, rendered by ``cli.render.comparing``."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from headersweep.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from cli.report import Run
    from review.comparing import Comparison, Side


def at_times(connection: Connection, site: str, before: datetime, after: datetime) -> tuple[Run, Run]:
    """The last runs of a site that had come to their end by each of two times."""
    from cli import known, report
    from scheduler import comparing

    site_id = known.site(connection, site).id
    found = [comparing.last_by(connection, site_id, moment) for moment in (before, after)]
    for run_id, moment in zip(found, (before, after), strict=True):
        if run_id is None:
            raise UsageError(
                f"no run of {site} had come to its end by {moment.isoformat()}; `headersweep runs --site {site}` lists them"
            )
    if found[0] == found[1]:
        raise UsageError(
            f"run {found[0]} of {site} is the last one at both times; choose times with another run between them"
        )
    old, new = (report.find_run(connection, run_id) for run_id in found if run_id is not None)
    return old, new


def moment(name: str, text: str) -> datetime:
    """The time that was given, in UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{name} {text!r} is no ISO 8601 time, as in 2026-11-22T10:00:00Z") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def comparison(engine: Engine, old: Run, new: Run) -> Comparison:
    """Both runs judged by the rules of today, and compared."""
    from review import judge
    from review.comparing import Comparison

    return Comparison(new.site, side(engine, old), side(engine, new), judge.RULES_VERSION)


def side(engine: Engine, run: Run) -> Side:
    """One run, judged if nobody has done it yet, with the grade of its start page."""
    from cli import grading, reviewed
    from models import reports
    from scheduler import comparing

    reviewed.judge(engine, run.run_id)
    with engine.connect() as connection:
        connection.execute(reports.unhurried())
        found = comparing.side(connection, run.run_id)
        if found is None:
            raise UsageError(
                f"the header sets of run {run.run_id} are not known: its visits were dropped by retention before they "
                "were counted; `headersweep diff` compares such runs by spans"
            )
        return replace(found, grade=grading.grade(comparing.start_answers(connection, run.run_id)))
