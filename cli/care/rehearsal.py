"""Rehearsing migrations: where the data come from, and a copy for each try."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from alembic.script import Script, ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.pool import NullPool

from cli.care import copies, synthesis, trying, watch
from cli.care.copies import Copy
from cli.care.measured import Limits, Rehearsed
from cli.care.place import Place
from cli.care.trying import MOST_CANARIES, Sketch
from headersweep.errors import ConfigurationError, UsageError, WrongRevisionError
from models import engine as engines
from models import migrate, partitions
from models.care import scratch

__all__ = [
    "BASES",
    "MOST_CANARIES",
    "Limits",
    "Rehearsed",
    "Stage",
    "Wanted",
    "every",
    "rehearse",
    "revisions",
]

Notice = Callable[[str], None]

BASES = ("auto", "copy", "dump")


@dataclass(frozen=True)
class Wanted:
    """How to rehearse."""

    base: str = "auto"
    keep_base: bool = False
    synthesize: int = 0
    limits: Limits = field(default_factory=Limits)
    versions: Path | None = None


@dataclass(frozen=True)
class Stage:
    """Where a rehearsal takes place, how, and to whom it says what it does."""

    admin: Engine
    place: Place
    wanted: Wanted
    notice: Notice


def revisions(source_url: str, wanted: str | None, versions: Path | None = None) -> list[Script]:
    """The revision to rehearse; by default those that the database does not have yet, else the newest."""
    known = every(versions)
    if wanted is not None:
        found = [script for script in known if script.revision == wanted]
        if not found:
            named = ", ".join(script.revision for script in known)
            raise UsageError(f"there is no revision {wanted}; there are {named}")
        return found
    have = migrate.current(engines.connect(source_url, poolclass=NullPool))
    names = [script.revision for script in known]
    if have is not None and have not in names:
        raise WrongRevisionError(
            f"the database is at revision {have}, which this program does not know: install the newer headersweep"
        )
    return known[names.index(have) + 1 if have else 0 :] or known[-1:]


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
        wanted = stage.wanted
        stage.notice(
            f"revision {script.revision}: up, down, up; canaries on {', '.join(sketch.touched) or 'no table'}"
        )
        result = trying.Try(copy, script, sketch, wanted.limits, wanted.versions).run()
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
        watch.bring(url, trying.before(script), versions=versions)
        if script.down_revision:
            with engine.begin() as connection:
                partitions.ensure(connection, 1)
        return trying.sketch(url, engine, script, versions)
