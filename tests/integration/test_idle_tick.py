"""A tick that has nothing to do costs one statement, and never takes anything that is due for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from scheduler import tick
from tests.integration._lab import Lab, definition

DUE = {
    "an open run": (
        "INSERT INTO runs (site_id, slot, requested_by, definition) SELECT id, now(), 'test', '{}' FROM sites"
    ),
    "a slot that has come": "UPDATE sites SET next_slot_at = now() - interval '1 second'",
    "an event that was promised": "INSERT INTO outbox (event_id, event, payload) VALUES ('e', 'run.finished', '{}')",
    "a minute without a whole tick": "UPDATE heartbeats SET seen_at = now() - interval '61 seconds' WHERE name = 'tick'",
}
NOT_DUE = {
    "a slot to come": "UPDATE sites SET next_slot_at = now() + interval '1 minute'",
    "a slot of a site that is switched off": "UPDATE sites SET next_slot_at = now() - interval '1 second', enabled = false",
    "an event that was written": (
        "INSERT INTO outbox (event_id, event, payload, emitted_at) VALUES ('e', 'run.finished', '{}', now())"
    ),
}


@contextmanager
def counted(lab: Lab) -> Iterator[list[str]]:
    """The statements of the block."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(lab.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(lab.engine, "before_cursor_execute", note)


@pytest.fixture
def idle(lab: Lab) -> Lab:
    """A lab with one site that has run to its end, and a whole tick behind it."""
    lab.plan(definition("http://a.example/"))
    lab.execute(
        "UPDATE runs SET state = 'cancelled', finished_at = now(), digest = sha256(''), discovered = 1, stored = 0, failed = 0,"
        " robots_denied = 0, robots_unreachable = 0, out_of_scope = 0, trapped = 0, skipped_limit = 0, unvisited = 1"
    )
    tick.tick(lab.engine)
    assert not tick.is_anything_due(lab.engine)
    return lab


def test_a_tick_without_work_costs_one_statement(idle: Lab) -> None:
    with counted(idle) as statements:
        assert tick.tick(idle.engine, retention_days=90) == tick.TickResult()
        assert tick.plan(idle.engine) == []
    assert len(statements) == 2, "one each"


@pytest.mark.parametrize("what", DUE)
def test_what_is_due_is_seen_at_the_first_look(idle: Lab, what: str) -> None:
    idle.execute(DUE[what])
    assert tick.is_anything_due(idle.engine)


@pytest.mark.parametrize("what", NOT_DUE)
def test_what_is_not_due_is_not_looked_at_further(idle: Lab, what: str) -> None:
    idle.execute(NOT_DUE[what])
    assert not tick.is_anything_due(idle.engine)


def test_a_tick_that_fails_has_not_had_its_turn(idle: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    idle.execute(DUE["a minute without a whole tick"])

    def fail(*_arguments: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("models.partitions.ensure", fail)
    with pytest.raises(RuntimeError):
        tick.tick(idle.engine)
    assert tick.is_anything_due(idle.engine)
