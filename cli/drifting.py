"""Two runs of a site compared: read here, put together by ``review.diffing``, rendered by ``cli.render.drift``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli import report, reviewing
from headersweep.errors import ExitCode, UsageError
from headersweep.states import Outcome, RunState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Row

    from cli.report import Run
    from review.diffing import Difference, Group, Move
    from review.received import Received


def pair(connection: Connection, first: int, second: int | None) -> tuple[Run, Run]:
    """The old run and the new one; with one number that run is the new one, and the old one its predecessor."""
    given = report.find_run(connection, first)
    if second is None:
        old, new = _predecessor(connection, given), given
    else:
        old, new = given, report.find_run(connection, second)
    for run in (old, new):
        if not run.is_final:
            raise UsageError(
                f"run {run.run_id} is not over yet; `headersweep resume {run.run_id}` goes on with it"
            )
    if old.site_id != new.site_id:
        raise UsageError(
            f"run {old.run_id} is of {old.site}, run {new.run_id} of {new.site}: name runs of one site"
        )
    return old, new


def _predecessor(connection: Connection, run: Run) -> Run:
    from models import drift

    found = connection.scalar(drift.previous(), {"site_id": run.site_id, "run_id": run.run_id})
    if found is None:
        raise UsageError(f"run {run.run_id} is the first of {run.site} that came to its end: name two runs")
    return report.find_run(connection, found)


def difference(connection: Connection, old: Run, new: Run) -> Difference:
    """What changed from the old run to the new one: headers with their directions, pages, findings."""
    from models import reports
    from review import diffing

    masked = {row.header_name for row in connection.execute(reports.masks_of_site(old.site_id))}
    from_spans = not all(reviewing.visits_kept(connection, run) for run in (old, new))
    groups = _groups(connection, old, new, from_spans=from_spans)
    # The old value may have been served until just before the new run began.
    changed_pages, changes = diffing.changes(groups, seen=new.started_at or new.slot, ignored=masked)
    causes = [reviewing.report_of(connection, run.run_id).causes for run in (old, new)]
    came, went = diffing.came_and_went(*causes)
    return diffing.Difference(
        site=new.site,
        old_run=old.run_id,
        new_run=new.run_id,
        changed_pages=changed_pages,
        changes=changes,
        moves=diffing.moves(groups),
        came=came,
        went=went,
        from_spans=from_spans,
    )


def _groups(connection: Connection, old: Run, new: Run, *, from_spans: bool) -> list[Group]:
    from models import drift

    statement = drift.from_spans() if from_spans else drift.from_visits()
    values = {"old": old.run_id, "new": new.run_id, "since": _since(connection, new)}
    values |= {"site_id": new.site_id} if from_spans else {}
    rows = connection.execute(statement, values).all()
    answers = _answers(connection, new, rows)
    urls = reviewing.urls_of(connection, {page_id for row in rows for page_id in row.page_ids})
    is_whole = from_spans or (_is_complete(connection, old), _is_complete(connection, new))
    return [_group(row, answers, urls, is_whole) for row in rows]


def _since(connection: Connection, run: Run) -> int:
    """How far back a page that answers as it did before counts as one that flaps."""
    from models import drift
    from review.drift import RECENT_RUNS

    values = {"site_id": run.site_id, "run_id": run.run_id, "limit": RECENT_RUNS}
    return int(connection.scalar(drift.since(), values) or run.run_id)


def _answers(
    connection: Connection, run: Run, rows: Iterable[Row[Any]]
) -> dict[tuple[int, int, str], Received]:
    """Each distinct answer once, by snapshot, status and scheme."""
    keys = {
        (snapshot_id, status, row.scheme)
        for row in rows
        for snapshot_id, status in (
            (row.old_snapshot_id, row.old_status),
            (row.new_snapshot_id, row.new_status),
        )
        if snapshot_id is not None
    }
    snapshots = reviewing.snapshots_of(connection, run, {key[0] for key in keys})
    return {key: reviewing.answer(snapshots[key[0]], key[1], key[2]) for key in keys}


def _is_complete(connection: Connection, run: Run) -> bool:
    """Whether a page that a run did not visit was not there: it followed links, and nothing cut it short."""
    definition = report.definition_of(connection, run.run_id)
    return run.state is RunState.FINISHED and bool(definition.get("follow_links", True))


def _group(
    row: Row[Any],
    answers: dict[tuple[int, int, str], Received],
    urls: dict[int, str],
    is_whole: tuple[bool, bool] | bool,
) -> Group:
    from review.diffing import Group

    outcome = row.old_outcome if row.old_snapshot_id is None else row.new_outcome
    unanswered = outcome is not None and outcome != Outcome.STORED
    return Group(
        move=_move(row, is_whole if isinstance(is_whole, tuple) else (is_whole, is_whole)),
        pages=row.pages,
        sample_urls=tuple(urls[page_id] for page_id in row.page_ids),
        old=answers.get((row.old_snapshot_id, row.old_status, row.scheme)),
        new=answers.get((row.new_snapshot_id, row.new_status, row.scheme)),
        outcome=Outcome(outcome).label if unanswered else "",
        is_back=row.is_back,
    )


def _move(row: Row[Any], is_whole: tuple[bool, bool]) -> Move:
    from review.diffing import Move

    if row.old_snapshot_id is not None and row.new_snapshot_id is not None:
        return Move.CHANGED
    if row.new_snapshot_id is None:
        if row.new_outcome is not None:
            return Move.NOT_ANSWERED
        return Move.VANISHED if is_whole[1] else Move.NOT_VISITED
    if row.old_outcome is not None:
        return Move.ANSWERED
    return Move.APPEARED if is_whole[0] else Move.NOT_VISITED


def exit_code(found: Difference, fail_on: str) -> ExitCode:
    """3 where there is what was not to be: any change, or one that protects less."""
    if fail_on == "drift" and (found.changed_pages or found.moves):
        return ExitCode.FINDINGS
    return ExitCode.FINDINGS if fail_on == "looser" and found.is_looser else ExitCode.DONE
