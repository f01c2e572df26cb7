"""Indexes built while others work, for migrations: each is looked at afterwards, and built again where it is not whole.

A build that was broken off leaves an index that is there and not used; ``IF NOT EXISTS`` would pass over it for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, TextClause, text

from headersweep.errors import UnavailableError

LOCK_TIMEOUT_MS = 120_000
"""A build waits for whoever has the table now, autovacuum among them, and nobody queues behind it."""

STATEMENT_TIMEOUT_MS = 6 * 3_600_000
TRIES = 3


def state() -> TextClause:
    """Whether the index :name is there, is used, and what it is; no row where it is not there."""
    return text("""
        SELECT x.indisvalid AND x.indisready AS is_valid, c.relkind = 'p' AS is_partitioned,
               pg_get_indexdef(x.indexrelid) AS definition
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
        WHERE i.relname = :name AND i.relnamespace = current_schema()::regnamespace
    """)


def partitions_without() -> TextClause:
    """The partitions of :table that have no part of the index :name yet."""
    return text("""
        SELECT c.relname AS name FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
        WHERE h.inhparent = CAST(:table AS regclass)
          AND NOT EXISTS (SELECT FROM pg_index x JOIN pg_inherits p ON p.inhrelid = x.indexrelid
                          WHERE x.indrelid = c.oid AND p.inhparent = to_regclass(:name))
        ORDER BY 1
    """)


def kind_of() -> TextClause:
    """The kind of the relation :table."""
    return text("SELECT relkind FROM pg_class WHERE oid = CAST(:table AS regclass)")


def build(op: Any, name: str, table: str, columns: str, *, unique: bool = False) -> None:
    """Build an index on a table that others use, partitioned or not; ``columns`` is what stands behind the table's name.

    Valid and of that definition already: left alone. Invalid, or another one under that name: dropped and built again.
    Whatever is broken off, the next upgrade ends with the whole index. SQL printed for applying by hand has the one
    statement, which Postgres refuses on a partitioned table: there is nobody who could look at its parts.
    """
    ctx = op.get_context()
    with ctx.autocommit_block():
        if ctx.as_sql:
            op.execute(_create(name, table, columns, unique=unique, how="CONCURRENTLY"))
            return
        connection = op.get_bind()
        with _patient(connection):
            if connection.scalar(kind_of(), {"table": table}) in {"p", b"p"}:
                _build_partitioned(connection, name, table, columns, unique=unique)
            else:
                _build(connection, name, table, columns, unique=unique)


def drop(op: Any, name: str) -> None:
    """Drop an index while others work; one that is not there, or not whole, is no reason to stop."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


@contextmanager
def _patient(connection: Connection) -> Iterator[None]:
    """Within the block a statement may take long, and wait long for a lock."""
    asked = text("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
    lock, statement = connection.execute(asked).one()
    _limit(connection, str(LOCK_TIMEOUT_MS), str(STATEMENT_TIMEOUT_MS))
    try:
        yield
    finally:
        _limit(connection, lock, statement)


def _limit(connection: Connection, lock: str, statement: str) -> None:
    connection.execute(
        text(
            "SELECT set_config('lock_timeout', :lock, false), set_config('statement_timeout', :statement, false)"
        ),
        {"lock": lock, "statement": statement},
    )


def _build(connection: Connection, name: str, table: str, columns: str, *, unique: bool) -> None:
    found = connection.execute(state(), {"name": name}).one_or_none()
    if found is not None and found.is_valid and _is_same(found.definition, columns, unique=unique):
        return
    for _ in range(TRIES):
        if found is not None:
            connection.execute(text(f"DROP INDEX CONCURRENTLY {name}"))
        connection.execute(text(_create(name, table, columns, unique=unique, how="CONCURRENTLY")))
        found = connection.execute(state(), {"name": name}).one_or_none()
        if found is not None and found.is_valid:
            return
    raise UnavailableError(
        f"the index {name} was built {TRIES} times and is still not valid; look at the server's log, then "
        "run `headersweep db upgrade` again"
    )


def _build_partitioned(connection: Connection, name: str, table: str, columns: str, *, unique: bool) -> None:
    """The parent's index first, which is not valid yet; then each partition's, which are made its parts one by one."""
    found = connection.execute(state(), {"name": name}).one_or_none()
    if found is not None and not _is_same(found.definition, columns, unique=unique):
        connection.execute(text(f"DROP INDEX {name}"))
        found = None
    if found is None:
        connection.execute(text(_create(name, f"ONLY {table}", columns, unique=unique)))
    named = {"table": table, "name": name}
    for part in connection.scalars(partitions_without(), named).all():
        own = f"{part}_{name}"[:63]
        _build(connection, own, part, columns, unique=unique)
        connection.execute(text(f"ALTER INDEX {name} ATTACH PARTITION {own}"))


def _create(name: str, table: str, columns: str, *, unique: bool, how: str = "") -> str:
    words = ("CREATE", "UNIQUE" if unique else "", "INDEX", how, name, "ON", table, columns)
    return " ".join(word for word in words if word)


def _is_same(definition: str, columns: str, *, unique: bool) -> bool:
    """Whether an index is the wanted one, as far as text can tell; another writing builds it again, which harms nobody."""
    plain = re.sub(r"[\s()]|USING btree|::\w+", "", definition.partition(" USING ")[2].removeprefix("btree "))
    return (
        plain == re.sub(r"[\s()]|::\w+", "", columns)
        and ("UNIQUE" in definition.partition(" ON ")[0]) is unique
    )
