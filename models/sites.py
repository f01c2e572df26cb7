"""Sites: what owners are responsible for, what was masked for them, and which snapshots they ever showed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Select,
    Table,
    Text,
    TextClause,
    Update,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from models.columns import UTC_TIME, identity, one_of
from models.metadata import KEEPS, metadata

SOURCES = ("file", "adhoc")

sites = Table(
    "sites",
    metadata,
    identity(),
    Column("next_slot_at", UTC_TIME),
    Column("created_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("updated_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("name", Text, nullable=False, unique=True),
    Column("source", Text, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("definition", JSONB, nullable=False),
    CheckConstraint("length(name) BETWEEN 1 AND 200", name="name_length"),
    one_of("source", SOURCES, "source"),
    Index("ix_sites_due", "next_slot_at", postgresql_where=text("enabled AND next_slot_at IS NOT NULL")),
    info={KEEPS: "What owners are responsible for: the definition as applied, and whether it is enabled."},
)

site_masks = Table(
    "site_masks",
    metadata,
    Column("site_id", BigInteger, ForeignKey("sites.id"), primary_key=True),
    Column("header_name", Text, primary_key=True),
    Column("run_id", BigInteger, nullable=False),
    Column("created_at", UTC_TIME, nullable=False, server_default=text("now()")),
    Column("distinct_values", Integer, nullable=False),
    Column("responses", Integer, nullable=False),
    CheckConstraint("header_name = lower(header_name)", name="lower_case"),
    info={KEEPS: "Headers of a site that differ on nearly every response and are masked, since which run."},
)

site_snapshots = Table(
    "site_snapshots",
    metadata,
    Column("site_id", BigInteger, ForeignKey("sites.id"), primary_key=True),
    Column("snapshot_id", BigInteger, ForeignKey("snapshots.id"), primary_key=True),
    Column("first_run_id", BigInteger, ForeignKey("runs.id"), nullable=False),
    Column("last_run_id", BigInteger, ForeignKey("runs.id"), nullable=False),
    CheckConstraint("first_run_id <= last_run_id", name="order"),
    info={KEEPS: "Which snapshots a site ever showed, and in which run first."},
)


def get_site(name: str) -> Select[Any]:
    """The site of that name, or no row."""
    return select(sites).where(sites.c.name == name)


def list_sites() -> Select[Any]:
    """All sites, by name."""
    return select(sites).order_by(sites.c.name)


def lock_sites() -> Select[Any]:
    """All sites, locked in the order of their ids: planners pass over them, and a second apply waits."""
    return select(sites).order_by(sites.c.id).with_for_update(key_share=True)


def due_sites(now: datetime, limit: int) -> TextClause:
    """The sites whose slot has come, longest due first, locked for planning. Plan: ix_sites_due.

    The lock leaves the key alone, so that whoever inserts a run for such a site neither waits nor is waited for.
    """
    return text(
        """
        SELECT id, name, next_slot_at, definition
        FROM sites
        WHERE enabled AND next_slot_at <= :now
        ORDER BY next_slot_at
        LIMIT :limit
        FOR NO KEY UPDATE SKIP LOCKED
        """
    ).bindparams(now=now, limit=limit)


def set_next_slots(next_slots: Mapping[int, datetime | None]) -> TextClause:
    """Set when each of these sites (by id) is due next."""
    return text(
        """
        UPDATE sites SET next_slot_at = given.next_slot_at
        FROM unnest(CAST(:ids AS bigint[]), CAST(:slots AS timestamptz[])) AS given (id, next_slot_at)
        WHERE sites.id = given.id
        """
    ).bindparams(ids=list(next_slots), slots=list(next_slots.values()))


def upsert_file_sites(
    definitions: Sequence[Mapping[str, Any]], next_slots: Sequence[datetime | None]
) -> TextClause:
    """Make these sites what their files say; a site that was swept by its URL before becomes the file's."""
    return text(
        """
        INSERT INTO sites (name, source, enabled, definition, next_slot_at)
        SELECT definition ->> 'name', 'file', CAST(definition ->> 'enabled' AS boolean), definition, next_slot_at
        FROM (
            SELECT CAST(given.definition AS jsonb) AS definition, given.next_slot_at
            FROM unnest(CAST(:definitions AS text[]), CAST(:slots AS timestamptz[]))
                AS given (definition, next_slot_at)
        ) AS given
        ORDER BY definition ->> 'name'
        ON CONFLICT (name) DO UPDATE SET
            source = excluded.source, enabled = excluded.enabled, definition = excluded.definition,
            next_slot_at = excluded.next_slot_at, updated_at = now()
        """
    ).bindparams(definitions=[json.dumps(each) for each in definitions], slots=list(next_slots))


