"""What a migration changes in the schema, and whether the way back restores it; what stands in the tables before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, text

from models.care import structure

Schema = dict[tuple[str, str], str]
"""What stands in the schema: kind and name to definition."""


def of(engine: Engine) -> Schema:
    """The schema as it is now."""
    with engine.connect() as connection:
        return {(row.kind, row.name): row.definition for row in connection.execute(structure.structure())}


@dataclass(frozen=True)
class Difference:
    """What came, went and became otherwise between two schemas."""

    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether both are the same."""
        return not (self.came or self.went or self.changed)

    def lines(self) -> list[str]:
        """One line a difference."""
        return [
            *(f"came: {name}" for name in self.came),
            *(f"went: {name}" for name in self.went),
            *(f"changed: {name}" for name in self.changed),
        ]


def difference(old: Schema, new: Schema) -> Difference:
    """What is different."""
    return Difference(
        tuple(sorted(" ".join(key) for key in new.keys() - old.keys())),
        tuple(sorted(" ".join(key) for key in old.keys() - new.keys())),
        tuple(
            sorted(
                f"{' '.join(key)} ({old[key]} -> {new[key]})"
                for key in old.keys() & new.keys()
                if old[key] != new[key]
            )
        ),
    )


def headline(changes: Difference) -> list[str]:
    """The lines a person would write: what hangs on a table that came or went is left out."""
    tables_moved = {
        name.removeprefix("table ") for name in (*changes.came, *changes.went) if name.startswith("table ")
    }
    return [line for line in changes.lines() if not _hangs_on(line.partition(": ")[2], tables_moved)]


def _hangs_on(name: str, moved: set[str]) -> bool:
    kind, _, rest = name.partition(" ")
    if kind in {"column", "constraint", "trigger"}:
        return rest.partition(".")[0] in moved
    return kind in {"sequence", "index"} and any(f"_{table}" in f"_{rest}" for table in moved)


def tables(schema: Schema) -> list[str]:
    """The tables that hold data of their own or through their partitions."""
    return sorted(
        name
        for (kind, name), definition in schema.items()
        if kind == "table" and definition[:1] in {"r", "p"} and "FOR VALUES" not in definition
    )


def kept_columns(old: Schema, new: Schema) -> dict[str, list[str]]:
    """Of each table that is there before and after, the columns whose type stays."""
    kept: dict[str, list[str]] = {}
    for table in tables(old):
        columns = [
            name.partition(".")[2]
            for (kind, name), definition in old.items()
            if kind == "column"
            and name.partition(".")[0] == table
            and _type(new.get((kind, name))) == _type(definition)
        ]
        if columns:
            kept[table] = columns
    return kept


def _type(definition: str | None) -> str | None:
    return definition and definition.partition(" DEFAULT ")[0].replace(" NOT NULL", "")


@dataclass(frozen=True)
class Sum:
    """How many rows a table has, and the sum over their columns."""

    rows: int
    sum: int


def sums(engine: Engine, columns: Mapping[str, Sequence[str]]) -> dict[str, Sum]:
    """The sums over these columns of each table; this reads everything."""
    found = {}
    with engine.connect() as connection:
        connection.execute(text("SET statement_timeout = 0"))
        for table, names in columns.items():
            row = connection.execute(structure.checksum(table, names)).one()
            found[table] = Sum(int(row.rows), int(row.sum))
    return found


@dataclass(frozen=True)
class Size:
    """How large a table is, as far as Postgres knows."""

    table: str
    rows: int
    bytes: int


def sizes(engine: Engine) -> list[Size]:
    """All tables, the largest first."""
    with engine.connect() as connection:
        return [Size(row.name, row.rows, row.bytes) for row in connection.execute(structure.rough_rows())]
