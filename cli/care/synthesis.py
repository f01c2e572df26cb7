"""Making up data in a scratch database, and nowhere else."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.pool import NullPool

from cli.care import copies
from cli.care.copies import Copy
from cli.care.place import Place
from headersweep.errors import UsageError
from models import engine as engines
from models import migrate, partitions
from models.care import scratch, synthetic

MOST_ROUNDS = 400
LONGEST_SITES = 5_000


@dataclass(frozen=True)
class Shape:
    """How many visits, and by what they are drawn."""

    visits: int
    seed: int = 1

    @property
    def rounds(self) -> int:
        """How often each site was swept: ten million visits are a hundred rounds of a hundred thousand pages."""
        return max(1, min(MOST_ROUNDS, round(math.sqrt(self.visits) / 31.6)))

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, self.visits // self.rounds)

    @property
    def sites(self) -> int:
        """How many sites they belong to."""
        return max(1, min(LONGEST_SITES, round(math.sqrt(self.pages) / 4)))

    @property
    def values(self) -> dict[str, int]:
        """What the statements are given."""
        return {"seed": self.seed, "rounds": self.rounds, "pages": self.pages, "sites": self.sites}


def synthesize(admin: Engine, place: Place, name: str, shape: Shape, kind: str = "synthetic") -> Copy:
    """Make a new scratch database and fill it; one that is there already is refused."""
    if copies.administer(admin, scratch.mark_of(name)):
        raise UsageError(f"the database {name} is there already; drop it first, or choose another name")
    began = time.monotonic()
    copies.create(admin, place, name, kind=kind)
    try:
        copies.guard(engines.connect(place.url_of(name), poolclass=NullPool))
        migrate.upgrade(place.url_of(name))
        fill(engines.connect(place.url_of(name), poolclass=NullPool), shape)
        copies.tidy(place.url_of(name))
    except BaseException:
        copies.drop(admin, name)
        raise
    return copies.filled(place, name, f"{shape.visits:,} synthetic visits, seed {shape.seed}", began)


def fill(engine: Engine, shape: Shape, *, guarded: bool = True) -> None:
    """Fill an empty database at our head; one that is no scratch database is refused, but where a test says so."""
    if guarded:
        copies.guard(engine)
    for make in synthetic.BEFORE_VISITS:
        _do(engine, make(), shape.values)
    for low in range(1, shape.rounds + 1, _bite(shape)):
        high = min(shape.rounds, low + _bite(shape) - 1)
        _make_parts(engine, shape, low, high)
        for make in (synthetic.visits, synthetic.frontier):
            _do(engine, make(), {**shape.values, "low": low, "high": high})
    for make in synthetic.AFTER_VISITS:
        _do(engine, make(), shape.values)
    for table in synthetic.NUMBERED:
        _do(engine, synthetic.go_on(table), {})


def _bite(shape: Shape) -> int:
    """So many rounds are written at once that they can be sorted in little memory: about a million visits."""
    return max(1, 1_000_000 // shape.pages)


def _make_parts(engine: Engine, shape: Shape, low: int, high: int) -> None:
    first, last = (low - 1) * shape.sites + 1, high * shape.sites + shape.sites
    with engine.begin() as connection:
        for run in range(
            first - first % partitions.RUNS_PER_PARTITION, last + 1, partitions.RUNS_PER_PARTITION
        ):
            partitions.ensure(connection, run)


def _do(engine: Engine, statement: TextClause, values: dict[str, int]) -> None:
    with engine.begin() as connection:
        _unhurried(connection)
        wanted = {name: value for name, value in values.items() if name in statement._bindparams}  # noqa: SLF001 - which it has
        connection.execute(statement, wanted)


def _unhurried(connection: Connection) -> None:
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SET LOCAL synchronous_commit = off"))
    connection.execute(text("SET LOCAL work_mem = '128MB'"))
