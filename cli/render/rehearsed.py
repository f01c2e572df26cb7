"""What a rehearsal measured: for people, for scripts, and for the migration note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cli.render import json, words

if TYPE_CHECKING:
    from cli.care.copies import Copy
    from cli.care.measured import Rehearsed
    from cli.care.watch import Statement, Step
    from models.care.explain import Plan

SQL_WIDTH = 70
TABLES_SHOWN = 8


def as_text(found: Sequence[Rehearsed]) -> str:
    """One paragraph a revision, the verdict last."""
    return "\n\n".join("\n".join(_paragraph(result)) for result in found)


def _paragraph(result: Rehearsed) -> list[str]:
    data = f"{words.number(result.checked_rows)} rows, {_megabytes(result.copy.bytes)}"
    lines = [f"revision {result.revision} on {data} ({result.copy.how}), {result.seconds:.1f} s in all"]
    for step in result.steps:
        lines.append(f"  {step.name}: {_step(step)}")
        rows = [_cells(statement) for statement in step.statements]
        lines += [f"    {row}" for row in words.table(list(HEADS), rows, right=NUMBERS)] if rows else []
        lines += [f"    a canary was refused: {words.safe(error)}" for error in step.errors[:3]]
    lines += [f"  plan only otherwise: {line}" for line in result.comparison.otherwise]
    lines += [
        f"  lint, accepted: {remark.rule}: {words.safe(remark.accepted)}"
        for remark in result.remarks
        if remark.accepted
    ]
    lines += [f"  NOT CLEAN: {words.safe(line)}" for line in result.unclean]
    lines += [f"  EXCEEDED: {words.safe(line)}" for line in result.exceeded]
    return [*lines, f"  {verdict(result)}"]


def verdict(result: Rehearsed) -> str:
    """One sentence."""
    if result.unclean:
        return "the way back is not clean"
    return "limits were exceeded" if result.exceeded else "within the limits; the way back is clean"


HEADS = ("statement", "ms", "lock", "reader ms", "writer ms", "rewritten", "WAL KB")
NUMBERS = frozenset({1, 3, 4, 6})


def _step(step: Step) -> str:
    waits = f"reader waited {_ms(step.reader_ms)} ms (before {_ms(step.quiet_reader_ms)}), writer {_ms(step.writer_ms)} ms (before {_ms(step.quiet_writer_ms)})"
    return f"{step.seconds:.2f} s, {waits}, {step.wal_bytes / 1000:,.0f} KB of WAL"


def _cells(statement: Statement) -> list[str]:
    sql = words.cut(words.safe(statement.sql), SQL_WIDTH)
    return [
        f"{sql} ({statement.tries} tries)" if statement.tries > 1 else sql,
        f"{statement.duration_ms:,.1f}",
        locks(statement.locks),
        _ms(statement.reader_ms),
        _ms(statement.writer_ms),
        ", ".join(statement.rewritten) or "-",
        f"{statement.wal_bytes / 1000:,.1f}",
    ]


def locks(held: dict[str, str]) -> str:
    """The strongest lock first, with the tables that it is on; those of readers are left out."""
    from models.care.watching import STRENGTHS

    by_mode: dict[str, list[str]] = {}
    for table, mode in held.items():
        if mode != STRENGTHS[0]:
            by_mode.setdefault(mode, []).append(table)
    ordered = sorted(by_mode.items(), key=lambda item: -STRENGTHS.index(item[0]))
    return (
        "; ".join(f"{mode.removesuffix('Lock')} on {_some(sorted(tables))}" for mode, tables in ordered)
        or "-"
    )


def _some(tables: list[str]) -> str:
    shown = tables[:TABLES_SHOWN]
    return ", ".join(shown) + (f" and {len(tables) - len(shown)} more" if len(tables) > len(shown) else "")


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _megabytes(value: int) -> str:
    return f"{value / 1e6:,.0f} MB"


def as_note(result: Rehearsed, command: str) -> list[str]:
    """What was measured, as Markdown."""
    back = result.steps[1].seconds if len(result.steps) > 1 else 0.0
    sizes = [size for size in result.sizes if size.rows][:TABLES_SHOWN]
    lines = [
        "## Measured",
        "",
        f"`{command}`, Postgres {result.server}, {result.copy.how}: {_megabytes(result.copy.bytes)}"
        + (", the largest tables " if sizes else "")
        + ", ".join(f"{size.table} {words.number(size.rows)}" for size in sizes)
        + f". {verdict(result).capitalize()}.",
        "",
    ]
    for step in result.steps:
        lines += [f"**{step.name.capitalize()}:** {_step(step)}.", "", *_statement_table(step)]
        lines += [f"A canary was refused: {error}." for error in step.errors[:3]]
    lines += [
        f"**Way back:** {back:.2f} s; it loses {', '.join(result.loses) or 'nothing'}. "
        + (
            "The schema after it is the one before."
            if result.left_behind.is_empty
            else "The schema after it differs."
        )
        + f" {words.number(result.checked_rows)} rows of columns that the migration does not touch were checked after up and down.",
        "",
        *_plans(result),
        *_lint(result),
    ]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _statement_table(step: Step) -> list[str]:
    if not step.statements:
        return []
    rows = [
        f"| `{words.cut(statement.sql, SQL_WIDTH)}` | " + " | ".join(_cells(statement)[1:]) + " |"
        for statement in step.statements
    ]
    return [
        "| statement | ms | lock | reader ms | writer ms | rewritten | WAL KB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(row.replace("`", "`") for row in rows),
        "",
    ]


def _plans(result: Rehearsed) -> list[str]:
    """Only what is otherwise: that all others stayed is one sentence."""
    before = {plan.name: plan for plan in result.before if plan.works}
    after = {plan.name: plan for plan in result.after if plan.works}
    moved = [name for name in sorted(before.keys() & after.keys()) if _differs(before[name], after[name])]
    new = sorted(after.keys() - before.keys())
    same = len(before.keys() & after.keys()) - len(moved)
    sentence = f"**Plans:** of {len(after)} statements {same} have the same indexes and about the same buffers as before"
    if new:
        sentence += f", {len(new)} work only now"
    missing = len(result.after) - len(after)
    if missing:
        sentence += f", {missing} belong to later revisions"
    lines = [f"{sentence}.", ""]
    if moved:
        lines += ["| statement | before | buffers | after | buffers |", "| --- | --- | --- | --- | --- |"]
        lines += [_plan_row(before[name], after[name]) for name in moved]
        lines.append("")
    return lines


def _differs(old: Plan, new: Plan) -> bool:
    from cli.care import plans

    return plans.differs(old, new)


def _plan_row(old: Plan, new: Plan) -> str:
    return f"| {old.name} | {_way(old)} | {_number(old.buffers)} | {_way(new)} | {_number(new.buffers)} |"


def _way(plan: Plan) -> str:
    found = [*plan.indexes, *(f"all of {table}" for table in plan.sequential)]
    return ", ".join(found) or "-"


def _number(value: int | None) -> str:
    return "-" if value is None else words.number(value)


def _lint(result: Rehearsed) -> list[str]:
    if not result.remarks:
        return ["**Lint:** nothing to remark."]
    return [
        "**Lint:**",
        "",
        *(
            f"- {each.rule}: {each.message}" + (f" Accepted: {each.accepted}" if each.accepted else "")
            for each in result.remarks
        ),
    ]


def as_json(found: Sequence[Rehearsed]) -> str:
    """One object with every revision."""
    return json.document(rehearsals=[_object(result) for result in found])


def _object(result: Rehearsed) -> dict[str, Any]:
    return {
        "revision": result.revision,
        "down_revision": result.down_revision,
        "file": result.path.name,
        "file_hash": f"sha256:{result.hash}",
        "server": result.server,
        "copy": {
            "how": result.copy.how,
            "seconds": round(result.copy.seconds, 3),
            "bytes": result.copy.bytes,
        },
        "tables": [asdict(size) for size in result.sizes],
        "touched": list(result.touched),
        "steps": [_step_object(step) for step in result.steps],
        "changes": result.changes.lines(),
        "loses": result.loses,
        "lint": [asdict(remark) for remark in result.remarks],
        "plans": {
            "worse": list(result.comparison.worse),
            "otherwise": list(result.comparison.otherwise),
            "before": [plan_object(plan) for plan in result.before],
            "after": [plan_object(plan) for plan in result.after],
        },
        "checked_rows": result.checked_rows,
        "unclean": result.unclean,
        "exceeded": result.exceeded,
        "seconds": round(result.seconds, 3),
    }


def _step_object(step: Step) -> dict[str, Any]:
    return {
        "step": step.name,
        "seconds": round(step.seconds, 4),
        "wal_bytes": step.wal_bytes,
        "reader_stall_ms": _rounded(step.reader_ms),
        "writer_stall_ms": _rounded(step.writer_ms),
        "quiet_reader_ms": _rounded(step.quiet_reader_ms),
        "quiet_writer_ms": _rounded(step.quiet_writer_ms),
        "locks": step.locked,
        "rewritten": step.rewritten,
        "canary_errors": list(step.errors),
        "statements": [_statement_object(statement) for statement in step.statements],
    }


def _statement_object(statement: Statement) -> dict[str, Any]:
    return {
        "sql": statement.sql,
        "duration_ms": round(statement.duration_ms, 3),
        "locks": statement.locks,
        "reader_stall_ms": _rounded(statement.reader_ms),
        "writer_stall_ms": _rounded(statement.writer_ms),
        "rewritten": list(statement.rewritten),
        "wal_bytes": statement.wal_bytes,
        "tries": statement.tries,
    }


def plan_object(plan: Plan) -> dict[str, Any]:
    """One plan."""
    return {**asdict(plan), "way": str(plan.way)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def copy_as_text(name: str, copy: Copy | None) -> str:
    """What became of a scratch database."""
    if copy is None:
        return f"dropped {name}"
    return f"made {name}: {copy.how}, {_megabytes(copy.bytes)}, in {copy.seconds:.1f} s"


def copy_as_json(name: str, copy: Copy | None) -> str:
    """The same for scripts."""
    made = copy and {"how": copy.how, "bytes": copy.bytes, "seconds": round(copy.seconds, 3)}
    return json.document(database=name, made=made)
