"""The heartbeat of a worker: there while it is at work, gone when it ended in good order."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from headersweep.settings import Settings
from models import control
from worker.runtime import Runtime


def names(database_url: str) -> list[str]:
    engine = create_engine(make_url(database_url).set(drivername="postgresql+psycopg"))
    try:
        with engine.connect() as connection:
            rows = connection.execute(control.list_heartbeats())
            return [row.name for row in rows if row.kind == "worker"]
    finally:
        engine.dispose()


def wait_for(condition: Callable[[], bool]) -> bool:
    ends_at = time.monotonic() + 10
    while not condition() and time.monotonic() < ends_at:
        time.sleep(0.05)
    return condition()


def test_a_worker_that_ends_in_good_order_takes_its_heartbeat_away(database: str, broker_url: str) -> None:
    runtime = Runtime(Settings(database_url=database, broker_url=broker_url))
    runtime.node = "w1@test"
    runtime.start_timer()
    try:
        assert wait_for(lambda: names(database) == ["w1@test"])
    finally:
        runtime.stop()
        runtime.finish()
        runtime.close()
    assert names(database) == []
