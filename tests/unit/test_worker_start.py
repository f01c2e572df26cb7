"""How a worker or a beat begins: with a database that answers and has our schema, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from celery import signals
from sqlalchemy.exc import OperationalError

from headersweep.errors import WrongRevisionError
from headersweep.settings import Settings
from models import migrate

SETTINGS = Settings(database_url="postgresql://u:secret@h/d", broker_url="redis://:secret@h:6379/0")
AWAY = OperationalError("SELECT 1", {}, psycopg.OperationalError("connection refused"))


@pytest.fixture(scope="module")
def celery() -> Iterator[Any]:
    """The app, imported in an environment of its own: it reads its settings on import."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADERSWEEP_DATABASE_URL", SETTINGS.database_url)
        patch.setenv("HEADERSWEEP_BROKER_URL", SETTINGS.broker_url)
        from worker import celery

        yield celery


@pytest.fixture
def answers(celery: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[Exception]], None]]:
    """Let the database answer the look at its revision with these errors, one after the other, then well."""
    left: list[Exception] = []

    def check(_url: str) -> None:
        if left:
            raise left.pop(0)

    monkeypatch.setattr(migrate, "check_head", check)
    monkeypatch.setattr(celery, "settings", lambda: SETTINGS)
    monkeypatch.setattr(celery, "RETRY_SECONDS", 0.0)
    yield left.extend
    assert not left


def test_a_database_that_is_away_is_waited_for(
    celery: Any, answers: Callable[[list[Exception]], None]
) -> None:
    answers([AWAY, AWAY])
    celery._wait_for_database()


def test_a_database_of_another_revision_ends_the_process_although_celery_swallows_errors(
    celery: Any,
    answers: Callable[[list[Exception]], None],
) -> None:
    answers([WrongRevisionError("the database is at revision 1, this program needs 2")])
    with pytest.raises(SystemExit, match="this program needs 2"):
        signals.worker_init.send(sender=None)


def test_whoever_lost_the_supervisor_does_not_wait(
    celery: Any, answers: Callable[[list[Exception]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers([AWAY])
    monkeypatch.setattr(celery, "_is_orphan", lambda _pid: True)
    with pytest.raises(SystemExit, match="supervisor is gone"):
        celery._wait_for_database()
