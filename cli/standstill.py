"""What an open run waits for, as plain values with a sentence each: for ``show``, and for commands that wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.render import words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection, Row

FRESH_SECONDS = 15.0
"""A worker that was seen within this time is at work."""

MOST_ORIGINS = 5
"""So many origins are named at most."""


@dataclass(frozen=True)
class Standstill:
    """One thing that a run waits for: its kind (a contract, docs/cli.md), until when if that is known, and in words."""

    kind: str
    said: str
    until: datetime | None = None


def of_run(connection: Connection, run_id: int) -> tuple[Standstill, ...]:
    """Everything that an open run waits for now; nothing where somebody can work on it."""
    return (
        *_paused(connection),
        *_resting(connection, run_id),
        *_origins(connection, run_id),
        *_nobody(connection, run_id),
    )


def paused(row: Row[Any]) -> str:
    """Who pressed the kill switch, and why."""
    why = f": {words.safe(row.reason)}" if row.reason else ""
    return f"paused by {words.safe(row.changed_by)}{why}; `headersweep unpause` lets it go on"


def rest(row: Row[Any]) -> Standstill:
    """Why nobody may work on a run of ``reports.resting``."""
    name = words.safe(row.site)
    if row.not_before is None:
        if row.behind is None:
            return Standstill("earlier_run", f"run {row.id} of {name} has its turn at the next tick")
        return Standstill("earlier_run", f"run {row.id} waits until run {row.behind} of {name} has ended")
    until = _instant(row.not_before)
    if row.site_window is None:
        return Standstill("splay", f"run {row.id} of {name} starts at {until}", row.not_before)
    said = f"run {row.id} of {name} waits until {until}: the site's window is {words.safe(row.site_window)}"
    return Standstill("window", said, row.not_before)


def _paused(connection: Connection) -> Iterator[Standstill]:
    from models import control

    row = connection.execute(control.switch_state()).one_or_none()
    if row is not None and row.paused:
        yield Standstill("paused", paused(row))


def _resting(connection: Connection, run_id: int) -> Iterator[Standstill]:
    from models import reports

    for row in connection.execute(reports.resting([run_id])):
        yield rest(row)


def _origins(connection: Connection, run_id: int) -> Iterator[Standstill]:
    from models import reports

    rows = connection.execute(reports.held_up(), {"run_id": run_id, "limit": MOST_ORIGINS + 1}).all()
    for row in rows[:MOST_ORIGINS]:
        yield _origin(row)
    if len(rows) > MOST_ORIGINS:
        yield Standstill("more", "and other origins")


def _origin(row: Row[Any]) -> Standstill:
    origin, until = words.safe(f"{row.scheme}://{row.host}:{row.port}"), _instant(row.until)
    said = {
        "origin": f"{origin} asked for rest until {until}",
        "lost_leases": f"{origin} lost {row.lost_leases} workers in a row; it is tried again at {until}",
        "retry": f"{origin} has pages that are tried again at {until}",
    }
    return Standstill(row.kind, said[row.kind], row.until)


def _nobody(connection: Connection, run_id: int) -> Iterator[Standstill]:
    from models import control
    from scheduler import owners

    beats = [beat for beat in connection.execute(control.list_heartbeats()) if beat.kind == "worker"]
    if not any(beat.age_seconds <= FRESH_SECONDS and not owners.leaving(beat.detail) for beat in beats):
        said = f"no worker was seen for {FRESH_SECONDS:.0f} s; `headersweep resume {run_id}` brings its own"
        yield Standstill("no_worker", said)


def _instant(moment: datetime) -> str:
    return words.instant(moment.replace(microsecond=0)) or ""
