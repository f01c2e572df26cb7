"""Seed many new runs at once: what ``seeding`` does for one, in as many statements as that takes for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from models import frontier, partitions, runs, shards
from scheduler import seeding

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from headersweep.definition import SiteDefinition
    from headersweep.urls import PageUrl
    from scheduler.seeding import ShardKey


@dataclass(frozen=True)
class NewRun:
    """A run that was created in this transaction and has no work yet."""

    run_id: int
    site_id: int
    definition: SiteDefinition


class _Start(NamedTuple):
    """A start page of a run, and the shard that it belongs to."""

    run: NewRun
    page: PageUrl
    key: ShardKey


def sow(connection: Connection, new: Sequence[NewRun]) -> None:
    """Put the start pages of new runs into their frontiers; partitions, origins and shards are made where missing."""
    if not new:
        return
    for first in {partitions.bounds(run.run_id)[0] for run in new}:
        partitions.ensure(connection, first)
    starts = [
        _Start(run, page, seeding.shard_key(page, run.definition.shards))
        for run in new
        for page in seeding.start_pages(run.definition)
    ]
    shard_ids = _make_shards(connection, starts)
    page_ids = _make_pages(connection, starts)
    rows = {
        "run_ids": [start.run.run_id for start in starts],
        "page_ids": [page_ids[start.run.site_id, start.page.key] for start in starts],
        "shard_ids": [shard_ids[start.run.run_id, start.key] for start in starts],
        "depths": [0] * len(starts),
    }
    added = connection.execute(frontier.add_rows(), rows).all()
    by_shard, by_run = Counter(row.shard_id for row in added), Counter(row.run_id for row in added)
    grown = {"ids": list(by_shard), "counts": list(by_shard.values()), "decided": [0] * len(by_shard)}
    connection.execute(shards.grow(), grown)
    connection.execute(runs.count_planned(), {"ids": list(by_run), "counts": list(by_run.values())})


def _make_shards(connection: Connection, starts: Sequence[_Start]) -> dict[tuple[int, ShardKey], int]:
    """The shards of all runs; the first of each run also brings in the pages known from earlier runs."""
    wanted = sorted(
        {(start.run.run_id, start.key) for start in starts},
        key=lambda each: (each[0], each[1].origin, each[1].ordinal),
    )
    origin_ids = seeding.ensure_origins(connection, {key.origin for _, key in wanted})
    begun: set[int] = set()
    known: list[int | None] = []
    for run_id, _ in wanted:
        known.append(None if run_id in begun else 0)
        begun.add(run_id)
    columns = {
        "run_ids": [run_id for run_id, _ in wanted],
        "origin_ids": [origin_ids[key.origin] for _, key in wanted],
        "ordinals": [key.ordinal for _, key in wanted],
        "known_uptos": known,
    }
    origins = {origin_id: origin for origin, origin_id in origin_ids.items()}
    return {
        (row.run_id, seeding.ShardKey(origins[row.origin_id], row.ordinal)): row.id
        for row in connection.execute(shards.insert_first(), columns)
    }


def _make_pages(connection: Connection, starts: Sequence[_Start]) -> dict[tuple[int, bytes], int]:
    """The ids of the start pages, by site and URL key."""
    pages = {(start.run.site_id, start.page.key): start.page.url for start in starts}
    keys = {"site_ids": [site_id for site_id, _ in pages], "url_keys": [key for _, key in pages]}
    connection.execute(
        frontier.add_pages(), {**keys, "urls": list(pages.values()), "depths": [0] * len(pages)}
    )
    return {
        (row.site_id, bytes(row.url_key)): row.id for row in connection.execute(frontier.page_ids(), keys)
    }
