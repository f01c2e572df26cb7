"""The catalogue of log events, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cli.render import json, words
from headersweep.events import FIELDS, Event

Catalogue = Mapping[str, Event]


def as_text(catalogue: Catalogue, off: Mapping[str, str]) -> str:
    """One paragraph an event; ``off`` says by event who wants no alert, and why."""
    return "\n\n".join("\n".join(_paragraph(event, off.get(event.name, ""))) for event in catalogue.values())


def _paragraph(event: Event, off: str) -> Iterable[str]:
    yield f"{event.name}  ({event.level})"
    yield f"  {event.meaning}"
    if event.always:
        yield f"  always:    {', '.join(_names(event.always))}"
    if event.optional:
        yield f"  sometimes: {', '.join(_names(event.optional))}"
    if off:
        yield f"  alert:     switched off ({words.safe(off)})"
    elif event.alert:
        yield f"  alert:     {event.alert}"


def as_json(catalogue: Catalogue, off: Mapping[str, str]) -> str:
    """One object with every event."""
    return json.document(
        events=[
            {
                "event": event.name,
                "level": event.level,
                "meaning": event.meaning,
                "always": _names(event.always),
                "optional": _names(event.optional),
                "alert": event.alert or None,
                "alert_off": off.get(event.name),
            }
            for event in catalogue.values()
        ]
    )


def _names(names: Iterable[str]) -> list[str]:
    """The fields under the names that they have in the log."""
    return [FIELDS[name].output for name in names]
