"""Give a new run its first work: start pages on their shards, in the same transaction that makes the run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headersweep import urls
from headersweep.errors import UsageError
from models import frontier, origins, partitions, runs, shards

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from headersweep.definition import SiteDefinition
    from headersweep.urls import PageUrl

Origin = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class ShardKey:
    """Which shard of a run a page belongs to: its origin, and its part of the keys where an origin has several."""

    origin: Origin
    ordinal: int


def shard_key(page: PageUrl, parts: int) -> ShardKey:
    """The shard of a page: by origin, and by URL key where the owner allows several shards an origin."""
    return ShardKey((page.scheme, page.host, page.port), page.key[0] % parts)


def ensure_shards(
    connection: Connection, run_id: int, wanted: Iterable[ShardKey], *, first: bool = False
) -> dict[ShardKey, int]:
    """Make the shards that are missing and return the ids of all shards of the run.

    The first shard of a run also brings in the pages known from earlier runs, in bites.
    """
    keys = sorted(set(wanted), key=lambda key: (key.origin, key.ordinal))
    ids = ensure_origins(connection, [key.origin for key in keys])
    known: list[int | None] = [0 if first and index == 0 else None for index in range(len(keys))]
    connection.execute(
        shards.insert(),
        {
            "run_id": run_id,
            "origin_ids": [ids[key.origin] for key in keys],
            "ordinals": [key.ordinal for key in keys],
            "known_uptos": known,
        },
    )
    rows = connection.execute(shards.of_run(), {"run_id": run_id})
    return {ShardKey((row.scheme, row.host, row.port), row.ordinal): row.id for row in rows}


def ensure_origins(connection: Connection, wanted: Iterable[Origin]) -> dict[Origin, int]:
    """Make the origins that are missing and return the ids of those asked for."""
    keys = sorted(set(wanted))
    columns = {"schemes": [k[0] for k in keys], "hosts": [k[1] for k in keys], "ports": [k[2] for k in keys]}
    connection.execute(origins.insert(), columns)
    rows = connection.execute(origins.find(), columns)
    return {(row.scheme, row.host, row.port): row.id for row in rows}


def start_pages(definition: SiteDefinition) -> list[PageUrl]:
    """The start URLs as pages, each once, in their order."""
    pages: dict[bytes, PageUrl] = {}
    for text in definition.start_urls:
        page = urls.parse(text)
        if page is None:
            raise UsageError(f"site {definition.name}: {text!r} is not an http(s) URL")
        pages.setdefault(page.key, page)
    return list(pages.values())


def seed(connection: Connection, *, run_id: int, site_id: int, definition: SiteDefinition) -> None:
    """Put the start pages into the run's frontier; partitions, origins and shards are made where missing."""
    partitions.ensure(connection, run_id)
    pages = start_pages(definition)
    keys = [shard_key(page, definition.shards) for page in pages]
    ids = ensure_shards(connection, run_id, keys, first=True)
    shard_ids = [ids[key] for key in keys]
    connection.execute(shards.lock(), {"ids": sorted(set(shard_ids))})
    connection.execute(
        frontier.add_pages(),
        {
            "site_ids": [site_id] * len(pages),
            "url_keys": [page.key for page in pages],
            "urls": [page.url for page in pages],
            "depths": [0] * len(pages),
        },
    )
    found = connection.execute(
        frontier.page_ids(), {"site_ids": [site_id] * len(pages), "url_keys": [page.key for page in pages]}
    )
    page_ids = {bytes(row.url_key): row.id for row in found}
    added = connection.execute(
        frontier.add_rows(),
        {
            "run_ids": [run_id] * len(pages),
            "page_ids": [page_ids[page.key] for page in pages],
            "shard_ids": shard_ids,
            "depths": [0] * len(pages),
        },
    ).all()
    counts = dict.fromkeys(shard_ids, 0)
    for row in added:
        counts[row.shard_id] += 1
    grown = {"ids": list(counts), "counts": list(counts.values()), "decided": [0] * len(counts)}
    connection.execute(shards.grow(), grown)
    connection.execute(runs.count_planned(), {"ids": [run_id], "counts": [len(added)]})
