"""Commit what a slice collected: one transaction for all its shards, guarded by their fencing numbers.

Locks are taken in one order everywhere: runs, then shards, each by id. Under the locks every shard's fencing number is
compared; what belongs to a lost lease is dropped whole. All writes are idempotent, so a COMMIT whose answer got lost
is simply sent again.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from headersweep import events, logs
from headersweep.states import FINAL_STATES, Outcome
from models import control, facts, frontier, origins, runs, shards, sites, snapshots, visits
from models import engine as engines
from scheduler import seeding
from worker.page import Item, Result

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Engine

    from headersweep.urls import PageUrl
    from worker.crawl import Held, News
    from worker.site import RunSite

log = logs.get_logger()

MAX_PAGES_ERROR = "max_pages"


class Found(NamedTuple):
    """A page found by a shard: its depth, and what was decided about it at once, if anything."""

    page: PageUrl
    depth: int
    decided: tuple[Outcome, str | None] | None


@dataclass(slots=True)
class ShardBatch:
    """What one shard contributes to a commit."""

    held: Held
    site: RunSite
    news: News | None
    results: list[Result]
    found: list[Found]
    done_upto: int
    known_upto: int | None
    clear_lost: bool
    sitemaps: list[tuple[bytes, int, str | None]] = field(default_factory=list)
    load_after: int | None = None
    load_limit: int = 0
    quarantined: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Committed:
    """What a commit brought back for each shard, and whether everything is paused."""

    lost: set[int] = field(default_factory=set)
    outside: set[int] = field(default_factory=set)
    tops: dict[int, int] = field(default_factory=dict)
    rows: dict[int, tuple[list[Item], int]] = field(default_factory=dict)
    resting: set[int] = field(default_factory=set)
    new_shards: bool = False
    paused: bool = False
    new_snapshots: int = 0


class Committer:
    """Writes batches; remembers the ids of snapshots and facts that are known to be durable."""

    def __init__(self, engine: Engine, owner: str, lease_seconds: float) -> None:
        self._engine = engine
        self._owner = owner
        self._lease = lease_seconds
        self._snapshot_ids: dict[bytes, int] = {}
        self._facts_ids: dict[bytes, int] = {}

    def commit(self, batches: list[ShardBatch]) -> Committed:
        """Write everything in one transaction; raises SQLAlchemy's errors, after which the same call may be repeated."""
        self._make_origins(batches)
        with self._engine.begin() as connection:
            # Also for the answer to the COMMIT: whoever never gets it must not hang, but look.
            engines.insist(connection, self._lease)
            answer, learnt = self._write(connection, batches)
        for fields in learnt.masked:
            log.info("header.masked", **events.checked("header.masked", fields))
        # Only a transaction that is known to be committed may teach the caches.
        for known, new in ((self._snapshot_ids, learnt.snapshot_ids), (self._facts_ids, learnt.facts_ids)):
            known.update(new)
            if len(known) > SNAPSHOT_CACHE:
                known.clear()
        for batch in batches:
            if batch.held.id not in answer.lost:
                batch.site.shard_ids.update(learnt.shard_ids.get(batch.held.run_id, {}))
                batch.site.new_masks.clear()
        return answer

    def _make_origins(self, batches: list[ShardBatch]) -> None:
        """Make unknown origins before, in a transaction of its own, so that no two commits wait for each other's."""
        missing = {
            key.origin for batch in batches for key in _targets(batch) if key not in batch.site.shard_ids
        }
        if missing:
            with self._engine.begin() as connection:
                engines.insist(connection, self._lease)
                seeding.ensure_origins(connection, missing)

    def _write(self, connection: Connection, batches: list[ShardBatch]) -> tuple[Committed, _Learnt]:
        answer, learnt = Committed(), _Learnt()
        live = self._locked(connection, batches, answer, learnt)
        if live:
            _add_masks(connection, live, learnt)
            page_ids = _add_found(connection, live)
            snapshot_ids = self._add_snapshots(connection, live, learnt, answer)
            facts_ids = self._add_facts(connection, live, learnt)
            over = _add_rows(connection, live, page_ids, learnt)
            answer.new_shards |= learnt.new_shards
            new = _add_visits(connection, _visit_rows(live, _Ids(page_ids, snapshot_ids, facts_ids), over))
            _settle_retries(connection, live)
            _close_sitemaps(connection, live)
            _tell_origins(connection, live)
            self._advance(connection, live, new)
            _load(connection, live, answer)
            answer.resting = _resting(connection, live)
        answer.paused = bool(connection.execute(control.is_paused()).scalar())
        return answer, learnt

    def _locked(
        self, connection: Connection, batches: list[ShardBatch], answer: Committed, learnt: _Learnt
    ) -> list[ShardBatch]:
        """Lock runs and shards; keep only the batches whose run is open and whose lease is still ours."""
        run_ids = sorted({batch.held.run_id for batch in batches})
        learnt.runs = {row.id: row for row in connection.execute(runs.lock(), {"ids": run_ids})}
        open_runs = {run_id for run_id, row in learnt.runs.items() if row.state not in FINAL_STATES}
        for run_id in sorted(open_runs):
            learnt.new_shards |= _make_shards(connection, run_id, batches, learnt)
        wanted = {batch.held.id for batch in batches} | {
            shard_id for ids in learnt.shard_ids.values() for shard_id in ids.values()
        }
        rows = {row.id: row for row in connection.execute(shards.lock(), {"ids": sorted(wanted)})}
        live = []
        for batch in batches:
            row = rows.get(batch.held.id)
            ours = row is not None and row.fence == batch.held.fence and row.lease_owner == self._owner
            if ours and batch.held.run_id in open_runs:
                live.append(batch)
            else:
                answer.lost.add(batch.held.id)
        # What was fetched is kept; the site's window is over for what was not.
        answer.outside = {batch.held.id for batch in live if learnt.runs[batch.held.run_id].rests}
        return live

    def _add_snapshots(
        self, connection: Connection, live: list[ShardBatch], learnt: _Learnt, answer: Committed
    ) -> dict[bytes, int]:
        unknown = {
            result.snapshot.content_hash: result.snapshot
            for batch in live
            for result in batch.results
            if result.snapshot is not None and result.snapshot.content_hash not in self._snapshot_ids
        }
        if unknown:
            columns = {
                "hashes": list(unknown),
                "canonicals": [snapshot.canonical for snapshot in unknown.values()],
                "raws": [snapshot.raw for snapshot in unknown.values()],
            }
            answer.new_snapshots = connection.execute(snapshots.add(), columns).rowcount
            rows = connection.execute(snapshots.ids(), {"hashes": list(unknown)})
            learnt.snapshot_ids = {bytes(row.content_hash): row.id for row in rows}
        return {**self._snapshot_ids, **learnt.snapshot_ids} if learnt.snapshot_ids else self._snapshot_ids

    def _add_facts(self, connection: Connection, live: list[ShardBatch], learnt: _Learnt) -> dict[bytes, int]:
        unknown = {
            result.facts.content_hash: result.facts.canonical
            for batch in live
            for result in batch.results
            if result.facts is not None and result.facts.content_hash not in self._facts_ids
        }
        if not unknown:
            return self._facts_ids
        columns = {"hashes": list(unknown), "canonicals": list(unknown.values())}
        connection.execute(facts.add(), columns)
        rows = connection.execute(facts.ids(), {"hashes": list(unknown)})
        learnt.facts_ids = {bytes(row.facts_hash): row.id for row in rows}
        return {**self._facts_ids, **learnt.facts_ids}

    def _advance(self, connection: Connection, live: list[ShardBatch], new: set[tuple[int, int]]) -> None:
        fresh = Counter(
            batch.held.id
            for batch in live
            for page_id in (*(result.item.page_id for result in batch.results), *batch.quarantined)
            if (batch.held.run_id, page_id) in new
        )
        quarantined = [batch.held.id for batch in live if batch.quarantined]
        connection.execute(
            shards.advance(),
            {
                "ids": [batch.held.id for batch in live],
                "done_uptos": [batch.done_upto for batch in live],
                "visits": [fresh[batch.held.id] for batch in live],
                "known_uptos": [batch.known_upto for batch in live],
                "clear_losts": [batch.clear_lost for batch in live],
                "settleds": [bool(batch.results) for batch in live],
                "lease": self._lease,
            },
        )
        if quarantined:
            connection.execute(shards.clear_quarantined(), {"ids": quarantined})


