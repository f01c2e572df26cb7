"""What the tests of planning share: sites that are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from headersweep.definition import SiteDefinition
from models import sites

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def definition(name: str = "docs", **values: Any) -> SiteDefinition:
    """A site that is swept every hour, unless its schedule is given."""
    values.setdefault("schedule", "0 * * * *")
    return SiteDefinition(name=name, start_urls=(f"https://{name}.example/",), **values)


def put(connection: Connection, wanted: SiteDefinition, due: datetime | None) -> int:
    """Keep a site as if from its file, due then; returns its id."""
    connection.execute(sites.upsert_file_sites([wanted.as_json()], [due]))
    return int(connection.execute(sites.get_site(wanted.name)).one().id)


def due_at(connection: Connection, name: str = "docs") -> datetime | None:
    """When a site is due next."""
    found: datetime | None = connection.execute(sites.get_site(name)).one().next_slot_at
    return found
