"""Whether a rehearsal tells the truth: the stalls that it measured, beside those that the same migration causes on a live database.

    python -m benchmarks.rehearsal --visits 300000
    python -m benchmarks.rehearsal --visits 10000000 --own      our own migrations too, within ten minutes

A "live" database is made up in embedded servers of its own, in a new folder that is removed at the end. For each migration:
it is rehearsed (on a copy); then it runs on the live database itself while canaries read and write the tables that it locks.
Compared are the longest stalls of readers and of writers, the best of some rounds each, since a busy machine adds to both; a
difference of a few milliseconds is the machine's. Disk and time are bounded: it refuses to begin without room, and stops
between two rounds when its minutes are over.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from cli import embedded
from cli.care import canaries, copies, place, rehearsal, synthesis, watch
from cli.care.place import Place
from cli.care.rehearsal import Limits, Wanted
from headersweep import logs, settings
from models import engine as engines
from models import migrate
from models.care import scratch

BYTES_A_VISIT = 400
COPIES = 4
"""The live database, its base, the copy of a try, and what a rewrite adds."""

SPARE_BYTES = 5_000_000_000
WITHIN = 0.20
LITTLE_MS = 25.0
OWN_SECONDS = 600.0

MIGRATIONS = {
    "index at once": (
        'op.create_index("ix_visits_tried", "visits", ["snapshot_id"])',
        'op.drop_index("ix_visits_tried")',
    ),
    "index concurrently": (
        'concurrently.build(op, "ix_visits_tried", "visits", "(snapshot_id)")',
        'op.drop_index("ix_visits_tried")',
    ),
    "type change": (
        'op.alter_column("visits", "elapsed_ms", type_=sa.BigInteger())',
        'op.alter_column("visits", "elapsed_ms", type_=sa.Integer())',
    ),
    "volatile default": (
        'op.add_column("pages", sa.Column("tried", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))',
        'op.drop_column("pages", "tried")',
    ),
    "constant default": (
        'op.add_column("visits", sa.Column("tried", sa.Integer(), server_default="7", nullable=False))',
        'op.drop_column("visits", "tried")',
    ),
    "check at once": (
        'op.create_check_constraint("tried", "visits", "elapsed_ms >= 0")',
        'op.drop_constraint("ck_visits_tried", "visits")',
    ),
    "foreign key at once": (
        'op.create_foreign_key("fk_tried", "run_sets", "pages", ["snapshot_id"], ["id"])',
        'op.drop_constraint("fk_tried", "run_sets")',
    ),
}

HEAD = '''"""Tried by a benchmark.

Side: pre (before the code): it is no real one.
Note: none
"""

import sqlalchemy as sa
from alembic import op

from models import concurrently

revision = "{revision}"
down_revision = "{down}"
branch_labels = None
depends_on = None


def upgrade():
{up}


def downgrade():
{back}
'''


@dataclass
class Stalls:
    """The longest stall of each kind, round by round, in ms."""

    reader: list[float] = field(default_factory=list)
    writer: list[float] = field(default_factory=list)

    def add(self, step: watch.Step) -> None:
        """Keep those of one step."""
        self.reader.append(step.reader_ms or 0.0)
        self.writer.append(step.writer_ms or 0.0)


@dataclass
class Outcome:
    """One migration, rehearsed and for real."""

    name: str
    touched: tuple[str, ...] = ()
    rehearsed: Stalls = field(default_factory=Stalls)
    live: Stalls = field(default_factory=Stalls)

    def pairs(self) -> Iterator[tuple[str, float, float]]:
        """Who waited, rehearsed and live: the best round of each."""
        yield "reader", min(self.rehearsed.reader), min(self.live.reader)
        yield "writer", min(self.rehearsed.writer), min(self.live.writer)

    def misses(self) -> list[str]:
        """The stalls that the rehearsal told wrong by more than allowed."""
        return [who for who, told, seen in self.pairs() if abs(told - seen) > max(WITHIN * seen, LITTLE_MS)]


@dataclass(frozen=True)
class Bench:
    """Where it all happens, and until when."""

    admin: Engine
    place: Place
    folder: Path
    deadline: float

    @property
    def is_over(self) -> bool:
        """Whether its minutes are over."""
        return time.monotonic() > self.deadline


def insist_on_room(visits: int) -> None:
    """Refuse to begin where the disk could fill up."""
    needed = visits * BYTES_A_VISIT * COPIES + SPARE_BYTES
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < needed:
        sys.exit(
            f"{needed / 1e9:.0f} GB are needed in {tempfile.gettempdir()}, {free / 1e9:.0f} GB are free: fewer --visits"
        )


@contextmanager
def servers() -> Iterator[tuple[Path, str]]:
    """Embedded servers in a new folder, and the way to their owner's database."""
    home = Path(tempfile.mkdtemp(prefix="headersweep-rehearsal-"))
    home.chmod(0o711)
    try:
        with embedded.running(home) as started:
            yield home, started.owner_url
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def bench(home: Path, owner_url: str, given: argparse.Namespace) -> Iterator[Bench]:
    """A live database with data in it, and a place for copies beside it."""
    name = scratch.synthetic_name("headersweep", "live")
    url = make_url(owner_url).set(database=name).render_as_string(hide_password=False)
    admin_url = make_url(owner_url).set(database=place.MAINTENANCE).render_as_string(hide_password=False)
    where = Place(url, admin_url, is_same_server=True, programs=place.embedded_programs(home))
    with place.standing(where) as admin, tempfile.TemporaryDirectory() as folder:
        made = synthesis.synthesize(admin, where, name, synthesis.Shape(given.visits))
        print(f"{made.how}: {made.bytes / 1e6:,.0f} MB in {made.seconds:.1f} s", flush=True)
        yield Bench(admin, where, Path(folder), time.monotonic() + given.minutes * 60)


