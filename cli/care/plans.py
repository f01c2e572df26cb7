"""The plans of all statements, and whether one became worse than another time: another index, a whole table read, more buffers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from headersweep.errors import UsageError
from models.care import explain, registry, samples, structure
from models.care.explain import Plan
from models.care.statement import Way

RECORD = 1
"""The version of the record's shape."""

LITTLE = 48
"""Growth by fewer buffers than this is never called worse: a level of an index, a page that filled up."""

_PART = re.compile(r"_r\d+(?=_|$)")


def capture_all(engine: Engine) -> list[Plan]:
    """The plan of every statement, on what the data are now."""
    with engine.connect() as connection:
        taken = samples.taken(connection)
        connection.rollback()
        wanted = [named for _, named in sorted(registry.STATEMENTS.items())]
        return explain.capture_all(connection, wanted, taken)


def analyze(engine: Engine, tables: Sequence[str]) -> None:
    """Let the planner know what stands in these tables."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        for table in tables:
            connection.execute(structure.analyze(table))


@dataclass(frozen=True)
class Comparison:
    """What became of the plans: sentences, beginning with the name of the statement."""

    worse: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()


def compare(old: Iterable[Plan], new: Iterable[Plan], growth: float) -> Comparison:
    """Which plans are worse than they were, and which are only otherwise."""
    known = {plan.name: plan for plan in old if plan.works}
    worse: list[str] = []
    otherwise: list[str] = []
    for plan in new:
        was = known.get(plan.name)
        if was is None:
            continue
        bad = _worse(was, plan, growth)
        worse += [f"{plan.name}: {reason}" for reason in bad]
        if not bad and _plain(was.indexes) != _plain(plan.indexes):
            otherwise.append(f"{plan.name}: {_named(was.indexes)} -> {_named(plan.indexes)}")
    return Comparison(tuple(worse), tuple(otherwise))


def differs(was: Plan, now: Plan) -> bool:
    """Whether a person would want to see both plans side by side."""
    if _plain(was.indexes) != _plain(now.indexes) or _plain(was.sequential) != _plain(now.sequential):
        return True
    return was.buffers is not None and now.buffers is not None and abs(was.buffers - now.buffers) >= LITTLE


def _worse(was: Plan, now: Plan, growth: float) -> list[str]:
    if not now.works:
        return [f"it does not work any more ({now.remark})"]
    reasons = []
    # A table of a few pages is read one way or the other; that is the planner's business.
    whole = sorted(_plain(now.sequential) & _plain(now.large) - _plain(was.sequential))
    lost = sorted(_plain(was.indexes) - _plain(now.indexes))
    grown = _growth(was, now)
    if whole and not _is_smaller(was, now):
        reasons.append(f"reads all of {', '.join(whole)}")
    if lost and now.large and not _is_smaller(was, now):
        reasons.append(f"no longer uses {', '.join(lost)}, but {_named(now.indexes)}")
    if grown is not None and grown > growth:
        reasons.append(f"{was.buffers:,} -> {now.buffers:,} buffers")
    return reasons


def _is_smaller(was: Plan, now: Plan) -> bool:
    """Whether it reads no more than before, so that another way there is none to complain about."""
    return was.buffers is not None and now.buffers is not None and now.buffers <= was.buffers


def _growth(was: Plan, now: Plan) -> float | None:
    if was.buffers is None or now.buffers is None or now.buffers - was.buffers < LITTLE:
        return None
    return now.buffers / max(was.buffers, 1)


def _plain(names: Sequence[str]) -> set[str]:
    """The names without the numbers of partitions."""
    return {_PART.sub("", name) for name in names}


def _named(names: Sequence[str]) -> str:
    return ", ".join(sorted(_plain(names))) or "no index"


def as_record(plans: Sequence[Plan]) -> str:
    """The plans as a file to compare with another time."""
    found = [{**asdict(plan), "way": str(plan.way)} for plan in plans]
    return json.dumps({"schema_version": RECORD, "plans": found}, indent=1)


def from_record(path: Path) -> list[Plan]:
    """The plans of a file that --record wrote."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return [_read(each) for each in found["plans"]]
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is no record of plans; `headersweep db plans --record {path}` writes one"
        ) from error


def _read(each: dict[str, Any]) -> Plan:
    lists = {name: tuple(each.pop(name)) for name in ("indexes", "sequential", "large", "nodes", "expected")}
    return Plan(**{**each, **lists, "way": Way(each["way"])})
