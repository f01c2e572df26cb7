"""Rehearsing a migration: up, down and up again on a copy of the real data, with everything measured that can go wrong."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic.script import Script, ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.pool import NullPool

from cli.care import canaries, copies, lint, plans, schema, synthesis, watch
from cli.care.copies import Copy
from cli.care.lint import Remark
from cli.care.place import Place
from cli.care.plans import Comparison
from cli.care.schema import Difference, Sketch, Sum
from cli.care.watch import Step
from headersweep.errors import ConfigurationError, UsageError
from models import engine as engines
from models import migrate, partitions, reports
from models.care import scratch
from models.care.explain import Plan
from models.care.watching import STRENGTHS, Canary

Notice = Callable[[str], None]

MOST_CANARIES = 8
BASES = ("auto", "copy", "dump")


@dataclass(frozen=True)
class Limits:
    """What a migration may cost."""

    writer_stall_ms: float = 250.0
    reader_stall_ms: float = 250.0
    plan_growth: float = 1.5


@dataclass(frozen=True)
class Wanted:
    """How to rehearse."""

    base: str = "auto"
    keep_base: bool = False
    synthesize: int = 0
    limits: Limits = Limits()
    versions: Path | None = None


@dataclass(frozen=True)
class Stage:
    """Where a rehearsal takes place, how, and to whom it says what it does."""

    admin: Engine
    place: Place
    wanted: Wanted
    notice: Notice


@dataclass
class Rehearsed:
    """Everything that was measured of one revision."""

    revision: str
    down_revision: str | None
    path: Path
    hash: str
    summary: str
    copy: Copy
    sizes: list[schema.Size]
    server: str
    limits: Limits
    remarks: list[Remark]
    changes: Difference
    touched: tuple[str, ...] = ()
    steps: list[Step] = field(default_factory=list)
    loses: list[str] = field(default_factory=list)
    left_behind: Difference = field(default_factory=Difference)
    second_up: Difference = field(default_factory=Difference)
    harmed: list[str] = field(default_factory=list)
    before: list[Plan] = field(default_factory=list)
    after: list[Plan] = field(default_factory=list)
    checked_rows: int = 0
    seconds: float = 0.0

    @property
    def comparison(self) -> Comparison:
        """The plans before and after."""
        return plans.compare(self.before, self.after, self.limits.plan_growth)

    @property
    def exceeded(self) -> list[str]:
        """The limits that were exceeded, and what the lint found, as sentences."""
        said = []
        for step in self.steps[:1] + self.steps[2:]:
            for kind, found, quiet, limit in (
                ("writer", step.writer_ms, step.quiet_writer_ms, self.limits.writer_stall_ms),
                ("reader", step.reader_ms, step.quiet_reader_ms, self.limits.reader_stall_ms),
            ):
                # What they waited for before anything was done is the machine's, not the migration's.
                if found is not None and found - (quiet or 0.0) > limit:
                    said.append(f"{step.name}: a {kind} waited {found:.0f} ms, {limit:.0f} are allowed")
        said += [f"plan of {line}" for line in self.comparison.worse]
        return said + [
            f"lint: {remark.rule}: {remark.message}" for remark in self.remarks if not remark.accepted
        ]

    @property
    def unclean(self) -> list[str]:
        """What the way back did not restore, as sentences."""
        return [
            *(f"after down the schema differs: {line}" for line in self.left_behind.lines()),
            *(f"after the second up the schema differs: {line}" for line in self.second_up.lines()),
            *self.harmed,
        ]


def revisions(source_url: str, wanted: str | None, versions: Path | None = None) -> list[Script]:
    """The revision to rehearse; by default those that the database does not have yet, else the newest."""
    known = every(versions)
    if wanted is not None:
        found = [script for script in known if script.revision == wanted]
        if not found:
            named = ", ".join(script.revision for script in known)
            raise UsageError(f"there is no revision {wanted}; there are {named}")
        return found
    engine = engines.connect(source_url, poolclass=NullPool)
    at = (
        [script.revision for script in known].index(have)
        if (have := migrate.current(engine)) is not None
        else -1
    )
    return known[at + 1 :] or known[-1:]


def every(versions: Path | None = None) -> list[Script]:
    """All revisions, the oldest first."""
    return list(ScriptDirectory.from_config(migrate.config(versions=versions)).walk_revisions())[::-1]


def rehearse(
    admin: Engine, place: Place, scripts: list[Script], wanted: Wanted, notice: Notice
) -> Iterator[Rehearsed]:
    """Rehearse each revision on a copy of its own; nothing of the scratch databases is left at the end."""
    stage = Stage(admin, place, wanted, notice)
    base = scratch.base_name(place.source)
    copies.drop_leftovers(admin, place.source, notice, keep=frozenset({base} if wanted.keep_base else ()))
    with _base(stage) as source:
        for script in scripts:
            yield _one(stage, script, source)


@contextmanager
def _base(stage: Stage) -> Iterator[str]:
    """The database that each try is copied from: the real one where nobody is in it, else a copy made for that."""
    admin, place, wanted, notice = stage.admin, stage.place, stage.wanted, stage.notice
    name = scratch.base_name(place.source)
    if wanted.synthesize == 0 and _is_template(admin, place, wanted):
        yield place.source
        return
    if copies.is_there(admin, place, name, _kind(wanted)):
        notice(f"the base {name} of an earlier rehearsal is used again")
    else:
        copies.drop(admin, name)
        copy = _fill(admin, place, name, wanted)
        notice(f"the base {name} was made by {copy.how} in {copy.seconds:.1f} s, {copy.bytes / 1e6:,.0f} MB")
    try:
        yield name
    finally:
        if not wanted.keep_base:
            copies.drop(admin, name)


def _kind(wanted: Wanted) -> str:
    """What a base holds: one of another kind is not used again."""
    return f"{wanted.synthesize} synthetic visits" if wanted.synthesize else "pg_dump"


def _fill(admin: Engine, place: Place, name: str, wanted: Wanted) -> Copy:
    if wanted.synthesize:
        shape = synthesis.Shape(wanted.synthesize)
        return synthesis.synthesize(admin, place, name, shape, _kind(wanted))
    return copies.copy_through_dump(admin, place, name, _kind(wanted))


def _is_template(admin: Engine, place: Place, wanted: Wanted) -> bool:
    if not place.is_same_server or wanted.base == "dump":
        if wanted.base == "copy":
            raise UsageError("--base copy works within one server; HEADERSWEEP_SCRATCH_URL names another one")
        return False
    used = copies.is_used(admin, place.source)
    if used and wanted.base == "copy":
        raise ConfigurationError(
            f"somebody is connected to {place.source}, so it cannot be copied file by file: stop what uses it, or --base dump"
        )
    return not used


def _one(stage: Stage, script: Script, source: str) -> Rehearsed:
    began = time.monotonic()
    sketch = _sketch(stage, script)
    name = scratch.name_for(stage.place.source)
    copy = copies.copy_within(stage.admin, stage.place, source, name)
    stage.notice(f"revision {script.revision}: {copy.how} of {source} in {copy.seconds:.1f} s")
    try:
        result = _tried(copy, script, sketch, stage)
    finally:
        copies.drop(stage.admin, name)
    result.seconds = time.monotonic() - began
    return result


def _sketch(stage: Stage, script: Script) -> Sketch:
    """Try the revision on an empty database first: which tables it locks, which columns stay."""
    versions = stage.wanted.versions
    with copies.made(stage.admin, stage.place, scratch.name_for(stage.place.source)) as url:
        engine = engines.connect(url, poolclass=NullPool)
        copies.guard(engine)
        watch.bring(url, str(script.down_revision) if script.down_revision else None, versions=versions)
        if script.down_revision:
            with engine.begin() as connection:
                partitions.ensure(connection, 1)
        before = schema.of(engine)
        step = watch.step("up", url, watch.up(script.revision), (), versions=versions)
        after = schema.of(engine)
    known = schema.tables(before)
    touched = tuple(sorted(table for table, mode in step.locked.items() if table in known and _matters(mode)))
    return Sketch(before, after, touched, schema.kept_columns(before, after))


def _matters(mode: str) -> bool:
    """Whether a lock makes anybody wait who reads or writes rows."""
    return STRENGTHS.index(mode) >= STRENGTHS.index("ShareUpdateExclusiveLock")


def _tried(copy: Copy, script: Script, sketch: Sketch, stage: Stage) -> Rehearsed:
    engine = engines.connect(copy.url, poolclass=NullPool)
    copies.guard(engine)
    watch.bring(
        copy.url, str(script.down_revision) if script.down_revision else None, versions=stage.wanted.versions
    )
    result = _begun(copy, script, sketch, engine, stage.wanted)
    start, kept = schema.of(engine), sketch.kept
    sums = schema.sums(engine, kept)
    result.checked_rows = sum(each.rows for each in sums.values())
    result.before = plans.capture_all(engine)
    singers = canaries.of_tables(engine, sketch.touched[:MOST_CANARIES])
    move = _mover(result, copy, singers, stage.wanted)
    stage.notice(
        f"revision {script.revision}: up, down, up; canaries on {', '.join(sketch.touched) or 'no table'}"
    )
    move("up", watch.up(script.revision))
    upper = schema.of(engine)
    _compare_sums(result, "up", sums, schema.sums(engine, kept))
    plans.analyze(engine)
    result.after = plans.capture_all(engine)
    result.changes = schema.difference(start, upper)
    result.loses = _losses(result.changes)
    move("down", watch.down(_down(script)))
    result.left_behind = schema.difference(start, schema.of(engine))
    _compare_sums(result, "down", sums, schema.sums(engine, kept))
    move("up again", watch.up(script.revision))
    result.second_up = schema.difference(upper, schema.of(engine))
    return result


def _down(script: Script) -> str | None:
    return str(script.down_revision) if script.down_revision else None


def _mover(
    result: Rehearsed, copy: Copy, singers: list[Canary], wanted: Wanted
) -> Callable[[str, Callable[[Any], None]], None]:
    """Makes a step under the canaries' eyes, and keeps what was seen."""

    def _move(name: str, move: Callable[[Any], None]) -> None:
        result.steps.append(watch.step(name, copy.url, move, singers, versions=wanted.versions))

    return _move