def upsert_adhoc_site(definition: Mapping[str, Any]) -> TextClause:
    """The id of the site made for a URL, with its latest definition; no row when a site file owns the name."""
    return text(
        """
        INSERT INTO sites (name, source, definition)
        VALUES (:name, 'adhoc', CAST(:definition AS jsonb))
        ON CONFLICT (name) DO UPDATE SET definition = excluded.definition, updated_at = now()
        WHERE sites.source = 'adhoc'
        RETURNING id
        """
    ).bindparams(name=definition["name"], definition=json.dumps(definition))


def set_enabled(site_id: int, next_slot_at: datetime | None, *, enabled: bool) -> Update:
    """Switch one site on, due at its next slot, or off, due never."""
    changes = {"enabled": enabled, "next_slot_at": next_slot_at, "updated_at": func.now()}
    return update(sites).where(sites.c.id == site_id).values(changes)


def disable_sites(ids: Sequence[int]) -> TextClause:
    """Switch off the sites whose files are gone; what is known about them stays."""
    return text(
        """
        UPDATE sites SET enabled = false, next_slot_at = NULL, updated_at = now()
        WHERE id = ANY(CAST(:ids AS bigint[]))
        """
    ).bindparams(ids=list(ids))


def masks() -> TextClause:
    """The header names that are masked for the sites :site_ids, and since which run. Plan: pk_site_masks."""
    return text("""
        SELECT site_id, header_name, run_id FROM site_masks WHERE site_id = ANY(CAST(:site_ids AS bigint[]))
    """)


def add_masks() -> TextClause:
    """Mask headers of a site from now on; known ones are left alone. Returns those that are new."""
    return text("""
        INSERT INTO site_masks (site_id, header_name, run_id, distinct_values, responses)
        SELECT x.* FROM unnest(CAST(:site_ids AS bigint[]), CAST(:names AS text[]), CAST(:run_ids AS bigint[]),
                               CAST(:distincts AS int[]), CAST(:responses AS int[]))
             AS x(site_id, header_name, run_id, distinct_values, responses)
        ORDER BY 1, 2
        ON CONFLICT (site_id, header_name) DO NOTHING
        RETURNING site_id, header_name, distinct_values, responses
    """)


def snapshots_of_site() -> TextClause:
    """Every snapshot that site :site_id ever showed, with its canonical text and bytes. Plan: pk_site_snapshots."""
    return text("""
        SELECT s.id, s.canonical, s.raw FROM site_snapshots x JOIN snapshots s ON s.id = x.snapshot_id
        WHERE x.site_id = :site_id
    """)


def keep_snapshots() -> TextClause:
    """Note that site :site_id showed the snapshots :snapshot_ids in run :run_id; returns which are new to it."""
    return text("""
        INSERT INTO site_snapshots (site_id, snapshot_id, first_run_id, last_run_id)
        SELECT :site_id, x.id, :run_id, :run_id FROM unnest(CAST(:snapshot_ids AS bigint[])) AS x(id)
        ORDER BY x.id
        ON CONFLICT (site_id, snapshot_id) DO UPDATE
        SET last_run_id = greatest(site_snapshots.last_run_id, excluded.last_run_id)
        RETURNING snapshot_id, first_run_id
    """)
