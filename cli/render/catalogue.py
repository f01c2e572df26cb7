"""The catalogue of log events, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cli.render import json
from headersweep.events import FIELDS, Event

Catalogue = Mapping[str, Event]


def as_text(catalogue: Catalogue) -> str:
    """One paragraph an event."""
    return "\n\n".join("\n".join(_paragraph(event)) for event in catalogue.values())


def _paragraph(event: Event) -> Iterable[str]:
    yield f"{event.name}  ({event.level})"
    yield f"  {event.meaning}"
    if event.always:
        yield f"  always:    {', '.join(_names(event.always))}"
    if event.optional:
        yield f"  sometimes: {', '.join(_names(event.optional))}"
    if event.alert:
        yield f"  alert:     {event.alert}"


def as_json(catalogue: Catalogue) -> str:
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
            }
            for event in catalogue.values()
        ]
    )


def _names(names: Iterable[str]) -> list[str]:
    """The fields under the names that they have in the log."""
    return [FIELDS[name].output for name in names]