SNAPSHOT_CACHE = 100_000


@dataclass(slots=True)
class _Learnt:
    """What a transaction will have taught once it is committed."""

    runs: dict[int, Any] = field(default_factory=dict)
    shard_ids: dict[int, dict[seeding.ShardKey, int]] = field(default_factory=dict)
    snapshot_ids: dict[bytes, int] = field(default_factory=dict)
    facts_ids: dict[bytes, int] = field(default_factory=dict)
    masked: list[dict[str, Any]] = field(default_factory=list)
    new_shards: bool = False


def _targets(batch: ShardBatch) -> Iterable[seeding.ShardKey]:
    parts = batch.site.definition.shards
    return (seeding.shard_key(found.page, parts) for found in batch.found if found.decided is None)


def _make_shards(connection: Connection, run_id: int, batches: list[ShardBatch], learnt: _Learnt) -> bool:
    """Know the ids of all shards that pages were found for; make those that are missing."""
    mine = [batch for batch in batches if batch.held.run_id == run_id]
    wanted = {key for batch in mine for key in _targets(batch)}
    if not wanted:
        return False
    known = mine[0].site.shard_ids
    missing = wanted - known.keys()
    every = {**known, **seeding.ensure_shards(connection, run_id, missing)} if missing else known
    learnt.shard_ids[run_id] = {key: every[key] for key in wanted}
    return bool(missing)


