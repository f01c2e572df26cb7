"""What a site's schedule comes to: its next slots, when their runs start, and what daylight saving does to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from headersweep import durations, slots, windows, zones
from headersweep.definition import SiteDefinition
from headersweep.errors import ConfigurationError
from headersweep.slots import Oddity


@dataclass(frozen=True)
class Upcoming:
    """A slot, on the clock of its site too, when its run starts, and what is odd about it."""

    slot: datetime
    local: datetime
    start: datetime
    oddity: Oddity | None


@dataclass(frozen=True)
class Schedule:
    """The next slots of a site, or why there are none."""

    definition: SiteDefinition
    offset: timedelta
    slots: tuple[Upcoming, ...] = ()
    why_none: str | None = None


def now() -> datetime:
    """The clock of this machine: nothing depends on what is shown here."""
    return datetime.now(UTC)


def is_scheduled(row: Any) -> bool:
    """Whether a site of the database gets runs by itself."""
    return bool(row.enabled and row.definition.get("schedule"))


def of(row: Any, after: datetime, count: int) -> Schedule:
    """The next slots of a site of the database."""
    try:
        definition = SiteDefinition.from_json(row.definition)
        offset = slots.splay_offset(definition.name, durations.parse(definition.splay or "0s"))
        if why := _why_none(definition, is_enabled=row.enabled):
            return Schedule(definition, offset, why_none=why)
        return Schedule(definition, offset, tuple(_next(definition, offset, after, count)))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"the definition of {row.name} cannot be read: {error}") from error


def _why_none(definition: SiteDefinition, *, is_enabled: bool) -> str | None:
    if not is_enabled:
        return f"disabled; `headersweep sites enable {definition.name}` changes that"
    if definition.schedule is None:
        return "no schedule; it is swept only on request"
    return None


def _next(definition: SiteDefinition, offset: timedelta, after: datetime, count: int) -> list[Upcoming]:
    found: list[Upcoming] = []
    schedule = definition.schedule or ""
    slot = slots.next_slot(schedule, definition.timezone, after)
    while slot is not None and len(found) < count:
        opening = windows.opening(definition.window, definition.timezone, slot + offset, offset)
        local = slot.astimezone(zones.get(definition.timezone))
        odd = slots.oddity(schedule, definition.timezone, slot)
        found.append(Upcoming(slot, local, opening.start, odd))
        slot = slots.next_slot(schedule, definition.timezone, slot)
    return found
