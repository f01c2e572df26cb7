"""The review of a run, ready to be rendered: judged here if nobody has done it yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from cli.report import Run
    from review.report import Cause, HeaderSet, Report


def of_run(engine: Engine, run: Run, *, make_sets: bool = True) -> Report | None:
    """What the present rules say of a run; None of one that goes on, or whose visits were dropped before it had sets.

    Without ``make_sets``, None too where the sets of an old run would have to be counted first, which may take long.
    """
    from scheduler import judging

    if not run.is_final:
        return None
    judging.judge_run(engine, run.run_id, make_sets=make_sets)
    with engine.connect() as connection:
        return read(connection, run)


def read(connection: Connection, run: Run) -> Report | None:
    """What is kept of the review of a closed run under the present rules."""
    from scheduler import reviewed

    sets = reviewed.header_sets(connection, run.run_id)
    return _report(connection, run, sets) if sets or not run.pages else None


def _causes(connection: Connection, run: Run, sets: tuple[HeaderSet, ...]) -> tuple[Cause, ...]:
    from review import report
    from scheduler import reviewed

    of_run = report.of_run(reviewed.redirects_of(connection, run.run_id))
    return report.ordered((*report.causes(sets), *of_run))


def _report(connection: Connection, run: Run, sets: tuple[HeaderSet, ...]) -> Report:
    from cli import grading, report
    from cli.render import words
    from review import judge
    from review.report import Report

    definition: dict[str, Any] = report.definition_of(connection, run.run_id)
    return Report(
        run_id=run.run_id,
        site=run.site,
        slot=run.slot,
        state=str(run.state),
        digest=words.hexed(run.digest) or "",
        owner=definition.get("owner") or "",
        rollback_note=definition.get("rollback_note") or "",
        pages=run.pages or 0,
        accounting=run.accounting or {},
        rules_version=judge.RULES_VERSION,
        grade=grading.grade(sets, definition.get("start_urls") or ()),
        sets=sets,
        causes=_causes(connection, run, sets),
        changed_pages=run.changed_pages,
        not_judged=sum(one.pages for one in sets if not one.judgement.judged),
    )
