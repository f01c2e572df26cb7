"""What a worker does while Postgres does not answer: it stops fetching, and does not wait for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from headersweep.states import RunState
from models import engine as engines
from tests.integration import _web
from tests.integration._lab import Lab, definition
from tests.integration._web import Web, page

COMMIT_PAGES = 10
CONCURRENCY = 4
LOOK_SECONDS = 0.05
STILL_SECONDS = 1.0


@pytest.fixture
def engine(lab_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(engines, "ANSWER_SECONDS", 0.5)
    engine = engines.connect(lab_database, pool_size=1)
    yield engine
    engine.dispose()


def until(condition: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(LOOK_SECONDS)


def still(value: Callable[[], int]) -> int:
    """A value once it has not changed for a while."""
    seen, since = value(), time.monotonic()
    while time.monotonic() - since < STILL_SECONDS:
        time.sleep(LOOK_SECONDS)
        if (now := value()) != seen:
            seen, since = now, time.monotonic()
    return seen


def test_an_answer_that_does_not_come_closes_the_connection(engine: Engine) -> None:
    with engine.connect() as connection:
        engines.insist(connection, 0.1)
        with pytest.raises(DBAPIError, match="no answer within") as raised:
            connection.execute(text("SELECT pg_sleep(5)"))
    assert raised.value.connection_invalidated
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_whoever_does_not_insist_may_wait(engine: Engine) -> None:
    with engine.connect() as connection:
        engines.insist(connection, 0.1)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1 FROM pg_sleep(1.5)")).scalar_one() == 1


def test_no_more_pages_are_fetched_than_one_commit_holds_while_commits_do_not_come_through(
    lab: Lab, web: Web
) -> None:
    links = [f"/p{number}" for number in range(200)]
    web.pages(home=page(*links), **{link[1:]: page(delay=0.02) for link in links})
    run_id = lab.plan(definition(web.start, concurrency=CONCURRENCY, sitemaps=False))
    runtime = lab.runtime(commit_pages=COMMIT_PAGES, commit_seconds=0.5)
    worker = threading.Thread(target=lab.work, args=(run_id, runtime))
    worker.start()
    until(lambda: lab.value("SELECT count(*) FROM visits") > COMMIT_PAGES)
    with lab.engine.begin() as connection:
        connection.execute(text("SELECT id FROM runs FOR UPDATE"))
        known = connection.execute(text("SELECT count(*) FROM visits")).scalar_one()
        asked = still(lambda: _web_pages(web))
    worker.join()
    assert asked < len(links)
    assert asked - known <= COMMIT_PAGES + CONCURRENCY
    assert lab.run(run_id).state == RunState.FINISHED
    assert _web_pages(web) == len(links) + 1


def _web_pages(web: _web.Web) -> int:
    return sum(count for target, count in web.hits.items() if target != "/robots.txt")