def write(folder: Path, up: str, back: str, revision: str = "b001") -> None:
    """The migration as a file of its own, after our head."""
    body = HEAD.format(
        revision=revision,
        down=migrate.head(),
        up=textwrap.indent(up, "    "),
        back=textwrap.indent(back, "    "),
    )
    for old in folder.glob("*.py"):
        old.unlink()
    (folder / f"{revision}_tried.py").write_text(body, encoding="utf-8")


def rehearse(stage: Bench, outcome: Outcome, base: str) -> None:
    """One rehearsal; its two ways up are two rounds."""
    wanted = Wanted(base=base, limits=Limits(1e9, 1e9, 1e9), versions=stage.folder)
    scripts = rehearsal.revisions(stage.place.source_url, "b001", stage.folder)
    for result in rehearsal.rehearse(stage.admin, stage.place, scripts, wanted, lambda _line: None):
        outcome.touched = result.touched
        for step in result.steps:
            if step.name != "down":
                outcome.rehearsed.add(step)


def live(stage: Bench, outcome: Outcome) -> None:
    """The same on the live database, under the same canaries, with nobody else looking on; then back."""
    engine = engines.connect(stage.place.source_url, poolclass=NullPool)
    copies.guard(engine)
    singers = canaries.of_tables(engine, outcome.touched[: rehearsal.MOST_CANARIES])
    url = stage.place.source_url
    step = watch.step("up", url, watch.up("b001"), singers, versions=stage.folder, observed=False)
    outcome.live.add(step)
    watch.step("down", url, watch.down(migrate.head()), (), versions=stage.folder)


def compare(stage: Bench, name: str, given: argparse.Namespace) -> Outcome | None:
    """Rehearse and do one migration so many rounds; None when the time was over before."""
    up, back = MIGRATIONS[name]
    write(stage.folder, up, back)
    outcome = Outcome(name)
    for _ in range(given.rounds):
        if stage.is_over:
            break
        rehearse(stage, outcome, given.base)
        live(stage, outcome)
        live(stage, outcome)
    return outcome if outcome.live.reader else None


def show(outcome: Outcome) -> None:
    """One line a kind of canary."""
    for who, told, seen in outcome.pairs():
        missed = "  MISSED" if who in outcome.misses() else ""
        ratio = told / seen if seen else 1.0
        print(
            f"{outcome.name:<22} {who}  rehearsed {told:8.0f} ms  live {seen:8.0f} ms  ratio {ratio:5.2f}{missed}",
            flush=True,
        )


def own(stage: Bench) -> float:
    """Rehearse every migration of ours on the same data; the seconds."""
    began = time.monotonic()
    wanted = Wanted(base="auto", limits=Limits(1e9, 1e9, 1e9))
    for result in rehearsal.rehearse(stage.admin, stage.place, rehearsal.every(), wanted, lambda _line: None):
        print(f"own {result.revision}: {result.seconds:.1f} s, {len(result.unclean)} not clean", flush=True)
    return time.monotonic() - began


def main() -> None:
    """Make up a live database, compare, print; exit with 1 when a target was missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--visits", type=int, default=300_000)
    parser.add_argument(
        "--rounds", type=int, default=1, help="rehearsals of each migration; each has two ways up"
    )
    parser.add_argument(
        "--only", choices=sorted(MIGRATIONS), action="append", help="this migration (may be repeated)"
    )
    parser.add_argument("--base", choices=rehearsal.BASES, default="auto")
    parser.add_argument("--minutes", type=float, default=60.0, help="begin no further round after so many")
    parser.add_argument("--own", action="store_true", help="rehearse our own migrations too, and time it")
    parser.add_argument("--json", metavar="FILE", help="write what was measured into FILE as well")
    given = parser.parse_args()
    insist_on_room(given.visits)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        logs.configure(settings.from_mapping({}), stream=nowhere, is_terminal=False)
        with servers() as (home, owner_url), bench(home, owner_url, given) as stage:
            seconds = own(stage) if given.own else None
            found = [compare(stage, name, given) for name in given.only or MIGRATIONS]
    outcomes = [outcome for outcome in found if outcome is not None]
    for outcome in outcomes:
        show(outcome)
    sys.exit(verdict(outcomes, seconds, given))


def verdict(outcomes: list[Outcome], seconds: float | None, given: argparse.Namespace) -> int:
    """Say what was missed, and keep the figures."""
    missed = [outcome.name for outcome in outcomes if outcome.misses()]
    if seconds is not None:
        print(f"our own migrations on {given.visits:,} visits: {seconds:.0f} s")
        missed += ["our own migrations within ten minutes"] if seconds > OWN_SECONDS else []
    if given.json:
        figures = {
            "visits": given.visits,
            "own_seconds": seconds,
            "migrations": [vars_of(outcome) for outcome in outcomes],
        }
        Path(given.json).write_text(json.dumps(figures, indent=1), encoding="utf-8")
    print(
        f"missed: {', '.join(missed)}" if missed else f"all stalls within {WITHIN:.0%} or {LITTLE_MS:.0f} ms"
    )
    return 1 if missed else 0


def vars_of(outcome: Outcome) -> dict[str, object]:
    """One migration for the file of figures."""
    return {
        "name": outcome.name,
        "touched": list(outcome.touched),
        "rehearsed": vars(outcome.rehearsed),
        "live": vars(outcome.live),
    }


if __name__ == "__main__":
    main()
