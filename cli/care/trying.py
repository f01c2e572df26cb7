"""One revision, tried on one copy: up, down and up again, with everything compared that could have gone wrong."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic.script import Script
from sqlalchemy import Engine
from sqlalchemy.pool import NullPool

from cli.care import canaries, copies, lint, plans, schema, watch
from cli.care.copies import Copy
from cli.care.measured import Limits, Rehearsed
from cli.care.schema import Difference, Schema, Sum
from cli.care.watch import Step
from models import engine as engines
from models import reports
from models.care.watching import STRENGTHS

MOST_CANARIES = 8


@dataclass(frozen=True)
class Sketch:
    """What a migration does to an empty database: learnt in a second, before the real data are touched."""

    before: Schema
    touched: tuple[str, ...]
    """The tables that are there already, and that it locks against whoever writes, or writes itself."""
    kept: Mapping[str, list[str]] = field(default_factory=dict)
    """Their columns that stay as they are."""


def before(script: Script) -> str | None:
    """The revision that it comes after."""
    return str(script.down_revision) if script.down_revision else None


def sketch(url: str, engine: Engine, script: Script, versions: Path | None) -> Sketch:
    """Try the revision on a database without rows, which stands at the one before."""
    old = schema.of(engine)
    step = watch.step("up", url, watch.up(script.revision), (), versions=versions)
    touched = tuple(table for table in schema.tables(old) if table in _touched(step))
    kept = schema.kept_columns(old, schema.of(engine))
    return Sketch(old, touched, {table: kept[table] for table in touched if table in kept})


def _touched(step: Step) -> set[str]:
    """The tables that it locks, or names: locks of statements that are transactions of their own are gone too soon."""
    return written(step) | {word for each in step.statements for word in re.findall(r"\w+", each.sql)}


def written(step: Step) -> set[str]:
    """The tables that it could have written: nobody writes without such a lock."""
    least = STRENGTHS.index("RowExclusiveLock")
    return {
        re.sub(r"_r\d+$", "", table) for table, mode in step.locked.items() if STRENGTHS.index(mode) >= least
    }


class Try:
    """A revision on a copy of its own."""

    def __init__(
        self, copy: Copy, script: Script, sketched: Sketch, limits: Limits, versions: Path | None
    ) -> None:
        self.copy, self.script, self.sketched, self.versions = copy, script, sketched, versions
        self.engine = engines.connect(copy.url, poolclass=NullPool)
        copies.guard(self.engine)
        watch.bring(copy.url, before(script), versions=versions)
        self.result = self._begun(limits)
        self.singers = canaries.of_tables(self.engine, sketched.touched[:MOST_CANARIES])

    def run(self) -> Rehearsed:
        """Up, down, up; a step that fails is the last one."""
        result, start, sums = self.result, schema.of(self.engine), self._sums()
        result.checked_rows = sum(each.rows for each in sums.values())
        plans.analyze(self.engine, schema.tables(start))  # else autovacuum would, in the middle
        result.before = self._plans()
        if not self._moved("up", watch.up(self.script.revision)):
            return result
        upper = schema.of(self.engine)
        result.changes = schema.difference(start, upper)
        result.loses = _losses(result.changes)
        self._compare("up", sums)
        result.after = self._plans()
        if self._moved("down", watch.down(before(self.script))):
            result.left_behind = schema.difference(start, schema.of(self.engine))
            self._compare("down", sums)
            if self._moved("up again", watch.up(self.script.revision)):
                result.second_up = schema.difference(upper, schema.of(self.engine))
        return result

    def _plans(self) -> list[Any]:
        # Before as well as after, so that no difference comes from what the planner was told.
        there = set(schema.tables(schema.of(self.engine)))
        plans.analyze(self.engine, [table for table in self.sketched.touched if table in there])
        return plans.capture_all(self.engine)

    def _sums(self) -> dict[str, Sum]:
        return schema.sums(self.engine, self.sketched.kept)

    def _moved(self, name: str, move: Callable[[Any], None]) -> bool:
        step = watch.step(name, self.copy.url, move, self.singers, versions=self.versions)
        self.result.steps.append(step)
        if step.failure:
            self.result.harmed.append(f"{name} failed: {step.failure}")
        unchecked = written(step) & set(schema.tables(self.sketched.before)) - set(self.sketched.touched)
        if unchecked and name == "up":
            self.result.harmed.append(
                f"{name} wrote tables that an empty database did not show: {', '.join(sorted(unchecked))}"
            )
        return not step.failure

    def _compare(self, name: str, old: Mapping[str, Sum]) -> None:
        new = self._sums()
        for table, was in old.items():
            now = new[table]
            if now.rows != was.rows:
                said = f"the table {table} has {now.rows:,} rows instead of {was.rows:,}"
                self.result.harmed.append(f"after {name} {said}")
            elif now.sum != was.sum:
                said = f"rows of {table} differ in columns that the migration should not touch"
                self.result.harmed.append(f"after {name} {said}")

    def _begun(self, limits: Limits) -> Rehearsed:
        with self.engine.connect() as connection:
            version = str(connection.execute(reports.server_version()).scalar_one())
        path = Path(self.script.path)
        return Rehearsed(
            revision=self.script.revision,
            down_revision=before(self.script),
            path=path,
            hash=hashlib.sha256(path.read_bytes()).hexdigest(),
            summary=self.script.doc,
            copy=self.copy,
            sizes=schema.sizes(self.engine),
            server=version,
            limits=limits,
            remarks=lint.of_revision(self.script, self.sketched.before, self.versions),
            changes=Difference(),
            touched=self.sketched.touched,
        )


def _losses(changes: Difference) -> list[str]:
    """What the way back takes away: the tables and columns that came."""
    lost = [name for name in changes.came if name.startswith("table ")]
    return lost + [name for name in changes.came if name.startswith("column ") and not _is_said(name, lost)]


def _is_said(column: str, lost: list[str]) -> bool:
    """Whether a column goes with its table, or is that of a partition, whose parent says it."""
    table = column.removeprefix("column ").partition(".")[0]
    return f"table {table}" in lost or re.search(r"_r\d+$", table) is not None
