"""Sites and their changes: rows in, text or JSON out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cli.render import words
from cli.upcoming import Schedule
from headersweep import durations, sitediff, sitekeys
from headersweep.sitediff import ChangeKind, Difference, SiteChange
from headersweep.slots import Oddity

SCHEMA_VERSION = 1
MARKS = {ChangeKind.ADDED: "+", ChangeKind.CHANGED: "~", ChangeKind.DISABLED: "-"}
REMARKS = {
    ChangeKind.ADDED: "new",
    ChangeKind.CHANGED: "changed",
    ChangeKind.DISABLED: "its file is gone: disabled, its history stays",
}
HEADS = ["SITE", "ENABLED", "SCHEDULE", "TIME ZONE", "NEXT SLOT", "SOURCE", "OWNER"]
OWNER_WIDTH = 40
SLOT_HEADS = ["SLOT", "UTC", "STARTS", "DAYLIGHT SAVING"]
SLOT_NOTES = {
    Oddity.MOVED: "moved: its time does not exist on that day",
    Oddity.FIRST: "its time happens twice: the first",
    Oddity.SECOND: "its time happens twice: the second",
}


def changes_text(changes: Sequence[SiteChange], counts: Mapping[str, int], *, applied: bool) -> str:
    """Every site that changes and how, then what it comes to."""
    lines: list[str] = []
    for change in changes:
        if change.kind is not ChangeKind.UNCHANGED:
            lines.append(f"{MARKS[change.kind]} {change.name}: {REMARKS[change.kind]}")
        if change.kind is ChangeKind.CHANGED:
            lines += [f"    {_difference(difference)}" for difference in change.differences]
    lines.append(", ".join(f"{number:,} {kind}" for kind, number in counts.items()))
    if not applied and any(change.kind is not ChangeKind.UNCHANGED for change in changes):
        lines.append("Nothing was changed; `headersweep sites apply` does it.")
    return "\n".join(lines)


def changes_json(changes: Sequence[SiteChange], counts: Mapping[str, int], *, applied: bool) -> str:
    """The same for scripts."""
    sites = [
        {
            "site": change.name,
            "change": str(change.kind),
            "differences": [
                {"key": each.key, "old": each.old, "new": each.new} for each in change.differences
            ],
        }
        for change in changes
    ]
    return _document(applied=applied, counts=dict(counts), sites=sites)


def list_text(rows: Sequence[Any]) -> str:
    """One line a site."""
    if not rows:
        return "no sites yet: `headersweep sites apply` reads the site files"
    return "\n".join(words.table(HEADS, [_columns(row) for row in rows]))


def list_json(rows: Sequence[Any]) -> str:
    """All sites with their definitions."""
    return _document(sites=[_site(row) for row in rows])


def site_text(row: Any) -> str:
    """Everything known about one site."""
    facts = {**_site(row), **_flat(row.definition)}
    # What the file says of `enabled` is shown only where the switch was turned since.
    facts["enabled"] = row.enabled
    del facts["definition"], facts["name"]
    width = max(map(len, facts))
    return "\n".join(f"{name.ljust(width)}  {_plain(value)}" for name, value in facts.items())


def site_json(row: Any) -> str:
    """The same for scripts."""
    return _document(site=_site(row))


def next_text(found: Sequence[Schedule]) -> str:
    """The next slots of each site, in its own clock and in UTC."""
    if not found:
        return "no enabled site has a schedule"
    blocks = [_schedule_lines(schedule) for schedule in found]
    return "\n\n".join("\n".join(lines) for lines in blocks)


def next_json(found: Sequence[Schedule]) -> str:
    """The same for scripts."""
    return _document(sites=[_schedule(each) for each in found])


def _schedule_lines(schedule: Schedule) -> list[str]:
    definition = schedule.definition
    if not schedule.slots:
        return [f"{definition.name}: {schedule.why_none}"]
    facts = [f"{definition.schedule!r} in {definition.timezone}"]
    if schedule.offset:
        facts.append(f"starts {durations.shown(schedule.offset)} after each slot (splay {definition.splay})")
    if definition.window:
        facts.append(f"only from {definition.window.replace('-', ' to ')}")
    rows = [
        [
            slot.local.isoformat(sep=" ", timespec="minutes"),
            words.instant(slot.slot) or "",
            slot.start.astimezone(slot.local.tzinfo).isoformat(sep=" ", timespec="seconds"),
            SLOT_NOTES[slot.oddity] if slot.oddity else "",
        ]
        for slot in schedule.slots
    ]
    return [f"{definition.name}: {', '.join(facts)}", *words.table(SLOT_HEADS, rows)]


def _schedule(schedule: Schedule) -> dict[str, Any]:
    definition = schedule.definition
    return {
        "site": definition.name,
        "schedule": definition.schedule,
        "timezone": definition.timezone,
        "splay_seconds": int(schedule.offset.total_seconds()),
        "window": definition.window,
        "why_none": schedule.why_none,
        "slots": [
            {
                "slot": words.instant(slot.slot),
                "local": slot.local.isoformat(),
                "starts_at": words.instant(slot.start),
                "daylight_saving": str(slot.oddity) if slot.oddity else None,
            }
            for slot in schedule.slots
        ],
    }


def _document(**content: Any) -> str:
    return json.dumps({"schema_version": SCHEMA_VERSION, **content}, ensure_ascii=False, indent=2)


def _site(row: Any) -> dict[str, Any]:
    return {
        "site": row.name,
        "enabled": row.enabled,
        "source": row.source,
        "next_slot": words.instant(row.next_slot_at),
        "created_at": words.instant(row.created_at),
        "updated_at": words.instant(row.updated_at),
        "definition": row.definition,
    }


def _columns(row: Any) -> list[str]:
    definition = row.definition
    return [
        row.name,
        "yes" if row.enabled else "no",
        definition.get("schedule") or "-",
        definition.get("timezone") or "-",
        words.instant(row.next_slot_at) or "-",
        row.source,
        words.cut(words.safe(definition.get("owner") or "-"), OWNER_WIDTH),
    ]


def _difference(difference: Difference) -> str:
    return f"{difference.key}: {_shown(difference.old)} -> {_shown(difference.new)}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(words.safe(str(item)) for item in value)
    return " ".join(words.safe(line) for line in str(value).splitlines())


def _flat(definition: Mapping[str, Any]) -> dict[str, Any]:
    # The order of the documentation; JSONB keeps none.
    order = {key.path: number for number, key in enumerate(sitekeys.KEYS)}
    flat = sitediff.flat(definition)
    return dict(sorted(flat.items(), key=lambda item: order.get(item[0], len(order))))
