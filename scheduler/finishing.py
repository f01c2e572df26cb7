"""Close a run: fold, account, digest, spans and the promise of ``run.finished``, in one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from headersweep import digest, guard, headers, logs, urls
from headersweep.definition import SiteDefinition
from headersweep.states import FINAL_STATES, Outcome, RunState
from models import engine as engines
from models import frontier, outbox, redirects, reviews, runs, shards, sites, snapshots, spans, visits
from scheduler import judging, probing

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Row

log = logs.get_logger()

CLOSING_TIMEOUT_MS = 1_800_000
"""Closing a run of a million pages is one long transaction; it gets more than a statement's usual time."""

LOCK_TIMEOUT_MS = 2_000
LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True)
class Accounting:
    """How many pages a run discovered and what became of them; the counts add up."""

    discovered: int
    counts: dict[Outcome, int]

    @property
    def unvisited(self) -> int:
        """Pages without an outcome: none, except in a cancelled run."""
        return self.discovered - sum(self.counts.values())

    def share(self, *outcomes: Outcome) -> float:
        """The share of some outcomes among the pages that should have been fetched."""
        base = self.counts[Outcome.STORED] + sum(self.counts[outcome] for outcome in outcomes)
        return sum(self.counts[outcome] for outcome in outcomes) / base if base else 0.0

    def columns(self) -> dict[str, int]:
        """The accounting as columns of ``runs``."""
        named = {outcome.label: count for outcome, count in self.counts.items()}
        return {"discovered": self.discovered, "unvisited": self.unvisited, **named}


def final_state(accounting: Accounting, threshold: float, *, start_fetched: bool) -> RunState:
    """The final state that a run's accounting amounts to."""
    if not start_fetched:
        return RunState.FAILED
    missed = accounting.share(Outcome.FAILED, Outcome.ROBOTS_UNREACHABLE, Outcome.SKIPPED_LIMIT)
    return RunState.PARTIAL if missed > threshold else RunState.FINISHED


def finish_due(engine: Engine, limit: int = 100) -> list[int]:
    """Close every run that has no work left, each in a transaction of its own; returns those closed here."""
    with engine.connect() as connection:
        waiting = list(connection.execute(runs.finishable(), {"limit": limit}).scalars())
    return [run_id for run_id in waiting if _finish_apart(engine, run_id)]


def _finish_apart(engine: Engine, run_id: int) -> bool:
    """Close one run; a defect that keeps it from being closed is told, and keeps no other run open."""
    try:
        is_closed = finish(engine, run_id)
    except OperationalError:
        raise
    except (DBAPIError, TypeError, ValueError) as error:
        log.error("run.stuck", run_id=run_id, error_type=type(error).__name__, exc_info=error)  # noqa: TRY400
        return False
    if is_closed:
        judging.judge_closed(engine, run_id)
    return is_closed


def finish(engine: Engine, run_id: int) -> bool:
    """Close one run if nothing of it is left; False when there is work, or somebody else was first."""
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL statement_timeout = {CLOSING_TIMEOUT_MS}"))
        run = _lock(connection, run_id)
        return run is not None and run.state not in FINAL_STATES and _close_if_done(connection, run)


def _lock(connection: Connection, run_id: int) -> Row[Any] | None:
    """The run's row, locked; None where somebody keeps it locked for long, which is whoever closes a large run."""
    try:
        with connection.begin_nested():
            connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"))
            run = connection.execute(runs.lock_one(), {"id": run_id}).one_or_none()
            connection.execute(text(f"SET LOCAL lock_timeout = {engines.LOCK_TIMEOUT_MS}"))
            return run
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        return None


def _close_if_done(connection: Connection, run: Row[Any]) -> bool:
    # Looked at again under the run's lock: two last commits at once each saw the other as open.
    if connection.execute(shards.open_count(), {"run_id": run.id}).scalar_one():
        return False
    accounting = account(connection, run.id)
    if accounting.unvisited:
        connection.execute(shards.reopen(), {"run_id": run.id})
        log.warning("run.recounted", run_id=run.id, missing=accounting.unvisited)
        return False
    close(connection, run, accounting, _state(connection, run, accounting))
    return True


def _state(connection: Connection, run: Row[Any], accounting: Accounting) -> RunState:
    definition = SiteDefinition.from_json(run.definition)
    keys = [page.key for page in map(urls.parse, definition.start_urls) if page is not None]
    values = {"run_id": run.id, "site_id": run.site_id, "url_keys": keys}
    fetched = connection.execute(visits.start_pages_fetched(), values).scalar_one()
    return final_state(accounting, definition.failure_threshold, start_fetched=fetched > 0)


def account(connection: Connection, run_id: int) -> Accounting:
    """Count what a run discovered and what became of it, from the rows themselves."""
    counts = dict.fromkeys(Outcome, 0)
    for row in connection.execute(visits.outcomes_of_run(), {"run_id": run_id}):
        counts[Outcome(row.outcome)] = row.pages
    discovered = connection.execute(frontier.count_of_run(), {"run_id": run_id}).scalar_one()
    return Accounting(discovered, counts)


