"""The catalogue of log events, for people, for scripts and for docs/events.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cli.render import json
from headersweep.events import Event

Catalogue = Mapping[str, Event]


def as_text(catalogue: Catalogue) -> str:
    """One paragraph an event."""
    return "\n\n".join("\n".join(_paragraph(event)) for event in catalogue.values())


def _paragraph(event: Event) -> Iterable[str]:
    yield f"{event.name}  ({event.level})"
    yield f"  {event.meaning}"
    if event.always:
        yield f"  always:    {', '.join(event.always)}"
    if event.optional:
        yield f"  sometimes: {', '.join(event.optional)}"
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
                "always": list(event.always),
                "optional": list(event.optional),
                "alert": event.alert or None,
            }
            for event in catalogue.values()
        ]
    )


def as_markdown(catalogue: Catalogue) -> str:
    """A table, as in docs/events.md."""
    rows = [
        f"| `{event.name}` | {event.level} | {_names(event.always)} | {_names(event.optional)} "
        f"| {_cell(event.meaning)} | {_cell(event.alert)} |"
        for event in catalogue.values()
    ]
    head = [
        "| event | level | always | sometimes | meaning | alert |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows])


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
