"""Applying site files: the database's sites become what the files say, in one transaction or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from headersweep import logs, sitediff
from headersweep.definition import SiteDefinition
from headersweep.sitediff import ChangeKind, KnownSite, SiteChange
from models import sites
from scheduler import planning

log = logs.get_logger()


def plan(connection: Connection, wanted: Sequence[SiteDefinition]) -> list[SiteChange]:
    """What ``apply`` would do now; changes nothing."""
    return sitediff.compare(wanted, _known(connection.execute(sites.list_sites())))


def apply(
    connection: Connection, wanted: Sequence[SiteDefinition], now: datetime | None = None
) -> list[SiteChange]:
    """Make the sites what the files say; sites whose files are gone are disabled, none is ever deleted.

    ``now`` is the database's clock unless given. The caller commits and then calls ``log_applied``.
    """
    rows = {row.name: row for row in connection.execute(sites.lock_sites())}
    changes = sitediff.compare(wanted, _known(rows.values()))
    moment = now or connection.execute(select(func.clock_timestamp())).scalar_one()
    _put(connection, changes, {definition.name: definition for definition in wanted}, rows, moment)
    gone = [rows[change.name].id for change in changes if change.kind is ChangeKind.DISABLED]
    if gone:
        connection.execute(sites.disable_sites(gone))
    return changes


def set_enabled(connection: Connection, row: Row[Any], *, enabled: bool, now: datetime | None = None) -> None:
    """Switch one site on or off by hand, until the next apply. Slots that passed meanwhile are not caught up."""
    moment = now or connection.execute(select(func.clock_timestamp())).scalar_one()
    definition = SiteDefinition.from_json({**row.definition, "enabled": enabled})
    upcoming = planning.next_slot_of(definition, moment)
    connection.execute(sites.set_enabled(row.id, upcoming, enabled=enabled))


def counts(changes: Iterable[SiteChange]) -> dict[str, int]:
    """How many sites each kind of change concerns."""
    counted = Counter(change.kind for change in changes)
    return {str(kind): counted[kind] for kind in ChangeKind}


def log_applied(changes: Iterable[SiteChange]) -> None:
    """Say what was applied; call it after the commit."""
    counted = counts(changes)
    log.info(
        "sites.applied",
        sites=sum(counted.values()) - counted[ChangeKind.UNCHANGED],
        added=counted[ChangeKind.ADDED],
        changed=counted[ChangeKind.CHANGED],
        disabled=counted[ChangeKind.DISABLED],
        unchanged=counted[ChangeKind.UNCHANGED],
    )


def log_switched(site_name: str, *, enabled: bool, requested_by: str) -> None:
    """Say who switched a site on or off; call it after the commit."""
    if enabled:
        log.info("site.enabled", site_name=site_name, requested_by=requested_by)
    else:
        log.info("site.disabled", site_name=site_name, requested_by=requested_by)


def _known(rows: Iterable[Row[Any]]) -> list[KnownSite]:
    return [KnownSite(row.name, row.source, row.enabled, row.definition) for row in rows]


def _put(
    connection: Connection,
    changes: Iterable[SiteChange],
    wanted: dict[str, SiteDefinition],
    rows: dict[str, Row[Any]],
    now: datetime,
) -> None:
    touched = [change for change in changes if change.kind in {ChangeKind.ADDED, ChangeKind.CHANGED}]
    if touched:
        definitions = [wanted[change.name] for change in touched]
        next_slots = [
            _next_slot(change, definition, rows.get(change.name), now)
            for change, definition in zip(touched, definitions, strict=True)
        ]
        connection.execute(
            sites.upsert_file_sites([definition.as_json() for definition in definitions], next_slots)
        )


def _next_slot(
    change: SiteChange, definition: SiteDefinition, row: Row[Any] | None, now: datetime
) -> datetime | None:
    """A site keeps the slot it waits for, which may have come already, unless its schedule is another now."""
    if row is None or change.touches("schedule", "timezone", "enabled", "source"):
        return planning.next_slot_of(definition, now)
    kept: datetime | None = row.next_slot_at
    return kept
