"""What is looked at while a migration runs: its locks, the files of the tables, the log written ahead; and the canaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import TextClause, text

from models.care.scratch import quoted
from models.care.structure import OWN

STRENGTHS = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
"""The table locks of Postgres, the weakest first."""


def locks(pid: int | None = None) -> TextClause:
    """The locks on tables of ours that a session holds, by default the one that asks."""
    who = "pg_backend_pid()" if pid is None else str(int(pid))
    return text(f"""
        SELECT c.relname AS name, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
        WHERE l.pid = {who} AND l.granted AND l.locktype = 'relation' AND c.relkind IN ('r', 'p') AND {OWN}
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """)  # noqa: S608 - a number and a constant of this module


def files() -> TextClause:
    """The file of each table; a table that was rewritten has another one."""
    return text(f"""
        SELECT c.relname AS name, c.relfilenode AS file FROM pg_class c WHERE c.relkind IN ('r', 'm') AND {OWN}
    """)  # noqa: S608 - a constant of this module


def position() -> TextClause:
    """How far the log is written ahead, in bytes; it is that of the whole server."""
    return text("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")


def glance(*, files_too: bool) -> TextClause:
    """Locks, position and, where wanted, files in one go: every ms that this takes, somebody waits for the migration."""
    every = f"(SELECT json_object_agg(name, file::bigint) FROM ({files().text}) f)"  # noqa: S608 - of this module
    held = f"(SELECT json_agg(json_build_array(name, mode)) FROM ({locks().text}) l)"  # noqa: S608 - of this module
    return text(f"SELECT {held}, ({position().text}), {every if files_too else 'NULL::json'}")


@dataclass(frozen=True)
class Canary:
    """How one table is read and written again and again, one row by its key, without changing what stands in it."""

    table: str
    read: str
    write: str
    key: tuple[object, ...]


def key_columns() -> TextClause:
    """The columns of the primary key of :table in their order."""
    return text("""
        SELECT a.attname FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
        WHERE i.indrelid = CAST(:table AS regclass) AND i.indisprimary ORDER BY k.place
    """)


def plain_column() -> TextClause:
    """A column of :table that may be written and stands in no index, so that writing it touches no index either."""
    return text("""
        SELECT a.attname FROM pg_attribute a
        WHERE a.attrelid = CAST(:table AS regclass) AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attidentity = '' AND a.attgenerated = ''
          AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND a.attnum = ANY(i.indkey))
        ORDER BY a.attnum LIMIT 1
    """)


def some_key(table: str, columns: Sequence[str]) -> TextClause:
    """The key of one row of a table."""
    names = ", ".join(quoted(column) for column in columns)
    return text(f"SELECT {names} FROM {quoted(table)} LIMIT 1")  # noqa: S608 - names of our own catalogue


def canary(table: str, keys: Sequence[str], column: str, key: Sequence[object]) -> Canary:
    """What a reader and a writer of a table ask, in the driver's own writing; with no row they wait for the lock alone."""
    name = f'"{table}"'
    where = " AND ".join(f'"{each}" = %s' for each in keys) if key else "false"
    return Canary(
        table,
        f"SELECT 1 FROM {name} WHERE {where}",  # noqa: S608 - names of our own catalogue
        f'UPDATE {name} SET "{column}" = "{column}" WHERE {where}',  # noqa: S608 - the same
        tuple(key),
    )
