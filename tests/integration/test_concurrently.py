"""Indexes that migrations build while others work: one that a cancelled build left is built again, never passed over."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from cli import health_database
from cli.care import indexes
from cli.health import Level
from models import concurrently, partitions
from models import engine as engines

NAME = "ix_pages_depth"
VALID = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
FILE = text("SELECT relfilenode FROM pg_class WHERE relname = :name")


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = engines.connect(database, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO sites (name, source, definition) VALUES ('a', 'file', '{}')"))
        rows = """INSERT INTO pages (site_id, depth, url_key, url)
                  SELECT 1, 1, decode(md5(i::text), 'hex'), 'http://a/' || i FROM generate_series(1, 1000) i"""
        connection.execute(text(rows))
    yield engine
    engine.dispose()


def build(engine: Engine, name: str = NAME, table: str = "pages", columns: str = "(depth)") -> None:
    """What a migration does."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with context.begin_transaction(_per_migration=True):
            concurrently.build(Operations(context), name, table, columns)


def cancelled_build(database: str, engine: Engine) -> None:
    """Cancel a concurrent build in its middle: a transaction that is older makes it wait there."""
    plain = make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)
    with engine.connect() as older, psycopg.connect(plain, autocommit=True) as builder:
        older.execute(text("SELECT count(*) FROM pages"))
        older.execute(text("LOCK TABLE pages IN ROW EXCLUSIVE MODE"))
        failure: list[BaseException] = []

        def run() -> None:
            try:
                builder.execute(f"CREATE INDEX CONCURRENTLY {NAME} ON pages (depth)".encode())
            except psycopg.errors.QueryCanceled as error:
                failure.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        _until(lambda: value(engine, VALID) is not None)
        builder.cancel()
        thread.join(20)
        assert failure, "the build was not cancelled"


def _until(condition: object, seconds: float = 20.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def value(engine: Engine, statement: object, name: str = NAME) -> object:
    with engine.connect() as connection:
        return connection.scalar(statement, {"name": name})  # type: ignore[call-overload] # one of the texts above


def test_what_a_cancelled_build_left_is_found_and_built_again(database: str, engine: Engine) -> None:
    cancelled_build(database, engine)
    assert value(engine, VALID) is False
    found = indexes.examine(engine)
    assert [(verdict.kind, verdict.name) for verdict in found.verdicts if verdict.kind == "invalid"] == [
        ("invalid", NAME)
    ]
    checks = {check.name: check for check in health_database.examine(engine)}
    assert checks["invalid indexes"].level is Level.WARN
    assert f"REINDEX INDEX CONCURRENTLY {NAME}" in checks["invalid indexes"].todo
    build(engine)
    assert value(engine, VALID) is True
    assert not [verdict for verdict in indexes.examine(engine).verdicts if verdict.kind == "invalid"]
    assert {check.name: check for check in health_database.examine(engine)}[
        "invalid indexes"
    ].level is Level.OK


def test_if_not_exists_would_have_passed_over_it(database: str, engine: Engine) -> None:
    """Why the helper looks at pg_index instead of trusting the statement."""
    cancelled_build(database, engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {NAME} ON pages (depth)"))
    assert value(engine, VALID) is False


def test_a_whole_index_is_left_alone_and_another_one_under_its_name_is_not(engine: Engine) -> None:
    build(engine)
    first = value(engine, FILE)
    build(engine)
    assert value(engine, FILE) == first
    build(engine, columns="(depth, site_id) WHERE depth > 1")
    second = value(engine, FILE)
    assert second != first
    build(engine, columns="(depth, site_id) WHERE depth > 1")
    assert value(engine, FILE) == second


def test_a_partitioned_table_gets_its_index_part_by_part(engine: Engine) -> None:
    with engine.begin() as connection:
        for run_id in (1, 1000):
            partitions.ensure(connection, run_id)
    build(engine, "ix_visits_snapshot", "visits", "(snapshot_id)")
    assert value(engine, VALID, "ix_visits_snapshot") is True
    with engine.begin() as connection:
        partitions.ensure(connection, 2000)  # made later, it has its part by itself
        assert parts(connection) == 3
    assert value(engine, VALID, "ix_visits_snapshot") is True
    build(engine, "ix_visits_snapshot", "visits", "(snapshot_id)")
    with engine.connect() as connection:
        assert parts(connection) == 3


def parts(connection: Connection) -> int:
    asked = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'ix_visits_snapshot'::regclass"
    return int(connection.execute(text(asked)).scalar_one())


def test_the_limits_of_the_session_are_as_before_afterwards(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '1234ms'"))
        connection.commit()
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with context.begin_transaction(_per_migration=True):
            concurrently.build(Operations(context), NAME, "pages", "(depth)")
        assert connection.scalar(text("SHOW lock_timeout")) == "1234ms"
