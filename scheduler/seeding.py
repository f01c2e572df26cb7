"""Seeding: what a run begins with, written in the transaction that creates it."""

from __future__ import annotations

from sqlalchemy import Connection

from headersweep.definition import SiteDefinition


def seed(connection: Connection, run_id: int, site_id: int, definition: SiteDefinition) -> None:
    """Give a new run its shards, its start URLs and its sitemap jobs."""
