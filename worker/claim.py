"""Claim shards, and load what their crawls need: their runs, their sites' masks, their origins, their first pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headersweep import logs
from headersweep.definition import SiteDefinition
from models import control as switch
from models import frontier, origins, runs, shards, sites
from worker.commit import load_rows
from worker.crawl import LOAD_LIMIT, Held, OriginState, ShardCrawl
from worker.page import Item
from worker.site import RunSite

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sqlalchemy import Connection, Row

    from headersweep.settings import Settings
    from worker.runtime import Runtime

log = logs.get_logger()

RETRY_LIMIT = 200


@dataclass(slots=True)
class Claimed:
    """What a claim came to: crawls that have not begun, pages to quarantine by shard, runs that began with it."""

    started: list[int] = field(default_factory=list)
    crawls: list[ShardCrawl] = field(default_factory=list)
    quarantine: dict[int, list[int]] = field(default_factory=dict)


class Claims:
    """Claims for the slices of one process."""

    def __init__(self, runtime: Runtime, settings: Settings) -> None:
        self._runtime = runtime
        self._settings = settings

    def rows(
        self, connection: Connection, limit: int, beside: Collection[ShardCrawl]
    ) -> tuple[list[Held], bool]:
        """Claim in one statement. A shard that may hold a page that kills goes on alone: nothing else beside it."""
        values = {
            "owner": self._runtime.owner,
            "lease": self._settings.lease_seconds,
            "limit": limit,
            "solo": False,
            "solo_after": shards.SOLO_AFTER,
        }
        claimed: Sequence[Row[Any]] = []
        if not beside:
            claimed = connection.execute(shards.claim(), {**values, "solo": True, "limit": 1}).all()
        if not claimed and not any(crawl.solo for crawl in beside):
            claimed = connection.execute(shards.claim(), values).all()
        held = [
            Held(
                row.id,
                row.run_id,
                row.origin_id,
                row.fence,
                row.top,
                row.done_upto,
                row.known_upto,
                row.lost_leases,
                row.suspect_page_id,
                row.generation,
            )
            for row in claimed
        ]
        return held, bool(connection.execute(switch.is_paused()).scalar())

    def work_on(
        self,
        connection: Connection,
        held: list[Held],
        beside: Collection[ShardCrawl],
        poke: Callable[[], None],
    ) -> Claimed:
        """Load what the claimed shards need, and make their crawls; none of them has begun yet."""
        # Not in the claim's transaction: everybody locks runs before shards.
        started = connection.execute(runs.start(), {"ids": sorted({shard.run_id for shard in held})})
        claimed = Claimed(started=list(started.scalars()))
        self._load_sites(connection, held)
        # The lease of what cannot be read runs out, and is counted, while the others go on.
        held = [shard for shard in held if self._runtime.knows(shard.run_id, shard.generation)]
        states = self._origin_states(connection, held, beside)
        for shard in held:
            site = self._runtime.sites[shard.run_id]
            crawl = ShardCrawl(
                shard, site, states[shard.origin_id], self._runtime.fetcher, self._runtime.agent, poke
            )
            if shard.lost_leases >= shards.QUARANTINE_AFTER and shard.suspect_page_id is not None:
                claimed.quarantine[shard.id] = [shard.suspect_page_id]
                log.error(
                    "page.quarantined", run_id=shard.run_id, shard_id=shard.id, page_id=shard.suspect_page_id
                )
            else:
                _first_rows(connection, crawl)
            claimed.crawls.append(crawl)
        return claimed

    def _load_sites(self, connection: Connection, held: list[Held]) -> None:
        missing = sorted(
            {shard.run_id for shard in held if not self._runtime.knows(shard.run_id, shard.generation)}
        )
        if not missing:
            return
        rows = connection.execute(runs.load(), {"ids": missing}).all()
        masks: dict[int, set[str]] = {row.site_id: set() for row in rows}
        for row in connection.execute(sites.masks(), {"site_ids": sorted(masks)}):
            masks[row.site_id].add(row.header_name)
        for row in rows:
            site = _run_site(row, frozenset(masks[row.site_id]))
            if site is not None:
                self._runtime.remember(site)

    def _origin_states(
        self, connection: Connection, held: list[Held], beside: Collection[ShardCrawl]
    ) -> dict[int, OriginState]:
        by_origin = {shard.origin_id: self._runtime.sites[shard.run_id].definition for shard in held}
        # Shards of one origin share what this process knows of it.
        states = {crawl.held.origin_id: crawl.origin for crawl in beside}
        for row in connection.execute(origins.load(), {"ids": sorted(by_origin)}):
            if row.id in states:
                states[row.id].row = row
                continue
            states[row.id] = origin_state(row, by_origin[row.id])
        return states


def _first_rows(connection: Connection, crawl: ShardCrawl) -> None:
    held = crawl.held
    values = {"shard_id": held.id, "limit": RETRY_LIMIT}
    again = [
        Item(row.page_id, row.seq, row.depth, row.url, bytes(row.url_key), row.attempts)
        for row in connection.execute(frontier.due_retries(), values)
    ]
    items, upto = load_rows(connection, held, held.done_upto, LOAD_LIMIT, held.top)
    crawl.first = (again + items, upto)


def _run_site(row: Any, masked: frozenset[str]) -> RunSite | None:
    try:
        definition = SiteDefinition.from_json(row.definition)
        return RunSite(row.id, row.generation, row.site_id, row.site_name, row.slot, definition, masked)
    except (TypeError, ValueError) as error:
        # One run that a newer program or a person broke must not hold up all the others.
        log.error("run.stuck", run_id=row.id, error_type=type(error).__name__, exc_info=error)  # noqa: TRY400
        return None


def origin_state(row: Row[Any], definition: SiteDefinition) -> OriginState:
    """An origin as its row has it, within what the owner allows."""
    rate = start_rate(row.rate, row.backoff_level, definition)
    return OriginState(
        row.scheme, row.host, row.port, rate, row.backoff_level, max_rate=definition.max_rate, row=row
    )


def start_rate(learnt: float | None, level: int, definition: SiteDefinition) -> float:
    """The rate to go on with: what was learnt, within what the owner allows now.

    Without any limit, what was learnt counts only while the origin asks for rest: it may come from a run with a limit.
    """
    if not definition.max_rate and not definition.rate and not level:
        return 0.0
    rate = learnt or definition.rate
    if not definition.max_rate:
        return rate
    return min(rate, definition.max_rate) if rate else definition.max_rate
