"""Read-only statements: what people ask about runs. Nothing here writes, locks or decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    Select,
    TextClause,
    cast,
    collate,
    func,
    null,
    select,
    text,
    true,
)

from headersweep.states import FINAL_STATES, Outcome, RunState
from models.frontier import pages, sitemaps
from models.runs import runs
from models.shards import QUARANTINE_AFTER, shards
from models.sites import site_masks, site_snapshots, sites
from models.snapshots import snapshots
from models.visits import visits

SAMPLES = 3
"""How many sample URLs stand beside a snapshot or a reason."""

_BY_URL = collate(pages.c.url, "C")
_OPEN_STATES = tuple(state for state in RunState if state not in FINAL_STATES)


def resting(run_ids: Sequence[int]) -> TextClause:
    """Which of these open runs nobody may work on now, and from when on: NULL waits for earlier runs, ``behind`` the last.

    Plan: ix_runs_open.
    """
    return text(
        """
        SELECT r.id, s.name AS site, r.not_before, r.definition ->> 'window' AS site_window,
               CASE WHEN r.not_before IS NULL THEN
                   (SELECT max(b.id) FROM runs b
                    WHERE b.site_id = r.site_id AND b.id < r.id AND b.state IN ('planned', 'running'))
               END AS behind
        FROM runs r JOIN sites s ON s.id = r.site_id
        WHERE r.id = ANY(CAST(:run_ids AS bigint[])) AND r.state IN ('planned', 'running')
          AND NOT coalesce(r.not_before <= clock_timestamp() AND coalesce(r.not_after > clock_timestamp(), true), false)
        ORDER BY r.id
        """
    ).bindparams(run_ids=list(run_ids))


def held_up() -> TextClause:
    """The origins of run :run_id with pages left that nobody may ask now, until when and why, the first :limit to go on.

    Plan: the unique index of shards on (run_id, origin_id, ordinal).
    """
    return text("""
        SELECT o.scheme, o.host, o.port, max(s.lost_leases) AS lost_leases,
               min(greatest(o.blocked_until, s.not_before)) AS until,
               CASE WHEN o.blocked_until > clock_timestamp() THEN 'origin'
                    WHEN max(s.lost_leases) > :pause_after THEN 'lost_leases' ELSE 'retry' END AS kind
        FROM shards s JOIN origins o ON o.id = s.origin_id
        WHERE s.run_id = :run_id AND s.state = 'open' AND coalesce(s.lease_until < clock_timestamp(), true)
        GROUP BY o.id
        HAVING min(greatest(o.blocked_until, s.not_before)) > clock_timestamp()
        ORDER BY until, o.id LIMIT :limit
    """).bindparams(pause_after=QUARANTINE_AFTER)


def progress(run_ids: Sequence[int]) -> Select[Any]:
    """Pages found and done of some runs, and how many of their shards somebody holds right now.

    Plan: the unique index of shards on (run_id, origin_id, ordinal).
    """
    counts = (
        select(
            cast(func.coalesce(func.sum(shards.c.top), 0), BigInteger).label("found"),
            cast(func.coalesce(func.sum(shards.c.visited), 0), BigInteger).label("done"),
            func.count().filter(shards.c.lease_until > func.clock_timestamp()).label("held"),
        )
        .where(shards.c.run_id == runs.c.id)
        .lateral("counts")
    )
    return (
        select(
            runs.c.id, runs.c.state, sites.c.name.label("site"), counts.c.found, counts.c.done, counts.c.held
        )
        .join_from(runs, sites)
        .join(counts, true())
        .where(runs.c.id.in_(run_ids))
        .order_by(runs.c.id)
    )


def runs_list(site: str | None, limit: int) -> Select[Any]:
    """The newest runs, of one site or of all, newest first."""
    newest = _runs().order_by(runs.c.id.desc()).limit(limit)
    return newest if site is None else newest.where(sites.c.name == site)


def run_summary(run_id: int) -> Select[Any]:
    """One run with the name of its site."""
    return _runs().where(runs.c.id == run_id)


def newest_unfinished() -> Select[Any]:
    """The id of the newest run that is planned or running. Plan: ix_runs_open."""
    return select(runs.c.id).where(runs.c.state.in_(_OPEN_STATES)).order_by(runs.c.id.desc()).limit(1)


def closed_runs(limit: int | None = None) -> Select[Any]:
    """The ids of the runs that are over, the newest first. Plan: pk_runs."""
    return select(runs.c.id).where(runs.c.digest.is_not(None)).order_by(runs.c.id.desc()).limit(limit)


def _runs() -> Select[Any]:
    return select(runs, sites.c.name.label("site")).join_from(runs, sites)


def answer_counts(run_id: int) -> Select[Any]:
    """How many pages of a run ended with which outcome and status."""
    return (
        select(visits.c.outcome, visits.c.status, func.count().label("pages"))
        .where(visits.c.run_id == run_id)
        .group_by(visits.c.outcome, visits.c.status)
        .order_by(visits.c.outcome, visits.c.status)
    )


def snapshots_of_run(run_id: int) -> Select[Any]:
    """Each snapshot of a run with its pages and statuses, the most common first, and whether the run brought it."""
    counted = (
        select(
            visits.c.snapshot_id,
            func.count().label("pages"),
            func.array_agg(visits.c.status.distinct()).label("statuses"),
        )
        .where(visits.c.run_id == run_id, visits.c.snapshot_id.is_not(None))
        .group_by(visits.c.snapshot_id)
        .subquery("counted")
    )
    is_new = func.coalesce(site_snapshots.c.first_run_id == run_id, False).label("is_new")
    same_site = (
        site_snapshots.c.site_id == select(runs.c.site_id).where(runs.c.id == run_id).scalar_subquery()
    )
    return (
        select(
            snapshots.c.id,
            snapshots.c.content_hash,
            snapshots.c.raw,
            snapshots.c.canonical,
            counted.c.pages,
            counted.c.statuses,
            is_new,
        )
        .join_from(counted, snapshots, snapshots.c.id == counted.c.snapshot_id)
        .outerjoin(site_snapshots, (site_snapshots.c.snapshot_id == snapshots.c.id) & same_site)
        .order_by(counted.c.pages.desc(), snapshots.c.content_hash)
    )


def snapshots_around(run_id: int) -> Select[Any]:
    """The snapshots that a run's site showed before or in that run and again in or after it; for runs without visits.

    Plan: pk_site_snapshots.
    """
    site = select(runs.c.site_id).where(runs.c.id == run_id).scalar_subquery()
    return (
        select(
            snapshots.c.id,
            snapshots.c.content_hash,
            snapshots.c.raw,
            snapshots.c.canonical,
            null().label("pages"),
            cast([], ARRAY(Integer)).label("statuses"),
            (site_snapshots.c.first_run_id == run_id).label("is_new"),
        )
        .join_from(site_snapshots, snapshots)
        .where(
            site_snapshots.c.site_id == site,
            site_snapshots.c.first_run_id <= run_id,
            site_snapshots.c.last_run_id >= run_id,
        )
        .order_by(snapshots.c.id)
    )


def sample_urls(run_id: int) -> Select[Any]:
    """The first URLs, by URL, of every snapshot of a run."""
    place = func.row_number().over(partition_by=visits.c.snapshot_id, order_by=_BY_URL).label("place")
    ranked = (
        select(visits.c.snapshot_id, pages.c.url, place)
        .join_from(visits, pages, pages.c.id == visits.c.page_id)
        .where(visits.c.run_id == run_id, visits.c.snapshot_id.is_not(None))
        .subquery("ranked")
    )
    return (
        select(ranked.c.snapshot_id, ranked.c.url)
        .where(ranked.c.place <= SAMPLES)
        .order_by(ranked.c.snapshot_id, ranked.c.place)
    )


def troubles_by_reason(run_id: int) -> Select[Any]:
    """Pages that were not stored, grouped by outcome and reason (the error up to its colon), with sample URLs."""
    reason = func.split_part(func.coalesce(visits.c.error, ""), ":", 1).label("reason")
    group: dict[str, Any] = {"partition_by": (visits.c.outcome, reason)}
    ranked = (
        select(
            visits.c.outcome,
            reason,
            visits.c.error,
            pages.c.url,
            func.count().over(**group).label("pages"),
            func.row_number().over(**group, order_by=_BY_URL).label("place"),
        )
        .join_from(visits, pages, pages.c.id == visits.c.page_id)
        .where(visits.c.run_id == run_id, visits.c.outcome != int(Outcome.STORED))
        .subquery("ranked")
    )
    return (
        select(ranked)
        .where(ranked.c.place <= SAMPLES)
        .order_by(ranked.c.outcome, ranked.c.pages.desc(), ranked.c.reason, ranked.c.place)
    )


def masks_of_site(site_id: int) -> Select[Any]:
    """The headers that the cardinality guard masked for a site."""
    return (
        select(
            site_masks.c.header_name,
            site_masks.c.distinct_values,
            site_masks.c.responses,
            site_masks.c.run_id,
        )
        .where(site_masks.c.site_id == site_id)
        .order_by(site_masks.c.header_name)
    )


def sitemaps_of_run(run_id: int) -> Select[Any]:
    """The sitemaps that a run read, with what came of each."""
    return (
        select(sitemaps.c.url, sitemaps.c.entries, sitemaps.c.error, sitemaps.c.done_at)
        .where(sitemaps.c.run_id == run_id)
        .order_by(collate(sitemaps.c.url, "C"))
    )


def export_rows(run_id: int) -> Select[Any]:
    """Every visit of a run, sorted by the bytes of its URL; meant for a server-side cursor."""
    return (
        select(
            pages.c.url,
            visits.c.outcome,
            visits.c.status,
            visits.c.snapshot_id,
            visits.c.facts_id,
            visits.c.fetched_at,
            visits.c.elapsed_ms,
            visits.c.error,
        )
        .join_from(visits, pages, pages.c.id == visits.c.page_id)
        .where(visits.c.run_id == run_id)
        .order_by(_BY_URL)
    )


def snapshot(snapshot_id: int) -> Select[Any]:
    """One snapshot's hash and header block."""
    return select(snapshots.c.content_hash, snapshots.c.raw).where(snapshots.c.id == snapshot_id)


def clock() -> TextClause:
    """The database's clock."""
    return text("SELECT clock_timestamp()")


def today() -> TextClause:
    """The day in UTC, by the database's clock."""
    return text("SELECT CAST(clock_timestamp() AT TIME ZONE 'UTC' AS date)")


def server_version() -> TextClause:
    """The version of Postgres, as a person writes it."""
    return text("SHOW server_version")


def revision() -> TextClause:
    """The revision of the schema; fails where no migration ever ran."""
    return text("SELECT version_num FROM alembic_version")


def revision_table() -> TextClause:
    """Whether any migration ever ran here."""
    return text("SELECT to_regclass('alembic_version') IS NOT NULL")


def unhurried() -> TextClause:
    """Lift this transaction's time limits: an export may be read slowly, through a pager say."""
    return text(
        "SELECT set_config('statement_timeout', '0', true), "
        "set_config('idle_in_transaction_session_timeout', '0', true)"
    )
