"""A command whose runs are over writes what a worker promised to log and died before it wrote it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from cli import waiting
from headersweep.settings import Settings
from headersweep.states import RunState
from scheduler import tick

DATABASE: Any = SimpleNamespace(engine=object(), settings=Settings())


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    engines: list[object] = []
    monkeypatch.setattr(tick, "emit", lambda engine, _ping_url: engines.append(engine))
    return engines


def raising(error: DBAPIError) -> Any:
    def emit(*_arguments: object) -> None:
        raise error

    return emit


def test_a_run_that_is_over_already_is_told_of_if_nobody_did(
    monkeypatch: pytest.MonkeyPatch, emitted: list[object]
) -> None:
    over = [SimpleNamespace(state=RunState.FINISHED)]
    monkeypatch.setattr(waiting, "_standing", lambda _database, _run_ids: over)
    monkeypatch.setattr(waiting, "_probes_left", lambda _database, _run_ids: 0)
    waiting.until_final(DATABASE, [1], workers=1)
    assert emitted == [DATABASE.engine]


def test_a_database_that_went_away_changes_nothing_about_a_run_that_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = OperationalError("SELECT", {}, psycopg.OperationalError("gone"), connection_invalidated=True)
    monkeypatch.setattr(tick, "emit", raising(gone))
    waiting.say_what_is_promised(DATABASE)


def test_a_defect_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = ProgrammingError("SELECT", {}, psycopg.ProgrammingError("wrong"))
    monkeypatch.setattr(tick, "emit", raising(wrong))
    with pytest.raises(ProgrammingError):
        waiting.say_what_is_promised(DATABASE)