def _begun(copy: Copy, script: Script, sketch: Sketch, engine: Engine, wanted: Wanted) -> Rehearsed:
    with engine.connect() as connection:
        version = str(connection.execute(reports.server_version()).scalar_one())
    path = Path(script.path)
    return Rehearsed(
        revision=script.revision,
        down_revision=_down(script),
        path=path,
        hash=hashlib.sha256(path.read_bytes()).hexdigest(),
        summary=script.doc,
        copy=copy,
        sizes=schema.sizes(engine),
        server=version,
        limits=wanted.limits,
        remarks=lint.of_revision(script, sketch.before, wanted.versions),
        changes=Difference(),
        touched=sketch.touched,
    )


def _compare_sums(result: Rehearsed, step: str, old: dict[str, Sum], new: dict[str, Sum]) -> None:
    for table, was in old.items():
        now = new[table]
        if now.rows != was.rows:
            result.harmed.append(
                f"after {step} the table {table} has {now.rows:,} rows instead of {was.rows:,}"
            )
        elif now.sum != was.sum:
            result.harmed.append(
                f"after {step} rows of {table} differ in columns that the migration should not touch"
            )


def _losses(changes: Difference) -> list[str]:
    """What the way back takes away: the tables and columns that came."""
    lost = [name for name in changes.came if name.startswith("table ")]
    return lost + [name for name in changes.came if name.startswith("column ") and not _is_said(name, lost)]


def _is_said(column: str, lost: list[str]) -> bool:
    """Whether a column goes with its table, or is that of a partition, whose parent says it."""
    table = column.removeprefix("column ").partition(".")[0]
    return f"table {table}" in lost or re.search(r"_r\d+$", table) is not None
