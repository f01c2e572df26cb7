"""Partitions are made by whoever needs them first, whoever else is about to."""

from __future__ import annotations

import threading

from sqlalchemy import Connection, Engine, text

from models import engine, partitions

FAR_RUN = 77 * partitions.RUNS_PER_PARTITION


def _ensure(pool: Engine) -> None:
    with pool.begin() as connection:
        partitions.ensure(connection, FAR_RUN)


def test_two_who_need_the_same_partition_at_once_both_get_it(database: str) -> None:
    pool = engine.connect(database, pool_size=2)
    try:
        with pool.begin() as first:
            partitions.ensure(first, FAR_RUN)
            second = threading.Thread(target=_ensure, args=(pool,), daemon=True)
            second.start()
            _until_somebody_waits(first)
        second.join(10.0)
        with pool.begin() as connection:
            count = text("SELECT count(*) FROM pg_inherits WHERE inhrelid::regclass::text LIKE '%_r77000'")
            assert connection.execute(count).scalar() == 2
            partitions.ensure(connection, FAR_RUN)
    finally:
        pool.dispose()
    # An error in a thread is a warning, and warnings are errors.
    assert not second.is_alive()


def _until_somebody_waits(connection: Connection) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    for _ in range(1000):
        if connection.execute(waiting).scalar():
            return
        threading.Event().wait(0.01)
    raise AssertionError("the second never came to the lock")