def _add_masks(connection: Connection, live: list[ShardBatch], learnt: _Learnt) -> None:
    run_of = {batch.site.site_id: batch.held.run_id for batch in live}
    rows = [
        (batch.site.site_id, name, batch.held.run_id, *counts)
        for batch in {batch.held.run_id: batch for batch in live}.values()
        for name, counts in sorted(batch.site.new_masks.items())
    ]
    if rows:
        names = ("site_ids", "names", "run_ids", "distincts", "responses")
        learnt.masked = [
            {
                "run_id": run_of[row.site_id],
                "header_name": row.header_name,
                "values": row.distinct_values,
                "responses": row.responses,
            }
            for row in connection.execute(sites.add_masks(), _columns(names, rows))
        ]


def _columns(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [row[index] for row in rows] for index, name in enumerate(names)}


def _add_found(connection: Connection, live: list[ShardBatch]) -> dict[tuple[int, bytes], int]:
    """Make found pages known to their sites; returns page ids by site and URL key."""
    pages = {
        (batch.site.site_id, found.page.key): (
            batch.site.site_id,
            found.page.key,
            found.page.url[:2048],
            found.depth,
        )
        for batch in live
        for found in batch.found
    }
    if not pages:
        return {}
    columns = _columns(("site_ids", "url_keys", "urls", "depths"), list(pages.values()))
    connection.execute(frontier.add_pages(), columns)
    ids = {name: columns[name] for name in ("site_ids", "url_keys")}
    return {(row.site_id, bytes(row.url_key)): row.id for row in connection.execute(frontier.page_ids(), ids)}


