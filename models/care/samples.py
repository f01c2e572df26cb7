"""Values to try the statements with, taken from the data: a run, its site, its pages, and what hangs on them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from models import partitions

if TYPE_CHECKING:
    from sqlalchemy import Connection, TextClause

PAGES = 20
"""How many pages, judgements and the like a statement over several is tried with: about as many as a commit has."""


@dataclass(frozen=True)
class Samples:
    """What the statements are tried with. The defaults are what an empty database is asked for: nothing is found."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    site: int = 1
    site_name: str = "none"
    paged_site: int = 1
    url_key: bytes = bytes(16)
    run: int = 2
    previous: int = 1
    open_run: int = 2
    shard: int = 1
    quiet_shard: int = 1
    seq: int = 0
    origin: int = 1
    scheme: str = "https"
    host: str = "none.example"
    port: int = 443
    pages: tuple[int, ...] = (1,)
    judgements: tuple[int, ...] = (1,)
    rules_version: int = 1
    snapshot: int = 1
    content_hash: bytes = bytes(32)
    facts_hash: bytes = bytes(32)
    heartbeat: str = "none"

    @property
    def part(self) -> int:
        """Where the partition of the open run begins; its name ends with it."""
        return partitions.bounds(self.open_run)[0]

    @property
    def low(self) -> int:
        """Where the partition of the closed run begins."""
        return partitions.bounds(self.run)[0]

    @property
    def many(self) -> list[int]:
        """The pages as a statement takes them."""
        return list(self.pages)


def newest_run() -> TextClause:
    """The newest run that is over, its site, and the run of that site before it. Plan: pk_runs."""
    return text("""
        SELECT r.id AS run, r.site_id AS site, s.name AS site_name, clock_timestamp() AS now,
               (SELECT max(b.id) FROM runs b WHERE b.site_id = r.site_id AND b.id < r.id AND b.digest IS NOT NULL)
                   AS previous
        FROM runs r JOIN sites s ON s.id = r.site_id WHERE r.digest IS NOT NULL ORDER BY r.id DESC LIMIT 1
    """)


def open_shard() -> TextClause:
    """A shard of the newest open run, else of run :run, with its origin and the middle of its rows. Plan: ix_runs_open."""
    return text("""
        SELECT h.id AS shard, h.id AS quiet_shard, h.run_id AS open_run, h.top / 2 AS seq, o.id AS origin, o.scheme, o.host, o.port
        FROM shards h JOIN origins o ON o.id = h.origin_id
        WHERE h.run_id = coalesce((SELECT max(id) FROM runs WHERE state IN ('planned', 'running')), :run)
        ORDER BY h.top DESC LIMIT 1
    """)


def some_pages() -> TextClause:
    """The first pages of run :run. Plan: pk_visits."""
    return text("""
        SELECT p.id, p.url_key, p.site_id, v.snapshot_id
        FROM (SELECT page_id, snapshot_id FROM visits WHERE run_id = :run ORDER BY page_id LIMIT :limit) v
        JOIN pages p ON p.id = v.page_id ORDER BY p.id
    """).bindparams(limit=PAGES)


def some_hashes() -> TextClause:
    """Keys of what is kept once: a snapshot, facts, a process. Plan: by key."""
    return text("""
        SELECT (SELECT id FROM snapshots ORDER BY id DESC LIMIT 1) AS snapshot,
               (SELECT content_hash FROM snapshots ORDER BY id DESC LIMIT 1) AS content_hash,
               (SELECT name FROM heartbeats LIMIT 1) AS heartbeat
    """)


def some_judgements() -> TextClause:
    """The newest judgements and their rules version. Plan: pk_judgements."""
    return text("SELECT id, rules_version FROM judgements ORDER BY id DESC LIMIT :limit").bindparams(
        limit=PAGES
    )


def some_facts() -> TextClause:
    """The key of the newest facts. Plan: pk_body_facts."""
    return text("SELECT facts_hash FROM body_facts ORDER BY id DESC LIMIT 1")


def taken(connection: Connection) -> Samples:
    """Values from the data; where a table is empty or not there yet, those of which nothing is found."""
    found: dict[str, Any] = {}
    for row in _rows(connection, newest_run()):
        found |= row | {"paged_site": row["site"], "open_run": row["run"]}
    run = found.get("run", Samples.run)
    for row in _rows(connection, open_shard().bindparams(run=run)):
        found |= row
    pages = _rows(connection, some_pages().bindparams(run=run))
    if pages:
        found |= {"pages": tuple(row["id"] for row in pages), "url_key": bytes(pages[0]["url_key"])}
        found["paged_site"] = pages[0]["site_id"]
    for statement in (some_hashes(), some_facts()):
        for row in _rows(connection, statement):
            found |= {
                key: bytes(value) if isinstance(value, memoryview) else value for key, value in row.items()
            }
    judgements = _rows(connection, some_judgements())
    if judgements:
        found |= {"judgements": tuple(row["id"] for row in judgements)}
        found["rules_version"] = judgements[0]["rules_version"]
    return dataclasses.replace(Samples(), **{key: value for key, value in found.items() if value is not None})


def _rows(connection: Connection, statement: TextClause) -> list[dict[str, Any]]:
    savepoint = connection.begin_nested()
    try:
        rows = [dict(row) for row in connection.execute(statement).mappings()]
    except ProgrammingError:  # a table that this revision does not have
        savepoint.rollback()
        return []
    savepoint.commit()
    return rows
