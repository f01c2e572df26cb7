from __future__ import annotations

import re
from pathlib import Path

import pytest

from headersweep import events

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_about_events_is_the_catalogue() -> None:
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")

    assert page == events.as_markdown(), "write events.as_markdown() to docs/events.md"


@pytest.mark.parametrize("event", events.CATALOGUE.values(), ids=lambda event: event.name)
def test_an_event_is_named_noun_dot_verb_and_carries_known_fields(event: events.Event) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)*", event.name), event.name
    assert event.meaning.endswith(".")
    assert not set(event.always) & set(event.optional)
    assert {*event.always, *event.optional} <= set(events.FIELDS)


def test_no_event_and_no_field_stands_in_its_table_twice() -> None:
    assert len(events.CATALOGUE) == len(events._EVENTS)
    assert len(events.FIELDS) == len(events._FIELDS)
    assert len({row.output for row in events.FIELDS.values()}) == len(events.FIELDS)


def test_every_field_is_used_by_an_event() -> None:
    used = {name for event in events.CATALOGUE.values() for name in (*event.always, *event.optional)}

    assert set(events.FIELDS) == used | set(events.CONTEXT_FIELDS)


def test_whatever_calls_a_person_says_when() -> None:
    loud = [event for event in events.CATALOGUE.values() if event.level in {"warning", "error"}]

    assert loud
    assert [event.name for event in loud if not event.alert] == []


def test_stored_fields_become_keywords_only_when_the_catalogue_allows_them() -> None:
    fields = {"run_id": 7, "header_name": "x-pod", "values": 51, "responses": 60}

    assert events.checked("header.masked", fields) == fields
    assert events.checked("header.masked", {**fields, "task_id": "t"})["task_id"] == "t"
    with pytest.raises(ValueError, match=r"missing \['values'\]"):
        events.checked("header.masked", {key: value for key, value in fields.items() if key != "values"})
    with pytest.raises(ValueError, match=r"not in the catalogue \['header_value'\]"):
        events.checked("header.masked", {**fields, "header_value": "secret"})
