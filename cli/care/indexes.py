"""What is to be said of the indexes: missing, unused, the same twice, not valid, grown beyond what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from models.care import catalogue

LEAST_SCANS = 50
LEAST_ROWS = 20_000
"""A table that is read whole so often, with so many rows each time, lacks an index, or a statement lacks a condition."""

LEAST_DAYS = 7.0
"""Counted for less, an index that was not used yet may be one that is used on Sundays."""

LITTLE_BYTES = 1_000_000
BLOATED = 2.0
FILL = 0.9


@dataclass(frozen=True)
class Verdict:
    """One thing to do about one index, with the evidence."""

    kind: str
    name: str
    table: str
    bytes: int
    evidence: str
    todo: str


@dataclass(frozen=True)
class Examined:
    """All verdicts, and what they rest on."""

    verdicts: tuple[Verdict, ...]
    indexes: int
    bytes: int
    days: float


def examine(engine: Engine) -> Examined:
    """Look at every index of the database."""
    with engine.connect() as connection:
        rows = connection.execute(catalogue.indexes()).all()
        since = connection.execute(catalogue.counted_since()).one()
        days = float(since.days or 0.0)
        found = (
            *_invalid(rows),
            *_missing(connection),
            *_duplicate(rows),
            *_unused(rows, days),
            *_bloated(rows),
        )
    return Examined(found, len(rows), sum(row.bytes for row in rows), days)


def _invalid(rows: Sequence[Any]) -> Iterator[Verdict]:
    for row in rows:
        if row.is_valid:
            continue
        if row.is_being_built:
            yield _verdict(
                "being built",
                row,
                "somebody builds it now",
                "wait: pg_stat_progress_create_index says how far it is",
            )
        else:
            yield _verdict(
                "invalid",
                row,
                "a concurrent build was broken off: it is kept up to date by every write, and used by none",
                f"REINDEX INDEX CONCURRENTLY {row.name}; one that ends in _ccnew or _ccold is a leftover: DROP INDEX CONCURRENTLY {row.name}",
            )


def _missing(connection: Connection) -> Iterator[Verdict]:
    for row in connection.execute(catalogue.foreign_keys_without_index()):
        yield Verdict(
            "missing",
            row.name,
            row.table_name,
            row.bytes,
            f"the foreign key ({row.columns}) to {row.refers_to} has no index; {row.row_count:,} rows, "
            f"{row.deletions:,} deletions in {row.refers_to} so far",
            f"where rows of {row.refers_to} are deleted, or looked for from there: an index on {row.table_name} ({row.columns})",
        )
    limits = {"least_scans": LEAST_SCANS, "least_rows": LEAST_ROWS}
    for row in connection.execute(catalogue.sequential_scans(), limits):
        yield Verdict(
            "read whole",
            "",
            row.table_name,
            row.bytes,
            f"read from end to end {row.scans:,} times, {row.row_reads // row.scans:,} rows each; by an index {row.index_scans:,} times",
            "`headersweep db plans` says which statement of ours does it; others stand in pg_stat_statements",
        )


def _duplicate(rows: Sequence[Any]) -> Iterator[Verdict]:
    """The smaller of two that do the same, unless a constraint or uniqueness rests on it."""
    valid = [row for row in rows if row.is_valid]
    for row in valid:
        if row.is_of_constraint or row.is_unique:
            continue
        for other in valid:
            if (
                other.name != row.name
                and _covers(other, row)
                and not (_covers(row, other) and _stays(row, other))
            ):
                same = "the same as" if len(other.columns) == len(row.columns) else "the beginning of"
                evidence = f"{same} {other.name}: {other.definition.partition(' USING ')[2]}"
                yield _verdict("duplicate", row, evidence, f"DROP INDEX CONCURRENTLY {row.name}")
                break


def _covers(larger: Any, smaller: Any) -> bool:
    """Whether whatever the smaller one serves, the larger one serves as well."""
    if larger.table_name != smaller.table_name or larger.predicate != smaller.predicate:
        return False
    if 0 in smaller.columns:
        return bool(
            larger.columns == smaller.columns
            and larger.expressions == smaller.expressions
            and larger.shape == smaller.shape
        )
    method, classes, collations, options = (part.split() for part in smaller.shape.split("/"))
    their = [part.split() for part in larger.shape.split("/")]
    count = len(smaller.columns)
    begins = larger.columns[:count] == smaller.columns and larger.keys >= smaller.keys
    likewise = [classes, collations, options] == [part[:count] for part in their[1:]]
    return (
        begins and likewise and method == their[0] and (method == ["btree"] or len(larger.columns) == count)
    )


def _stays(row: Any, other: Any) -> bool:
    """Of two that are the same, the one that stays: on which something rests, else the one used more, else by name."""
    if other.is_of_constraint or other.is_unique:
        return False
    return bool((-row.scans, row.name) < (-other.scans, other.name))


def _unused(rows: Sequence[Any], days: float) -> Iterator[Verdict]:
    for row in rows:
        if row.is_of_constraint or row.is_unique or not row.is_valid or row.scans:
            continue
        evidence = f"not used once in {days:.1f} days of counting"
        todo = (
            f"after a whole cycle of your schedules, and on every replica: DROP INDEX CONCURRENTLY {row.name}"
        )
        if days < LEAST_DAYS:
            todo = f"wait: {LEAST_DAYS:.0f} days of counting say more"
        yield _verdict("unused", row, evidence, todo)


def _bloated(rows: Sequence[Any]) -> Iterator[Verdict]:
    for row in rows:
        wanted = int(row.row_count * (row.width + catalogue.INDEX_TUPLE) / FILL)
        if row.predicate or not row.is_valid or row.bytes < LITTLE_BYTES or not wanted or not row.width:
            continue
        if row.bytes > BLOATED * max(wanted, catalogue.PAGE):
            evidence = f"{row.bytes / wanted:.1f} times what {row.row_count:,} entries need (estimated from column widths)"
            yield _verdict("bloated", row, evidence, f"REINDEX INDEX CONCURRENTLY {row.name}")


def _verdict(kind: str, row: Any, evidence: str, todo: str) -> Verdict:
    return Verdict(kind, row.name, row.table_name, row.bytes, evidence, todo)