def _add_rows(
    connection: Connection, live: list[ShardBatch], page_ids: dict[tuple[int, bytes], int], learnt: _Learnt
) -> dict[tuple[int, int], tuple[Outcome, str | None]]:
    """Put found pages into the frontier; returns what is decided about those that were new, and not to be fetched."""
    rows: dict[tuple[int, int], tuple[int, int, int, int]] = {}
    decided: dict[tuple[int, int], tuple[Outcome, str | None] | None] = {}
    for batch in live:
        run_id, parts = batch.held.run_id, batch.site.definition.shards
        for found in batch.found:
            key = (run_id, page_ids[batch.site.site_id, found.page.key])
            if key in rows:
                continue
            shard_id = (
                batch.held.id
                if found.decided
                else learnt.shard_ids[run_id][seeding.shard_key(found.page, parts)]
            )
            rows[key] = (*key, shard_id, found.depth)
            decided[key] = found.decided
    if not rows:
        return {}
    added = connection.execute(
        frontier.add_rows(), _columns(("run_ids", "page_ids", "shard_ids", "depths"), list(rows.values()))
    ).all()
    over = _limited(connection, [(row.run_id, row.page_id) for row in added], decided, learnt)
    counts = Counter(row.shard_id for row in added)
    with_visit = Counter(row.shard_id for row in added if (row.run_id, row.page_id) in over)
    grown = {
        "ids": list(counts),
        "counts": list(counts.values()),
        "decided": [with_visit[key] for key in counts],
    }
    # A shard that had nothing left to do, and that nobody holds, has work again.
    learnt.new_shards |= any(not row.held for row in connection.execute(shards.grow(), grown))
    return over


def _limited(
    connection: Connection,
    added: list[tuple[int, int]],
    decided: dict[tuple[int, int], tuple[Outcome, str | None] | None],
    learnt: _Learnt,
) -> dict[tuple[int, int], tuple[Outcome, str | None]]:
    """Count new pages against their run's page limit; those beyond it are skipped, by name."""
    planned: Counter[int] = Counter()
    over = {}
    for key in added:
        verdict = decided[key]
        run = learnt.runs[key[0]]
        if verdict is None and run.planned_pages + planned[key[0]] >= run.definition["max_pages"]:
            verdict = (Outcome.SKIPPED_LIMIT, MAX_PAGES_ERROR)
        if verdict is None:
            planned[key[0]] += 1
        else:
            over[key] = verdict
    if planned:
        connection.execute(runs.count_planned(), {"ids": list(planned), "counts": list(planned.values())})
    return over


VisitRow = tuple[
    int,
    int,
    int | None,
    int | None,
    datetime,
    int | None,
    int | None,
    int | None,
    int | None,
    int,
    bool,
    bool,
    bytes | None,
    str | None,
    int | None,
]
VISIT_COLUMNS = (
    "run_ids",
    "page_ids",
    "snapshot_ids",
    "target_page_ids",
    "fetched_ats",
    "elapsed_mss",
    "age_ss",
    "date_offset_ss",
    "statuses",
    "outcomes",
    "malformeds",
    "unverified_tlss",
    "nonce_digests",
    "errors",
    "facts_ids",
)


class _Ids(NamedTuple):
    """The ids of what visits point to: pages by site and URL key, snapshots and facts by hash."""

    pages: dict[tuple[int, bytes], int]
    snapshots: dict[bytes, int]
    facts: dict[bytes, int]


def _visit_rows(
    live: list[ShardBatch],
    ids: _Ids,
    over: dict[tuple[int, int], tuple[Outcome, str | None]],
) -> list[VisitRow]:
    now = datetime.now(UTC)
    rows: list[VisitRow] = [
        (
            run_id,
            page_id,
            None,
            None,
            now,
            None,
            None,
            None,
            None,
            int(outcome),
            False,
            False,
            None,
            error,
            None,
        )
        for (run_id, page_id), (outcome, error) in over.items()
    ]
    for batch in live:
        rows += [_visit_row(batch, result, ids) for result in batch.results if result.outcome is not None]
        rows += [
            (
                batch.held.run_id,
                page_id,
                None,
                None,
                now,
                None,
                None,
                None,
                None,
                int(Outcome.FAILED),
                False,
                False,
                None,
                "quarantined",
                None,
            )
            for page_id in batch.quarantined
        ]
    return rows


