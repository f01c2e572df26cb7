"""The beat schedule as data."""

from __future__ import annotations

from scheduler import beat


def test_beat_ticks_for_planning_and_rescue_with_hints_that_die_after_two_ticks() -> None:
    schedule = beat.schedule(5.0)
    assert {entry["task"] for entry in schedule.values()} == {"sweep.plan", "sweep.rescue"}
    for entry in schedule.values():
        assert entry["schedule"] == 5.0
        assert entry["options"] == {"expires": 10.0, "ignore_result": True}