def close(connection: Connection, run: Row[Any], accounting: Accounting, state: RunState) -> None:
    """Move a locked run to its final state; the caller holds the run's row and commits."""
    fold(connection, run.id, run.site_id)
    # A run that was opened again gets its sets anew.
    connection.execute(reviews.drop_sets(), {"run_id": run.id})
    connection.execute(redirects.drop(), {"run_id": run.id})
    judging.make_sets(connection, run.id)
    used = [row.id for row in connection.execute(visits.snapshots_of_run(), {"run_id": run.id})]
    kept = connection.execute(
        sites.keep_snapshots(), {"site_id": run.site_id, "run_id": run.id, "snapshot_ids": used}
    ).all()
    # Where no links are followed, pages are not looked for: that none was found says nothing about them.
    complete = state is RunState.FINISHED and run.definition["follow_links"]
    changed = update_spans(connection, run, complete=complete)
    values = {
        "id": run.id,
        "state": str(state),
        **accounting.columns(),
        "snapshots": len(used),
        "new_snapshots": sum(row.first_run_id == run.id for row in kept),
        "changed_pages": changed,
        "digest": run_digest(connection, run.id),
    }
    closed = connection.execute(runs.close(), values).one()
    probing.plant(connection, run, state)
    promise(connection, run, closed, values)


def fold(connection: Connection, run_id: int, site_id: int) -> None:
    """Decide over the whole run which headers are masked, and fold the snapshots that differ only in these.

    The limits are monotone, so whatever a worker masked early is masked here too, and the result depends neither on
    the order of fetching nor on an interruption.
    """
    rows = connection.execute(visits.snapshots_of_run(), {"run_id": run_id}).all()
    counter = guard.ValueCounter()
    for row in rows:
        counter.seen(headers.value_lines(row.canonical), times=row.pages)
    mask(connection, site_id, run_id, counter.masks())
    masked = connection.execute(sites.masks(), {"site_ids": [site_id]}).all()
    names = frozenset(row.header_name for row in masked)
    if not names:
        return
    moved = refold(connection, rows, names)
    connection.execute(visits.fold(), {"run_id": run_id, **moved})
    if any(row.run_id == run_id for row in masked):
        # Masked for the first time: what earlier runs kept folds too, so that nobody sees drift where there is none.
        earlier = connection.execute(sites.snapshots_of_site(), {"site_id": site_id}).all()
        connection.execute(spans.fold(), {"site_id": site_id, **refold(connection, earlier, names)})


def mask(connection: Connection, site_id: int, run_id: int, masks: dict[str, tuple[int, int]]) -> None:
    """Mask headers of a site from now on, and say so."""
    names = sorted(masks)
    values = {
        "site_ids": [site_id] * len(names),
        "names": names,
        "run_ids": [run_id] * len(names),
        "distincts": [masks[name][0] for name in names],
        "responses": [masks[name][1] for name in names],
    }
    for row in connection.execute(sites.add_masks(), values).all() if names else ():
        log.info(
            "header.masked",
            run_id=run_id,
            header_name=row.header_name,
            values=row.distinct_values,
            responses=row.responses,
        )


def refold(connection: Connection, rows: Any, names: frozenset[str]) -> dict[str, list[int]]:
    """Keep the folded form of every snapshot that masking changes; returns old and new ids, side by side."""
    folded = {row.id: headers.refold(row.canonical, names) for row in rows}
    moving = [row for row in rows if folded[row.id] != row.canonical]
    if not moving:
        return {"olds": [], "news": []}
    hashes = {row.id: headers.content_hash(folded[row.id]) for row in moving}
    unique = {hashes[row.id]: (folded[row.id], row.raw) for row in moving}
    columns = {
        "hashes": list(unique),
        "canonicals": [canonical for canonical, _ in unique.values()],
        "raws": [raw for _, raw in unique.values()],
    }
    connection.execute(snapshots.add(), columns)
    ids = connection.execute(snapshots.ids(), {"hashes": list(unique)})
    found = {bytes(row.content_hash): row.id for row in ids}
    return {"olds": [row.id for row in moving], "news": [found[hashes[row.id]] for row in moving]}


def update_spans(connection: Connection, run: Row[Any], *, complete: bool) -> int:
    """Carry the history on; returns how many pages answer differently than before. Unchanged pages write nothing."""
    before = connection.execute(runs.previous(), {"site_id": run.site_id, "id": run.id}).one()
    if before.later:
        # A later run of the site is closed already: history is not rewritten backwards.
        return 0
    values = {"site_id": run.site_id, "run_id": run.id}
    # What an earlier generation of this run saw change stays changed: its spans are cut already.
    changed = run.changed_pages or 0
    if before.previous is not None:
        changed += connection.execute(spans.close_changed(), {**values, "previous": before.previous}).rowcount
        if complete:
            connection.execute(spans.close_vanished(), {**values, "previous": before.previous})
    connection.execute(spans.open_new(), values)
    return int(changed)


def run_digest(connection: Connection, run_id: int) -> bytes:
    """The digest of a run, streamed, so that a million pages need no memory."""
    rows = connection.execute(visits.digest_rows(), {"run_id": run_id}, execution_options={"yield_per": 5000})
    return digest.run_digest(
        (
            bytes(row.url_key),
            Outcome(row.outcome).label,
            row.status,
            row.content_hash and bytes(row.content_hash),
        )
        for row in rows
    )


def promise(connection: Connection, run: Row[Any], closed: Row[Any], values: dict[str, Any]) -> None:
    """Put ``run.finished`` into the outbox: exactly one for each generation of a run."""
    payload = {
        "run_id": run.id,
        "site_name": run.site_name,
        "slot": closed.slot.isoformat(),
        "state": values["state"],
        "pages": values["stored"],
        "discovered": values["discovered"],
        "failed": values["failed"],
        "snapshots": values["snapshots"],
        "new_snapshots": values["new_snapshots"],
        "changed_pages": values["changed_pages"],
        "digest": "sha256:" + values["digest"].hex(),
        "duration_ms": closed.duration_ms,
    }
    event_id = f"run.finished:{run.id}:{closed.generation}"
    connection.execute(
        outbox.add(), {"event_id": event_id, "event": "run.finished", "payload": json.dumps(payload)}
    )
