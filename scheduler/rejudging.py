"""Judge stored runs under the present rules, without a network, and say what the rules changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from models import reviews
from review import judge
from scheduler import judging, reviewed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Engine

    from scheduler.reviewed import Cause, Weight


class Change(NamedTuple):
    """A cause that the present rules see otherwise: None before, it came; None after, it went."""

    code: str
    subject: str
    before: Weight | None
    after: Weight | None


@dataclass(frozen=True)
class Rejudged:
    """What judging a run under the present rules changed.

    ``compared_with``: the newest older rules version that had judged it; None: none had.
    """

    run_id: int
    rules_version: int
    judged: int
    """Combinations that these rules had not judged yet."""
    unjudged: int
    """Combinations that a defect kept us from judging."""
    sets: int
    """0: nothing is stored that could be judged."""
    compared_with: int | None = None
    changes: tuple[Change, ...] = ()


def rejudge(engine: Engine, run_id: int) -> Rejudged:
    """Judge a closed run under the present rules; safe to repeat, and says the same again."""
    done = judging.judge_run(engine, run_id)
    with engine.connect() as connection:
        sets = connection.execute(reviews.count_sets(), {"run_id": run_id}).scalar_one()
        version, changes = compare(connection, run_id)
    return Rejudged(run_id, done.rules_version, done.judged, done.unjudged, sets, version, changes)


def compare(connection: Connection, run_id: int) -> tuple[int | None, tuple[Change, ...]]:
    """The newest older rules version that judged anything of a run, and what the present rules see otherwise.

    Only what both have judged is compared, each set with its own newest older judgement.
    """
    values = {"run_id": run_id, "rules_version": judge.RULES_VERSION}
    old = {reviewed.key(row): row for row in connection.execute(reviews.judgements_before(), values)}
    new = {reviewed.key(row): row for row in connection.execute(reviews.judgements_of_run(), values)}
    both = sorted(old.keys() & new.keys())
    before = reviewed.weigh(connection, [old[key] for key in both])
    after = reviewed.weigh(connection, [new[key] for key in both])
    return max((old[key].rules_version for key in both), default=None), changes_between(before, after)


def changes_between(before: Mapping[Cause, Weight], after: Mapping[Cause, Weight]) -> tuple[Change, ...]:
    """The causes that came, went, or are of another severity or on other pages, the worst first."""
    found = [
        Change(*cause, before.get(cause), after.get(cause))
        for cause in before.keys() | after.keys()
        if before.get(cause) != after.get(cause)
    ]
    return tuple(sorted(found, key=_order))


def _order(change: Change) -> tuple[int, int, str, str]:
    weight = change.after or change.before
    rank, pages = (weight.severity.rank, weight.pages) if weight else (0, 0)
    return -rank, -pages, change.code, change.subject