def _visit_row(batch: ShardBatch, result: Result, ids: _Ids) -> VisitRow:
    target, snapshot, known = result.target, result.snapshot, result.facts
    return (
        batch.held.run_id,
        result.item.page_id,
        None if snapshot is None else ids.snapshots[snapshot.content_hash],
        None if target is None else ids.pages.get((batch.site.site_id, target.key)),
        result.fetched_at,
        result.elapsed_ms,
        result.age_s,
        result.date_offset_s,
        result.status,
        int(result.outcome or Outcome.FAILED),
        result.malformed,
        result.unverified_tls,
        result.nonce_digest,
        result.error,
        None if known is None else ids.facts[known.content_hash],
    )


def _add_visits(connection: Connection, rows: list[VisitRow]) -> set[tuple[int, int]]:
    if not rows:
        return set()
    added = connection.execute(visits.add(), _columns(VISIT_COLUMNS, rows))
    return {(row.run_id, row.page_id) for row in added}


def _settle_retries(connection: Connection, live: list[ShardBatch]) -> None:
    """Queue what is to be tried again; forget the retries of what has its outcome now."""
    again, settled = [], []
    for batch, result in itertools.chain.from_iterable(
        ((batch, result) for result in batch.results) for batch in live
    ):
        if result.outcome is None:
            again.append(
                (
                    batch.held.run_id,
                    result.item.page_id,
                    batch.held.id,
                    result.retry_seconds,
                    result.item.attempts + 1,
                    result.error or "",
                )
            )
        elif result.item.attempts:
            settled.append((batch.held.run_id, result.item.page_id))
    settled += [(batch.held.run_id, page_id) for batch in live for page_id in batch.quarantined]
    if again:
        names = ("run_ids", "page_ids", "shard_ids", "delays", "attempts", "errors")
        connection.execute(frontier.add_retries(), _columns(names, again))
    if settled:
        connection.execute(frontier.drop_retries(), _columns(("run_ids", "page_ids"), settled))


def _close_sitemaps(connection: Connection, live: list[ShardBatch]) -> None:
    rows = [
        {"run_id": batch.held.run_id, "url_key": key, "entries": entries, "error": error}
        for batch in live
        for key, entries, error in batch.sitemaps
    ]
    if rows:
        connection.execute(frontier.close_sitemap(), rows)


def _tell_origins(connection: Connection, live: list[ShardBatch]) -> None:
    news = {batch.held.origin_id: batch.news for batch in live if batch.news is not None}
    rows = [(key, *told) for key, told in sorted(news.items())]
    if rows:
        connection.execute(origins.feedback(), _columns(("ids", "rates", "levels", "blocks"), rows))


def _resting(connection: Connection, live: list[ShardBatch]) -> set[int]:
    """The origins that asked somebody for a rest, maybe another worker: that holds for all of their shards."""
    ids = sorted({batch.held.origin_id for batch in live})
    return set(connection.execute(origins.resting(), {"ids": ids}).scalars())


def _load(connection: Connection, live: list[ShardBatch], answer: Committed) -> None:
    """Load more of the frontier for the shards that want it, behind what they have."""
    rows = connection.execute(shards.lock(), {"ids": sorted(batch.held.id for batch in live)})
    answer.tops = {row.id: row.top for row in rows}
    for batch in live:
        if batch.load_after is None or batch.load_after >= answer.tops[batch.held.id]:
            continue
        answer.rows[batch.held.id] = load_rows(
            connection, batch.held, batch.load_after, batch.load_limit, answer.tops[batch.held.id]
        )


def load_rows(connection: Connection, held: Held, after: int, limit: int, top: int) -> tuple[list[Item], int]:
    """The next pages of a shard behind a row, and up to which row that was."""
    values = {"run_id": held.run_id, "shard_id": held.id, "after": after, "limit": limit}
    items = [
        Item(row.page_id, row.seq, row.depth, row.url, bytes(row.url_key))
        for row in connection.execute(frontier.next_rows(), values)
    ]
    return items, items[-1].seq if len(items) == limit else top
