"""What ``db plans`` and ``db indexes`` found, for people and for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from cli.render import json, words
from cli.render.rehearsed import plan_object

if TYPE_CHECKING:
    from cli.care.indexes import Examined
    from cli.care.plans import Comparison
    from models.care.explain import Plan


def plans_as_text(plans: Sequence[Plan], comparison: Comparison | None) -> str:
    """One line a statement: its way, rows, buffers, what it uses; then what became worse."""
    rows = [_cells(plan) for plan in plans]
    heads = ["statement", "executed", "rows", "buffers", "ms", "uses"]
    lines = words.table(heads, rows, right=frozenset({2, 3, 4}))
    executed = sum(plan.executed for plan in plans)
    lines.append(f"{words.count(len(plans), 'statement')}, {executed} executed, the others only planned")
    if comparison is not None:
        lines += [f"WORSE: {words.safe(line)}" for line in comparison.worse]
        lines += [f"otherwise: {words.safe(line)}" for line in comparison.otherwise]
        lines.append(
            f"{len(comparison.worse)} worse, {len(comparison.otherwise)} otherwise than in the record"
        )
    return "\n".join(lines)


def _cells(plan: Plan) -> list[str]:
    used = [*plan.indexes, *(f"all of {table}" for table in plan.sequential)]
    said = f"({words.safe(plan.remark)})" if plan.remark else ""
    return [
        plan.name,
        str(plan.way) if plan.executed else "no",
        _number(plan.rows),
        _number(plan.buffers),
        "-" if plan.time_ms is None else f"{plan.time_ms:,.1f}",
        " ".join([", ".join(used) or ("-" if plan.works else "not in this revision"), said]).strip(),
    ]


def _number(value: int | None) -> str:
    return "-" if value is None else words.number(value)


def plans_as_json(plans: Sequence[Plan], comparison: Comparison | None) -> str:
    """One object with every plan."""
    return json.document(
        plans=[plan_object(plan) for plan in plans],
        compared=comparison and {"worse": list(comparison.worse), "otherwise": list(comparison.otherwise)},
    )


def indexes_as_text(found: Examined) -> str:
    """One paragraph a verdict, and how much there is."""
    lines = []
    for verdict in found.verdicts:
        where = f"{verdict.name} on {verdict.table}" if verdict.name else verdict.table
        lines.append(f"{verdict.kind}: {words.safe(where)}, {verdict.bytes / 1e6:,.1f} MB")
        lines += [f"    {words.safe(verdict.evidence)}", f"    -> {words.safe(verdict.todo)}"]
    total = f"{words.count(found.indexes, 'index').replace('indexs', 'indexes')}, {found.bytes / 1e6:,.0f} MB"
    lines.append(
        f"{total}; use counted for {found.days:.1f} days; {words.count(len(found.verdicts), 'remark')}"
    )
    return "\n".join(lines)


def indexes_as_json(found: Examined) -> str:
    """One object with every verdict."""
    return json.document(
        verdicts=[asdict(verdict) for verdict in found.verdicts],
        indexes=found.indexes,
        bytes=found.bytes,
        counted_days=round(found.days, 3),
    )
