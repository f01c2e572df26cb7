"""The review of a run, ready to be rendered: judged here if nobody has done it yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from cli.report import Run
    from review.report import Cause, HeaderSet, Report
    from scheduler.reviewed import Answered


READ_ONLY = frozenset({"25006", "42501"})
"""A standby, or a role that may not write."""


def of_run(engine: Engine, run: Run, *, make_sets: bool = True) -> Report | None:
    """What the present rules say of a run; None of one that goes on, or whose visits were dropped before it had sets.

    Without ``make_sets``, None too where the sets of an old run would have to be counted first, which may take long.
    """
    from sqlalchemy.exc import DBAPIError

    from scheduler import judging

    if not run.is_final:
        return None
    try:
        judging.judge_run(engine, run.run_id, make_sets=make_sets)
    except DBAPIError as error:
        # Whoever may only read sees what others had judged.
        if getattr(error.orig, "sqlstate", None) not in READ_ONLY:
            raise
    with engine.connect() as connection:
        return read(connection, run)


def read(connection: Connection, run: Run) -> Report | None:
    """What is kept of the review of a closed run under the present rules."""
    from scheduler import reviewed

    sets = reviewed.header_sets(connection, run.run_id)
    return _report(connection, run, sets) if sets or not run.pages else None


def _start_answers(connection: Connection, run: Run, definition: dict[str, Any]) -> tuple[Answered, ...]:
    """What the site's first start page answered, and where it redirected to."""
    from headersweep import urls
    from scheduler import reviewed

    parsed = [page for page in map(urls.parse, definition.get("start_urls") or ()) if page is not None]
    if not parsed:
        return ()
    return reviewed.answers_from(connection, run.run_id, run.site_id, parsed[0].key)


def _causes(connection: Connection, run: Run, sets: tuple[HeaderSet, ...]) -> tuple[Cause, ...]:
    """The causes under the policy that the run carries: waived, and new against the baseline, where it says so."""
    from review import report
    from review.policy import scopes
    from scheduler import policies, reviewed

    of_run = report.of_run(reviewed.of_run(connection, run.run_id))
    zones = scopes.zones(policies.policy_of(_definition(connection, run)))
    told_apart = policies.header_sets(connection, run.run_id, zones) if zones else sets
    return policies.causes(connection, run.run_id, told_apart, of_run)


def _definition(connection: Connection, run: Run) -> dict[str, Any]:
    """What the run knows of its site."""
    from cli import report

    return report.definition_of(connection, run.run_id)


def _report(connection: Connection, run: Run, sets: tuple[HeaderSet, ...]) -> Report:
    from cli import grading
    from cli.render import words
    from review import judge
    from review.report import Report

    definition = _definition(connection, run)
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
        grade=grading.grade(_start_answers(connection, run, definition)),
        sets=sets,
        causes=_causes(connection, run, sets),
        changed_pages=run.changed_pages,
        not_judged=sum(one.pages for one in sets if not one.judgement.judged),
    )
