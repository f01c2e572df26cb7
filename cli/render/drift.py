"""Two runs compared, for people, for scripts, and for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cli.drifting import Approval
from cli.render import json as json_module
from cli.render import words
from cli.report import Run
from review.diffing import WORST_FIRST, Changed, Difference, Move, Moved
from review.directions import Direction
from review.report import Cause
from review.reports import markdown

MOVES = {
    Move.APPEARED: "appeared",
    Move.VANISHED: "vanished",
    Move.ANSWERED: "answered again",
    Move.NOT_ANSWERED: "did not answer",
    Move.NOT_VISITED: "visited in one of the runs only, since the other did not visit everything",
}
MAX_CELL = 300
MAX_LINES = 10
"""What fits a table; JSON has all of it."""

DIRECTIONS = {
    Direction.LOOSER: "looser",
    Direction.INCOMPARABLE: "changed, neither stricter nor looser",
    Direction.STRICTER: "stricter",
    Direction.EQUAL: "written otherwise, the same in effect",
}


def render(  # noqa: PLR0913 - two runs, what is between them, and how to show it
    found: Difference, old: Run, new: Run, shape: str, width: int, *, approval: Approval | None = None
) -> str:
    """The comparison as text, JSON or Markdown; with an approval, the old run is the baseline."""
    if shape == "json":
        return as_json(found, old, new, approval)
    if shape == "md":
        return as_markdown(found, old, new, approval)
    return text(found, old, new, width, approval)


def approved(old: Run, approval: Approval) -> str:
    """Who approved of the baseline, in one line."""
    said = f"Run {old.run_id} is the baseline: approved by {approval.owner}, until {approval.expires}: {approval.reason}"
    if not approval.is_expired:
        return said
    return f"{said}. It has expired: nobody approves of it any longer ({approval.rollback_note})"


# --- for people ---


def text(found: Difference, old: Run, new: Run, width: int, approval: Approval | None = None) -> str:
    """What changed, the worst first."""
    blocks = [
        [*_heading(found, old, new), *([words.safe(approved(old, approval))] if approval else [])],
        *(_direction(found, direction, width) for direction in WORST_FIRST),
        _moves(found.moves, width),
        _causes("Findings that came", found.came, width),
        _causes("Findings that went", found.went, width),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _heading(found: Difference, old: Run, new: Run) -> list[str]:
    lines = [
        f"{words.safe(found.site)}: {_of(found)}",
        f"from run {old.run_id}, slot {words.instant(old.slot)}, to run {new.run_id}, slot {words.instant(new.slot)}",
    ]
    return [*lines, SPANS_SAY] if found.from_spans else lines


SPANS_SAY = "Visits were dropped by retention: what a run did not fetch counts as it was before."


def _of(found: Difference) -> str:
    parts = [f"{words.count(found.changed_pages, 'page')} changed"]
    for move, said in MOVES.items():
        pages = sum(one.pages for one in found.moves if one.move is move)
        parts += [f"{pages:,} {said}"] if pages else []
    return ", ".join(parts) if len(parts) > 1 or found.changed_pages else "nothing changed"


def _direction(found: Difference, direction: Direction, width: int) -> list[str]:
    shown = [one for one in found.changes if one.change.direction is direction]
    lines = [_title(DIRECTIONS[direction])] if shown else []
    for one in shown:
        lines += ["", *(words.cut(line, width) for line in _changed(one))]
    return lines


def _title(said: str) -> str:
    return said[:1].upper() + said[1:]


def _changed(one: Changed) -> Iterator[str]:
    change = one.change
    yield f"  {words.safe(change.header)}  on {words.count(one.pages, 'page')}"
    yield from _values("-", change.old)
    yield from _values("+", change.new)
    if change.text:
        yield f"    {words.safe(change.text)}"
    if one.flapping_pages:
        yield f"    {_flapping(one)}"
    yield from (f"      {words.safe(url)}" for url in one.sample_urls)


def _values(sign: str, value: str) -> Iterator[str]:
    lines = _lines(value)
    yield from (f"    {sign} {words.safe(line)}" for line in lines[:MAX_LINES])
    if len(lines) > MAX_LINES:
        yield f"    {sign} and {len(lines) - MAX_LINES} more"


def _flapping(one: Changed) -> str:
    """That pages go back and forth: a sign of uneven servers or caches."""
    return f"flapping: {words.count(one.flapping_pages, 'page')} answered so before, within the last runs"


def _lines(value: str) -> list[str]:
    return value.split("\n") if value else []


def _moves(moves: Sequence[Moved], width: int) -> list[str]:
    lines = ["Pages of which one run alone has an answer"] if moves else []
    for one in moves:
        lines.append(f"  {words.count(one.pages, 'page')} {_moved(one)}")
        lines += [f"      {words.cut(words.safe(url), width - 6)}" for url in one.sample_urls]
    return lines


def _moved(one: Moved) -> str:
    outcome = f", {one.outcome.replace('_', ' ')}" if one.outcome else ""
    return f"{MOVES[one.move]} (status {one.status}{outcome})"


def _causes(heading: str, causes: Sequence[Cause], width: int) -> list[str]:
    lines = [heading] if causes else []
    for cause in causes:
        said = f"  {cause.severity}  {_cause(cause)}  on {words.count(cause.pages, 'page')}"
        lines.append(words.cut(words.safe(said), width))
        lines += [f"      {words.cut(words.safe(url), width - 6)}" for url in cause.sample_urls[:1]]
    return lines


def _cause(cause: Cause) -> str:
    waived = f" (waived: {cause.waived_by})" if cause.waived_by else ""
    return f"{cause.code} {cause.subject}".strip() + f": {cause.rule.title}{waived}"


# --- for scripts ---


def as_json(found: Difference, old: Run, new: Run, approval: Approval | None = None) -> str:
    """The comparison as one object; its shape is a contract (docs/cli.md)."""
    return json_module.document(
        site=found.site,
        old=_run(old),
        new=_run(new),
        baseline=None if approval is None else _approval(approval),
        visits_dropped=found.from_spans,
        changed_pages=found.changed_pages,
        changes=[_change(one) for one in found.changes],
        pages=[
            {
                "move": str(one.move),
                "status": one.status,
                "outcome": one.outcome or None,
                "pages": one.pages,
                "sample_urls": list(one.sample_urls),
            }
            for one in found.moves
        ],
        findings={
            "came": [_finding(cause) for cause in found.came],
            "went": [_finding(cause) for cause in found.went],
        },
    )


def _run(run: Run) -> dict[str, Any]:
    return {
        "run": run.run_id,
        "slot": words.instant(run.slot),
        "state": str(run.state),
        "digest": words.hexed(run.digest),
    }


def _approval(approval: Approval) -> dict[str, Any]:
    return {
        "owner": approval.owner,
        "reason": approval.reason,
        "expires": approval.expires.isoformat(),
        "expired": approval.is_expired,
        "rollback_note": approval.rollback_note,
        "approved_by": approval.approved_by,
        "approved_at": words.instant(approval.approved_at),
    }


def _change(one: Changed) -> dict[str, Any]:
    change = one.change
    return {
        "header": change.header,
        "direction": str(change.direction),
        "old": _lines(change.old),
        "new": _lines(change.new),
        "text": change.text,
        "pages": one.pages,
        "flapping_pages": one.flapping_pages,
        "sample_urls": list(one.sample_urls),
    }


def _finding(cause: Cause) -> dict[str, Any]:
    return {
        "code": cause.code,
        "subject": cause.subject,
        "severity": str(cause.severity),
        "pages": cause.pages,
        "snapshots": cause.snapshots,
        "sample_urls": list(cause.sample_urls),
        "waived_by": cause.waived_by or None,
        "why": cause.rule.why,
        "fix": cause.rule.fix,
    }


# --- for a pull request ---


def as_markdown(found: Difference, old: Run, new: Run, approval: Approval | None = None) -> str:
    """The comparison as tables."""
    plain, code = markdown.plain, markdown.code
    lines = [
        f"# What changed on {plain(found.site)}",
        "",
        f"Run {old.run_id} to run {new.run_id}: {_of(found)}.",
        "",
    ]
    lines += [plain(approved(old, approval)), ""] if approval else []
    lines += [SPANS_SAY, ""] if found.from_spans else []
    changes = [
        (str(one.change.direction), code(one.change.header), _cell(one.change.old), _cell(one.change.new),
         plain(_meaning(one)), f"{one.pages:,}", _example(one.sample_urls))
        for one in found.changes
    ]  # fmt: skip
    lines += _table(
        "Headers",
        ("direction", "header", "before", "after", "what it means", "pages", "for example"),
        changes,
    )
    moves = [(_moved(one), f"{one.pages:,}", _example(one.sample_urls)) for one in found.moves]
    lines += _table("Pages", ("what", "pages", "for example"), moves)
    for heading, causes in (("Findings that came", found.came), ("Findings that went", found.went)):
        rows = [
            (str(cause.severity), plain(_cause(cause)), f"{cause.pages:,}", _example(cause.sample_urls))
            for cause in causes
        ]
        lines += _table(heading, ("severity", "what", "pages", "for example"), rows)
    return "\n".join(lines)


def _meaning(one: Changed) -> str:
    return "; ".join(filter(None, (one.change.text, _flapping(one) if one.flapping_pages else "")))


def _cell(value: str) -> str:
    lines = [markdown.code(words.cut(line, MAX_CELL)) for line in _lines(value)]
    more = [f"and {len(lines) - MAX_LINES} more"] if len(lines) > MAX_LINES else []
    return "<br>".join(lines[:MAX_LINES] + more)


def _example(urls: Sequence[str]) -> str:
    return markdown.code(urls[0]) if urls else ""


def _table(heading: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"## {heading}", "", *markdown.table(heads, rows), ""] if rows else []
