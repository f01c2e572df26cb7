"""The review of a run as the renderers take it, judged in memory: each distinct set of headers once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cli import report
from cli.render import words

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from cli.report import Run
    from review.received import Received
    from review.report import HeaderSet, Report


def report_of(connection: Connection, run_id: int) -> Report:
    """Everything that reports show of a run; from spans, where its visits are gone."""
    from review import judge
    from review.report import Report, causes

    run = report.find_run(connection, run_id)
    definition = report.definition_of(connection, run_id)
    sets = tuple(_sets(connection, run))
    return Report(
        run_id=run.run_id,
        site=run.site,
        slot=run.slot,
        state=str(run.state),
        digest=words.hexed(run.digest) or "",
        owner=definition.get("owner", ""),
        rollback_note=definition.get("rollback_note", ""),
        pages=sum(one.pages for one in sets),
        accounting=run.accounting or {},
        rules_version=judge.RULES_VERSION,
        sets=sets,
        causes=causes(sets),
        changed_pages=run.changed_pages,
        not_judged=sum(one.pages for one in sets if not one.judgement.judged),
    )


def _sets(connection: Connection, run: Run) -> Iterable[HeaderSet]:
    rows = _set_rows(connection, run)
    snapshots = snapshots_of(connection, run, {row.snapshot_id for row in rows})
    urls = urls_of(connection, {page_id for row in rows for page_id in row.page_ids})
    return [_header_set(row, snapshots[row.snapshot_id], urls) for row in rows]


def _set_rows(connection: Connection, run: Run) -> list[Row[Any]]:
    from models import drift

    if visits_kept(connection, run):
        return list(connection.execute(drift.sets_from_visits(), {"run_id": run.run_id}))
    return list(connection.execute(drift.sets_from_spans(), {"run_id": run.run_id, "site_id": run.site_id}))


def visits_kept(connection: Connection, run: Run) -> bool:
    """Whether the visits of a run are still there, or there never were any."""
    from models import visits

    return not run.visited or bool(connection.scalar(visits.any_kept(), {"run_id": run.run_id}))


def snapshots_of(connection: Connection, run: Run, ids: Iterable[int]) -> dict[int, Row[Any]]:
    """Snapshots by their ids."""
    from models import drift

    values = {"run_id": run.run_id, "site_id": run.site_id, "ids": sorted(ids)}
    return {row.id: row for row in connection.execute(drift.snapshots_by_id(), values)}


def urls_of(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """URLs by the ids of their pages."""
    from models import drift

    return {row.id: row.url for row in connection.execute(drift.urls(), {"ids": sorted(ids)})}


def answer(snapshot: Row[Any], status: int, scheme: str) -> Received:
    """A kept answer, to be judged or compared."""
    from headersweep import headers
    from review import received

    parsed = headers.parse_block(bytes(snapshot.raw))
    return received.received(parsed.pairs, status=status, scheme=scheme, malformed=parsed.malformed)


def _header_set(row: Row[Any], snapshot: Row[Any], urls: Mapping[int, str]) -> HeaderSet:
    from review import judge
    from review.report import HeaderSet

    received = answer(snapshot, row.status, row.scheme)
    return HeaderSet(
        content_hash=words.hexed(bytes(snapshot.content_hash)) or "",
        status=row.status,
        scheme=row.scheme,
        pages=row.pages,
        pairs=received.pairs,
        judgement=judge.judge(received),
        malformed=received.malformed,
        sample_urls=tuple(urls[page_id] for page_id in row.page_ids),
        is_new=snapshot.is_new,
    )
