"""Two runs of a site compared: read here, put together by ``review.diffing``, rendered by ``cli.render.drift``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli import report
from headersweep.errors import ExitCode, UsageError
from headersweep.states import Outcome, RunState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sqlalchemy import Connection, Row

    from cli.report import Run
    from review.diffing import Difference, Group, Move
    from review.received import Received


@dataclass(frozen=True)
class Approval:
    """Who approved the older of two runs as the baseline of its site, why, and until which day."""

    owner: str
    reason: str
    expires: date
    rollback_note: str
    approved_by: str
    approved_at: datetime
    is_expired: bool


def pair(connection: Connection, first: str | int, second: int | None) -> tuple[Run, Run]:
    """The old run and the new one; with one named, a run or a site's newest one, it is compared with its predecessor."""
    given = _named(connection, str(first))
    if second is None:
        old, new = _predecessor(connection, given), given
    else:
        old, new = given, report.find_run(connection, second)
    return _comparable(old, new)


def with_baseline(connection: Connection, named: str) -> tuple[Run, Run, Approval]:
    """The approved run of a site and the run to compare with it, by its number or its site's name, and who approved."""
    from models import baselines
    from scheduler import policies

    new = _named(connection, named)
    row = connection.execute(baselines.of_site(), {"site_id": new.site_id}).one_or_none()
    if row is None:
        raise UsageError(
            f"{new.site} has no baseline; `headersweep baseline approve RUN` makes one of a run that somebody approves"
        )
    old, new = _comparable(report.find_run(connection, row.run_id), new)
    approval = Approval(
        owner=row.owner,
        reason=row.reason,
        expires=row.expires,
        rollback_note=row.rollback_note,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        is_expired=policies.today(connection) > row.expires,
    )
    return old, new, approval


def _named(connection: Connection, named: str) -> Run:
    """A run by its number, or the newest of a site that was swept to its end by the site's name."""
    from cli import known
    from models import baselines

    if named.isdecimal():
        return report.find_run(connection, int(named))
    site = known.site(connection, named)
    newest = connection.execute(baselines.newest_judged(), {"site_id": site.id}).scalar_one_or_none()
    if newest is None:
        raise UsageError(f"no run of {named} was finished yet; `headersweep sweep {named}` makes one")
    return report.find_run(connection, newest)


def _comparable(old: Run, new: Run) -> tuple[Run, Run]:
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
    from scheduler import policies

    masked = {row.header_name for row in connection.execute(reports.masks_of_site(old.site_id))}
    from_spans = not all(_visits_kept(connection, run) for run in (old, new))
    groups = _groups(connection, old, new, from_spans=from_spans)
    # The old value may have been served until just before the new run began.
    changed_pages, changes = diffing.changes(groups, seen=new.started_at or new.slot, ignored=masked)
    # Both under the policy of the new run, so that only what the site answers makes a difference.
    policy = policies.policy_of(report.definition_of(connection, new.run_id))
    causes = [policies.causes_under(connection, run.run_id, policy) for run in (old, new)]
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


def _visits_kept(connection: Connection, run: Run) -> bool:
    """Whether the visits of a run are still there, or there never were any."""
    from models import visits

    return not run.visited or bool(connection.scalar(visits.any_kept(), {"run_id": run.run_id}))


def _groups(connection: Connection, old: Run, new: Run, *, from_spans: bool) -> list[Group]:
    from models import drift
    from scheduler import reviewed

    statement = drift.from_spans() if from_spans else drift.from_visits()
    values = {"old": old.run_id, "new": new.run_id, "since": _since(connection, new)}
    values |= {"site_id": new.site_id} if from_spans else {}
    rows = connection.execute(statement, values).all()
    answers = _answers(connection, rows)
    urls = reviewed.urls_of(connection, {page_id for row in rows for page_id in row.page_ids})
    is_whole = from_spans or (_is_complete(connection, old), _is_complete(connection, new))
    return [_group(row, answers, urls, is_whole) for row in rows]


def _since(connection: Connection, run: Run) -> int:
    """How far back a page that answers as it did before counts as one that flaps."""
    from models import drift
    from review.drift import RECENT_RUNS

    values = {"site_id": run.site_id, "run_id": run.run_id, "limit": RECENT_RUNS}
    return int(connection.scalar(drift.since(), values) or run.run_id)


def _answers(connection: Connection, rows: Iterable[Row[Any]]) -> dict[tuple[int, int, str], Received]:
    """Each distinct answer once, by snapshot, status and scheme."""
    from models import drift

    keys = {
        (snapshot_id, status, row.scheme)
        for row in rows
        for snapshot_id, status in (
            (row.old_snapshot_id, row.old_status),
            (row.new_snapshot_id, row.new_status),
        )
        if snapshot_id is not None
    }
    found = connection.execute(drift.snapshots_by_id(), {"ids": sorted({key[0] for key in keys})})
    blocks = {row.id: bytes(row.raw) for row in found}
    return {key: _answer(blocks[key[0]], key[1], key[2]) for key in keys}


def _answer(block: bytes, status: int, scheme: str) -> Received:
    """A kept answer, to be compared."""
    from headersweep import headers
    from review import received

    parsed = headers.parse_block(block)
    return received.received(parsed.pairs, status=status, scheme=scheme, malformed=parsed.malformed)


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
