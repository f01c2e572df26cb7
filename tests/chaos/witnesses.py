"""Mutation witnesses: the program with one safeguard taken away, and the trouble in which that must show.

A mutation is applied to a copy of the source tree, whose processes are started in its stead. The same trouble must do
nothing to the program as it is. ``python -m tests.chaos.witnesses`` tries all of them, those that take long included.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli import context
from tests.chaos import laboratory
from tests.chaos.points import Source
from tests.chaos.troubles import (
    AGAIN,
    CLOCKS,
    DEAD,
    LONG_TROUBLES,
    SILENCE,
    TROUBLES,
    UNANSWERED,
    ZOMBIE,
    Trouble,
    fired_again,
    reopened,
)
from tests.processes import _program
from tests.site_plan import CALM

SITE = (CALM, 61, 0.05)
"""Small and quick: what shares, how many pages, how slow."""

COPIED = ("headersweep", "review", "models", "scheduler", "worker", "cli", "alembic", "alembic.ini")


@dataclass(frozen=True)
class Edit:
    """Words of a file that are taken out, and what stands there instead."""

    file: str
    before: str
    after: str


@dataclass(frozen=True)
class Mutation:
    """One safeguard less: the trouble that must show it, and words of the complaint that is the right one."""

    name: str
    edits: tuple[Edit, ...]
    trouble: Trouble
    complaint: str
    sql: str = ""


@contextlib.contextmanager
def applied(mutation: Mutation) -> Iterator[Source]:
    """A copy of the source tree without what the mutation takes away."""
    folder = Path(tempfile.mkdtemp(prefix="headersweep-mutation-"))
    try:
        for name in COPIED:
            _copy(_program.ROOT / name, folder / name)
        for edit in mutation.edits:
            _edit(folder / edit.file, edit)
        yield Source(folder, mutation.sql)
    finally:
        shutil.rmtree(folder)


def _copy(original: Path, copy: Path) -> None:
    # Times are kept, so that compiled files stay good for what is not edited.
    (shutil.copytree if original.is_dir() else shutil.copy2)(original, copy)


def _edit(path: Path, edit: Edit) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(edit.before) == 1, f"{edit.file} has changed: {edit.before!r} is not there just once"
    path.write_text(text.replace(edit.before, edit.after), encoding="utf-8")


MUTATIONS = (
    Mutation(
        "the fence is not looked at",
        (
            Edit(
                "worker/commit.py",
                "ours = row is not None and row.fence == batch.held.fence and row.lease_owner == self._owner",
                "ours = row is not None",
            ),
        ),
        ZOMBIE,
        "writes without the lease: [('a late",
    ),
    Mutation(
        "the slot is not unique",
        (
            Edit(
                "models/runs.py",
                '        ON CONFLICT (site_id, slot) DO NOTHING\n        RETURNING id\n        """',
                '        RETURNING id\n        """',
            ),
        ),
        AGAIN,
        "more or less than one run: [(2,)]",
        sql="ALTER TABLE runs DROP CONSTRAINT uq_runs_site_id_slot",
    ),
    Mutation(
        "the slot of a schedule is not unique",
        (
            Edit(
                "models/runs.py",
                "        ON CONFLICT (site_id, slot) DO NOTHING\n        RETURNING id, site_id",
                "        RETURNING id, site_id",
            ),
        ),
        fired_again,
        "more or less than one run: [(2,)]",
        sql="ALTER TABLE runs DROP CONSTRAINT uq_runs_site_id_slot",
    ),
    Mutation(
        "the run is not locked while it is closed",
        (Edit("models/runs.py", "WHERE r.id = :id\n        FOR NO KEY UPDATE OF r\n", "WHERE r.id = :id\n"),),
        reopened,
        "pages found and not visited",
    ),
    Mutation(
        "visits are inserted without their conflict clause",
        (Edit("models/visits.py", "        ON CONFLICT (run_id, page_id) DO NOTHING\n", ""),),
        UNANSWERED,
        "a defect of ours: shard.crashed",
    ),
    Mutation(
        "leases are claimed by the worker's clock",
        (
            Edit(
                "models/shards.py",
                "            {_DUE}\n",
                """            {_DUE.replace("lease_until < clock_timestamp()", "lease_until < to_timestamp(:now)")}\n""",
            ),
            Edit(
                "models/shards.py",
                "bindparams(pause_after=QUARANTINE_AFTER, pause=LOST_PAUSE_SECONDS)",
                "bindparams(pause_after=QUARANTINE_AFTER, pause=LOST_PAUSE_SECONDS, now=__import__('time').time())",
            ),
        ),
        CLOCKS,
        "('a live lease taken'",
    ),
)
"""Each turns the suite red for its own reason."""

LONG_MUTATIONS = (
    Mutation(
        "nobody looks after the leases of the dead",
        (Edit("scheduler/tick.py", "    if not dead:\n", "    if dead or not dead:\n"),),
        DEAD,
        "the end came",
    ),
    Mutation(
        "workers have no timer of their own",
        (Edit("worker/runtime.py", '            ("timer", self.settings.tick_seconds, self._tick),\n', ""),),
        SILENCE,
        "the end of the run did not happen",
    ),
)
"""The same, but it takes its time: not in ``make test``."""


def main() -> int:
    """Every trouble with the whole program, then each mutation in its own; 1 unless all is as it must be."""
    blind = 0
    with (
        context.terminated_like_interrupted(),
        laboratory.made_home() as made,
        laboratory.opened(made, *SITE) as lab,
    ):
        for name, trouble in (TROUBLES | LONG_TROUBLES).items():
            wrong = trouble(lab, Source())
            blind += bool(wrong)
            _say(f"{'WRONG' if wrong else 'right'}  whole, {name}: {wrong}")
        for mutation in (*MUTATIONS, *LONG_MUTATIONS):
            with applied(mutation) as source:
                wrong = mutation.trouble(lab, source)
            noticed = [line for line in wrong if mutation.complaint in line]
            blind += not noticed
            _say(f"{'red' if noticed else 'BLIND'}    {mutation.name}: {noticed or wrong}")
    return int(blind > 0)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
