"""What ``doctor`` looks at inside of the database: indexes that are not used, what runs out, what has been open for long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cli.health import Check, ok, warn

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

FULL = 0.8
OLD_SECONDS = 300.0
TABLES_SHOWN = 5


def examine(engine: Engine) -> Iterator[Check]:
    """Every check of the database's inside."""
    from cli.care import indexes
    from models.care import catalogue, structure

    found = indexes.examine(engine)
    with engine.connect() as connection:
        yield invalid_indexes(
            [row.name for row in connection.execute(catalogue.invalid()) if not row.is_being_built]
        )
        yield duplicate_indexes([verdict.name for verdict in found.verdicts if verdict.kind == "duplicate"])
        yield sequences(connection.execute(catalogue.sequences()).all())
        yield oldest_transaction(connection.execute(catalogue.oldest_transaction()).one_or_none())
        yield transaction_numbers(float(connection.execute(catalogue.never_vacuumed()).scalar_one()))
        yield tables(connection.execute(structure.rough_rows()).all())
        yield from leftovers(connection)


def invalid_indexes(names: list[str]) -> Check:
    """Whether a concurrent build was broken off."""
    if not names:
        return ok("invalid indexes", "none")
    todo = "; ".join(f"REINDEX INDEX CONCURRENTLY {name}" for name in names)
    return warn("invalid indexes", f"{', '.join(names)}: a concurrent build was broken off", todo)


def duplicate_indexes(names: list[str]) -> Check:
    """Whether two indexes do the same."""
    if not names:
        return ok("duplicate indexes", "none")
    return warn(
        "duplicate indexes", ", ".join(names), "`headersweep db indexes` says of what, and what to do"
    )


def sequences(rows: Any) -> Check:
    """Whether the numbers of a table run out."""
    full = [f"{row.name} {row.used:.0%}" for row in rows if row.used > FULL]
    if full:
        return warn(
            "sequences",
            ", ".join(full),
            "make the column and its sequence larger before it is full: writes fail then",
        )
    fullest = f"the fullest, {rows[0].name}, is at {rows[0].used:.1%}" if rows else "none"
    return ok("sequences", fullest)


def oldest_transaction(row: Any) -> Check:
    """Whether a transaction keeps vacuum and migrations waiting."""
    if row is None:
        return ok("oldest transaction", "none is open")
    found = f"{row.seconds:.0f} s, process {row.pid} ({row.application_name or 'no name'}, {row.state})"
    if row.seconds > OLD_SECONDS:
        return warn(
            "oldest transaction",
            found,
            f"find out whose it is; SELECT pg_terminate_backend({row.pid}) ends it",
        )
    return ok("oldest transaction", found)


def transaction_numbers(used: float) -> Check:
    """Whether autovacuum keeps up with the age of transaction numbers."""
    found = f"{used:.0%} of the age that forces a vacuum"
    if used > 1 + FULL:
        return warn(
            "transaction numbers",
            found,
            "VACUUM (FREEZE) the oldest tables; look whether autovacuum runs at all",
        )
    return ok("transaction numbers", found)


def tables(rows: Any) -> Check:
    """How large the largest tables are."""
    shown = ", ".join(
        f"{row.name} {row.bytes / 1e6:,.1f} MB ({row.rows:,} rows)" for row in rows[:TABLES_SHOWN]
    )
    total = sum(row.bytes for row in rows)
    return ok("tables", f"{total / 1e6:,.0f} MB in all; {shown}")


def leftovers(connection: Connection) -> Iterator[Check]:
    """Whether a rehearsal left scratch databases."""
    from models.care import scratch

    rows = connection.execute(scratch.every()).all()
    if rows:
        shown = ", ".join(f"{row.name} {row.bytes / 1e6:,.0f} MB" for row in rows)
        todo = (
            "the next `headersweep db rehearse` drops what it left; `db synthesize --drop` what that one made"
        )
        yield warn("scratch databases", shown, todo)
