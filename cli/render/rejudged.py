"""What the present rules changed about stored runs, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cli.render import json, words

if TYPE_CHECKING:
    from scheduler.rejudging import Change, Rejudged
    from scheduler.reviewed import Weight


def as_text(found: Sequence[Rejudged]) -> str:
    """The runs about which something changed, and how many there were in all; of a single run in any case."""
    if not found:
        return "no run is over yet: there is nothing to judge"
    shown = found if len(found) == 1 else [item for item in found if item.changes or item.unjudged]
    lines = [line for item in shown for line in _run(item)]
    return "\n".join([*lines, _total(found)] if len(found) > 1 else lines)


def _run(item: Rejudged) -> Iterator[str]:
    yield f"run {item.run_id}: {_said(item)}"
    if item.unjudged:
        yield f"  {words.count(item.unjudged, 'header set')} could not be judged: see the event run.unjudged in the log"
    rows = [_cells(change) for change in item.changes]
    yield from (f"  {row}" for row in words.table([""] * 5, rows)[1:] if rows)


def _said(item: Rejudged) -> str:
    if not item.sets:
        return "nothing is stored that could be judged"
    rules = f"rules {item.rules_version}"
    if item.compared_with is None:
        return f"{rules}; no older rules have judged it"
    what = f"{words.count(len(item.changes), 'cause')} changed" if item.changes else "nothing changed"
    return f"{rules}, compared with rules {item.compared_with}: {what}"


def _total(found: Sequence[Rejudged]) -> str:
    changed = sum(bool(item.changes) for item in found)
    new = sum(item.judged for item in found)
    empty = sum(not item.sets for item in found)
    gone = f"; of {words.count(empty, 'run')} nothing is stored" if empty else ""
    judgements = words.count(new, "judgement")
    return f"{words.count(len(found), 'run')} looked at, {judgements} new, {changed:,} changed{gone}"


def _cells(change: Change) -> list[str]:
    weights = [_weight(weight) for weight in (change.before, change.after) if weight is not None]
    return [kind(change), change.code, words.safe(change.subject), " -> ".join(weights), _title(change.code)]


def kind(change: Change) -> str:
    """``came``, ``went``, ``severity`` or ``pages``: what is different."""
    if change.before is None:
        return "came"
    if change.after is None:
        return "went"
    return "pages" if change.before.severity is change.after.severity else "severity"


def _weight(weight: Weight) -> str:
    return f"{weight.severity} on {words.count(weight.pages, 'page')}"


def _title(code: str) -> str:
    from review import table

    return table.RULES[code].title if code in table.RULES else ""


def as_json(found: Sequence[Rejudged]) -> str:
    """One object with every run."""
    return json.document(runs=[_object(item) for item in found])


def _object(item: Rejudged) -> dict[str, Any]:
    return {
        "run": item.run_id,
        "rules_version": item.rules_version,
        "compared_with": item.compared_with,
        "header_sets": item.sets,
        "judged": item.judged,
        "unjudged": item.unjudged,
        "changes": [
            {
                "change": kind(change),
                "code": change.code,
                "subject": change.subject,
                "before": _weight_object(change.before),
                "after": _weight_object(change.after),
            }
            for change in item.changes
        ],
    }


def _weight_object(weight: Weight | None) -> dict[str, Any] | None:
    return weight and {"severity": str(weight.severity), "pages": weight.pages}
