"""The next slots of a site, as ``sites next`` shows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from cli import upcoming
from cli.render import sites as render
from headersweep.definition import SiteDefinition
from headersweep.errors import ConfigurationError


@dataclass
class Row:
    """A row of ``sites``."""

    definition: dict[str, Any]
    name: str = "docs"
    enabled: bool = True


def row(**values: Any) -> Row:
    values = {"schedule": "30 2 * * *", "timezone": "Europe/Berlin", **values}
    return Row(SiteDefinition(name="docs", start_urls=("https://docs.example/",), **values).as_json())


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_both_nights_of_daylight_saving_are_marked() -> None:
    spring = render.next_text([upcoming.of(row(), utc("2026-03-28T12:00"), 2)])
    assert spring.splitlines() == [
        "docs: '30 2 * * *' in Europe/Berlin",
        "SLOT                    UTC                   STARTS                     DAYLIGHT SAVING",
        "2026-03-29 03:00+02:00  2026-03-29T01:00:00Z  2026-03-29 03:00:00+02:00  moved: its time does not exist on that day",
        "2026-03-30 02:30+02:00  2026-03-30T00:30:00Z  2026-03-30 02:30:00+02:00",
    ]
    autumn = json.loads(render.next_json([upcoming.of(row(), utc("2026-10-24T12:00"), 2)]))
    assert [slot["daylight_saving"] for slot in autumn["sites"][0]["slots"]] == ["first", None]


def test_a_slot_outside_of_the_window_starts_when_that_opens() -> None:
    found = upcoming.of(row(schedule="0 12 * * *", window="01:00-05:00"), utc("2026-07-01T00:00"), 1)
    assert found.slots[0].slot == utc("2026-07-01T10:00")
    assert found.slots[0].start == utc("2026-07-01T23:00")
    assert "only from 01:00 to 05:00" in render.next_text([found])


def test_a_definition_that_cannot_be_read_is_a_clear_error() -> None:
    broken = row()
    broken.definition["key_of_a_newer_program"] = 1
    with pytest.raises(ConfigurationError, match="the definition of docs cannot be read"):
        upcoming.of(broken, utc("2026-07-01T00:00"), 1)
